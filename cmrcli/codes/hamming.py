"""Exact Hamming search over packed codes: the k nearest without a distance for every row in memory.

The scan goes block by block: XOR with the query repeated over a block, bit counts, then the columns added
up, all within the second-level cache. Only rows nearer than the k-th best so far leave a block, so memory
stays at a few MiB for any number of rows. Over 1,000,000 codes of 6 or 8 words this takes less than a third
of the bare pass `np.bitwise_count(codes ^ query).sum(axis=1)`. Where FAISS is installed and the work is large
enough to pay for its import, faiss_scan.py does the same, faster.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes import faiss_scan

Codes = NDArray[np.uint64]  # (n, words); one query: (words,)

BLOCK_BYTES = 384 << 10  # of codes; with its XOR, counts and distances a block stays below 1 MiB
ROW_BITS = 40  # of a key (distance << ROW_BITS | row): ordering by it orders by distance, then row
MAX_WORDS = 1023  # distances are uint16 within a block


def nearest(
    query: Codes, codes: Codes, k: int, alive: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Rows and distances of the k nearest codes, nearest first, ties by row.

    Args:
        query: (words,) uint64.
        codes: (n, words) uint64; a memory map is read block by block.
        k: results wanted, >= 0; fewer come back when fewer rows are alive.
        alive: (n,) bool, rows that may be found; None for all.

    Returns:
        rows (k,) intp and Hamming distances (k,) int64.

    Raises:
        ValueError: shapes or dtypes that do not belong together.
    """
    rows, distances = nearest_batch(query[np.newaxis], codes, k, alive)
    return rows[0], distances[0]


def nearest_batch(
    queries: Codes, codes: Codes, k: int, alive: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """`nearest` for each of (q, words) queries in one pass over the codes: two arrays of shape (q, k).

    Every query gets the same number of results: k, or the number of live rows where that is smaller.
    """
    _check(queries, codes, k, alive)
    # np.asarray makes a plain view of a memory map: slicing the subclass costs several times as much.
    codes, live = np.asarray(codes), None if alive is None else np.asarray(alive)
    k = min(k, len(codes) if live is None else int(np.count_nonzero(live)))
    if k == 0 or len(queries) == 0:
        empty = (len(queries), k)
        return np.zeros(empty, dtype=np.intp), np.zeros(empty, dtype=np.int64)
    if faiss_scan.pays(len(queries), len(codes), codes.shape[1], live is not None):
        keys = faiss_scan.sorted_keys(queries, codes, k, live, ROW_BITS)
    else:
        keys = _sorted_keys(np.asarray(queries), codes, k, live)
    return (keys & ((1 << ROW_BITS) - 1)).astype(np.intp), keys >> ROW_BITS


def _sorted_keys(queries: Codes, codes: Codes, k: int, live: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """(q, k) of the smallest keys of each query, ascending; every block of codes meets all queries while cached."""
    scan = _BlockScan(codes.shape[1])
    repeated = [np.tile(query, scan.rows) for query in queries]
    best = [_Nearest(k) for _ in repeated]
    for rows in _blocks(len(codes), scan.rows):
        block = np.ascontiguousarray(codes[rows]).reshape(-1)
        live_here = None if live is None else live[rows]
        for query, found in zip(repeated, best, strict=True):
            found.offer(scan.distances(block, query), live_here, rows.start)
    return np.stack([found.sorted_keys() for found in best])


class _BlockScan:
    """Distances of one block of codes to one query, in buffers that are used again for every block."""

    def __init__(self, words: int) -> None:
        self.words = words
        self.rows = max(1, BLOCK_BYTES // (8 * words))
        self._differing = np.empty(self.rows * words, dtype=np.uint64)
        self._counts = np.empty(self.rows * words, dtype=np.uint8)
        self._distances = np.empty(self.rows, dtype=np.uint16)

    def distances(self, block: Codes, repeated_query: Codes) -> NDArray[np.uint16]:
        """(rows of the block,) distances, valid until the next call. `block` is flat: rows * words."""
        size, rows = len(block), len(block) // self.words
        differing, counts, total = self._differing[:size], self._counts[:size], self._distances[:rows]
        np.bitwise_xor(block, repeated_query[:size], out=differing)
        np.bitwise_count(differing, out=counts)
        columns = counts.reshape(rows, self.words)
        total[:] = columns[:, 0]
        for word in range(1, self.words):
            # Adding columns is several times as fast as sum(axis=1), which pays a call's worth for each row.
            np.add(total, columns[:, word], out=total)
        return total


class _Nearest:
    """The k smallest keys offered so far; a key is distance << ROW_BITS | row."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._keys: list[NDArray[np.int64]] = []
        self._held = 0
        self._bound = int(np.iinfo(np.uint16).max)  # only nearer rows can still enter; all are, at first

    def offer(self, distances: NDArray[np.uint16], live: NDArray[np.bool_] | None, first_row: int) -> None:
        """Takes the rows that beat the k-th best. Blocks come in row order, so a later tie loses."""
        nearer = distances < self._bound
        if live is not None:
            nearer &= live
        rows = np.flatnonzero(nearer)
        if len(rows) == 0:
            return
        keys = distances[rows].astype(np.int64) << ROW_BITS
        keys |= rows + first_row
        self._keys.append(keys)
        self._held += len(keys)
        if self._held >= 2 * self._k:
            self._shrink()

    def sorted_keys(self) -> NDArray[np.int64]:
        self._shrink()
        return np.sort(self._keys[0])

    def _shrink(self) -> None:
        keys = np.concatenate(self._keys)
        if len(keys) > self._k:
            keys = np.partition(keys, self._k - 1)[: self._k]
        self._keys, self._held = [keys], len(keys)
        if len(keys) == self._k:
            self._bound = int(keys.max() >> ROW_BITS)


def _blocks(n: int, rows: int) -> Iterator[slice]:
    for start in range(0, n, rows):
        yield slice(start, min(start + rows, n))


def _check(queries: Codes, codes: Codes, k: int, alive: NDArray[np.bool_] | None) -> None:
    if queries.ndim != 2 or codes.ndim != 2 or queries.shape[1] != codes.shape[1]:
        raise ValueError(f"queries {queries.shape} and codes {codes.shape} differ in their words")
    if queries.dtype != np.uint64 or codes.dtype != np.uint64:
        raise ValueError(f"codes are uint64 words, not {queries.dtype} and {codes.dtype}")
    if not 1 <= codes.shape[1] <= MAX_WORDS:
        raise ValueError(f"codes have 1 to {MAX_WORDS} words, not {codes.shape[1]}")
    if alive is not None and (alive.shape != (len(codes),) or alive.dtype != np.bool_):
        raise ValueError(f"the mask is {alive.dtype} {alive.shape}, not bool ({len(codes)},)")
    if k < 0:
        raise ValueError(f"k is {k}")

"""The Hamming scan by FAISS where it is installed (extra `fast`): the same rows, distances and ties as hamming.py.

FAISS reads the codes where they lie; nothing is copied but, under a mask, one block of them at a time. Its counting
variant meets the rows in order, so that of equally near ones the first are kept, as hamming.py promises.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]  # (n, words)

FROM_WORDS = 50_000_000  # looked at in one process, from which the 60 ms of the import have paid: 1.2 ns saved a word
MASKED_FROM_QUERIES = 4  # fewer do not pay for copying the rows that pass together
BLOCK_ROWS = 1 << 17  # of codes, under a mask: 6 MiB at 384 bits

_seen_words = 0


def pays(queries: int, rows: int, words: int, masked: bool) -> bool:
    """Whether a scan of so many rows by so many queries should be FAISS's. Counts what this process scans."""
    global _seen_words
    _seen_words += queries * rows * words
    if masked and queries < MASKED_FROM_QUERIES:
        return False
    if "faiss" in sys.modules:
        return True
    return _seen_words >= FROM_WORDS and importlib.util.find_spec("faiss") is not None


def sorted_keys(
    queries: Codes, codes: Codes, k: int, alive: NDArray[np.bool_] | None, row_bits: int
) -> NDArray[np.int64]:
    """(q, k) of the smallest keys `distance << row_bits | row` of each query, ascending.

    Args:
        queries: (q, words) uint64.
        codes: (n, words) uint64.
        k: at most the number of live rows.
        alive: (n,) bool, rows that may be found; None for all.
    """
    import faiss

    asked = _octets(queries)
    if alive is None:
        return _keys(faiss, asked, codes, k, None, row_bits)
    best = np.empty((len(queries), 0), dtype=np.int64)
    for start in range(0, len(codes), BLOCK_ROWS):
        rows = start + np.flatnonzero(alive[start : start + BLOCK_ROWS])
        if len(rows):
            keys = _keys(faiss, asked, codes[rows], min(k, len(rows)), rows, row_bits)
            best = np.sort(np.concatenate([best, keys], axis=1), axis=1)[:, :k]
    return best


def _keys(
    faiss: Any, asked: NDArray[np.uint8], codes: Codes, k: int, rows: NDArray[np.intp] | None, row_bits: int
) -> NDArray[np.int64]:
    """The keys of one stretch of codes; `rows`: (n,) what they are called, None where they are all in their order."""
    distances, found = faiss.knn_hamming(asked, _octets(codes), k, variant="mc")
    # No list of all rows where they are called as they are counted: at 1,000,000 it takes as long as half the scan.
    named = found if rows is None else rows[found]
    keys: NDArray[np.int64] = np.sort(distances.astype(np.int64) << row_bits | named, axis=1)
    return keys


def _octets(codes: Codes) -> NDArray[np.uint8]:
    return np.ascontiguousarray(codes).view(np.uint8)

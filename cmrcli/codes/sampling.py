"""The living vectors of an index, read where they lie, and bounded random samples of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes.codebook import Vectors

Part = tuple[Vectors, NDArray[np.bool_] | None]

BLOCK_ROWS = 8_192


class Rows:
    """Living rows of several parts, numbered from 0 in their order. Nothing is read before it is asked for."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Takes for every segment its (n, dim) vectors, memory maps welcome, and its (n,) mask of dead rows or None."""
        # A plain view of a memory map: slicing the subclass costs several times as much.
        self._vectors: list[Vectors] = [v.view(np.ndarray) if isinstance(v, np.ndarray) else v for v, _ in parts]
        self._rows = [np.arange(len(v)) if dead is None else np.flatnonzero(~dead) for v, dead in parts]

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._rows)

    @property
    def dim(self) -> int:
        """Length of the vectors; 0 without any part."""
        return int(self._vectors[0].shape[1]) if self._vectors else 0

    def only(self, numbers: NDArray[np.intp]) -> Rows:
        """These rows alone, numbered anew. `numbers`: ascending, each once."""
        chosen = Rows([])
        chosen._vectors = self._vectors
        chosen._rows = [rows[mine] for rows, mine in zip(self._rows, self._split(numbers), strict=True)]
        return chosen

    def take(self, numbers: NDArray[np.intp]) -> NDArray[np.float32]:
        """(m, dim) float32, the vectors with these numbers, in any order."""
        taken = np.empty((len(numbers), self.dim), dtype=np.float32)
        start = 0
        for vectors, rows in zip(self._vectors, self._rows, strict=True):
            here = (numbers >= start) & (numbers < start + len(rows))
            if here.any():
                taken[here] = vectors[rows[numbers[here] - start]]
            start += len(rows)
        return taken

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """All vectors in order, (<= BLOCK_ROWS, dim) float32 at a time."""
        for vectors, rows in zip(self._vectors, self._rows, strict=True):
            for start in range(0, len(rows), BLOCK_ROWS):
                yield vectors[rows[start : start + BLOCK_ROWS]].astype(np.float32, copy=False)

    def _split(self, numbers: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """The numbers that belong to each part, counted from its first row."""
        ends = np.cumsum([len(rows) for rows in self._rows], dtype=np.intp)
        bounds = np.searchsorted(numbers, ends)
        split = []
        begin = first = 0
        for end, bound in zip(ends.tolist(), bounds.tolist(), strict=True):
            split.append(numbers[begin:bound] - first)
            begin, first = bound, end
        return split


def sample_rows(parts: Sequence[Part], limit: int, seed: int = 0) -> NDArray[np.float32]:
    """At most `limit` living vectors, drawn evenly over all parts without repetition.

    Args:
        parts: see `Rows`.
        limit: rows wanted at most; the result is all that is held in memory.
        seed: the same seed and parts give the same rows.

    Returns:
        (<= limit, dim) float32 in the order of the parts and rows; (0, 0) when nothing is alive.
    """
    rows = Rows(parts)
    if len(rows) == 0 or limit <= 0:
        return np.zeros((0, 0), dtype=np.float32)
    return rows.take(drawn(len(rows), limit, seed))


def drawn(count: int, limit: int, seed: int) -> NDArray[np.intp]:
    """At most `limit` of the numbers below `count`, ascending: all of them where that is enough."""
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=limit, replace=False))

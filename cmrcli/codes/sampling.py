"""A bounded random sample of an index's vectors: what codebooks are fitted to and recall is measured on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float16] | NDArray[np.float32]


def sample_rows(
    parts: Sequence[tuple[Vectors, NDArray[np.bool_] | None]], limit: int, seed: int = 0
) -> NDArray[np.float32]:
    """At most `limit` live vectors, drawn evenly over all parts without repetition.

    Args:
        parts: for every segment its (n, dim) vectors, float16 or float32, memory maps welcome, and its (n,)
            bool mask of dead rows or None.
        limit: rows wanted at most; the result is all that is held in memory.
        seed: the same seed and parts give the same rows.

    Returns:
        (<= limit, dim) float32 in the order of the parts and rows; (0, 0) when nothing is alive.
    """
    living = [np.arange(len(vectors)) if dead is None else np.flatnonzero(~dead) for vectors, dead in parts]
    ends = np.cumsum([len(rows) for rows in living])
    total = int(ends[-1]) if len(ends) else 0
    if total == 0 or limit <= 0:
        return np.zeros((0, 0), dtype=np.float32)
    chosen = np.arange(total)
    if total > limit:
        chosen = np.sort(np.random.default_rng(seed).choice(total, size=limit, replace=False))
    taken = []
    for (vectors, _), rows, end in zip(parts, living, ends, strict=True):
        mine = chosen[(chosen >= end - len(rows)) & (chosen < end)] - (end - len(rows))
        # Sorted row numbers, so that a memory map is read from front to back.
        taken.append(np.asarray(vectors)[rows[mine]].astype(np.float32))
    return np.concatenate(taken)

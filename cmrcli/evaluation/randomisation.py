"""Whether two runs differ by more than chance: the paired randomisation test, and Holm's correction.

If the runs were equally good, each query's two values could as well have come the other way round. The test swaps them
at random and counts how often the difference comes out at least as large as it did.

Sources: Smucker, Allan & Carterette 2007, A Comparison of Statistical Significance Tests for Information Retrieval
Evaluation, CIKM; Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure, Scand. J. Statist. 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS = 10_000
EXACT_QUERIES = 12  # up to so many differing queries, all of their at most 4,096 swaps are looked at
BLOCK_SWAPS = 1 << 20  # bounds the memory at about 10 MiB
ROUNDING = 1e-12  # of all differences together: sums that are equal on paper differ in their last bits


def p_value(a: NDArray[np.float64], b: NDArray[np.float64], seed: int, permutations: int = PERMUTATIONS) -> float:
    """Two-sided p-value of the difference of the means of two runs of the same queries; see `p_values`.

    Args:
        a, b: (queries,), in the same order, finite, at least one query.
    """
    if a.ndim != 1:
        raise ValueError(f"values of {a.shape} and {b.shape} are not pairs")
    return float(p_values(a[:, None], b[:, None] if b.ndim == 1 else b, seed, permutations)[0])


def p_values(
    a: NDArray[np.float64], b: NDArray[np.float64], seed: int, permutations: int = PERMUTATIONS
) -> NDArray[np.float64]:
    """Two-sided p-value of each measure, all judged by the same swaps of queries.

    Of ranks too the means are compared, although a report shows their median: swapping hardly moves a median, and a
    test by it finds nothing.

    Args:
        a, b: (queries, measures), in the same order, finite, at least one query.

    Returns:
        (measures,), each in (0, 1]: (c + 1) / (permutations + 1), with c the number of random swaps that differ at
        least as much; with at most EXACT_QUERIES queries whose values differ, the exact share of all swaps. 1 where
        nothing differs.
    """
    if a.shape != b.shape or a.ndim != 2 or len(a) == 0:
        raise ValueError(f"values of {a.shape} and {b.shape} are not pairs")
    differences = b - a
    differing = np.count_nonzero(differences, axis=0)
    found = np.ones(a.shape[1])
    for column in np.flatnonzero((differing > 0) & (differing <= EXACT_QUERIES)):
        of_queries = differences[differences[:, column] != 0, column]
        found[column] = _as_large(_all_swaps(len(of_queries)), of_queries[:, None])[0] / (1 << len(of_queries))
    many = np.flatnonzero(differing > EXACT_QUERIES)
    if len(many):
        moved = differences[:, many][(differences[:, many] != 0).any(axis=1)]
        blocks = _random_swaps(len(moved), permutations, seed)
        found[many] = (_as_large(blocks, moved) + 1) / (permutations + 1)
    return found


def _as_large(blocks: Iterable[NDArray[np.float64]], differences: NDArray[np.float64]) -> NDArray[np.int64]:
    """(measures,): how many swaps leave a difference at least as large as that of (queries, measures)."""
    total = differences.sum(axis=0)
    least = np.abs(total) - ROUNDING * np.abs(differences).sum(axis=0)
    counts = np.zeros(len(total), dtype=np.int64)
    for swapped in blocks:
        counts += np.count_nonzero(np.abs(total - 2 * (swapped @ differences)) >= least, axis=0)
    return counts


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for there being several: each bounds the chance of any false alarm at all. Order is kept."""
    corrected: dict[str, float] = {}
    highest = 0.0
    for done, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - done) * p_values[name]))
        corrected[name] = highest
    return {name: corrected[name] for name in p_values}


def _all_swaps(queries: int) -> Iterator[NDArray[np.float64]]:
    """(swaps, queries): 1 where the two values of a query change places."""
    yield (np.arange(1 << queries)[:, None] >> np.arange(queries) & 1).astype(np.float64)


def _random_swaps(queries: int, permutations: int, seed: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK_SWAPS // queries)
    for start in range(0, permutations, step):
        yield rng.integers(0, 2, (min(step, permutations - start), queries), dtype=np.uint8).astype(np.float64)

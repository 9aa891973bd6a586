"""How far a mean or a median over queries can be trusted: percentile bootstrap intervals.

Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (the percentile interval).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
CONFIDENCE = 0.95
BLOCK_DRAWS = 1 << 20  # query numbers drawn at a time: bounds the memory at about 32 MiB


def intervals(
    values: NDArray[np.float64],
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    medians: Collection[int] = (),
) -> NDArray[np.float64]:
    """Lower and upper bound of each measure's mean or median, as (measures, 2) float64.

    Queries are drawn with replacement, the same draws for every measure, so that two measures of one report
    move together as they do in truth.

    Args:
        values: (queries, measures), at least one query.
        seed: the same values and seed give the same bounds.
        medians: numbers of the measures whose median over the queries is meant instead of the mean.
    """
    measures = values.shape[1]
    drawn = _resampled(values, seed, resamples, [number in medians for number in range(measures)])
    return _bounds(drawn, confidence)


def difference_interval(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    median: bool = False,
) -> tuple[float, float]:
    """Lower and upper bound of the mean of `b` less the mean of `a`, two runs of the same queries.

    Queries are drawn in pairs: what is hard for both does not widen the interval.

    Args:
        a, b: (queries,), in the same order, at least one query.
        median: whether the difference of the medians is meant instead.
    """
    if a.shape != b.shape:
        raise ValueError(f"values of {a.shape} and {b.shape} are not pairs")
    if median:
        both = _resampled(np.column_stack([a, b]), seed, resamples, [True, True])
        drawn = both[:, 1:] - both[:, :1]
    else:
        drawn = _resampled((b - a)[:, None], seed, resamples, [False])
    low, high = _bounds(drawn, confidence)[0]
    return float(low), float(high)


def _resampled(values: NDArray[np.float64], seed: int, resamples: int, medians: list[bool]) -> NDArray[np.float64]:
    """The statistic of each measure in each resample, (resamples, measures)."""
    queries, measures = values.shape
    if queries == 0:
        raise ValueError("no query to resample")
    rng = np.random.default_rng(seed)
    columns = np.ascontiguousarray(values.T)
    statistics = np.empty((resamples, measures), dtype=np.float64)
    step = max(1, BLOCK_DRAWS // queries)
    for start in range(0, resamples, step):
        drawn = rng.integers(0, queries, (min(step, resamples - start), queries))
        for measure in range(measures):
            sample = columns[measure][drawn]
            statistics[start : start + len(drawn), measure] = (
                np.median(sample, axis=1, overwrite_input=True) if medians[measure] else sample.mean(axis=1)
            )
    return statistics


def _bounds(statistics: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    tail = (1 - confidence) / 2
    return np.quantile(statistics, [tail, 1 - tail], axis=0).T

"""How far a mean over queries can be trusted: percentile bootstrap intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
CONFIDENCE = 0.95
BLOCK_DRAWS = 1 << 20  # query numbers drawn at a time: bounds the memory at about 8 MiB a measure


def intervals(
    values: NDArray[np.float64], seed: int, resamples: int = RESAMPLES, confidence: float = CONFIDENCE
) -> NDArray[np.float64]:
    """Lower and upper bound of each measure's mean, as (measures, 2) float64.

    Queries are drawn with replacement, the same draws for every measure, so that two measures of one report
    move together as they do in truth.

    Args:
        values: (queries, measures), at least one query.
        seed: the same values and seed give the same bounds.

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (the percentile interval).
    """
    queries, measures = values.shape
    if queries == 0:
        raise ValueError("no query to resample")
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, measures), dtype=np.float64)
    step = max(1, BLOCK_DRAWS // queries)
    for start in range(0, resamples, step):
        drawn = rng.integers(0, queries, (min(step, resamples - start), queries))
        for measure in range(measures):
            means[start : start + len(drawn), measure] = values[drawn, measure].mean(axis=1)
    tail = (1 - confidence) / 2
    return np.quantile(means, [tail, 1 - tail], axis=0).T

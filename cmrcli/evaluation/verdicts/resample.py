"""What a report prints of queries' values (means, medians of ranks), of their differences and gaps, with intervals.

Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 8 (two samples) and 13 (percentiles).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmrcli.evaluation.bootstrap import CONFIDENCE, RESAMPLES, difference_interval
from cmrcli.evaluation.report import Interval
from cmrcli.evaluation.verdicts.values import is_rank

Values = NDArray[np.float64]
MANY = 1_000  # queries from which the mean of a resample is as good as normal ...
DISTINCT = 256  # ... and distinct values up to which it need not be taken for that


def statistic(measure: str, values: Values) -> float:
    """The mean of one measure's values, or the median of ranks."""
    return float(np.median(values) if is_rank(measure) else values.mean())


def interval_of(measure: str, values: Values, seed: int) -> Interval:
    """The statistic of (queries,) values with its interval."""
    return _interval(statistic(measure, values), _resampled(measure, values, np.random.default_rng(seed)))


def difference(measure: str, before: Values, after: Values, seed: int) -> Interval:
    """Statistic of `after` less that of `before`, queries drawn in pairs.

    Args:
        before, after: (queries,), the same queries in the same order.
    """
    observed = statistic(measure, after) - statistic(measure, before)
    if is_rank(measure):
        return Interval(observed, *difference_interval(before, after, seed, median=True))
    return _interval(observed, _resampled(measure, after - before, np.random.default_rng(seed)))


def gap(measure: str, group: Values, others: Values, seed: int) -> Interval:
    """Statistic of a group less that of all others, each drawn by itself: unpaired."""
    rng = np.random.default_rng(seed)
    draws = _resampled(measure, group, rng) - _resampled(measure, others, rng)
    return _interval(statistic(measure, group) - statistic(measure, others), draws)


def _interval(value: float, draws: Values) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def _resampled(measure: str, values: Values, rng: np.random.Generator) -> Values:
    """The statistic of each resample, (RESAMPLES,), without drawing queries: many groups of many queries take long.

    Of the same distribution. A mean needs only how often each distinct value was drawn, which is multinomial; of many
    queries with many values it is normal (the central limit theorem). A median is the middle one of so many uniform
    draws of a place among the sorted values, which has a beta distribution.
    """
    queries = len(values)
    if is_rank(measure):
        return _resampled_medians(values, rng)
    distinct, counts = np.unique(values, return_counts=True)
    if queries >= MANY and len(distinct) > DISTINCT:
        return rng.normal(values.mean(), values.std() / np.sqrt(queries), RESAMPLES)
    means: Values = rng.multinomial(queries, counts / queries, RESAMPLES) @ distinct / queries
    return means


def _resampled_medians(values: Values, rng: np.random.Generator) -> Values:
    queries = len(values)
    ordered = np.sort(values)
    middle = (queries + 1) // 2  # the lower middle of an even number
    place = rng.beta(middle, queries - middle + 1, RESAMPLES)
    lower = ordered[_number(place, queries)]
    if queries % 2:
        return lower
    above = place + (1 - place) * rng.beta(1, queries - middle, RESAMPLES)  # the least of those that lie above it
    medians: Values = (lower + ordered[_number(above, queries)]) / 2
    return medians


def _number(place: Values, queries: int) -> NDArray[np.intp]:
    return np.minimum((place * queries).astype(np.intp), queries - 1)

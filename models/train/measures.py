"""Retrieval measures of one set of queries, with bootstrap intervals over the queries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.train.workspace import SEED

RESAMPLES = 2_000


@dataclass(frozen=True)
class Questions:
    """Queries over a gallery: `relevant[q, g]` says whether gallery row g answers query q; each has an answer."""

    name: str
    queries: list[str]
    gallery: NDArray[np.int64]  # rows of dev
    relevant: NDArray[np.bool_]


def measure(scores: NDArray[np.float32], relevant: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Per query: success@1, success@10 and R-precision (share of relevant ones among the first R, R their number)."""
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(relevant, order, 1)
    wanted = relevant.sum(1)
    first = np.arange(hits.shape[1])[None] < wanted[:, None]
    return {
        "success@1": hits[:, 0].astype(float),
        "success@10": hits[:, :10].any(1).astype(float),
        "R-precision": (hits & first).sum(1) / wanted,
    }


def interval(values: NDArray[np.float64], groups: NDArray[np.int64] | None = None) -> list[float]:
    """Mean and the 95 % bootstrap interval, as [mean, low, high]; whole groups are drawn where they are given."""
    return _interval(float(values.mean()), _resampled(values, groups, np.random.default_rng(SEED)))


def difference(ours: NDArray[np.float64], theirs: NDArray[np.float64], groups: NDArray[np.int64]) -> list[float]:
    """What `ours` is ahead of `theirs` by, query by query, with its 95 % interval."""
    return interval(ours - theirs, groups)


def macro(sets: list[tuple[NDArray[np.float64], NDArray[np.int64]]]) -> list[float]:
    """The mean over the sets of their means, with the 95 % interval from resampling every set's queries."""
    chance = np.random.default_rng(SEED)
    means = np.mean([_resampled(values, groups, chance) for values, groups in sets], 0)
    return _interval(float(np.mean([values.mean() for values, _ in sets])), means)


def _resampled(
    values: NDArray[np.float64], groups: NDArray[np.int64] | None, chance: np.random.Generator
) -> NDArray[np.float64]:  # fmt: skip
    """The means of RESAMPLES draws of as many groups of values as there are."""
    if groups is None:
        groups = np.arange(len(values))
    sums, sizes = np.bincount(groups, values), np.bincount(groups)
    drawn = chance.integers(0, len(sums), (RESAMPLES, len(sums)))
    means: NDArray[np.float64] = sums[drawn].sum(1) / sizes[drawn].sum(1)
    return means


def _interval(mean: float, means: NDArray[np.float64]) -> list[float]:
    low, high = np.percentile(means, (2.5, 97.5))
    return [round(number, 3) for number in (mean, float(low), float(high))]

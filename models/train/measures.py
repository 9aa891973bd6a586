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


def interval(values: NDArray[np.float64]) -> list[float]:
    """Mean and the 95 % bootstrap interval, as [mean, low, high]."""
    chance = np.random.default_rng(SEED)
    means = values[chance.integers(0, len(values), (RESAMPLES, len(values)))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return [round(float(number), 3) for number in (values.mean(), low, high)]

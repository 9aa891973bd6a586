"""Measures of one query's outcome, by name: "success@10", "mAP". Equal to trec_eval's where it has them.

All are computed from the ranks of the relevant documents that were retrieved: what stands in a list is all that counts,
so "mAP" and "MRR" of a list of 100 are those of its 100 places, and a list shorter than k counts as if documents that
are not relevant followed. Ties are broken before (answers.py). A query that was not answered finds nothing; it counts.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, count
from operator import truediv

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import UsageError
from cmrcli.evaluation.answers import Outcome

RECALL_LEVELS = tuple(level / 10 for level in range(11))


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Attributes:
        name: as `parse` takes it and reports show it.
        family: its key in DEFINITIONS: "success@k".
        depth: the k of its name, None where the whole list counts.
    """

    name: str
    family: str
    depth: int | None = None

    @property
    def definition(self) -> str:
        """One sentence."""
        return DEFINITIONS[self.family]

    @property
    def higher_is_better(self) -> bool:
        return not self.is_median

    @property
    def is_median(self) -> bool:
        """Whether queries are put together by their median instead of their mean."""
        return self.family == "median-rank"

    def value(self, outcome: Outcome, asked: int = 0) -> float:
        """Its value for one query.

        Args:
            asked: documents asked for; only "median-rank" looks at it: a query without a relevant document in its
                list counts as one place behind the longer of its list and these. Without it, a system that returns
                nothing would come out best.
        """
        return _FAMILIES[self.family].value(outcome, asked if self.is_median else self.depth or 0)

    def aggregate(self, values: Sequence[float] | NDArray[np.float64]) -> float:
        """The mean of the queries' values; of "median-rank" their median. At least one value."""
        if not len(values):
            raise ValueError("no query to aggregate")
        return float(np.median(values) if self.is_median else np.mean(values))


def parse(name: str) -> Measure:
    """The measure of that name, in any case: "map@10" is "mAP@10".

    Raises:
        UsageError: an unknown name, or a depth that is missing, not wanted, or no whole number from 1 up.
    """
    wanted = name.strip().lower()
    families = {family.lower(): family for family in DEFINITIONS}
    if wanted in families and not wanted.endswith("@k"):
        return Measure(families[wanted], families[wanted])
    head, _, depth = wanted.rpartition("@")
    if f"{head}@k" in families:
        family = families[f"{head}@k"]
        if not re.fullmatch(r"[1-9][0-9]{0,8}", depth, re.ASCII):
            raise _unknown(f"{family} needs a whole number from 1 up for k, not {depth!r}")
        return Measure(f"{family[:-1]}{depth}", family, int(depth))
    if f"{wanted}@k" in families:
        family = families[f"{wanted}@k"]
        raise _unknown(f"{family} needs a depth: {family[:-1]}10")
    if head in families:
        raise _unknown(f"{families[head]} takes no depth")
    raise _unknown(f"there is no measure {name.strip()!r}")


def values_of(measures: Sequence[Measure], outcomes: Iterable[Outcome], asked: int = 0) -> NDArray[np.float64]:
    """Values of every query, as (queries, measures) float64.

    `asked`: as `Measure.value` takes it; the longest of the lists where that is more.
    """
    outcomes = list(outcomes)
    asked = max([asked, *(outcome.retrieved for outcome in outcomes)])
    rows = [[measure.value(outcome, asked) for measure in measures] for outcome in outcomes]
    return np.array(rows, dtype=np.float64).reshape(len(outcomes), len(measures))


def precision_recall_curve(outcomes: Iterable[Outcome]) -> tuple[float, ...]:
    """Precision at recall 0, 0.1 ... 1, averaged over the queries, at least one.

    Interpolated: at a recall counts the best precision at any rank where that recall or more is reached, 0 where it is
    not reached at all. trec_eval's iprec_at_recall, whose number of documents for a recall is rounded up but for a
    tenth of a document.
    Source: Buckley & Voorhees, Retrieval System Evaluation, in TREC: Experiment and Evaluation, 2005.
    """
    outcomes = list(outcomes)
    if not outcomes:
        raise ValueError("no query to aggregate")
    curves = np.array([_interpolated(outcome) for outcome in outcomes], dtype=np.float64)
    return tuple(curves.mean(axis=0).tolist())


def _interpolated(outcome: Outcome) -> list[float]:
    found = len(outcome.ranks)
    best = list(accumulate(map(truediv, range(found, 0, -1), reversed(outcome.ranks)), max))[::-1]
    needed = (max(1, int(level * len(outcome.ideal) + 0.9)) for level in RECALL_LEVELS)
    return [best[number - 1] if number <= found else 0.0 for number in needed]


def _success(outcome: Outcome, k: int) -> float:
    return float(len(outcome.ranks) > 0 and outcome.ranks[0] <= k)


def _recall(outcome: Outcome, k: int) -> float:
    return bisect_right(outcome.ranks, k) / len(outcome.ideal)


def _precision(outcome: Outcome, k: int) -> float:
    return bisect_right(outcome.ranks, k) / k


def _r_precision(outcome: Outcome, _: int) -> float:
    return _recall(outcome, len(outcome.ideal))


def _reciprocal_rank(outcome: Outcome, k: int) -> float:
    return 1 / outcome.ranks[0] if len(outcome.ranks) and (not k or outcome.ranks[0] <= k) else 0.0


def _first_rank(outcome: Outcome, asked: int) -> float:
    return float(outcome.ranks[0] if len(outcome.ranks) else max(outcome.retrieved, asked) + 1)


def _average_precision(outcome: Outcome, k: int) -> float:
    return _precisions(outcome, k) / len(outcome.ideal)


def _average_precision_at_r(outcome: Outcome, _: int) -> float:
    return _average_precision(outcome, len(outcome.ideal))


def _hash_average_precision(outcome: Outcome, k: int) -> float:
    # HashNet's published code leaves queries that find nothing out of the mean; most code since counts them as 0.
    found = bisect_right(outcome.ranks, k)
    return _precisions(outcome, k) / found if found else 0.0


def _ndcg(outcome: Outcome, k: int) -> float:
    found = bisect_right(outcome.ranks, k) if k else len(outcome.ranks)
    gained = math.fsum(map(truediv, outcome.grades[:found], map(_discount, outcome.ranks[:found])))
    return gained / _best_gain(tuple(outcome.ideal[:k] if k else outcome.ideal))


def _precisions(outcome: Outcome, k: int) -> float:
    """Sum of the precisions at the relevant documents among the first k, of the whole list where k is 0."""
    ranks = outcome.ranks[: bisect_right(outcome.ranks, k)] if k else outcome.ranks
    return math.fsum(map(truediv, count(1), ranks))


@lru_cache(1 << 16)
def _discount(rank: int) -> float:
    return math.log2(rank + 1)


@lru_cache(1 << 8)
def _best_gain(ideal: tuple[int, ...]) -> float:
    return math.fsum(map(truediv, ideal, map(_discount, count(1))))


def _unknown(what: str) -> UsageError:
    return UsageError(what, "measures: " + ", ".join(DEFINITIONS))


@dataclass(frozen=True, slots=True)
class _Family:
    definition: str
    value: Callable[[Outcome, int], float]  # of an outcome and k, 0 for the whole list


_FAMILIES = {
    "success@k": _Family(
        "share of the queries with a relevant document among the first k; what CLIP papers print as R@k", _success
    ),
    "recall@k": _Family("share of a query's relevant documents that are among the first k", _recall),
    "precision@k": _Family("share of the first k that are relevant; k counts even where fewer came back", _precision),
    "R-precision": _Family(
        "precision of the first R, with R the number of the query's relevant documents", _r_precision
    ),
    "MRR": _Family("mean of 1 / rank of the first relevant document, 0 where none is in the list", _reciprocal_rank),
    "MRR@k": _Family("MRR of the first k: 0 where none of them is relevant", _reciprocal_rank),
    "mAP": _Family(
        "mean over a query's relevant documents of the precision at their ranks, 0 for those not in the list",
        _average_precision,
    ),
    "mAP@k": _Family(
        "mAP of the first k, still divided by the number of all relevant documents, as trec_eval does",
        _average_precision,
    ),
    "mAP@R": _Family(
        "mAP of the first R, with R the number of the query's relevant documents (Musgrave et al. 2020, "
        "A Metric Learning Reality Check)",
        _average_precision_at_r,
    ),
    "hash-mAP@k": _Family(
        "mAP of the first k divided by the number of relevant documents found among them, 0 where there is none, as "
        "the hashing literature reports it (HashNet, Cao et al. 2017, and papers after it)",
        _hash_average_precision,
    ),
    "nDCG": _Family(
        "gain (the grade, over log2(rank + 1)) of the list over that of the best possible one "
        "(Järvelin & Kekäläinen 2002)",
        _ndcg,
    ),
    "nDCG@k": _Family("nDCG of the first k against the best possible first k", _ndcg),
    "median-rank": _Family(
        "median over the queries of the rank of the first relevant document, one place behind the end of the list "
        "where none is in it; lower is better",
        _first_rank,
    ),
}
DEFINITIONS = {family: entry.definition for family, entry in _FAMILIES.items()}
BY_RELEVANT = ("R-precision", "mAP@R")  # families that look at as many places as there are relevant documents
CURVE = "precision@recall"
CURVE_DEFINITION = (
    "the precision-recall curve, reported beside the measures: at recall 0, 0.1 ... 1 the best precision at any rank "
    "where that recall or more is reached, 0 where it is not; mean over the queries (trec_eval's iprec_at_recall)"
)
DEFAULT = (
    "success@10",
    "success@1",
    "success@5",
    "recall@10",
    "precision@10",
    "R-precision",
    "MRR",
    "mAP",
    "nDCG@10",
    "median-rank",
)

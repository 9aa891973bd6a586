"""Measures of one ranked list against judgements: pure functions, equal to trec_eval's where it has them.

A ranking is given as `gains`: the relevance grade of each document in ranked order, best first, 0 where it
is not judged. A grade above 0 is relevant. `judged` holds the grades of all judged documents of the query,
found or not. Tie rule: results are ranked lists, ties are already broken by the search, and ranks count as
they stand; scores are not looked at (trec_eval would sort a run again by score, then by document id from the
end). A list that is shorter than k counts as if documents that are not relevant followed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Grades = Sequence[int]


def success_at(gains: Grades, k: int) -> float:
    """1 when any of the first k is relevant, else 0. What CLIP papers print as R@k."""
    return float(any(grade > 0 for grade in gains[:k]))


def recall_at(gains: Grades, judged: Grades, k: int) -> float:
    """Share of all relevant documents that are among the first k."""
    return _hits(gains[:k]) / _relevant(judged)


def precision_at(gains: Grades, k: int) -> float:
    """Share of the first k that are relevant; k is the divisor even when fewer came back."""
    return _hits(gains[:k]) / k


def reciprocal_rank(gains: Grades) -> float:
    """1 / rank of the first relevant document, 0 when none is in the list. Its mean over queries is MRR."""
    return next((1 / rank for rank, grade in enumerate(gains, 1) if grade > 0), 0.0)


def average_precision(gains: Grades, judged: Grades) -> float:
    """Mean, over all relevant documents, of the precision at their ranks; 0 for those not found."""
    total, hits = 0.0, 0
    for rank, grade in enumerate(gains, 1):
        if grade > 0:
            hits += 1
            total += hits / rank
    return total / _relevant(judged)


def ndcg_at(gains: Grades, judged: Grades, k: int) -> float:
    """Discounted cumulated gain of the first k over that of the best possible list.

    The gain is the grade itself and the discount log2(rank + 1), as in trec_eval; grades below 0 gain
    nothing.
    Source: Jaervelin & Kekaelaeinen 2002, doi:10.1145/582415.582418.
    """
    best = _dcg(sorted((grade for grade in judged if grade > 0), reverse=True)[:k])
    if best == 0.0:
        raise ValueError("no relevant document is judged")
    return _dcg(gains[:k]) / best


def measures_of(k: int) -> dict[str, Callable[[Grades, Grades], float]]:
    """The measures reported when k results are asked for, by name, in the order of a report.

    `MRR` and `mAP` are those of the list as it was asked for: nothing behind rank k counts.
    """
    last = min(10, k)
    table: dict[str, Callable[[Grades, Grades], float]] = {}
    for cut in sorted({min(1, k), min(5, k), last}):
        table[f"success@{cut}"] = lambda gains, judged, cut=cut: success_at(gains, cut)  # type: ignore[misc]
    for cut in sorted({last, k}):
        table[f"recall@{cut}"] = lambda gains, judged, cut=cut: recall_at(gains, judged, cut)  # type: ignore[misc]
    table[f"precision@{last}"] = lambda gains, judged: precision_at(gains, last)
    table["MRR"] = lambda gains, judged: reciprocal_rank(gains)
    table["mAP"] = average_precision
    table[f"nDCG@{last}"] = lambda gains, judged: ndcg_at(gains, judged, last)
    return table


def _hits(gains: Grades) -> int:
    return sum(grade > 0 for grade in gains)


def _relevant(judged: Grades) -> int:
    relevant = _hits(judged)
    if relevant == 0:
        raise ValueError("no relevant document is judged")
    return relevant


def _dcg(gains: Grades) -> float:
    return sum(max(grade, 0) / math.log2(rank + 1) for rank, grade in enumerate(gains, 1))

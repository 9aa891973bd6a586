"""One ranking out of several: by the sum of their evidence, or by their reciprocal ranks where there is none.

Source of the latter: Cormack, Clarke, Buettcher 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual
rank learning methods" (SIGIR); k = 60 as there. It needs no calibration, and takes the first of a weak signal for as
good as the first of a strong one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cmrcli.searching.evidence import confidences

RANK_CONSTANT = 60


@dataclass(frozen=True, slots=True)
class Ranking:
    """One signal's answer, best first.

    Attributes:
        weight: of this signal in the fusion, > 0.
        hits: (item id, score) pairs; an item once.
        strengths: 0..1 for each hit, how much of a full hit it is (a page that holds two of three words: 2/3);
            None when all count in full.
        evidence: how seldom chance does as well as each hit (evidence.py); None when that is not known.
        missing: the evidence of an item that is not among the hits.
    """

    name: str
    weight: float
    hits: Sequence[tuple[int, float]]
    strengths: Sequence[float] | None = None
    evidence: Sequence[float] | None = None
    missing: float = 0.0


def fuse(rankings: Sequence[Ranking]) -> list[tuple[int, float, dict[str, tuple[float, int]]]]:
    """(item id, fused score, {signal: (score, rank)}) for every item, best first; ties by item id.

    A single ranking keeps its own scores. Several are fused to 0..1, where 1 means first in all of them.
    """
    signals: dict[int, dict[str, tuple[float, int]]] = {}
    fused: dict[int, float] = {}
    ceiling = sum(ranking.weight for ranking in rankings) / (RANK_CONSTANT + 1)
    for ranking in rankings:
        for place, (item, score) in enumerate(ranking.hits):
            signals.setdefault(item, {})[ranking.name] = (score, place + 1)
            strength = 1.0 if ranking.strengths is None else ranking.strengths[place]
            gain = ranking.weight * strength / (RANK_CONSTANT + place + 1)
            fused[item] = score if len(rankings) == 1 else fused.get(item, 0.0) + gain / ceiling
    return sorted(((item, score, signals[item]) for item, score in fused.items()), key=lambda row: (-row[1], row[0]))


def weigh(rankings: Sequence[Ranking]) -> dict[int, float]:
    """Item -> its evidence from all the rankings, which all have some."""
    total: dict[int, float] = {}
    missing = sum(ranking.missing for ranking in rankings)
    for ranking in rankings:
        for (item, _), evidence in zip(ranking.hits, ranking.evidence or (), strict=True):
            total[item] = total.get(item, missing) + evidence - ranking.missing
    return total


def fuse_evidence(
    rankings: Sequence[Ranking], evidence: dict[int, float]
) -> list[tuple[int, float, dict[str, tuple[float, int]]]]:
    """As `fuse`, by the sum of the evidence; the fused score is the confidence that it gives."""
    signals: dict[int, dict[str, tuple[float, int]]] = {}
    for ranking in rankings:
        for place, (item, score) in enumerate(ranking.hits):
            signals.setdefault(item, {})[ranking.name] = (score, place + 1)
    order = sorted(evidence, key=lambda item: (-evidence[item], item))
    sure = confidences(evidence)
    return [(item, sure[item], signals[item]) for item in order]


def most_evidence_beyond(rankings: Sequence[Ranking]) -> float:
    """About the most evidence that an item in none of the rankings would have, if all of them went on.

    About, because evidence need not fall with a ranking's own score: it is the most among the last quarter of hits.
    """
    return sum(max([r.missing, *(r.evidence or ())[-max(1, len(r.hits) // 4) :]]) for r in rankings)


def most_beyond(rankings: Sequence[Ranking]) -> float:
    """The highest fused score that an item in none of the rankings could have, if all of them went on."""
    if len(rankings) == 1:
        hits = rankings[0].hits
        return hits[-1][1] if hits else math.inf
    ceiling = sum(ranking.weight for ranking in rankings) / (RANK_CONSTANT + 1)
    return sum(ranking.weight / (RANK_CONSTANT + len(ranking.hits) + 1) for ranking in rankings) / ceiling

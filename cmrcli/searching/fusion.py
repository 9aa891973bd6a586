"""One ranking out of several: reciprocal rank fusion.

Source: Cormack, Clarke, Buettcher 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual rank
learning methods" (SIGIR); k = 60 as there. Ranks are fused rather than scores because a cosine between a
sentence and a picture, one between two texts, and BM25 live on scales that nothing has calibrated yet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

RANK_CONSTANT = 60


@dataclass(frozen=True, slots=True)
class Ranking:
    """One signal's answer, best first.

    Attributes:
        weight: of this signal in the fusion, > 0.
        hits: (item id, score) pairs; an item once.
        strengths: 0..1 for each hit, how much of a full hit it is (a page that holds two of three words: 2/3);
            None when all count in full.
    """

    name: str
    weight: float
    hits: Sequence[tuple[int, float]]
    strengths: Sequence[float] | None = None


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


def most_beyond(rankings: Sequence[Ranking]) -> float:
    """The highest fused score that an item in none of the rankings could have, if all of them went on."""
    if len(rankings) == 1:
        hits = rankings[0].hits
        return hits[-1][1] if hits else math.inf
    ceiling = sum(ranking.weight for ranking in rankings) / (RANK_CONSTANT + 1)
    return sum(ranking.weight / (RANK_CONSTANT + len(ranking.hits) + 1) for ranking in rankings) / ceiling

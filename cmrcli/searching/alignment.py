"""Fragment alignment: each phrase of a query with the part of an item that shows it best.

A query that names two things is seldom near to any one vector of the sheet that shows both. Late interaction keeps
the phrases apart until they meet the item's fragments: an item is worth the mean over the phrases of its best
fragment's similarity (MaxSim: Khattab & Zaharia 2020, ColBERT, arXiv:2004.12832; between text and picture parts: Yao et
al. 2022, FILIP, arXiv:2111.07783), anchored by the similarity of the whole query with the item as a whole. Similarities
with pictures and with passages live on scales of their own; where the index is calibrated they are compared by how
seldom chance does as well.

Bounded: `MAX_PHRASES` phrases, `MAX_ITEMS` items (or as many as results are wanted), and the fragments of these.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.searching.evidence import NO_EVIDENCE, vectors_of
from cmrcli.searching.fusion import RANK_CONSTANT, Ranking
from cmrcli.store.segments import positions

if TYPE_CHECKING:
    from cmrcli.calibration.null import Calibration
    from cmrcli.codes.codebook import Codebook
    from cmrcli.store import Segment
    from cmrcli.store.records import ItemFragment

MAX_ITEMS = 100  # whose fragments are all compared; a sheet has at most 25, a text at most 64
DEPTH = 256  # fragments wanted for each phrase: a sheet may have many that are alike
ANCHOR = 0.25  # weight of the item as a whole, where the phrases together weigh 1

Matches = list[tuple[str, int, float]]  # (phrase, fragment, cosine) for each phrase


@dataclass(frozen=True, slots=True)
class Asked:
    """What is aligned.

    Attributes:
        phrases: how results name each of them.
        vectors: (p, dim) float32, L2-normalised.
        whole: (dim,) float32, of the whole query.
        textual: every vector is of a text: what generic texts score with a fragment then says something of it.
    """

    phrases: Sequence[str]
    vectors: NDArray[np.float32]
    whole: NDArray[np.float32]
    textual: bool


@dataclass(frozen=True, slots=True)
class Aligned:
    """Items of the pool, best first.

    Attributes:
        scores: (item, score): with a calibration the mean logarithm of how seldom chance does as well, else the mean
            cosine.
        calibrated: which of the two.
        nearest: item -> its fragment nearest to the whole query.
        matches: item -> the best fragment of each phrase.
        fragments: how many were compared.
    """

    scores: list[tuple[int, float]]
    calibrated: bool
    nearest: dict[int, int]
    matches: dict[int, Matches]
    fragments: int


def pool(rankings: Sequence[Sequence[int]], wanted: int) -> list[int]:
    """The items to align: the best of several rankings by their reciprocal ranks; ties by item."""
    worth: dict[int, float] = {}
    for ranking in rankings:
        for place, item in enumerate(dict.fromkeys(ranking)):
            worth[item] = worth.get(item, 0.0) + 1 / (RANK_CONSTANT + 1 + place)
    return sorted(worth, key=lambda item: (-worth[item], item))[: max(MAX_ITEMS, wanted)]


def reorder(ranking: Ranking, aligned: Aligned, among: int, share: float) -> Ranking:
    """The vectors' ranking with the aligned items in front, by how well they are; the others behind, as they were.

    Args:
        among: fragments that were searched.
        share: of their evidence that counts.
    """
    hits = list(aligned.scores)
    own: list[float] | None = None
    # Phrases add up as evidence, but not as if they were independent: one query names what goes together. And each of
    # them has every part of an item to be found in. Of 1, the root and the number itself, on the choosing halves of the
    # benchmarks fusion and confidence, 1 has the worst ranking and the number the worst calibration.
    phrases = math.sqrt(max(map(len, aligned.matches.values()), default=1))
    parts = aligned.fragments / max(1, len(hits))
    chances = math.log(max(1, among)) + (phrases - 1) * math.log(max(1.0, parts))
    if aligned.calibrated and ranking.evidence is not None:
        own = [share * max(NO_EVIDENCE, phrases * score - chances) for _, score in hits]
    last, least = hits[-1][1] if hits else math.inf, min(own, default=math.inf) if own is not None else 0.0
    evidence = ranking.evidence if own is not None and ranking.evidence is not None else [0.0] * len(ranking.hits)
    for (item, score), strength in zip(ranking.hits, evidence, strict=True):
        if item not in aligned.matches:
            last, least = min(last, score), min(least, strength)
            hits.append((item, last))
            if own is not None:
                own.append(least)
    return Ranking("fragments", ranking.weight, hits, None, own, ranking.missing)


def align(
    asked: Asked,
    fragments: Sequence[ItemFragment],
    segments: Sequence[Segment],
    codebook: Codebook | None,
    calibration: Calibration | None,
    hubness: bool,
    leave_out: Collection[int] = (),
) -> Aligned:
    """The items of these fragments by how well their fragments answer the phrases.

    Args:
        fragments: all that the items of the pool have.
        codebook: for segments that keep codes alone: similarities are then what the codes tell.
        calibration: None where chance is not known: then cosines are compared as they are.
        hubness: whether fragments that match everything count less.
        leave_out: fragments that must not help.
    """
    leave = set(leave_out)
    kept = [fragment for fragment in fragments if fragment.fragment_id not in leave]
    ids = np.array([fragment.fragment_id for fragment in kept], dtype=np.int64)
    queries = np.concatenate([asked.vectors, asked.whole[None]])
    cosines, vectors = _cosines(queries, ids, segments, codebook)
    found = ~np.isnan(cosines[:, 0])  # the others were written after the segments were opened
    kept = [fragment for fragment, is_there in zip(kept, found, strict=True) if is_there]
    ids, cosines = ids[found], cosines[found]
    if not len(ids):
        return Aligned([], calibration is not None, {}, {}, 0)
    spoken = np.array([fragment.role == "passage" for fragment in kept], dtype=np.bool_)
    strengths = cosines
    if calibration is not None:
        own = vectors[found] if vectors is not None and hubness and asked.textual else None
        strengths = _strengths(calibration, queries, cosines, spoken, own)
    items = np.array([fragment.item_id for fragment in kept], dtype=np.int64)
    return _by_item(asked, items, ids, cosines, strengths, np.array([f.role != "tile" for f in kept]), calibration)


def _by_item(
    asked: Asked,
    items: NDArray[np.int64],
    ids: NDArray[np.int64],
    cosines: NDArray[np.float32],
    strengths: NDArray[np.float32],
    whole: NDArray[np.bool_],
    calibration: Calibration | None,
) -> Aligned:
    """MaxSim and anchor of each item.

    Args:
        items, ids: (n,), of each fragment.
        cosines, strengths: (n, p + 1): with each phrase, and with the whole query last.
        whole: (n,), True for what stands for an item as a whole: its picture and its passages, not its tiles.
    """
    scores: list[tuple[int, float]] = []
    nearest: dict[int, int] = {}
    matches: dict[int, Matches] = {}
    order = np.argsort(items, kind="stable")
    bounds = np.flatnonzero(np.diff(items[order], prepend=-1))
    for own in np.split(order, bounds[1:]):
        item = int(items[own[0]])
        best = own[strengths[own, :-1].argmax(axis=0)]
        phrases = strengths[best, np.arange(len(asked.phrases))]
        anchored = own[whole[own]]
        anchor = strengths[anchored if len(anchored) else own, -1].max()
        scores.append((item, float((phrases.mean() + ANCHOR * anchor) / (1 + ANCHOR))))
        nearest[item] = int(ids[own[strengths[own, -1].argmax()]])
        matches[item] = [
            (phrase, int(ids[row]), float(cosines[row, number]))
            for number, (phrase, row) in enumerate(zip(asked.phrases, best, strict=True))
        ]
    scores.sort(key=lambda one: (-one[1], one[0]))
    return Aligned(scores, calibration is not None, nearest, matches, len(ids))


def _strengths(
    calibration: Calibration,
    queries: NDArray[np.float32],
    cosines: NDArray[np.float32],
    spoken: NDArray[np.bool_],
    vectors: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """(n, q) float32: minus the logarithm of how often chance does as well, continued below where it is measured.

    The order of an item's fragments, and of items, must not end where scores become ordinary; so the exponential
    tail (calibration/null.py) is a straight line here, as far as it goes.
    """
    from cmrcli.calibration.null import LEAST_SPREAD, TAIL

    strengths = np.full(cosines.shape, NO_EVIDENCE, dtype=np.float32)
    for modality in (0, 1):
        rows = np.flatnonzero(spoken == bool(modality))
        if not len(rows) or not calibration.knows(modality):
            continue
        start, excess = (float(number) for number in calibration.tails[modality])
        own = None if vectors is None else vectors[rows]
        for number, query in enumerate(queries):
            z = calibration.z_scores(query, cosines[rows, number], modality, own)
            strengths[rows, number] = -np.log(TAIL) + (z - start) / max(excess, LEAST_SPREAD)
    return strengths


def _cosines(
    queries: NDArray[np.float32],
    ids: NDArray[np.int64],
    segments: Sequence[Segment],
    codebook: Codebook | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """(n, q) cosines of the fragments, NaN where no segment has one; and their vectors, None where codes tell."""
    cosines = np.full((len(ids), len(queries)), np.nan, dtype=np.float32)
    order = np.argsort(ids)
    ascending = ids[order]
    by_code = any(segment.kept_vectors is None for segment in segments)
    if not by_code:
        vectors = vectors_of(segments, ids, queries.shape[1])
        there = vectors.any(axis=1)
        cosines[there] = vectors[there] @ queries.T
        return cosines, vectors
    from cmrcli.codes.ordering import FloatQuery

    assert codebook is not None
    asked = [FloatQuery(codebook, query) for query in queries]
    for segment in segments:
        rows = positions(segment.rows, ascending)
        places = order[np.searchsorted(ascending, segment.rows[rows])]
        factors = None if segment.factors is None else segment.factors[rows]
        for number, query in enumerate(asked):
            cosines[places, number] = query.cosines(segment.codes[rows], factors)
    return cosines, None

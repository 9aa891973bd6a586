"""How much speaks for a result: similarities and words on one scale, and what confidence that gives.

Evidence is the logarithm of how seldom chance does as well. Of a similarity: minus the logarithm of the number of
fragments in the index that would be expected to score as high (its tail probability times their number, as BLAST's
E-value: Karlin & Altschul 1990). Of words: the square of the share of the query that is there (a part of a query is
found more often than its words are strewn), times the logarithm of how rare an item is that has all of it, at most
that of one item in the whole index. Independent pieces of evidence add up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.store.segments import positions

if TYPE_CHECKING:
    from cmrcli.calibration.null import Calibration
    from cmrcli.searching.candidates import Candidates
    from cmrcli.store import Segment, WordHit

NO_EVIDENCE = -3.0  # of a similarity that is not among the candidates, or lower than that
CODE_SHARE = 0.25  # of a part number's similarities: vectors know nothing of those
CODE_WORDS = 4.0  # a part number that is there in full is no coincidence
EVEN = 15.0  # evidence at which a result below the first is as likely right as wrong
SLOPE = 0.221  # of the log-odds in the evidence: similar things are not independent, so less than 1
FIRST = 1.72  # that a result has the most evidence of all, in log-odds: seldom are several right
CODE_LEAST = 0.3  # confidence of the best answer to a part number: less, and the part is not there


def confidence(evidence: float, first: bool = False) -> float:
    """0..1: how likely a result with so much evidence is right, and whether no other has more; grows with both.

    EVEN, SLOPE and FIRST are the logistic regression (Platt 1999) that `python -m tests.bench confidence` prints, of
    the half of the development data that choices are made on. Nothing but words tells a part number: with these in the
    index the confidence was 0.99, without at most 0.2 in that half, so that CODE_LEAST parts the two.
    """
    odds = SLOPE * (evidence - EVEN) + (FIRST if first else 0.0)
    return 1.0 / (1.0 + math.exp(min(700.0, -odds)))


def confidences(evidence: dict[int, float]) -> dict[int, float]:
    """The confidence in each item of one answer by its evidence."""
    most = max(evidence.values(), default=0.0)
    return {item: confidence(value, value == most) for item, value in evidence.items()}


def of_similarities(
    calibration: Calibration,
    query: NDArray[np.float32],
    candidates: Candidates,
    passages: frozenset[int],
    segments: Sequence[Segment],
    among: int,
    hubness: bool,
) -> NDArray[np.float32]:
    """(m,) float32: the evidence of each candidate's similarity.

    Args:
        query: (dim,) float32, L2-normalised.
        candidates: with cosines.
        passages: those of the candidates that are passages of text.
        segments: where their vectors are.
        among: fragments that were searched.
        hubness: whether what generic queries score with the same fragment is taken into account.
    """
    ids = candidates.fragment_ids
    spoken = np.array([int(number) in passages for number in ids], dtype=np.bool_)
    vectors = vectors_of(segments, ids, calibration.bank.shape[1]) if hubness else None
    evidence = np.full(len(ids), NO_EVIDENCE, dtype=np.float32)
    for modality in (0, 1):
        own = np.flatnonzero(spoken == bool(modality))
        if len(own) and calibration.knows(modality):
            similarities = candidates.similarities[own]
            z = calibration.z_scores(query, similarities, modality, None if vectors is None else vectors[own])
            expected = calibration.log_tail(z, modality) + np.float32(math.log(max(1, among)))
            evidence[own] = np.maximum(-expected, NO_EVIDENCE)
    return evidence


def of_words(hits: Sequence[WordHit], items: int, is_code: bool) -> list[float]:
    """The evidence of each hit.

    Args:
        items: in the index.
        is_code: the query is a part number.
    """
    most = math.log(max(2, items))
    weight = CODE_WORDS if is_code else 1.0
    return [weight * (hit.coverage**2 * min(most, hit.rarity) + hit.completeness) for hit in hits]


def vectors_of(segments: Sequence[Segment], fragment_ids: NDArray[np.int64], dim: int) -> NDArray[np.float32]:
    """(m, dim) float32: the fragments' vectors, zeros for one that no segment has."""
    order = np.argsort(fragment_ids)
    ascending = fragment_ids[order]
    found = np.zeros((len(fragment_ids), dim), dtype=np.float32)
    for segment in segments:
        rows = positions(segment.rows, ascending)
        places = np.searchsorted(ascending, segment.rows[rows])
        found[order[places]] = segment.vectors[rows]
    return found

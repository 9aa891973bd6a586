"""Evidence: one scale for words and vectors, an order and a confidence made of it."""

from __future__ import annotations

import numpy as np
import pytest

from cmrcli.calibration.null import calibrate
from cmrcli.searching.candidates import Candidates
from cmrcli.searching.evidence import (
    EVEN,
    NO_EVIDENCE,
    confidence,
    confidences,
    of_similarities,
    of_words,
    vectors_of,
)
from cmrcli.searching.fusion import Ranking, fuse_evidence, most_evidence_beyond, weigh
from cmrcli.store import Segment, WordHit


def hit(coverage: float, rarity: float, completeness: float = 0.0) -> WordHit:
    return WordHit(1, 1.0, "text", ("a",), coverage, rarity, completeness)


def segment(rows: list[int], vectors: np.ndarray) -> Segment:
    return Segment("s", np.array(rows, np.int64), vectors.astype(np.float16), np.zeros((len(rows), 1)), None, None)


def test_evidence_adds_up_and_what_is_missing_counts_against() -> None:
    words = Ranking("words", 1.0, [(7, 12.0), (3, 5.0)], None, [6.0, 2.0])
    vectors = Ranking("vectors", 1.0, [(3, 0.8), (9, 0.5)], None, [5.0, 1.0], -2.0)
    assert weigh([words, vectors]) == {7: 4.0, 3: 7.0, 9: 1.0}
    fused = fuse_evidence([words, vectors], weigh([words, vectors]))
    assert [item for item, _, _ in fused] == [3, 7, 9]
    assert fused[0][2] == {"words": (5.0, 2), "vectors": (0.8, 1)}
    assert [sure for _, sure, _ in fused] == [confidence(7.0, first=True), confidence(4.0), confidence(1.0)]
    assert most_evidence_beyond([words, vectors]) == 3.0
    assert most_evidence_beyond([Ranking("words", 1.0, [], None, []), vectors]) == 1.0


def test_confidence_grows_from_nothing_to_certainty() -> None:
    values = [confidence(evidence) for evidence in (-1e9, -2.0, 0.0, 4.0, 10.0, 1e9)]
    assert values == sorted(values) and values[0] == pytest.approx(0) and values[-1] == 1.0
    assert confidence(EVEN) == 0.5 < confidence(EVEN, first=True) < 1
    assert confidences({1: 5.0, 2: EVEN, 3: EVEN}) == {
        1: confidence(5.0),
        2: confidence(EVEN, first=True),
        3: confidence(EVEN, first=True),
    }
    assert confidences({}) == {}


def test_words_are_worth_their_rarity_at_most_one_item_in_all() -> None:
    common, rare, half, code = hit(1, 0.5), hit(1, 30), hit(0.5, 30), hit(1, 30)
    items = 1000
    [a], [b], [c], [d] = ([*of_words([one], items, one is code)] for one in (common, rare, half, code))
    assert a == 0.5 and b == pytest.approx(np.log(items)) and c == pytest.approx(b / 4) and d == pytest.approx(4 * b)


def test_vectors_are_found_in_any_order_and_segment() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(3, 8)), rng.normal(size=(2, 8))
    segments = [segment([2, 4, 6], first), segment([9, 11], second)]
    found = vectors_of(segments, np.array([11, 4, 5, 2]), 8)
    expected = np.stack([second[1], first[1], np.zeros(8), first[0]])
    assert np.allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("hubness", [True, False])
def test_an_outstanding_similarity_is_evidence_and_a_usual_one_is_none(hubness: bool) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(300, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    calibration = calibrate(vectors[:100], vectors[100:200], vectors[200:])
    query = vectors[150] + 0.5 * vectors[0]
    query /= np.linalg.norm(query)
    ids = np.arange(100, 200, dtype=np.int64)
    candidates = Candidates(ids, (vectors[100:200] @ query).astype(np.float32), 100)
    parts = [segment(list(range(100, 200)), vectors[100:200])]
    evidence = of_similarities(calibration, query, candidates, frozenset(), parts, 100, hubness)
    assert int(np.argmax(evidence)) == 50 and evidence[50] > 4
    assert NO_EVIDENCE <= np.median(evidence) < 0
    fewer = of_similarities(calibration, query, candidates, frozenset(ids.tolist()[:3]), parts, 10_000, hubness)
    assert fewer[50] < evidence[50], "among more, chance does as well more often"

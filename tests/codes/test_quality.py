"""Recall of codes on vectors whose neighbours are known, and the sample it is measured on."""

import numpy as np
import pytest

from cmrcli.codes import Codebook, fit_sign, quality
from cmrcli.codes.quality import ann_recall
from cmrcli.codes.sampling import sample_rows
from cmrcli.errors import EmbeddingError


def clustered(n: int, dim: int, seed: int) -> np.ndarray:
    """Unit vectors around 40 centres in a narrow cone, as dual encoders give them."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(40, dim)) + 1.0
    vectors = centres[rng.integers(0, 40, n)] + 0.7 * rng.normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def naive_recall(vectors: np.ndarray, queries: np.ndarray, book: Codebook, k: int, times: int) -> float:
    found = 0
    for query, code in zip(queries, book.encode(queries), strict=True):
        scores = vectors @ query
        exact = set(np.argsort(-scores, kind="stable")[:k].tolist())
        distances = np.bitwise_count(book.encode(vectors) ^ code).sum(axis=1)
        candidates = np.argsort(distances, kind="stable")[: k * times]
        best = candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
        found += len(exact & set(best.tolist()))
    return found / (k * len(queries))


def test_recall_is_what_counting_by_hand_gives() -> None:
    vectors, queries = clustered(600, 64, 0), clustered(20, 64, 1)
    book = fit_sign(vectors)
    table = ann_recall(vectors.astype(np.float16), book, queries, k=5, oversampling=(1, 4))
    stored = vectors.astype(np.float16).astype(np.float32)
    assert (table.rows, table.queries, table.k, table.held_back) == (600, 20, 5, False)
    assert [(s.oversampling, s.rescored) for s in table.settings] == [(1, False), (1, True), (4, True)]
    for setting in table.settings:
        expected = naive_recall(stored, queries, book, 5, setting.oversampling)
        assert setting.recall == pytest.approx(expected, abs=0.011)  # one of 100 neighbours may tie
        assert setting.microseconds > 0
    assert 0.1 < table.settings[0].recall < table.settings[2].recall <= 1


def test_fetching_everything_and_rescoring_is_exact() -> None:
    table = ann_recall(clustered(300, 32, 2), fit_sign(clustered(300, 32, 2)), k=10, oversampling=(30,))
    assert table.settings[-1].recall == 1.0
    assert table.held_back and table.rows + table.queries == 300


def test_duplicates_are_no_misses() -> None:
    vectors = np.repeat(clustered(10, 64, 3), 20, axis=0)
    table = ann_recall(vectors, fit_sign(vectors), vectors[:5], k=10, oversampling=(1,))
    assert table.settings[0].recall == 1.0


def test_large_indexes_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "MAX_ROWS", 100)
    monkeypatch.setattr(quality, "MAX_QUERIES", 7)
    vectors = clustered(400, 32, 4)
    table = ann_recall(vectors, fit_sign(vectors), oversampling=(2,))
    assert (table.rows, table.queries) == (100, 7)
    again = ann_recall(vectors, fit_sign(vectors), oversampling=(2,))
    assert [s.recall for s in again.settings] == [s.recall for s in table.settings]


def test_too_little_to_measure_is_refused() -> None:
    one = clustered(1, 32, 5)
    with pytest.raises(EmbeddingError, match="fewer than two"):
        ann_recall(one, fit_sign(one))
    with pytest.raises(EmbeddingError, match="16 dimensions"):
        ann_recall(one, fit_sign(one), clustered(1, 16, 5))


def test_a_sample_holds_live_rows_once_in_order() -> None:
    first = np.arange(50, dtype=np.float16)[:, None]
    second = np.arange(50, 150, dtype=np.float16)[:, None]
    dead = np.zeros(100, dtype=bool)
    dead[::2] = True
    everything = sample_rows([(first, None), (second, dead)], 1000)
    assert everything.dtype == np.float32
    assert everything[:, 0].tolist() == [*range(50), *range(51, 150, 2)]
    some = sample_rows([(first, None), (second, dead)], 30, seed=5)[:, 0].tolist()
    assert len(some) == 30 and some == sorted(set(some)) and set(some) <= set(everything[:, 0].tolist())
    assert any(value >= 50 for value in some) and any(value < 50 for value in some)
    assert len(sample_rows([(first, np.ones(50, bool))], 10)) == 0 and len(sample_rows([], 10)) == 0

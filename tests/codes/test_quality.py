"""Recall of codes on vectors whose neighbours are known, and the rows it is measured on."""

import numpy as np
import pytest

from cmrcli.codes import Codebook, fit, fit_sign, quality
from cmrcli.codes.codebook import Oversampling
from cmrcli.codes.ordering import FloatQuery
from cmrcli.codes.quality import Trials
from cmrcli.codes.sampling import Rows, sample_rows
from cmrcli.errors import EmbeddingError


def clustered(n: int, dim: int, seed: int) -> np.ndarray:
    """Unit vectors around 40 centres in a narrow cone, as dual encoders give them."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(40).normal(size=(40, dim)) + 1.0
    vectors = centres[rng.integers(0, 40, n)] + 0.7 * rng.normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def naive_recall(
    vectors: np.ndarray, queries: np.ndarray, book: Codebook, k: int, hamming: int, rescored: int
) -> float:
    found = 0
    codes, factors = book.encode(vectors), book.factors(vectors) if book.factors_per_row else None
    for query, code in zip(queries, book.encode(queries), strict=True):
        scores = vectors @ query
        exact = set(np.argsort(-scores, kind="stable")[:k].tolist())
        distances = np.bitwise_count(codes ^ code).sum(axis=1)
        candidates = np.argsort(distances, kind="stable")[: k * hamming]
        if hamming > 1:
            estimates = FloatQuery(book, query).cosines(codes, factors)[candidates]
            candidates = candidates[np.argsort(-estimates, kind="stable")[: k * rescored]]
        best = candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
        found += len(exact & set(best.tolist()))
    return found / (k * len(queries))


@pytest.mark.parametrize(("method", "bits"), [("sign", 0), ("rotation", 128)])
def test_recall_is_what_counting_by_hand_gives(method: str, bits: int) -> None:
    vectors, queries = clustered(600, 64, 0).astype(np.float16), clustered(20, 64, 1)
    trials = Trials([(vectors, None)], queries, k=5)
    book = fit(method, vectors, bits)
    table = trials.table(book, Oversampling(4, 2))
    stored = vectors.astype(np.float32)
    assert (table.rows, table.queries, table.k) == (600, 20, 5)
    settings = [(s.oversampling, s.rescored) for s in table.settings]
    assert settings[:2] == [(1, 0), (4, 0)] and (4, 2) in settings and (32, 8) in settings
    for setting in table.settings:
        expected = naive_recall(stored, queries, book, 5, setting.oversampling, max(1, setting.rescored))
        assert setting.recall == pytest.approx(expected, abs=0.011)  # one of 100 neighbours may tie
        assert setting.microseconds > 0
    assert 0.1 < table.settings[0].recall < table.settings[-1].recall <= 1


def test_fetching_everything_and_rescoring_is_exact() -> None:
    trials = Trials([(clustered(300, 32, 2), None)])
    grid = trials.grid(fit_sign(clustered(300, 32, 2)), (2, 30), (1, 30))
    assert (grid.of(30, 30) == 1).all() and np.isnan(grid.of(2, 30)).all()
    assert len(trials.rows) + len(trials.queries) == 300


def test_duplicates_are_no_misses() -> None:
    vectors = np.repeat(clustered(10, 64, 3), 20, axis=0)
    trials = Trials([(vectors, None)], vectors[:5])
    assert (trials.grid(fit_sign(vectors), (1,), (1,)).recalls == 1).all()


def test_large_indexes_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "MAX_ROWS", 100)
    monkeypatch.setattr(quality, "MAX_QUERIES", 7)
    vectors = clustered(400, 32, 4)
    trials, again = Trials([(vectors, None)]), Trials([(vectors, None)])
    assert (len(trials.rows), len(trials.queries)) == (93, 7)
    book = fit_sign(vectors)
    assert np.array_equal(trials.grid(book).recalls, again.grid(book).recalls, equal_nan=True)


def test_held_back_queries_are_no_rows() -> None:
    vectors = clustered(120, 32, 6)
    trials = Trials([(vectors[:50], None), (vectors[50:], np.arange(70) % 2 == 0)])
    rows = {row.tobytes() for block in trials.rows.blocks() for row in block}
    assert len(rows) == 85 - 8 and not rows & {query.tobytes() for query in trials.queries}


def test_too_little_to_measure_is_refused() -> None:
    one = clustered(1, 32, 5)
    for parts in ([(one, None)], []):
        with pytest.raises(EmbeddingError, match="fewer than two"):
            Trials(parts)
    with pytest.raises(EmbeddingError, match="16 dimensions"):
        Trials([(one, None)], clustered(1, 16, 5))


def numbered() -> list[tuple[np.ndarray, np.ndarray | None]]:
    """150 rows of one number each, every second of the last hundred dead."""
    dead = np.zeros(100, dtype=bool)
    dead[::2] = True
    return [(np.arange(50, dtype=np.float16)[:, None], None), (np.arange(50, 150, dtype=np.float16)[:, None], dead)]


def test_a_sample_holds_live_rows_once_in_order() -> None:
    everything = sample_rows(numbered(), 1000)
    assert everything.dtype == np.float32
    assert everything[:, 0].tolist() == [*range(50), *range(51, 150, 2)]
    some = sample_rows(numbered(), 30, seed=5)[:, 0].tolist()
    assert len(some) == 30 and some == sorted(set(some)) and set(some) <= set(everything[:, 0].tolist())
    assert any(value >= 50 for value in some) and any(value < 50 for value in some)
    assert len(sample_rows([(np.ones((50, 1), np.float16), np.ones(50, bool))], 10)) == 0
    assert len(sample_rows([], 10)) == 0


def test_rows_are_numbered_over_all_parts() -> None:
    rows = Rows(numbered())
    assert len(rows) == 100 and rows.dim == 1
    assert rows.take(np.array([99, 0, 50, 49]))[:, 0].tolist() == [149, 0, 51, 49]
    some = rows.only(np.array([3, 49, 50, 98]))
    assert len(some) == 4 and np.concatenate(list(some.blocks()))[:, 0].tolist() == [3, 49, 51, 147]
    assert some.only(np.array([1, 3])).take(np.array([1, 0]))[:, 0].tolist() == [147, 49]

"""Vectors against vectors in blocks, against the whole matrix sorted in Python."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.errors import EmbeddingError
from cmrcli.evaluation.answers import Outcome, outcome_of, ranked
from cmrcli.evaluation.systems import matrix
from cmrcli.evaluation.systems.matrix import precedence_of, search_all


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans(), st.booleans(), st.integers(1, 30))
def test_equal_to_ranking_everything(seed: int, half: bool, with_own: bool, with_folds: bool, k: int) -> None:
    """Small whole numbers: products are exact and full of ties; tiny blocks: every border is crossed."""
    rng = np.random.default_rng(seed)
    count, rows, dim = int(rng.integers(1, 12)), int(rng.integers(2, 40)), int(rng.integers(1, 4))
    gallery = rng.integers(-2, 3, (rows, dim)).astype(np.float16 if half else np.float32)
    queries = rng.integers(-2, 3, (count, dim)).astype(np.float32)
    documents = [f"{'é' if rng.integers(2) else 'z'}{number}" for number in rng.permutation(rows)]
    own = rng.integers(-1, rows, count).tolist() if with_own else None
    query_folds = [None if rng.integers(3) == 0 else int(rng.integers(3)) for _ in range(count)] if with_folds else None
    gallery_folds = rng.integers(0, 3, rows).tolist() if with_folds else None
    relevant = [_grades(rng, rows, own[number] if own else -1) for number in range(count)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(matrix, "SCORE_BYTES", int(rng.integers(1, 4 * rows * 5)))
        patched.setattr(matrix, "VECTOR_BYTES", int(rng.integers(1, 4 * dim * 20)))
        found = search_all(
            queries,
            gallery,
            k,
            relevant,
            precedence=precedence_of(documents),
            own=own,
            query_folds=query_folds,
            gallery_folds=gallery_folds,
        )
    scores = queries @ gallery.astype(np.float32).T
    for number in range(count):
        asked = [
            row
            for row in range(rows)
            if (own is None or row != own[number])
            and (query_folds is None or gallery_folds is None or query_folds[number] in (None, gallery_folds[row]))
        ]
        ranking = ranked((documents[row], float(scores[number, row])) for row in asked)
        shown = min(k, len(asked))
        assert [documents[row] for row in found.rows[number, :shown]] == list(ranking.documents[:shown])
        assert found.scores[number, :shown].tolist() == list(ranking.scores[:shown])
        assert (found.rows[number, shown:] == -1).all() and np.isneginf(found.scores[number, shown:]).all()
        judged = {documents[row]: grade for row, grade in relevant[number].items() if not own or row != own[number]}
        expected = outcome_of(ranking, judged)
        assert found.outcomes[number] == expected


def _grades(rng: np.random.Generator, rows: int, own: int) -> dict[int, int]:
    """Grades from -1 to 3 of some rows, one of them relevant, and not the query itself."""
    chosen = rng.choice(rows, int(rng.integers(1, rows + 1)), replace=False)
    grades = {int(row): int(rng.integers(-1, 4)) for row in chosen}
    grades[(own + 1) % rows] = 2
    return grades


def test_without_a_precedence_ties_fall_by_row() -> None:
    found = search_all(np.ones((1, 2), np.float32), np.ones((5, 2), np.float32), 3, [{1: 1, 4: 2}])
    assert found.rows.tolist() == [[0, 1, 2]] and found.scores.tolist() == [[2, 2, 2]]
    assert found.outcomes == (Outcome((2, 5), (1, 2), (2, 1), 5),)


def test_ties_fall_by_descending_bytes_of_the_id() -> None:
    assert precedence_of(["b", "a", "é", "z", "\udce9"]).tolist() == [3, 4, 1, 2, 0]


def test_memory_stays_within_what_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    monkeypatch.setattr(matrix, "SCORE_BYTES", 1 << 20)
    monkeypatch.setattr(matrix, "VECTOR_BYTES", 1 << 18)
    rng = np.random.default_rng(1)
    gallery = rng.standard_normal((20_000, 32)).astype(np.float16)
    queries = rng.standard_normal((100, 32)).astype(np.float32)
    tracemalloc.start()
    search_all(queries, gallery, 10, [{number: 1} for number in range(100)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 << 20  # all scores would be 8 MB, the gallery in float32 2.5 MB


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e16])
@pytest.mark.parametrize("where", ["query", "gallery"])
def test_broken_vectors_are_refused(value: float, where: str) -> None:
    vectors = {"query": np.ones((3, 2), np.float32), "gallery": np.ones((4, 2), np.float32)}
    vectors[where][2, 1] = value
    with pytest.raises(EmbeddingError, match=f"a {where} vector holds"):
        search_all(vectors["query"], vectors["gallery"], 1, [{0: 1}] * 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"gallery": np.ones((4, 3), np.float32)}, "do not fit"),
        ({"gallery": np.ones((0, 2), np.float32)}, "of 0 rows"),
        ({"k": 0}, "the first 0"),
        ({"relevant": [{0: 1}]}, "relevant: 1 instead of 2"),
        ({"relevant": [{0: 1}, {4: 1}]}, "outside the gallery"),
        ({"relevant": [{0: 1}, {-1: 1}]}, "outside the gallery"),
        ({"relevant": [{0: 1}, {1: 0}]}, "no relevant row"),
        ({"relevant": [{0: 1}, {1: 1}], "own": [-1, 1]}, "no relevant row"),
        ({"own": [0]}, "own: 1 instead of 2"),
        ({"own": [0, 4]}, "outside the gallery"),
        ({"query_folds": [0, 1]}, "the gallery has none"),
        ({"gallery_folds": [0, 1]}, "gallery_folds: 2 instead of 4"),
    ],
)
def test_what_does_not_fit_is_refused(changed: Mapping[str, object], message: str) -> None:
    relevant: Sequence[Mapping[int, int]] = [{1: 1}, {2: 1}]
    arguments = {"gallery": np.ones((4, 2), np.float32), "k": 2, "relevant": relevant, **changed}
    with pytest.raises(ValueError, match=message):
        search_all(np.ones((2, 2), np.float32), **arguments)  # type: ignore[arg-type]

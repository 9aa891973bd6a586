"""Exact evaluation of vectors against vectors: the first k, and the rank of every relevant row in the whole gallery.

Scores of some queries against all rows are held at a time, each computed once: so the first k and the ranks come from
the same numbers, and nothing of the size of all queries times all rows is ever in memory. Beside the inputs and the
result it takes at most 256 MiB, for galleries of up to 2 million rows. The result itself is 12 bytes for each of the
first k of a query, and about 56 for each relevant row.

Ties fall as answers.py says: equal float32 scores stand by `precedence` of the row. Equal vectors get equal scores
only as far as the BLAS computes every column of a product alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import EmbeddingError
from cmrcli.evaluation.answers import Outcome

SCORE_BYTES = 96 << 20  # scores held at a time: as many queries as fit, at least one
VECTOR_BYTES = 32 << 20  # gallery rows converted to float32 at a time, and queries
MOST = 1e15  # no component beyond it: products of larger ones could overflow


@dataclass(frozen=True, slots=True)
class Matches:
    """What `search_all` found.

    Attributes:
        rows: (q, k) int64 gallery rows, best first; -1 where the gallery has no more.
        scores: (q, k) float32 inner products; -inf where the row is -1.
        outcomes: one a query, over the whole gallery (or its fold, and without its own row).
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    outcomes: tuple[Outcome, ...]


def search_all(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32] | NDArray[np.float16],
    k: int,
    relevant: Sequence[Mapping[int, int]],
    *,
    precedence: NDArray[np.int64] | None = None,
    own: Sequence[int] | None = None,
    query_folds: Sequence[int | None] | None = None,
    gallery_folds: Sequence[int] | None = None,
) -> Matches:
    """The first k rows of every query, and the exact ranks of its relevant rows.

    Args:
        queries: (q, dim); gallery: (n, dim). Scores are inner products in float32.
        k: at least 1.
        relevant: gallery row -> grade, for each query; grades of 0 and below count as not relevant.
        precedence: (n,), distinct: of rows with equal scores the lower one stands first; `precedence_of` gives it for
            document ids. None: the row itself.
        own: the row that is the query itself and never an answer, or -1; relevance of it does not count.
        query_folds: the fold of the gallery that a query is asked of; None for all of it. Relevant rows of other
            folds count as not found.
        gallery_folds: the fold of each row; needed where a query has one.

    Raises:
        ValueError: shapes that do not fit, a row outside the gallery, a query without a relevant row, or k below 1.
        EmbeddingError: a component that is NaN, infinite, or beyond 1e15.
    """
    _check(queries, gallery, k, relevant, own, query_folds, gallery_folds)
    count = len(queries)
    found = Matches(np.full((count, k), -1, np.int64), np.full((count, k), -np.inf, np.float32), ())
    outcomes: list[Outcome | None] = [None] * count
    order = np.arange(len(gallery), dtype=np.int64) if precedence is None else np.asarray(precedence)
    for numbers, rows in _by_fold(count, query_folds, gallery_folds):
        precedes = order if rows is None else order[rows]
        for number, scores in _scored(queries, numbers, gallery, rows):
            grades = {row: grade for row, grade in relevant[number].items() if grade > 0}
            searched = len(scores)
            itself = _local(rows, own[number] if own is not None else -1)
            if itself >= 0:
                scores[itself] = -np.inf
                searched -= 1
            if own is not None:
                grades.pop(own[number], None)
            ordered = np.sort(scores)
            best = _first(scores, ordered, precedes, min(k, searched))
            found.rows[number, : len(best)] = best if rows is None else rows[best]
            found.scores[number, : len(best)] = scores[best]
            outcomes[number] = _outcome(scores, ordered, precedes, grades, rows, searched)
    return Matches(found.rows, found.scores, tuple(outcome for outcome in outcomes if outcome is not None))


def precedence_of(documents: Sequence[str]) -> NDArray[np.int64]:
    """The place of each document among those of equal score: descending order of the ids' UTF-8 bytes."""
    keys = [document.encode("utf-8", "surrogateescape") for document in documents]
    order = sorted(range(len(keys)), key=keys.__getitem__, reverse=True)
    places = np.empty(len(keys), dtype=np.int64)
    places[order] = np.arange(len(keys))
    return places


def _by_fold(
    count: int, query_folds: Sequence[int | None] | None, gallery_folds: Sequence[int] | None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64] | None]]:
    """(query numbers, the gallery rows that they are asked of; None for all)."""
    folds = [None] * count if query_folds is None else list(query_folds)
    of_rows = None if gallery_folds is None else np.asarray(gallery_folds)
    for fold in dict.fromkeys(folds):
        numbers = np.array([number for number, its in enumerate(folds) if its == fold], dtype=np.int64)
        yield numbers, None if fold is None or of_rows is None else np.flatnonzero(of_rows == fold)


def _scored(
    queries: NDArray[np.float32],
    numbers: NDArray[np.int64],
    gallery: NDArray[np.float32] | NDArray[np.float16],
    rows: NDArray[np.int64] | None,
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(query number, its scores of all rows); the scores may be written to, and are gone with the next query."""
    width = len(gallery) if rows is None else len(rows)
    step = max(1, VECTOR_BYTES // (4 * gallery.shape[1]))
    height = max(1, min(SCORE_BYTES // max(4 * width, 1), step, len(numbers)))
    scores = np.empty((height, width), dtype=np.float32)
    for start in range(0, len(numbers), height):
        block = numbers[start : start + height]
        asked = queries[block].astype(np.float32, copy=False)
        for first in range(0, width, step):
            part = gallery[first : first + step] if rows is None else gallery[rows[first : first + step]]
            np.matmul(asked, part.astype(np.float32, copy=False).T, out=scores[: len(block), first : first + step])
        yield from zip(block.tolist(), scores, strict=False)


def _first(
    scores: NDArray[np.float32], ordered: NDArray[np.float32], precedes: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """The k best rows, best first. `ordered`: the scores, ascending."""
    if k == 0:
        return np.empty(0, dtype=np.int64)
    rows = np.flatnonzero(scores >= ordered[-k])  # more than k where the last place is shared
    best: NDArray[np.int64] = rows[np.lexsort((precedes[rows], -scores[rows]))[:k]]
    return best


def _outcome(
    scores: NDArray[np.float32],
    ordered: NDArray[np.float32],
    precedes: NDArray[np.int64],
    grades: Mapping[int, int],
    rows: NDArray[np.int64] | None,
    searched: int,
) -> Outcome:
    """Ranks by counting: rows of a higher score, then rows of the same score that stand before."""
    if not grades:
        raise ValueError("a query has no relevant row")
    wanted = np.fromiter(grades, np.int64, len(grades))
    gained = np.fromiter(grades.values(), np.int64, len(grades))
    ideal = tuple(np.sort(gained)[::-1].tolist())
    if rows is not None:
        held = np.isin(wanted, rows)
        wanted, gained = np.searchsorted(rows, wanted[held]), gained[held]
    values = scores[wanted]
    below = np.searchsorted(ordered, values, "left")
    through = np.searchsorted(ordered, values, "right")
    ranks = len(ordered) - through + 1
    for place in np.flatnonzero(through - below > 1):
        equals = np.flatnonzero(scores == values[place])
        ranks[place] += np.count_nonzero(precedes[equals] < precedes[wanted[place]])
    order = np.argsort(ranks)
    return Outcome(tuple(ranks[order].tolist()), tuple(gained[order].tolist()), ideal, searched)


def _local(rows: NDArray[np.int64] | None, row: int) -> int:
    """The place of a gallery row among those that are asked, -1 where it is not."""
    if rows is None or row < 0:
        return row
    place = int(np.searchsorted(rows, row))
    return place if place < len(rows) and rows[place] == row else -1


def _check(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32] | NDArray[np.float16],
    k: int,
    relevant: Sequence[Mapping[int, int]],
    own: Sequence[int] | None,
    query_folds: Sequence[int | None] | None,
    gallery_folds: Sequence[int] | None,
) -> None:
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1] or gallery.shape[1] == 0:
        raise ValueError(f"queries {queries.shape} and gallery {gallery.shape} do not fit")
    if k < 1 or len(gallery) == 0:
        raise ValueError(f"the first {k} of {len(gallery)} rows are nothing")
    for name, given, wanted in (
        ("relevant", relevant, queries),
        ("own", own, queries),
        ("query_folds", query_folds, queries),
        ("gallery_folds", gallery_folds, gallery),
    ):
        if given is not None and len(given) != len(wanted):
            raise ValueError(f"{name}: {len(given)} instead of {len(wanted)}")
    if gallery_folds is None and query_folds is not None and any(fold is not None for fold in query_folds):
        raise ValueError("queries have folds, and the gallery has none")
    named = [row for grades in relevant for row in (min(grades, default=0), max(grades, default=0))]
    if any(not 0 <= row < len(gallery) for row in named) or any(row >= len(gallery) for row in own or ()):
        raise ValueError("a row outside the gallery")
    step = max(1, VECTOR_BYTES // (4 * gallery.shape[1]))
    for name, vectors in (("query", queries), ("gallery", gallery)):
        for start in range(0, len(vectors), step):
            block = vectors[start : start + step]
            if not (float(block.min()) >= -MOST and float(block.max()) <= MOST):  # a NaN is neither
                raise EmbeddingError(f"a {name} vector holds a NaN, an infinite or a huge value")

"""What codes cost: ANN recall of Hamming candidates with and without rescoring, and the time of one query."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes.codebook import Codebook
from cmrcli.codes.hamming import nearest
from cmrcli.codes.sampling import Vectors, sample_rows
from cmrcli.errors import EmbeddingError

MAX_ROWS = 100_000  # of float32: 200 MB at 512 dimensions
MAX_QUERIES = 200
SCORE_BLOCK = 8_192  # rows a matrix product: bounds the score matrix to 6 MiB at 200 queries
TIE = 1e-6  # similarities closer than this count as equal: duplicates must not look like misses


@dataclass(frozen=True, slots=True)
class RecallRow:
    """One setting of the codes against exact search.

    Attributes:
        oversampling: candidates a result wanted.
        rescored: whether the float query reordered the candidates; at oversampling 1 that changes no recall.
        recall: ANN recall@k, mean over the queries, 0 to 1.
        microseconds: median of one query in this process: its code, the scan, and rescoring when rescored.
    """

    oversampling: int
    rescored: bool
    recall: float
    microseconds: float


@dataclass(frozen=True, slots=True)
class RecallTable:
    """ANN recall@k of one codebook on a sample of vectors.

    Attributes:
        held_back: True when the queries were vectors of the index, taken out of the rows they searched.
        exact_microseconds: median time of one exact query over the same rows.
    """

    k: int
    rows: int
    queries: int
    held_back: bool
    seed: int
    exact_microseconds: float
    settings: tuple[RecallRow, ...]


def ann_recall(
    vectors: Vectors,
    codebook: Codebook,
    queries: Vectors | None = None,
    k: int = 10,
    oversampling: Sequence[int] = (1, 2, 4, 8, 16, 32),
    seed: int = 0,
) -> RecallTable:
    """Recall of the codes without rescoring (oversampling 1) and with rescoring, against exact search.

    Args:
        vectors: (n, dim) float16 or float32, L2-normalised; more than MAX_ROWS are sampled.
        queries: (q, dim), what users ask; more than MAX_QUERIES are sampled. None holds back up to a tenth
            of the vectors, which is kinder than text queries to an index of pictures.
        oversampling: distinct values >= 1.

    Raises:
        EmbeddingError: fewer than two vectors, or another dimension than the codebook's.
    """
    rows, asked = _sample(vectors, queries, seed)
    k = min(k, len(rows))
    codes = codebook.encode(rows)
    bounds, exact_microseconds = _exact(rows, asked, k)
    settings = [_measure(rows, codes, codebook, asked, bounds, k, 1, rescored=False)]
    for times in sorted(set(oversampling)):
        settings.append(_measure(rows, codes, codebook, asked, bounds, k, times, rescored=True))
    return RecallTable(k, len(rows), len(asked), queries is None, seed, exact_microseconds, tuple(settings))


def _sample(vectors: Vectors, queries: Vectors | None, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if queries is not None:
        rows = sample_rows([(vectors, None)], MAX_ROWS, seed)
        asked = sample_rows([(queries, None)], MAX_QUERIES, seed)
    else:
        drawn = sample_rows([(vectors, None)], MAX_ROWS + MAX_QUERIES, seed)
        held = min(MAX_QUERIES, max(1, len(drawn) // 10))
        order = np.random.default_rng(seed + 1).permutation(len(drawn))
        asked, rows = drawn[order[:held]], drawn[order[held:]]
    if len(rows) == 0 or len(asked) == 0:
        raise EmbeddingError("recall cannot be measured on fewer than two vectors")
    if asked.shape[1] != rows.shape[1]:
        raise EmbeddingError(f"queries of {asked.shape[1]} dimensions against vectors of {rows.shape[1]}")
    return rows, asked


def _exact(rows: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], float]:
    """(q,) similarity of each query's k-th nearest row, and the median microseconds of one exact query.

    A found row is right when it is at least as near as that, the definition of ann-benchmarks: rows at equal
    distance are equally good answers.
    """
    best = np.full((len(queries), k), -np.inf, dtype=np.float32)
    for start in range(0, len(rows), SCORE_BLOCK):
        scores = np.concatenate([best, queries @ rows[start : start + SCORE_BLOCK].T], axis=1)
        best = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k:]
    timed = []
    for query in queries[:20]:
        began = time.perf_counter()
        scores_of_one = rows @ query
        np.argpartition(scores_of_one, len(rows) - k)[-k:]
        timed.append(time.perf_counter() - began)
    return best.min(axis=1), float(np.median(timed)) * 1e6


def _measure(
    rows: NDArray[np.float32],
    codes: NDArray[np.uint64],
    codebook: Codebook,
    queries: NDArray[np.float32],
    bounds: NDArray[np.float32],
    k: int,
    oversampling: int,
    *,
    rescored: bool,
) -> RecallRow:
    found, timed = 0, []
    for query, bound in zip(queries, bounds, strict=True):
        began = time.perf_counter()
        candidates, _ = nearest(codebook.encode(query[np.newaxis])[0], codes, k * oversampling)
        if rescored:
            scores = rows[candidates] @ query
            candidates = candidates[np.argsort(-scores, kind="stable")[:k]]
        timed.append(time.perf_counter() - began)
        found += int(np.count_nonzero(rows[candidates] @ query >= bound - TIE))
    return RecallRow(oversampling, rescored, found / (k * len(queries)), float(np.median(timed)) * 1e6)

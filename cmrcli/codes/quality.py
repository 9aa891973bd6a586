"""What codes cost: ANN recall of a search by codes against exact search, at every depth, and the time of one query."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes.codebook import Codebook, Factors, Oversampling, Vectors
from cmrcli.codes.hamming import nearest, nearest_batch
from cmrcli.codes.ordering import FloatQuery
from cmrcli.codes.sampling import Part, Rows, drawn
from cmrcli.errors import EmbeddingError

MAX_ROWS = 1_000_000  # of which the codes are held in memory, the vectors are not
MAX_QUERIES = 400
TIMED_QUERIES = 20
TIE = 1e-6  # similarities closer than this count as equal: duplicates must not look like misses

HAMMING = (1, 2, 4, 8, 16, 32, 64)  # candidates by Hamming distance for each result wanted
RESCORED = (1, 2, 4, 8, 16)  # of these rescored with their vectors; 1 changes no recall: the order stands


@dataclass(frozen=True, slots=True)
class RecallRow:
    """One setting of the codes against exact search.

    Attributes:
        oversampling: candidates by Hamming distance for each result wanted; with 1 the Hamming order stands.
        rescored: of these, the ones whose vectors are read; 0: none, the order by the float query stands.
        recall: ANN recall@k, mean over the queries, 0 to 1.
        microseconds: median of one query in this process: its code, the scan, the order, the rescoring.
    """

    oversampling: int
    rescored: int
    recall: float
    microseconds: float


@dataclass(frozen=True, slots=True)
class RecallTable:
    """ANN recall@k of one codebook.

    Attributes:
        exact_microseconds: median time of one exact query over the same rows.
    """

    k: int
    rows: int
    queries: int
    seed: int
    exact_microseconds: float
    settings: tuple[RecallRow, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Recall of one codebook, query by query: (queries, len(hamming), len(rescored)) float64.

    Not a number where more would be rescored than there are candidates.
    """

    hamming: tuple[int, ...]
    rescored: tuple[int, ...]
    recalls: NDArray[np.float64]

    def of(self, hamming: int, rescored: int) -> NDArray[np.float64]:
        """(queries,) recall at these depths."""
        recalls: NDArray[np.float64] = self.recalls[:, self.hamming.index(hamming), self.rescored.index(rescored)]
        return recalls


class Trials:
    """Rows, queries that are none of them, and what exact search answers: any codebook can be tried on these.

    Attributes:
        k: results of a query that count.
        rows: what is searched.
        queries: (q, dim) float32.
        sorts: (q,) int64: 0, or 1 for the `texts`, whose recall may be another.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        queries: Vectors | None = None,
        k: int = 10,
        seed: int = 0,
        texts: Vectors | None = None,
    ) -> None:
        """Draws rows and queries and answers the queries exactly.

        Args:
            parts: see `Rows`; of more than MAX_ROWS living rows a sample is searched.
            queries: (q, dim), what users ask; more than MAX_QUERIES are sampled. None holds back up to a tenth
                of the vectors, which is kinder than text queries to an index of pictures.
            texts: (t, dim), queries of another sort, asked besides: texts lie in a cone of their own, away from
                pictures. More than MAX_QUERIES are sampled.

        Raises:
            EmbeddingError: fewer than two vectors, or queries of another dimension.
        """
        every = Rows(parts)
        every = every.only(drawn(len(every), MAX_ROWS, seed))
        if queries is None:
            held = drawn(len(every), min(MAX_QUERIES, max(1, len(every) // 10)), seed + 1)
            self.queries = every.take(held)
            self.rows = every.only(np.setdiff1d(np.arange(len(every)), held))
        else:
            self.queries = np.asarray(queries, dtype=np.float32)[drawn(len(queries), MAX_QUERIES, seed + 1)]
            self.rows = every
        self.sorts = np.zeros(len(self.queries), dtype=np.int64)
        if texts is not None and len(texts):
            asked = np.asarray(texts, dtype=np.float32)[drawn(len(texts), MAX_QUERIES, seed + 3)]
            if asked.shape[1] != self.rows.dim:
                raise EmbeddingError(f"queries of {asked.shape[1]} dimensions against vectors of {self.rows.dim}")
            self.queries = np.concatenate([self.queries, asked])
            self.sorts = np.concatenate([self.sorts, np.ones(len(asked), dtype=np.int64)])
        if len(self.rows) == 0 or len(self.queries) == 0:
            raise EmbeddingError("recall cannot be measured on fewer than two vectors")
        if self.queries.shape[1] != self.rows.dim:
            raise EmbeddingError(f"queries of {self.queries.shape[1]} dimensions against vectors of {self.rows.dim}")
        # Drawn in the order of the index, where neighbours are alike: halves of them should not be.
        order = np.random.default_rng(seed + 2).permutation(len(self.queries))
        self.queries, self.sorts = self.queries[order], self.sorts[order]
        self.seed = seed
        self.k = min(k, len(self.rows))
        self._bounds = self._exact()

    def grid(
        self, codebook: Codebook, hamming: tuple[int, ...] = HAMMING, rescored: tuple[int, ...] = RESCORED
    ) -> Grid:
        """Recall of every query at every depth."""
        codes, factors = self._encoded(codebook)
        found, _ = nearest_batch(codebook.encode(self.queries), codes, self.k * max(hamming))
        recalls = np.full((len(self.queries), len(hamming), len(rescored)), np.nan)
        for number, (query, candidates) in enumerate(zip(self.queries, found, strict=True)):
            right = self.rows.take(candidates) @ query >= self._bounds[number] - TIE
            estimates = FloatQuery(codebook, query).cosines(codes[candidates], _some(factors, candidates))
            for place, times in enumerate(hamming):
                nearer = right[: self.k * times]
                order = np.argsort(-estimates[: self.k * times], kind="stable")
                # Hamming candidates of one time the results are results already.
                counts = np.cumsum(nearer[order] if times > 1 else nearer)
                for deep, kept in enumerate(rescored):
                    if kept <= times:
                        hits = counts[min(self.k * kept, len(counts)) - 1]
                        recalls[number, place, deep] = min(1.0, hits / self.k)  # equal vectors are equally right
        return Grid(hamming, rescored, recalls)

    def table(self, codebook: Codebook, oversampling: Oversampling, *, rescoring: bool = True) -> RecallTable:
        """Codes alone, ordered, and rescored, at several depths and at the one that a search takes."""
        hamming = tuple(sorted({*HAMMING, oversampling.hamming}))
        rescored = tuple(sorted({*RESCORED, oversampling.rescored}))
        grid = self.grid(codebook, hamming, rescored)
        wanted = [(1, 0), (oversampling.hamming, 0)]
        if rescoring:
            wanted += [(times, times // 4) for times in HAMMING if times >= 8]
            wanted.append((oversampling.hamming, oversampling.rescored))
        codes, factors = self._encoded(codebook)
        rows = [
            RecallRow(
                times,
                kept,
                float(grid.of(times, max(1, kept)).mean()),
                self._microseconds(codebook, codes, factors, times, kept),
            )
            for times, kept in sorted(set(wanted), key=lambda setting: (setting[1] > 0, setting))
        ]
        return RecallTable(
            self.k, len(self.rows), len(self.queries), self.seed, self._exact_microseconds(), tuple(rows)
        )

    def _encoded(self, codebook: Codebook) -> tuple[NDArray[np.uint64], Factors | None]:
        codes = np.concatenate([codebook.encode(block) for block in self.rows.blocks()])
        if not codebook.factors_per_row:
            return codes, None
        return codes, np.concatenate([codebook.factors(block) for block in self.rows.blocks()])

    def _exact(self) -> NDArray[np.float32]:
        """(q,) similarity of each query's k-th nearest row.

        A found row is right when it is at least as near as that, the definition of ann-benchmarks: rows at equal
        distance are equally good answers.
        """
        best = np.full((len(self.queries), self.k), -np.inf, dtype=np.float32)
        for block in self.rows.blocks():
            scores = np.concatenate([best, self.queries @ block.T], axis=1)
            best = np.partition(scores, scores.shape[1] - self.k, axis=1)[:, -self.k :]
        bounds: NDArray[np.float32] = best.min(axis=1)
        return bounds

    def _microseconds(
        self,
        codebook: Codebook,
        codes: NDArray[np.uint64],
        factors: Factors | None,
        hamming: int,
        rescored: int,
    ) -> float:
        timed = []
        for query in self.queries[:TIMED_QUERIES]:
            began = time.perf_counter()
            rows, _ = nearest(codebook.encode(query[np.newaxis])[0], codes, self.k * hamming)
            if hamming > 1:
                estimates = FloatQuery(codebook, query).cosines(codes[rows], _some(factors, rows))
                rows = rows[np.argsort(-estimates, kind="stable")[: self.k * max(1, rescored)]]
            if rescored:
                rows = rows[np.argsort(-(self.rows.take(rows) @ query), kind="stable")[: self.k]]
            timed.append(time.perf_counter() - began)
        return float(np.median(timed)) * 1e6

    def _exact_microseconds(self) -> float:
        timed = []
        for query in self.queries[: max(1, TIMED_QUERIES // 4)]:
            began = time.perf_counter()
            scores = np.concatenate([block @ query for block in self.rows.blocks()])
            np.argpartition(scores, len(scores) - self.k)[-self.k :]
            timed.append(time.perf_counter() - began)
        return float(np.median(timed)) * 1e6


def _some(factors: Factors | None, rows: NDArray[np.intp]) -> Factors | None:
    return None if factors is None else factors[rows]

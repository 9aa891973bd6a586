"""What answers single queries to vectors in memory, as an index would answer them: exactly, by codes, or by a graph.

Every one has `nearest`, the rows that a query of unit length is nearest to, and `bytes`: what an index would read for
it, with vectors in half precision.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import UsageError, display_path

Vectors = NDArray[np.float32]
Nearest = tuple[NDArray[np.int64], NDArray[np.float32]]  # rows and scores, best first


class Exact:
    """Multiplies every vector."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self.bytes = 2 * vectors.size

    def nearest(self, query: Vectors, wanted: int) -> Nearest:
        """query: (dim,); at most `wanted` rows."""
        return _best(np.arange(len(self._vectors)), self._vectors @ query, wanted)


class Codes:
    """Sign codes, rescored with the vectors or, where `candidates` is None, alone.

    Attributes:
        centre: (dim,) float32, what a component is compared with.
    """

    def __init__(self, vectors: Vectors, candidates: Callable[[int], int] | None) -> None:
        from cmrcli.codes import fit_sign

        self._vectors = vectors
        self._candidates = candidates
        self._book = fit_sign(vectors)
        self.centre = self._book.centre
        self._codes = self._book.encode(vectors)
        self.bytes = self._codes.nbytes + (2 * vectors.size if candidates else 0)

    def nearest(self, query: Vectors, wanted: int) -> Nearest:
        """query: (dim,); at most `wanted` rows. The score of codes alone is minus the distance."""
        from cmrcli.codes import nearest

        code = self._book.encode(query[np.newaxis])[0]
        if self._candidates is None:
            rows, distances = nearest(code, self._codes, wanted)
            return rows.astype(np.int64), -distances.astype(np.float32)
        rows, _ = nearest(code, self._codes, self._candidates(wanted))
        return _best(rows, self._vectors[rows] @ query, wanted)


class Graph:
    """HNSW, made at a path that is free.

    Raises:
        UsageError: hnswlib is not installed, or the file cannot be written.
    """

    def __init__(self, vectors: Vectors, path: Path) -> None:
        from cmrcli.store import graph

        try:
            info = graph.build(vectors, path, "")
        except OSError as error:
            what = f"the graph cannot be written to {display_path(path.parent)}: {error.strerror or error}"
            raise UsageError(what, "free space there, or set TMPDIR") from None
        loaded = graph.load(path, graph.GraphExpectation(vectors.shape[1], len(vectors), ""))
        if info is None or loaded is None:
            raise UsageError("there is no mode graph without hnswlib", "pip install hnswlib, or leave the mode out")
        self._graph = loaded
        self.bytes = info.size_bytes

    def nearest(self, query: Vectors, wanted: int) -> Nearest:
        """query: (dim,); at most `wanted` rows."""
        rows, scores = self._graph.search(query[np.newaxis], wanted)
        return rows[0], scores[0]


Searcher = Exact | Codes | Graph


def searcher_of(mode: str, vectors: Vectors, path: Path) -> Searcher:
    """What answers single queries to one gallery; `path` is free for a graph."""
    if mode == "graph":
        path.mkdir()
        return Graph(vectors, path / "graph.hnsw")
    if mode == "exact":
        return Exact(vectors)
    return Codes(vectors, _candidates(len(vectors)) if mode == "codes" else None)


def _candidates(rows: int) -> Callable[[int], int]:
    """How many candidates a search takes for so many results."""
    from cmrcli.searching.plan import choose

    return lambda wanted: choose("codes", wanted, rows, None, 0, False, True, False).candidates


def _best(rows: NDArray[np.intp], scores: NDArray[np.float32], wanted: int) -> Nearest:
    if wanted < len(scores):
        first = np.argpartition(-scores, wanted - 1)[:wanted]
        rows, scores = rows[first], scores[first]
    order = np.argsort(-scores, kind="stable")
    return rows[order].astype(np.int64), scores[order]

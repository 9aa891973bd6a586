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
    """Sign codes: Hamming candidates, ordered by the float query and rescored, or the codes alone without `depths`.

    Attributes:
        centre: (dim,) float32, what a component is compared with.
    """

    def __init__(self, vectors: Vectors, depths: Callable[[int], tuple[int, int]] | None) -> None:
        from cmrcli.codes import fit_sign

        self._vectors = vectors
        self._depths = depths
        self._book = fit_sign(vectors)
        self.centre = self._book.centre
        self._codes = self._book.encode(vectors)
        self.bytes = self._codes.nbytes + (2 * vectors.size if depths else 0)

    def nearest(self, query: Vectors, wanted: int) -> Nearest:
        """query: (dim,); at most `wanted` rows. The score of codes alone is minus the distance."""
        from cmrcli.codes import nearest
        from cmrcli.codes.ordering import FloatQuery

        code = self._book.encode(query[np.newaxis])[0]
        if self._depths is None:
            rows, distances = nearest(code, self._codes, wanted)
            return rows.astype(np.int64), -distances.astype(np.float32)
        hamming, rescored = self._depths(wanted)
        rows, _ = nearest(code, self._codes, hamming)
        rows, _ = _best(rows, FloatQuery(self._book, query).cosines(self._codes[rows]), rescored)
        return _best(rows, self._vectors[rows] @ query, wanted)


class Graph:
    """HNSW, made at a path that is free.

    Raises:
        UsageError: hnswlib is not installed, or the file cannot be written.
    """

    def __init__(self, vectors: Vectors, path: Path) -> None:
        from cmrcli.store import graph, graph_building

        try:
            info = graph_building.build(vectors, path, "")
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
    return Codes(vectors, _depths if mode == "codes" else None)


def _depths(wanted: int) -> tuple[int, int]:
    """How many candidates a search takes for so many results, and how many of them it rescores."""
    from cmrcli.codes.codebook import DEFAULT_OVERSAMPLING
    from cmrcli.searching.plan import depths_of

    depths = depths_of(wanted, DEFAULT_OVERSAMPLING)
    return depths.candidates, depths.rescored


def _best(rows: NDArray[np.intp] | NDArray[np.int64], scores: NDArray[np.float32], wanted: int) -> Nearest:
    if wanted < len(scores):
        first = np.argpartition(-scores, wanted - 1)[:wanted]
        rows, scores = rows[first], scores[first]
    order = np.argsort(-scores, kind="stable")
    return rows[order].astype(np.int64), scores[order]

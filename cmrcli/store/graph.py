"""The HNSW graph of one large segment: a cache beside its vectors, trusted only as far as it was checked.

`graph.hnsw` is hnswlib's own file. hnswlib loads a file of another dimension, metric or content without a word, saves
to a full disk without a word, and forgets `ef`; so `graph.json` says what the file must be (graph_sidecar.py), the
file is loaded again before it gets its name (graph_building.py), and its SHA-256 is compared before hnswlib sees it.
Whatever is wrong with a graph, a search goes on without it. hnswlib is imported when first used; where it is not
installed there is no graph.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import EmbeddingError
from cmrcli.store import durable
from cmrcli.store.graph_sidecar import METRIC, GraphInfo, read_sidecar
from cmrcli.store.graph_sidecar import GraphExpectation as GraphExpectation
from cmrcli.store.graph_sidecar import sidecar as sidecar


def available() -> bool:
    """Whether hnswlib is installed."""
    return importlib.util.find_spec("hnswlib") is not None


def load(path: Path, expect: GraphExpectation) -> Graph | None:
    """The graph, checked byte by byte; None when missing, damaged, of other vectors, or without hnswlib."""
    try:
        if not available() or fault(path, expect) is not None:
            return None
        info = read_sidecar(sidecar(path))
        index = new_index(info.dim)
        index.load_index(os.fsencode(path))
        if index.get_current_count() != info.rows:
            return None
        return Graph(index, info)
    except (OSError, ValueError, RuntimeError, MemoryError, ImportError):
        return None


def described(path: Path, expect: GraphExpectation) -> GraphInfo | None:
    """What the description says, as far as it fits the vectors and the size of the file; the graph is not read."""
    try:
        info = read_sidecar(sidecar(path))
        fits = GraphExpectation(info.dim, info.rows, info.encoder_digest) == expect and info.metric == METRIC
        return info if fits and path.stat().st_size == info.size_bytes else None
    except (OSError, ValueError):
        return None


def fault(path: Path, expect: GraphExpectation) -> str | None:
    """Why the graph cannot be used, as one line; None when sound. Reads the whole file, needs no hnswlib."""
    try:
        info = read_sidecar(sidecar(path))
        found = GraphExpectation(info.dim, info.rows, info.encoder_digest)
        if found != expect:
            return f"the graph belongs to other vectors: {found}, not {expect}"
        if info.metric != METRIC:
            return f"the graph has the metric {info.metric!r}, not {METRIC!r}"
        size = path.stat().st_size
        if size != info.size_bytes:
            return f"the graph has {size} bytes instead of {info.size_bytes}"
        if durable.checksum(path) != info.sha256:
            return "the graph fails its checksum"
    except OSError as error:
        return f"the graph cannot be read: {error.strerror or error}"
    except ValueError as error:
        return f"the description of the graph is unreadable: {error}"
    return None


class Graph:
    """A loaded graph: approximate nearest rows of one segment, the dead included (the caller drops those)."""

    def __init__(self, index: HnswIndex, info: GraphInfo) -> None:
        self.index = index
        self.info = info

    def search(
        self, queries: NDArray[np.float32], k: int, ef: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows and inner products of about the k nearest, nearest first.

        Args:
            queries: (q, dim) float32.
            k: clamped to the number of rows.
            ef: candidates kept while searching; None takes the one chosen at build. Never below k.

        Returns:
            rows (q, k) int64 and similarities (q, k) float32; fewer columns than k only when the graph cannot
            reach as many rows at any ef (very many equal vectors).

        Raises:
            EmbeddingError: queries of another dimension (hnswlib would read past their end).
        """
        if queries.ndim != 2 or queries.shape[1] != self.info.dim:
            raise EmbeddingError(f"the graph has {self.info.dim} dimensions, the queries the shape {queries.shape}")
        k = min(k, self.info.rows)
        if k <= 0 or len(queries) == 0:
            return np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        effort = max(self.info.ef if ef is None else ef, k)
        while True:
            self.index.set_ef(effort)
            try:
                labels, distances = self.index.knn_query(queries, k=k)
            except RuntimeError:  # fewer than k rows reached: look further, then be content with fewer
                if effort < self.info.rows:
                    effort = min(4 * effort, self.info.rows)
                elif k > 1:
                    k //= 2
                else:
                    return np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
                continue
            return labels.astype(np.int64), (1.0 - distances).astype(np.float32)


class HnswIndex(Protocol):
    """The part of hnswlib.Index in use. Paths are given as bytes: it takes no surrogates in a str."""

    def init_index(self, max_elements: int, M: int, ef_construction: int, random_seed: int) -> None: ...  # noqa: N803
    def add_items(self, data: NDArray[np.float32], ids: NDArray[np.int64], num_threads: int) -> None: ...
    def save_index(self, path: bytes) -> None: ...
    def load_index(self, path: bytes, max_elements: int = 0) -> None: ...
    def get_current_count(self) -> int: ...
    def get_items(self, ids: NDArray[np.int64]) -> NDArray[np.float32]: ...
    def set_ef(self, ef: int) -> None: ...
    def set_num_threads(self, num_threads: int) -> None: ...
    def knn_query(self, data: NDArray[np.float32], k: int) -> tuple[NDArray[np.uint64], NDArray[np.float32]]: ...


def new_index(dim: int) -> HnswIndex:
    """An hnswlib index without anything in it."""
    import hnswlib

    return cast(HnswIndex, hnswlib.Index(space=METRIC, dim=dim))

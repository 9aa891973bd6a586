"""The HNSW graph of one large segment: a cache beside its vectors, trusted only as far as it was checked.

`graph.hnsw` is hnswlib's own file. hnswlib loads a file of another dimension, metric or content without a
word, saves to a full disk without a word, and forgets `ef`; so `graph.json` says what the file must be
(FORMAT.md), the file is loaded again before it gets its name, and its SHA-256 is compared before hnswlib sees
it. Whatever is wrong with a graph, a search goes on without it. hnswlib is imported when first used; where it
is not installed there is no graph.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import EmbeddingError
from cmrcli.store import durable
from cmrcli.store.layout import FILE_MODE, GRAPH_SIDECAR
from cmrcli.store.vectors import StoredVectors

FORMAT = 1
METRIC = "ip"  # vectors are L2-normalised: the inner product is the cosine
M = 16
EF_CONSTRUCTION = 200
SEED = 20_240_501  # of hnswlib's level draw; with one thread the same vectors give the same file
TARGET_RECALL = 0.98
RECALL_AT = 10
EFS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
SAMPLE_QUERIES = 200
BLOCK_ROWS = 1_024  # bounds the float32 copies, and how long Ctrl-C waits while building: about a second

Vectors = NDArray[np.float16] | NDArray[np.float32] | StoredVectors


@dataclass(frozen=True, slots=True)
class GraphExpectation:
    """What a segment knows of its graph without opening it."""

    dim: int
    rows: int
    encoder_digest: str


@dataclass(frozen=True, slots=True)
class GraphInfo:
    """What `graph.json` says.

    Attributes:
        ef: the smallest tried at which `recall` reached TARGET_RECALL, else the largest tried.
        recall: ANN recall@10 at that `ef`, measured at build on made queries (`_choose_ef`).
        sha256: hex, of the whole of graph.hnsw.
    """

    dim: int
    rows: int
    encoder_digest: str
    metric: str
    m: int
    ef_construction: int
    ef: int
    recall: float
    size_bytes: int
    sha256: str


def available() -> bool:
    """Whether hnswlib is installed."""
    return importlib.util.find_spec("hnswlib") is not None


def sidecar(path: Path) -> Path:
    """Where the description of a graph lies: graph.json beside graph.hnsw."""
    return path.with_name(GRAPH_SIDECAR)


def build(
    vectors: Vectors,
    path: Path,
    encoder_digest: str,
    *,
    threads: int = 1,
    progress: Callable[[int], None] | None = None,
) -> GraphInfo | None:
    """Builds, verifies and puts in place the graph of a segment; row numbers are its labels.

    Args:
        vectors: (n, dim), n >= 1, L2-normalised; a memory map is read in blocks.
        path: of graph.hnsw, in an existing folder. Both files are written beside, read back, and renamed.
        threads: more than one is faster and gives another, equally good file every time.
        progress: called with the number of rows that are in.

    Returns:
        What was written, or None when hnswlib is not installed.

    Raises:
        EmbeddingError: no vectors, or a NaN or infinite value.
        OSError: the files could not be written whole. Nothing is left behind then.
    """
    if not available():
        return None
    if vectors.ndim != 2 or len(vectors) == 0:
        raise EmbeddingError(f"a graph needs vectors, got the shape {vectors.shape}")
    beside, beside_sidecar = _beside(path), _beside(sidecar(path))
    try:
        _write_graph(vectors, beside, threads, progress)
        index = _read_back(vectors, beside)
        ef, recall = _choose_ef(index, vectors)
        info = GraphInfo(
            dim=vectors.shape[1],
            rows=len(vectors),
            encoder_digest=encoder_digest,
            metric=METRIC,
            m=M,
            ef_construction=EF_CONSTRUCTION,
            ef=ef,
            recall=recall,
            size_bytes=beside.stat().st_size,
            sha256=durable.checksum(beside),
        )
        _write_sidecar(info, beside_sidecar)
        # Killed between the two, the old description does not fit the new graph: it counts as damaged.
        durable.rename(beside, path)
        durable.rename(beside_sidecar, sidecar(path))
        return info
    finally:
        for left in (beside, beside_sidecar):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def load(path: Path, expect: GraphExpectation) -> Graph | None:
    """The graph, checked byte by byte; None when missing, damaged, of other vectors, or without hnswlib."""
    try:
        if not available() or fault(path, expect) is not None:
            return None
        info = _read_sidecar(sidecar(path))
        index = _new_index(info.dim)
        index.load_index(os.fsencode(path))
        if index.get_current_count() != info.rows:
            return None
        return Graph(index, info)
    except (OSError, ValueError, RuntimeError, MemoryError, ImportError):
        return None


def fault(path: Path, expect: GraphExpectation) -> str | None:
    """Why the graph cannot be used, as one line; None when sound. Reads the whole file, needs no hnswlib."""
    try:
        info = _read_sidecar(sidecar(path))
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

    def __init__(self, index: _HnswIndex, info: GraphInfo) -> None:
        self._index = index
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
            self._index.set_ef(effort)
            try:
                labels, distances = self._index.knn_query(queries, k=k)
            except RuntimeError:  # fewer than k rows reached: look further, then be content with fewer
                if effort < self.info.rows:
                    effort = min(4 * effort, self.info.rows)
                elif k > 1:
                    k //= 2
                else:
                    return np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
                continue
            return labels.astype(np.int64), (1.0 - distances).astype(np.float32)


class _HnswIndex(Protocol):
    """The part of hnswlib.Index in use. Paths are given as bytes: it takes no surrogates in a str."""

    def init_index(self, max_elements: int, M: int, ef_construction: int, random_seed: int) -> None: ...  # noqa: N803
    def add_items(self, data: NDArray[np.float32], ids: NDArray[np.int64], num_threads: int) -> None: ...
    def save_index(self, path: bytes) -> None: ...
    def load_index(self, path: bytes) -> None: ...
    def get_current_count(self) -> int: ...
    def get_items(self, ids: NDArray[np.int64]) -> NDArray[np.float32]: ...
    def set_ef(self, ef: int) -> None: ...
    def knn_query(self, data: NDArray[np.float32], k: int) -> tuple[NDArray[np.uint64], NDArray[np.float32]]: ...


def _new_index(dim: int) -> _HnswIndex:
    import hnswlib

    return cast(_HnswIndex, hnswlib.Index(space=METRIC, dim=dim))


def _write_graph(vectors: Vectors, target: Path, threads: int, progress: Callable[[int], None] | None) -> None:
    index = _new_index(vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=M, ef_construction=EF_CONSTRUCTION, random_seed=SEED)
    for start, block in _blocks(vectors):
        if not np.isfinite(block).all():
            raise EmbeddingError(f"a vector in rows {start} to {start + len(block) - 1} holds a NaN or infinite value")
        index.add_items(block, np.arange(start, start + len(block)), num_threads=threads)
        if progress is not None:
            progress(start + len(block))
    # Made here, so that only its owner may read it: hnswlib keeps the mode of a file that exists.
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        index.save_index(os.fsencode(target))
        os.fsync(descriptor)
    except RuntimeError as error:
        raise OSError(errno.EIO, f"hnswlib could not write: {error}", str(target)) from error
    finally:
        os.close(descriptor)


def _read_back(vectors: Vectors, path: Path) -> _HnswIndex:
    """The graph as the disk has it, its vectors compared with the segment's. A full disk shows here."""
    failed = OSError(errno.EIO, "the graph did not read back as written; is the disk full?", str(path))
    index = _new_index(vectors.shape[1])
    try:
        index.load_index(os.fsencode(path))
        whole = index.get_current_count() == len(vectors)
        for start, block in _blocks(vectors):
            ids = np.arange(start, start + len(block))
            whole = whole and np.array_equal(np.asarray(index.get_items(ids), dtype=np.float32), block)
    except RuntimeError as error:
        raise failed from error
    if not whole:
        raise failed
    return index


def _choose_ef(index: _HnswIndex, vectors: Vectors) -> tuple[int, float]:
    """The smallest of EFS that finds TARGET_RECALL of the exact nearest, and what it finds.

    Queries are no copies of what is indexed, which would be found too easily: all lie between two random
    rows, and half of them are moved away by a random direction of length one, as the sentence that means a
    picture lies away from it. Each half has to reach the target; `recall` is the worse of the two.
    """
    rng = np.random.default_rng(SEED)
    ends = rng.integers(0, len(vectors), (2, SAMPLE_QUERIES))
    share = rng.uniform(0.5, 0.9, (SAMPLE_QUERIES, 1)).astype(np.float32)
    near, far = (np.asarray(vectors[rows], dtype=np.float32) for rows in ends)
    queries = share * near + (1 - share) * far
    away = rng.normal(size=queries[::2].shape).astype(np.float32)
    queries[::2] += away / np.linalg.norm(away, axis=1, keepdims=True)
    queries /= np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
    k = min(RECALL_AT, len(vectors))
    bounds = _exact_bounds(vectors, queries, k)
    recall = 0.0
    for ef in EFS:
        index.set_ef(max(ef, k))
        try:
            _, distances = index.knn_query(queries, k=k)
        except RuntimeError:  # fewer than k reached
            continue
        # As near as the k-th exact row counts as found: equal vectors are equally good.
        found = 1.0 - distances >= bounds[:, np.newaxis] - 1e-5
        recall = min(float(found[::2].mean()), float(found[1::2].mean()))
        if recall >= TARGET_RECALL:
            return ef, recall
    return EFS[-1], recall


def _exact_bounds(vectors: Vectors, queries: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """(q,) similarity of the k-th nearest row."""
    best = np.full((len(queries), k), -np.inf, dtype=np.float32)
    for _, block in _blocks(vectors):
        scores = np.concatenate([best, queries @ block.T], axis=1)
        best = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k:]
    return cast("NDArray[np.float32]", best.min(axis=1))


def _blocks(vectors: Vectors) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for start in range(0, len(vectors), BLOCK_ROWS):
        yield start, np.ascontiguousarray(vectors[start : start + BLOCK_ROWS], dtype=np.float32)


def _write_sidecar(info: GraphInfo, target: Path) -> None:
    document = {"format": FORMAT, **dataclasses.asdict(info)}
    target.unlink(missing_ok=True)
    durable.write_file(target, [json.dumps(document, indent=1, sort_keys=True).encode("ascii") + b"\n"])


def _read_sidecar(path: Path) -> GraphInfo:
    """Raises OSError when it is not there, ValueError when it is not what `_write_sidecar` writes."""
    try:
        document = json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise ValueError(f"not of format {FORMAT}")
    types = {"dim": int, "rows": int, "m": int, "ef_construction": int, "ef": int, "size_bytes": int}
    types |= {"recall": float, "encoder_digest": str, "metric": str, "sha256": str}  # type: ignore[dict-item]
    for name, wanted in types.items():
        if type(document.get(name)) is not wanted:
            raise ValueError(f"{name} is not of type {wanted.__name__}")
    return GraphInfo(**{name: document[name] for name in types})


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")

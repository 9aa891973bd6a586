"""Building the HNSW graph of one segment: from nothing, or from the graph of its first rows; verified, and measured.

Nothing gets its final name before it was read back from the disk and compared with the segment's vectors.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from cmrcli.errors import EmbeddingError
from cmrcli.store import durable, graph
from cmrcli.store.graph import HnswIndex, load, new_index
from cmrcli.store.graph_sidecar import (
    METRIC,
    TARGET_RECALL,
    GraphExpectation,
    GraphInfo,
    read_sidecar,
    sidecar,
    write_sidecar,
)
from cmrcli.store.graph_tuning import Vectors, blocks, choose_ef
from cmrcli.store.layout import FILE_MODE

M = 16
EF_CONSTRUCTION = 200
SEED = 20_240_501  # of hnswlib's level draw; with one thread the same vectors give the same file


def build(
    vectors: Vectors,
    path: Path,
    encoder_digest: str,
    *,
    target_recall: float = TARGET_RECALL,
    threads: int = 1,
    progress: Callable[[int], None] | None = None,
) -> GraphInfo | None:
    """Builds, verifies and puts in place the graph of a segment; row numbers are its labels.

    A sound graph of the segment's first rows that lies at `path` already is continued, which takes the time of the
    other rows alone.

    Args:
        vectors: (n, dim), n >= 1, L2-normalised; a memory map is read in blocks.
        path: of graph.hnsw, in an existing folder. Both files are written beside, read back, and renamed.
        target_recall: ANN recall@10 for which `ef` is chosen.
        threads: more than one is faster and gives another, equally good file every time.
        progress: called with the number of rows that are in.

    Returns:
        What was written, or None when hnswlib is not installed.

    Raises:
        EmbeddingError: no vectors, or a NaN or infinite value.
        OSError: the files could not be written whole. Nothing is left behind then.
    """
    if not graph.available():
        return None
    if vectors.ndim != 2 or len(vectors) == 0:
        raise EmbeddingError(f"a graph needs vectors, got the shape {vectors.shape}")
    beside, beside_sidecar = _beside(path), _beside(sidecar(path))
    try:
        began = time.perf_counter()
        _write_graph(_begun(vectors, path), vectors, beside, threads, progress)
        index = _read_back(vectors, beside)
        ef, recall, query_us = choose_ef(index, vectors, target_recall)
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
            target_recall=target_recall,
            build_s=round(time.perf_counter() - began, 3),
            query_us=round(query_us, 1),
        )
        write_sidecar(info, beside_sidecar)
        # Killed between the two, the old description does not fit the new graph: it counts as damaged.
        durable.rename(beside, path)
        durable.rename(beside_sidecar, sidecar(path))
        return info
    finally:
        for left in (beside, beside_sidecar):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def retune(vectors: Vectors, path: Path, expect: GraphExpectation, target_recall: float) -> bool:
    """Chooses `ef` of a graph anew, for another recall; False where the graph is not sound.

    Args:
        vectors: (n, dim), those of the graph.

    Raises:
        OSError: the description could not be written; the old one stands.
    """
    loaded = load(path, expect)
    if loaded is None:
        return False
    ef, recall, query_us = choose_ef(loaded.index, vectors, target_recall)
    info = replace(loaded.info, ef=ef, recall=recall, query_us=round(query_us, 1), target_recall=target_recall)
    beside = _beside(sidecar(path))
    try:
        write_sidecar(info, beside)
        durable.rename(beside, sidecar(path))
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    return True


def _begun(vectors: Vectors, path: Path) -> HnswIndex:
    """An index with room for all rows: that of the first ones where there is a sound one at the path, else empty."""
    rows, dim = vectors.shape
    with contextlib.suppress(OSError, ValueError, RuntimeError, MemoryError):
        info = read_sidecar(sidecar(path))
        fits = (info.dim, info.metric, info.m, info.ef_construction) == (dim, METRIC, M, EF_CONSTRUCTION)
        if fits and 0 < info.rows < rows and durable.checksum(path) == info.sha256:
            index = new_index(dim)
            index.load_index(os.fsencode(path), max_elements=rows)
            # Whatever it was built for: it is ours as far as its vectors are.
            if index.get_current_count() == info.rows and _holds(index, vectors[: info.rows]):
                return index
    index = new_index(dim)
    index.init_index(max_elements=rows, M=M, ef_construction=EF_CONSTRUCTION, random_seed=SEED)
    return index


def _write_graph(
    index: HnswIndex, vectors: Vectors, target: Path, threads: int, progress: Callable[[int], None] | None
) -> None:
    for start, block in blocks(vectors, index.get_current_count()):
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


def _read_back(vectors: Vectors, path: Path) -> HnswIndex:
    """The graph as the disk has it, its vectors compared with the segment's. A full disk shows here."""
    failed = OSError(errno.EIO, "the graph did not read back as written; is the disk full?", str(path))
    index = new_index(vectors.shape[1])
    try:
        index.load_index(os.fsencode(path))
        whole = index.get_current_count() == len(vectors) and _holds(index, vectors)
    except RuntimeError as error:
        raise failed from error
    if not whole:
        raise failed
    return index


def _holds(index: HnswIndex, vectors: Vectors) -> bool:
    """Whether the first labels of the index are exactly these vectors."""
    return all(
        np.array_equal(np.asarray(index.get_items(np.arange(start, start + len(block))), dtype=np.float32), block)
        for start, block in blocks(vectors)
    )


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")

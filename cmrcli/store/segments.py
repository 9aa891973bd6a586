"""One segment on disk: written once, opened as memory maps, verified by `check`.

Layout of the arrays: FORMAT.md. Rows are in ascending order of their fragment, in every segment.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import IndexDamaged, UsageError, display_path
from cmrcli.store import durable
from cmrcli.store.layout import (
    CODES,
    FACTORS,
    FORMAT_VERSION,
    GRAPH,
    GRAPH_SIDECAR,
    MANIFEST,
    ROWS,
    SCALES,
    UNFINISHED,
    VECTOR_FILES,
    VECTORS,
    VECTORS_I8,
    segment_folder,
)
from cmrcli.store.manifests import DTYPES, FileEntry, Manifest, entry, features_of, read_manifest
from cmrcli.store.records import EncoderIdentity
from cmrcli.store.vectors import StoredVectors


@dataclass(slots=True)
class Segment:
    """One opened segment. The arrays are read-only memory maps.

    Attributes:
        id: its folder's name.
        rows: (n,) int64, the fragment of each row, ascending.
        kept_vectors: (n, dim) float16 or int8, as they lie on disk; None where codes alone were kept.
        codes: (n, words) uint64.
        dead: (n,) bool, True for rows whose fragment is gone; None when there are none.
        graph_path: its HNSW graph, None when it has none.
        factors: (n, m) float16, what the codebook keeps beside each code; None when that is nothing.
        scales: (n,) float32, of int8 vectors; else None.
    """

    id: str
    rows: NDArray[np.int64] = field(repr=False)
    kept_vectors: NDArray[np.float16 | np.int8] | None = field(repr=False)
    codes: NDArray[np.uint64] = field(repr=False)
    dead: NDArray[np.bool_] | None = field(repr=False)
    graph_path: Path | None
    factors: NDArray[np.float16] | None = field(default=None, repr=False)
    scales: NDArray[np.float32] | None = field(default=None, repr=False)

    @property
    def vectors(self) -> StoredVectors:
        """(n, dim), L2-normalised: whatever their form on disk, rows of them are float32.

        Raises:
            UsageError: codes alone were kept.
        """
        if self.kept_vectors is None:
            raise UsageError(
                "this index keeps codes alone: its vectors were dropped",
                "search without --mode exact or graph; for new codes, index the folders again into another --index",
            )
        return StoredVectors(self.kept_vectors, self.scales)


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """What the catalog knows of a segment."""

    id: str
    rows: int
    dead_rows: int
    dead: bytes | None
    codebook_id: int
    manifest_sha256: str


def write_segment(
    index: Path,
    segment_id: str,
    encoder: EncoderIdentity,
    codebook_sha256: str,
    rows: NDArray[np.int64],
    vectors: Iterable[StoredVectors] | Path | None,
    codes: Iterable[NDArray[np.uint64]],
    words: int,
    factors: Iterable[NDArray[np.float16]] = (),
    factors_per_row: int = 0,
) -> str:
    """Hex SHA-256 of the manifest of a new segment, which lies finished under its name when this returns.

    Args:
        rows: (n,) int64, ascending, n >= 1.
        vectors: blocks of (m, dim) of one form in row order, or the folder of a segment with the same vectors,
            which are then shared (hard links), as is its graph. None: codes alone are kept.
        codes: blocks of (m, words) uint64 in the same order.
        factors: blocks of (m, factors_per_row) float16 in the same order.

    Raises:
        OSError: the disk is full and the like; nothing is left behind.
        IndexDamaged: what was read back differs from what was written.
    """
    final = segment_folder(index, segment_id)
    beside = final.with_name(segment_id + UNFINISHED)
    durable.make_folder(beside)
    try:
        files: dict[str, FileEntry] = {}
        if isinstance(vectors, Path):
            files = _share_vectors(vectors, beside)
        elif vectors is not None:
            files = _write_vectors(beside, vectors, len(rows), encoder.dim)
        shared = files.keys() if isinstance(vectors, Path) else set()
        files |= _write(beside, CODES, codes, [len(rows), words])
        if factors_per_row:
            files |= _write(beside, FACTORS, factors, [len(rows), factors_per_row])
        files |= _write(beside, ROWS, [rows], [len(rows)])
        manifest: Manifest = {
            "format": FORMAT_VERSION,
            "reader_features": features_of(files.keys()),
            "writer_features": [],
            "id": segment_id,
            "created_ns": time.time_ns(),
            "encoder": {"name": encoder.name, "digest": encoder.digest, "dim": encoder.dim},
            "codebook": codebook_sha256,
            "files": files,
        }
        _, digest = durable.write_file(beside / MANIFEST, [json.dumps(manifest, indent=1).encode()])
        durable.sync_folder(beside)
        for name in files.keys() - shared:
            _read_back(beside / name, files[name]["sha256"])
        _read_back(beside / MANIFEST, digest)
        durable.rename(beside, final)
    except BaseException:
        durable.remove_folder(beside)
        durable.remove_folder(final)
        raise
    return digest


def open_segment(index: Path, row: SegmentRow, encoder: EncoderIdentity) -> Segment:
    """The segment as memory maps. Sizes and identity are checked, checksums are not (that is `check`'s work).

    Raises:
        FileNotFoundError: it was compacted away after `row` was read; read the catalog again.
        IndexDamaged, IndexFormatError: see cmrcli/errors.py.
    """
    folder = segment_folder(index, row.id)
    manifest = read_manifest(folder)
    files = manifest["files"]
    name = VECTORS_I8 if VECTORS_I8 in files else VECTORS
    expected = {ROWS: [row.rows], SCALES: [row.rows], name: [row.rows, encoder.dim]}
    if any(files[one]["shape"] != shape for one, shape in expected.items() if one in files):
        raise IndexDamaged(
            f"{display_path(folder / MANIFEST)} does not fit the catalog", f"cmrcli check --index {index}"
        )
    graph = folder / GRAPH
    return Segment(
        id=row.id,
        rows=_map(folder / ROWS, files[ROWS]).view(np.int64),
        kept_vectors=_map_vectors(folder / name, files[name]) if name in files else None,
        codes=_map(folder / CODES, files[CODES]).view(np.uint64),
        dead=unpack_dead(row.dead, row.rows),
        graph_path=graph if graph.exists() else None,
        factors=_map(folder / FACTORS, files[FACTORS]).view(np.float16) if FACTORS in files else None,
        scales=_map(folder / SCALES, files[SCALES]).view(np.float32) if SCALES in files else None,
    )


def pack_dead(dead: NDArray[np.bool_]) -> bytes:
    """The bitmap as the catalog keeps it: bit `row % 8` (0 is the lowest) of byte `row // 8`."""
    return np.packbits(dead, bitorder="little").tobytes()


def unpack_dead(packed: bytes | None, rows: int) -> NDArray[np.bool_] | None:
    """(rows,) bool, or None when nothing is dead."""
    if packed is None:
        return None
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=rows, bitorder="little")
    return bits.view(np.bool_)


def positions(rows: NDArray[np.int64], fragment_ids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where those of the fragments lie that the segment has. Both arrays ascending; binary search, no scan."""
    if not len(rows) or not len(fragment_ids):
        return np.empty(0, dtype=np.intp)
    found = np.searchsorted(rows, fragment_ids)
    inside = np.minimum(found, len(rows) - 1)
    hits: NDArray[np.intp] = inside[rows[inside] == fragment_ids]
    return hits


def segment_bytes(folder: Path) -> dict[str, int]:
    """Size on disk of each file in a segment's folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries}
    except OSError:
        return {}


def _share_vectors(source: Path, target: Path) -> dict[str, FileEntry]:
    """Give the vectors, and the graph over them, a second name. They were verified when they were written."""
    files = read_manifest(source)["files"]
    shared = [name for names in VECTOR_FILES.values() for name in names if name in files]
    for name in (*shared, *(graph for graph in (GRAPH, GRAPH_SIDECAR) if (source / graph).exists())):
        durable.link_or_copy(source / name, target / name)
    return {name: files[name] for name in shared}


def _write_vectors(folder: Path, blocks: Iterable[StoredVectors], rows: int, dim: int) -> dict[str, FileEntry]:
    """One pass over the blocks, which may be made as they come; of the scales, 4 bytes a row wait in memory."""
    blocks = iter(blocks)
    first = next(blocks)
    scales: list[NDArray[np.float32]] = []

    def values() -> Iterator[NDArray[np.generic]]:
        for block in itertools.chain([first], blocks):
            if block.scales is not None:
                scales.append(block.scales)
            yield block.values

    name = VECTORS if first.scales is None else VECTORS_I8
    files = _write(folder, name, values(), [rows, dim])
    return files | (_write(folder, SCALES, scales, [rows]) if scales else {})


def _write(folder: Path, name: str, blocks: Iterable[NDArray[np.generic]], shape: list[int]) -> dict[str, FileEntry]:
    written = durable.write_file(folder / name, (_bytes_of(block, DTYPES[name]) for block in blocks))
    return {name: entry(name, shape, written)}


def _read_back(path: Path, expected: str) -> None:
    if durable.checksum(path) != expected:
        raise IndexDamaged(f"{display_path(path)} reads back other bytes than were written to it")


def _map(path: Path, entry: FileEntry) -> NDArray[np.generic]:
    actual = path.stat().st_size
    if actual != entry["bytes"]:
        raise IndexDamaged(
            f"{display_path(path)} has {actual} bytes instead of {entry['bytes']}",
            "cmrcli check names all damage",
        )
    # The plain array view keeps numpy.memmap's bookkeeping out of every slice.
    mapped: NDArray[np.generic] = np.memmap(path, dtype=entry["dtype"], mode="r", shape=tuple(entry["shape"]))
    return mapped.view(np.ndarray)


def _map_vectors(path: Path, entry: FileEntry) -> NDArray[np.float16 | np.int8]:
    mapped = _map(path, entry)
    return mapped.view(np.int8) if path.name == VECTORS_I8 else mapped.view(np.float16)


def _bytes_of(array: NDArray[np.generic], dtype: str) -> memoryview:
    return np.ascontiguousarray(array, dtype=dtype).data.cast("B")

"""One segment on disk: written once, opened as memory maps, verified by `check`.

Layout of the arrays: FORMAT.md. Rows are in ascending order of their fragment, in every segment.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import IndexDamaged, IndexFormatError, UsageError, display_path
from cmrcli.store import durable
from cmrcli.store.layout import (
    CODES,
    CODES_ONLY,
    FACTORS,
    FORMAT_VERSION,
    GRAPH,
    GRAPH_SIDECAR,
    MANIFEST,
    READER_FEATURES,
    ROWS,
    UNFINISHED,
    VECTORS,
    segment_folder,
)
from cmrcli.store.records import EncoderIdentity

BLOCK_ROWS = 8192  # of vectors held in memory at once: 8 MiB at dim 512


class FileEntry(TypedDict):
    """What a manifest says of one array."""

    dtype: str
    shape: list[int]
    bytes: int
    sha256: str


class Manifest(TypedDict):
    """manifest.json."""

    format: int
    reader_features: list[str]
    writer_features: list[str]
    id: str
    created_ns: int
    encoder: dict[str, str | int]
    codebook: str  # hex SHA-256 of the codebook's bytes
    files: dict[str, FileEntry]


@dataclass(slots=True)
class Segment:
    """One opened segment. The arrays are read-only memory maps.

    Attributes:
        id: its folder's name.
        rows: (n,) int64, the fragment of each row, ascending.
        kept_vectors: (n, dim) float16, L2-normalised; None where codes alone were kept.
        codes: (n, words) uint64.
        dead: (n,) bool, True for rows whose fragment is gone; None when there are none.
        graph_path: its HNSW graph, None when it has none.
        factors: (n, m) float16, what the codebook keeps beside each code; None when that is nothing.
    """

    id: str
    rows: NDArray[np.int64] = field(repr=False)
    kept_vectors: NDArray[np.float16] | None = field(repr=False)
    codes: NDArray[np.uint64] = field(repr=False)
    dead: NDArray[np.bool_] | None = field(repr=False)
    graph_path: Path | None
    factors: NDArray[np.float16] | None = field(default=None, repr=False)

    @property
    def vectors(self) -> NDArray[np.float16]:
        """`kept_vectors`, for what cannot do without.

        Raises:
            UsageError: codes alone were kept.
        """
        if self.kept_vectors is None:
            raise UsageError(
                "this index keeps codes alone: its vectors were dropped",
                "search without --mode exact or graph; for new codes, index the folders again into another --index",
            )
        return self.kept_vectors


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
    vectors: Iterable[NDArray[np.float16]] | Path | None,
    codes: Iterable[NDArray[np.uint64]],
    words: int,
    factors: Iterable[NDArray[np.float16]] = (),
    factors_per_row: int = 0,
) -> str:
    """Hex SHA-256 of the manifest of a new segment, which lies finished under its name when this returns.

    Args:
        rows: (n,) int64, ascending.
        vectors: blocks of (m, dim) float16 in row order, or the folder of a segment with the same vectors, which are
            then shared (hard links), as is its graph. None: codes alone are kept.
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
            files[VECTORS] = _share_vectors(vectors, beside)
        elif vectors is not None:
            written = durable.write_file(beside / VECTORS, (_bytes_of(block, "<f2") for block in vectors))
            files[VECTORS] = _entry("<f2", [len(rows), encoder.dim], written)
        written = durable.write_file(beside / CODES, (_bytes_of(block, "<u8") for block in codes))
        files[CODES] = _entry("<u8", [len(rows), words], written)
        if factors_per_row:
            written = durable.write_file(beside / FACTORS, (_bytes_of(block, "<f2") for block in factors))
            files[FACTORS] = _entry("<f2", [len(rows), factors_per_row], written)
        files[ROWS] = _entry("<i8", [len(rows)], durable.write_file(beside / ROWS, [_bytes_of(rows, "<i8")]))
        manifest: Manifest = {
            "format": FORMAT_VERSION,
            "reader_features": [CODES_ONLY] if vectors is None else [],
            "writer_features": [],
            "id": segment_id,
            "created_ns": time.time_ns(),
            "encoder": {"name": encoder.name, "digest": encoder.digest, "dim": encoder.dim},
            "codebook": codebook_sha256,
            "files": files,
        }
        _, digest = durable.write_file(beside / MANIFEST, [json.dumps(manifest, indent=1).encode()])
        durable.sync_folder(beside)
        for name, entry in files.items():
            if entry["bytes"] != _expected_bytes(entry):
                raise ValueError(f"{name}: {entry['bytes']} bytes do not make {entry['shape']}")
            if name != VECTORS or not isinstance(vectors, Path):
                _read_back(beside / name, entry["sha256"])
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
    entry = manifest["files"]
    vectors = entry.get(VECTORS)
    if entry[ROWS]["shape"] != [row.rows] or (vectors and vectors["shape"] != [row.rows, encoder.dim]):
        raise IndexDamaged(
            f"{display_path(folder / MANIFEST)} does not fit the catalog", f"cmrcli check --index {index}"
        )
    graph = folder / GRAPH
    return Segment(
        id=row.id,
        rows=_map(folder / ROWS, entry[ROWS]).view(np.int64),
        kept_vectors=_map(folder / VECTORS, vectors).view(np.float16) if vectors else None,
        codes=_map(folder / CODES, entry[CODES]).view(np.uint64),
        dead=unpack_dead(row.dead, row.rows),
        graph_path=graph if graph.exists() else None,
        factors=_map(folder / FACTORS, entry[FACTORS]).view(np.float16) if FACTORS in entry else None,
    )


def read_manifest(folder: Path) -> Manifest:
    """The manifest, after its flags were understood.

    Raises:
        FileNotFoundError: no such segment. IndexDamaged, IndexFormatError: see cmrcli/errors.py.
    """
    path = folder / MANIFEST
    with open(path, "rb") as file:
        raw = file.read()
    try:
        manifest: Manifest = json.loads(raw)
        version, features = manifest["format"], set(manifest["reader_features"])
        files = manifest["files"]
        needed = {CODES, ROWS} if CODES_ONLY in features else {VECTORS, CODES, ROWS}
        complete = files.keys() >= needed and all(_expected_bytes(one) == one["bytes"] for one in files.values())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IndexDamaged(f"{display_path(path)} cannot be read: {error}", "cmrcli check") from error
    if version != FORMAT_VERSION or features - READER_FEATURES:
        raise IndexFormatError(
            f"{display_path(path)} has a format that this version does not know", "install a newer cmrcli"
        )
    if not complete:
        raise IndexDamaged(f"{display_path(path)} contradicts itself", "cmrcli check")
    return manifest


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


def _share_vectors(source: Path, target: Path) -> FileEntry:
    """Give the vectors, and the graph over them, a second name. They were verified when they were written."""
    entry = read_manifest(source)["files"][VECTORS]
    durable.link_or_copy(source / VECTORS, target / VECTORS)
    for name in (GRAPH, GRAPH_SIDECAR):
        if (source / name).exists():
            durable.link_or_copy(source / name, target / name)
    return entry


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


def _bytes_of(array: NDArray[np.generic], dtype: str) -> memoryview:
    return np.ascontiguousarray(array, dtype=dtype).data.cast("B")


def _entry(dtype: str, shape: list[int], written: tuple[int, str]) -> FileEntry:
    return {"dtype": dtype, "shape": shape, "bytes": written[0], "sha256": written[1]}


def _expected_bytes(entry: FileEntry) -> int:
    return int(np.dtype(entry["dtype"]).itemsize * np.prod(entry["shape"], dtype=np.int64))

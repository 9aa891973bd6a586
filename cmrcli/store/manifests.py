"""What a segment's manifest.json says, read back with suspicion."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TypedDict

import numpy as np

from cmrcli.errors import IndexDamaged, IndexFormatError, display_path
from cmrcli.store.layout import (
    CODES,
    CODES_ONLY,
    F16,
    FACTORS,
    FORMAT_VERSION,
    I8,
    INT8_VECTORS,
    MANIFEST,
    READER_FEATURES,
    ROWS,
    SCALES,
    VECTOR_FILES,
    VECTORS,
    VECTORS_I8,
)

DTYPES = {VECTORS: "<f2", VECTORS_I8: "|i1", SCALES: "<f4", CODES: "<u8", FACTORS: "<f2", ROWS: "<i8"}


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


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the segment in the folder, after its flags were understood.

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
        complete = files.keys() >= _needed(features) and all(_consistent(*one) for one in files.items())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IndexDamaged(f"{display_path(path)} cannot be read: {error}", "cmrcli check") from error
    if version != FORMAT_VERSION or features - READER_FEATURES:
        raise IndexFormatError(
            f"{display_path(path)} has a format that this version does not know", "install a newer cmrcli"
        )
    if not complete:
        raise IndexDamaged(f"{display_path(path)} contradicts itself", "cmrcli check")
    return manifest


def features_of(names: Collection[str]) -> list[str]:
    """What a program must know to read a segment of these files."""
    if VECTORS not in names and VECTORS_I8 not in names:
        return [CODES_ONLY]
    return [INT8_VECTORS] if VECTORS_I8 in names else []


def entry(name: str, shape: list[int], written: tuple[int, str]) -> FileEntry:
    """Of a file of which so many bytes with such a SHA-256 were written.

    Raises:
        ValueError: the bytes do not make the shape: a bug of the caller.
    """
    found: FileEntry = {"dtype": DTYPES[name], "shape": shape, "bytes": written[0], "sha256": written[1]}
    if not _consistent(name, found):
        raise ValueError(f"{name}: {written[0]} bytes do not make {shape}")
    return found


def _needed(features: set[str]) -> set[str]:
    if CODES_ONLY in features:
        return {CODES, ROWS}
    return {CODES, ROWS, *VECTOR_FILES[I8 if INT8_VECTORS in features else F16]}


def _consistent(name: str, said: FileEntry) -> bool:
    expected = int(np.dtype(said["dtype"]).itemsize * np.prod(said["shape"], dtype=np.int64))
    return said["bytes"] == expected and said["dtype"] == DTYPES.get(name, said["dtype"])

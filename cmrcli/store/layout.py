"""Names, modes and version numbers of everything inside an index folder. FORMAT.md says the same in words."""

from __future__ import annotations

import os
from pathlib import Path

FORMAT_VERSION = 1
APPLICATION_ID = 0x434D5231  # "CMR1", SQLite's application_id: tells an index from any other database

CODES_ONLY = "codes-only"  # the segments have no vectors
INT8_VECTORS = "int8-vectors"  # the segments have vectors of whole bytes with a scale each

# What this version knows. One that does not know a feature that an index names refuses it.
READER_FEATURES: frozenset[str] = frozenset({CODES_ONLY, INT8_VECTORS})
WRITER_FEATURES: frozenset[str] = frozenset()

CATALOG = "catalog.sqlite"
LOCK = "lock"
SEGMENTS = "segments"
UNFINISHED = ".unfinished"  # suffix of a segment folder that is still being written

MANIFEST = "manifest.json"
VECTORS = "vectors.f16"
VECTORS_I8 = "vectors.i8"
SCALES = "scales.f32"
CODES = "codes.u64"
FACTORS = "factors.f16"
ROWS = "rows.i64"
GRAPH = "graph.hnsw"
GRAPH_SIDECAR = "graph.json"

F16, I8 = FORMS = ("f16", "i8")  # what vectors may be kept as
VECTOR_FILES = {F16: (VECTORS,), I8: (VECTORS_I8, SCALES)}

SEGMENT_NAMES = frozenset({MANIFEST, VECTORS, VECTORS_I8, SCALES, CODES, FACTORS, ROWS, GRAPH, GRAPH_SIDECAR})

FOLDER_MODE = 0o700
FILE_MODE = 0o600

OWN_NAMES = frozenset({CATALOG, CATALOG + "-wal", CATALOG + "-shm", CATALOG + "-journal", LOCK, SEGMENTS})


def segment_folder(index: Path, segment_id: str) -> Path:
    """Where a segment lives."""
    return index / SEGMENTS / segment_id


def new_segment_id(sequence: int) -> str:
    """A name that no earlier segment of this index had, killed runs' included."""
    return f"{sequence:06d}-{os.urandom(4).hex()}"

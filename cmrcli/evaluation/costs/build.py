"""How long it takes to make what a mode needs beyond the vectors: codes, graphs."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.errors import CmrcliError

if TYPE_CHECKING:
    from cmrcli.searching import Index
    from cmrcli.store import Segment

MEASURED_CODES = 200_000  # rows encoded at most; the time of more is scaled from these
MEASURED_GRAPH = 25_000  # rows of all graphs together up to which they are built once more: about 30 s

_CODES = ("codes", "hamming", "graph", "vectors")
_GRAPHS = ("graph", "vectors")


def build_seconds(index: Index, mode: str) -> tuple[float | None, tuple[str, ...]]:
    """Seconds, measured again now on this machine, and notes on what was scaled or left out.

    Codes are encoded with the present codebook, read from the vectors as they lie on disk. Graphs are built with one
    thread, as the store builds them, into a temporary folder. Nothing of the index changes.

    Returns:
        0 for `exact`, which needs nothing; None for modes that ask the words, whose tables are made with the catalog,
        and where a graph is too large to be built once more.
    """
    if mode == "exact":
        return 0.0, ()
    if mode not in _CODES:
        return None, ()
    segments = index.reader.segments
    if any(segment.kept_vectors is None for segment in segments):
        return None, (f"build time of mode {mode}: the index keeps codes alone, so they cannot be made again",)
    seconds, notes = _encode(index, segments)
    if mode in _GRAPHS:
        graphs = [segment for segment in segments if segment.graph_path is not None]
        rows = sum(len(segment.rows) for segment in graphs)
        if rows > MEASURED_GRAPH:
            return None, (f"build time of mode {mode}: graphs of {rows:,} rows are not built once more",)
        try:
            seconds += _build(index, graphs)
        except (CmrcliError, OSError) as error:
            return None, (f"build time of mode {mode}: {error}",)
    return seconds, notes


def _encode(index: Index, segments: list[Segment]) -> tuple[float, tuple[str, ...]]:
    """Seconds for the codes of all segments."""
    codebook = index.reader.codebook
    rows = sum(len(segment.rows) for segment in segments)
    if codebook is None or rows == 0:
        return 0.0, ()
    left, took = MEASURED_CODES, 0.0
    for segment in segments:
        part = segment.vectors.part(slice(0, left))
        began = time.perf_counter()
        codebook.encode(part)
        took += time.perf_counter() - began
        left -= len(part)
        if left <= 0:
            break
    measured = min(rows, MEASURED_CODES)
    if measured == rows:
        return took, ()
    return took * rows / measured, (f"build time of codes: measured on {measured:,} of {rows:,} rows and scaled",)


def _build(index: Index, segments: list[Segment]) -> float:
    """Seconds for the graphs of the segments."""
    from cmrcli.store import graph_building
    from cmrcli.store.layout import GRAPH

    took = 0.0
    for segment in segments:
        with tempfile.TemporaryDirectory(prefix="cmrcli-") as folder:
            began = time.perf_counter()
            made = graph_building.build(segment.vectors, Path(os.path.join(folder, GRAPH)), index.reader.encoder.digest)
            took += time.perf_counter() - began
        if made is None:
            raise CmrcliError("hnswlib is not installed")
    return took

"""The graphs of an index, kept as its settings want them: built, continued, tuned again, or removed.

Segments never change, so a graph is built once for each large one; a run that appends a segment leaves the others'
graphs alone. Whatever fails here costs a graph and nothing else: a search goes on without it.
"""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.store import durable, graph_settings
from cmrcli.store.graph_sidecar import GraphExpectation, sidecar
from cmrcli.store.layout import GRAPH, GRAPH_SIDECAR, segment_folder
from cmrcli.store.segments import Segment, SegmentRow, open_segment

if TYPE_CHECKING:
    from cmrcli.store.maintenance import Progress
    from cmrcli.store.writer import Writer


def bring_up_to_date(writer: Writer, rows: list[SegmentRow], progress: Progress | None) -> int:
    """How many graphs were built. Without hnswlib there are none: the scan does the same, slower."""
    settings = graph_settings.stored(writer.connection)
    if settings.from_rows is None or writer.codes_only:
        for row in rows:
            _remove(_path(writer, row))
        return 0
    wanted = [row for row in rows if row.rows >= settings.from_rows]
    if not wanted:
        return 0
    from cmrcli.store import graph

    if not graph.available():
        return 0
    built = 0
    for row in wanted:
        path, expect = _path(writer, row), GraphExpectation(writer.encoder.dim, row.rows, writer.encoder.digest)
        info = graph.described(path, expect)
        sound = info is not None and not (_touched(path) and graph.fault(path, expect) is not None)
        if info is not None and sound and abs(info.target_recall - settings.target_recall) < 1e-9:
            continue
        from cmrcli.store import graph_building

        segment = open_segment(writer.folder, row, writer.encoder)
        told = None if progress is None else partial(_tell, progress, row.rows)
        try:
            if sound and graph_building.retune(segment.vectors, path, expect, settings.target_recall):
                continue
            graph_building.build(
                segment.vectors, path, expect.encoder_digest, target_recall=settings.target_recall, progress=told
            )
        except OSError:  # no room for a cache is no reason to fail: the next run tries again
            break
        built += 1
    return built


def hand_down(index: Path, segments: list[Segment], rows: NDArray[np.int64], target: Path) -> None:
    """Give a merged segment the graph of the largest of its parts that is its beginning, to be continued from there.

    Until it is, it does not fit the segment and is not used.

    Args:
        segments: the parts.
        rows: (n,) int64, the fragments of the merged segment.
        target: its folder.
    """
    for segment in sorted(segments, key=lambda one: -len(one.rows)):
        if segment.graph_path is None or segment.dead is not None:
            continue
        if np.array_equal(rows[: len(segment.rows)], segment.rows):
            with contextlib.suppress(OSError):
                for name in (GRAPH, GRAPH_SIDECAR):
                    durable.link_or_copy(segment_folder(index, segment.id) / name, target / name)
            return


def _touched(path: Path) -> bool:
    """Whether the graph was written to after its description, which is written last."""
    try:
        return path.stat().st_mtime_ns > sidecar(path).stat().st_mtime_ns
    except OSError:
        return True


def _remove(path: Path) -> None:
    for file in (sidecar(path), path):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _tell(progress: Progress, total: int, done: int) -> None:
    progress("graph", done, total)


def _path(writer: Writer, row: SegmentRow) -> Path:
    return segment_folder(writer.folder, row.id) / GRAPH

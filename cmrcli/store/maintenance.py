"""Keeping an index small and quick: leftovers, compaction, codes that fit, graphs.

Every step writes beside and switches in one transaction; killed at any moment it leaves the old or the new state.
Replaced segments are removed at once: a reader that still has them open keeps them (the system keeps an open file),
one that was just about to open them asks the catalog again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import IndexDamaged
from cmrcli.store import codebooks, commit, durable, graph_keeping
from cmrcli.store.accounts import MaintenanceReport
from cmrcli.store.layout import SEGMENT_NAMES, SEGMENTS, new_segment_id, segment_folder
from cmrcli.store.reader import segment_rows
from cmrcli.store.rewriting import rewrite_codes, switch
from cmrcli.store.schema import CONTENT_WORD_TABLES, SHORT_WORD_TABLES
from cmrcli.store.segments import Segment, SegmentRow, open_segment, write_segment
from cmrcli.store.vectors import BLOCK_ROWS, StoredVectors

if TYPE_CHECKING:
    from cmrcli.store.writer import Writer

SMALLEST_TIER_ROWS = 4096  # segments up to this size are merged with each other whatever their size
TIER_FACTOR = 4  # each tier holds segments up to so many times larger than the one before
TIER_SEGMENTS = 4  # so many of one tier are merged into one of the next
WORN_SHARE = 5  # a segment is rewritten when one row in so many is dead
LARGEST_MERGE_ROWS = 4_000_000
FREE_PAGES = 1_000  # of the catalog; fewer are not worth giving back


T = TypeVar("T", bound=np.generic)


class Progress(Protocol):
    """Told how far a step has come: ("merging", rows done, rows in all), and so on."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def maintain(writer: Writer, progress: Progress | None, graphs: bool) -> MaintenanceReport:
    """Do whatever is due; see MaintenanceReport. Much cheaper than a run where nothing is."""
    report = MaintenanceReport(segments_before=len(segment_rows(writer.connection)))
    report.leftovers_removed = _remove_leftovers(writer)
    for group in _due(segment_rows(writer.connection)):
        report.rows_dropped += sum(row.dead_rows for row in group)
        _merge(writer, group, progress)
    report.codes_refitted = _refit(writer)
    if graphs:
        report.graphs_built = graph_keeping.bring_up_to_date(writer, segment_rows(writer.connection), progress)
    live = _live(segment_rows(writer.connection))
    if report.rows_dropped * WORN_SHARE >= max(1, live):
        _drop_dead_words(writer)
    _return_free_pages(writer.connection)
    report.segments_after = len(segment_rows(writer.connection))
    return report


def _remove_leftovers(writer: Writer) -> int:
    """Remove folders that no transaction ever named or names any more. Safe: this process holds the lock."""
    named = {row.id for row in segment_rows(writer.connection)}
    removed = 0
    for path in (writer.folder / SEGMENTS).iterdir():
        if path.name not in named:
            removed += durable.remove_folder(path)
            continue
        for file in path.iterdir():
            if file.name not in SEGMENT_NAMES:  # a graph that was never finished
                file.unlink(missing_ok=True)
                removed += 1
    return removed


def _due(rows: list[SegmentRow]) -> list[list[SegmentRow]]:
    """Groups of segments to be written as one: too many of a tier, or worn. Each segment is in at most one group."""
    groups = [[row] for row in rows]
    while True:
        tiers: dict[int, list[list[SegmentRow]]] = {}
        for group in groups:
            if _live(group) <= LARGEST_MERGE_ROWS:
                tiers.setdefault(_tier(_live(group)), []).append(group)
        crowded = next((tier for tier in tiers.values() if len(tier) >= TIER_SEGMENTS), None)
        if crowded is None:
            break
        members = {id(group) for group in crowded}
        groups = [group for group in groups if id(group) not in members]
        groups.append([row for group in crowded for row in group])
    return [group for group in groups if len(group) > 1 or group[0].dead_rows * WORN_SHARE >= group[0].rows]


def _tier(rows: int) -> int:
    tier, bound = 0, SMALLEST_TIER_ROWS
    while rows > bound:
        tier, bound = tier + 1, bound * TIER_FACTOR
    return tier


def _live(group: list[SegmentRow]) -> int:
    return sum(row.rows - row.dead_rows for row in group)


def _merge(writer: Writer, group: list[SegmentRow], progress: Progress | None) -> None:
    """Write the live rows of the segments as one segment, in ascending order of fragment."""
    stored = codebooks.current(writer.connection)
    assert stored is not None  # a segment references it
    free = commit.numbers(writer.connection)
    segments = [open_segment(writer.folder, row, writer.encoder) for row in group]
    rows, source, position = _order(segments)
    new: list[SegmentRow] = []
    if len(rows):
        segment_id = new_segment_id(free["segment"])
        free["segment"] += 1
        digest = write_segment(
            writer.folder, segment_id, writer.encoder, stored.sha256, rows,
            None if writer.codes_only else _gather_vectors(segments, source, position, progress),
            _gather([segment.codes for segment in segments], source, position, None),
            stored.codebook.words,
            _gather([s.factors for s in segments if s.factors is not None], source, position, None),
            stored.codebook.factors_per_row,
        )  # fmt: skip
        new.append(SegmentRow(segment_id, len(rows), 0, None, stored.id, digest))
        graph_keeping.hand_down(writer.folder, segments, rows, segment_folder(writer.folder, segment_id))
    switch(writer, group, new, free)


def _order(segments: list[Segment]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Live fragments ascending, and for each the segment (its place in the list) and the row it comes from."""
    rows, sources, positions = [], [], []
    for number, segment in enumerate(segments):
        live = np.arange(len(segment.rows)) if segment.dead is None else np.flatnonzero(~segment.dead)
        rows.append(segment.rows[live])
        sources.append(np.full(len(live), number, dtype=np.int32))
        positions.append(live.astype(np.int64))
    everything = np.concatenate(rows)
    order = np.argsort(everything, kind="stable")
    return everything[order], np.concatenate(sources)[order], np.concatenate(positions)[order]


def _gather_vectors(
    segments: list[Segment],
    source: NDArray[np.int32],
    position: NDArray[np.int64],
    progress: Progress | None,
) -> Iterator[StoredVectors]:
    """Blocks of rows picked from the segments, byte for byte as they are: nothing is rounded a second time."""
    parts = [segment.vectors for segment in segments]
    scales = [part.scales for part in parts if part.scales is not None]
    if len(scales) not in (0, len(parts)):
        raise IndexDamaged("the segments keep their vectors in different forms", "cmrcli check names all damage")
    values = _gather([part.values for part in parts], source, position, progress)
    if not scales:
        yield from map(StoredVectors, values)
    else:
        yield from map(StoredVectors, values, _gather(scales, source, position, None))


def _gather(
    arrays: list[NDArray[T]],
    source: NDArray[np.int32],
    position: NDArray[np.int64],
    progress: Progress | None,
) -> Iterator[NDArray[T]]:
    """Blocks of rows picked from several arrays; memory: one block."""
    for start in range(0, len(source), BLOCK_ROWS):
        sources, positions = source[start : start + BLOCK_ROWS], position[start : start + BLOCK_ROWS]
        block = np.empty((len(sources), *arrays[0].shape[1:]), dtype=arrays[0].dtype)
        for number in np.unique(sources):
            chosen = sources == number
            block[chosen] = arrays[number][positions[chosen]]
        yield block
        if progress is not None:
            progress("merging", start + len(sources), len(source))


def _refit(writer: Writer) -> bool:
    """Fit an automatic codebook again once the index has grown well past what it was fitted to."""
    stored = codebooks.current(writer.connection)
    rows = segment_rows(writer.connection)
    live = _live(rows)
    if stored is None or not stored.automatic or live < codebooks.GROWTH_FOR_REFIT * stored.fitted_rows:
        return False
    sample = _sample([open_segment(writer.folder, row, writer.encoder) for row in rows], live)
    rewrite_codes(writer, codebooks.fit(0, sample).codebook, True)
    return True


def _sample(segments: list[Segment], live: int) -> NDArray[np.float32]:
    """(m, dim) float32: up to FIT_ROWS live vectors, evenly spread."""
    step = max(1, -(-live // codebooks.FIT_ROWS))
    parts = []
    for segment in segments:
        rows = np.arange(len(segment.rows)) if segment.dead is None else np.flatnonzero(~segment.dead)
        parts.append(segment.vectors[rows[::step]])
    return np.concatenate(parts)


def _drop_dead_words(writer: Writer) -> None:
    """FTS5 keeps what was deleted until it merges its own segments; make it do so."""
    for table in (*CONTENT_WORD_TABLES, *SHORT_WORD_TABLES):
        with writer.transaction():
            writer.connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")


def _return_free_pages(connection: sqlite3.Connection) -> None:
    """Give the file system back what deletions left empty in the catalog, when it is much."""
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    if free > FREE_PAGES and free * WORN_SHARE > pages:
        # execute() would stop after the first page: the statement returns no columns.
        connection.executescript("PRAGMA incremental_vacuum")
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

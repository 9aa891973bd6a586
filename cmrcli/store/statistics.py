"""Counting what an index holds."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from cmrcli.store import schema
from cmrcli.store.accounts import IndexStatistics, RootStatistics
from cmrcli.store.layout import (
    CATALOG,
    CODES,
    FACTORS,
    GRAPH,
    ROWS,
    SCALES,
    SEGMENTS,
    VECTORS,
    VECTORS_I8,
)
from cmrcli.store.records import Root
from cmrcli.store.segments import segment_bytes

_PARTS = {
    VECTORS: "vectors",
    VECTORS_I8: "vectors",
    SCALES: "vectors",
    CODES: "codes",
    FACTORS: "codes",
    ROWS: "rows",
    GRAPH: "graphs",
}


def statistics(connection: sqlite3.Connection, index: Path) -> IndexStatistics:
    """All counts in one view of the catalog; sizes as the file system has them at the moment."""
    connection.execute("BEGIN")
    try:
        roots = [
            RootStatistics(Root(row[0], row[1], bool(row[2])), row[3], row[4])
            for row in connection.execute(
                "SELECT r.id, r.path, r.single_file, count(f.id), count(f.cause) FROM root r"
                " LEFT JOIN directory d ON d.root_id = r.id LEFT JOIN file f ON f.directory_id = d.id"
                " GROUP BY r.id ORDER BY r.path"
            )
        ]
        segments, dead_rows = connection.execute("SELECT count(*), coalesce(sum(dead_rows), 0) FROM segment").fetchone()
        return IndexStatistics(
            roots=roots,
            files=sum(root.files for root in roots),
            contents=_count(connection, "content"),
            items=_count(connection, "item"),
            fragments=_count(connection, "fragment"),
            by_kind=_counts(connection, "SELECT kind, count(*) FROM item GROUP BY kind ORDER BY kind"),
            by_format=_counts(connection, "SELECT format, count(*) FROM content GROUP BY format ORDER BY format"),
            failed_by_cause=_counts(
                connection,
                "SELECT cause, count(*) FROM file WHERE cause IS NOT NULL GROUP BY cause ORDER BY cause",
            ),
            vectors=schema.kept_form(connection),
            bytes_by_part=_bytes_by_part(index),
            segments=segments,
            dead_rows=dead_rows,
            generation=schema.generation(connection),
            encoder=schema.stored_encoder(connection),
            tiles_current=schema.tiles(connection) >= schema.TILES,
        )
    finally:
        connection.execute("ROLLBACK")


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _counts(connection: sqlite3.Connection, query: str) -> dict[str, int]:
    return dict(connection.execute(query).fetchall())


def _bytes_by_part(index: Path) -> dict[str, int]:
    parts = dict.fromkeys(("catalog", *_PARTS.values(), "other"), 0)
    for name, size_bytes in segment_bytes(index).items():
        if name.startswith(CATALOG):
            parts["catalog"] += size_bytes
    try:
        folders = os.listdir(index / SEGMENTS)
    except OSError:
        folders = []
    for folder in folders:
        for name, size_bytes in segment_bytes(index / SEGMENTS / folder).items():
            parts[_PARTS.get(name, "other")] += size_bytes
    return parts

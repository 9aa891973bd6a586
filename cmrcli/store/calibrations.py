"""The calibration of an index, as bytes that `cmrcli.calibration` understands: there is one, or none yet."""

from __future__ import annotations

import hashlib
import sqlite3
import time

TABLE = (
    "CREATE TABLE IF NOT EXISTS calibration (id INTEGER PRIMARY KEY, encoder_digest TEXT NOT NULL,"
    " rows INTEGER NOT NULL, data BLOB NOT NULL, sha256 TEXT NOT NULL, created_ns INTEGER NOT NULL)"
)
FEWEST_ROWS = 64  # living fragments; fewer are no sample of anything
GROWTH = 2  # an index that has grown or shrunk so many times since is calibrated again


def current(connection: sqlite3.Connection, encoder_digest: str) -> bytes | None:
    """The calibration made with this encoder; None where there is none, as in an index of an older version."""
    if not _exists(connection):
        return None
    row = connection.execute("SELECT data FROM calibration WHERE encoder_digest = ?", (encoder_digest,)).fetchone()
    return None if row is None else bytes(row[0])


def is_due(connection: sqlite3.Connection, encoder_digest: str) -> bool:
    """Whether the index has changed so much since its calibration, or has none, that one should be made."""
    rows = living_rows(connection)
    if rows < FEWEST_ROWS:
        return False
    made = None
    if _exists(connection):
        made = connection.execute("SELECT rows FROM calibration WHERE encoder_digest = ?", (encoder_digest,)).fetchone()
    return made is None or rows >= GROWTH * made[0] or rows * GROWTH <= made[0]


def put(connection: sqlite3.Connection, encoder_digest: str, data: bytes) -> None:
    """Let these bytes take the place of what was there, within the caller's transaction."""
    connection.execute(TABLE)
    connection.execute("DELETE FROM calibration")
    connection.execute(
        "INSERT INTO calibration (encoder_digest, rows, data, sha256, created_ns) VALUES (?, ?, ?, ?, ?)",
        (encoder_digest, living_rows(connection), data, hashlib.sha256(data).hexdigest(), time.time_ns()),
    )


def unsound(connection: sqlite3.Connection) -> bool:
    """Whether a calibration fails its checksum."""
    rows = connection.execute("SELECT data, sha256 FROM calibration") if _exists(connection) else ()
    return any(hashlib.sha256(data).hexdigest() != expected for data, expected in rows)


def living_rows(connection: sqlite3.Connection) -> int:
    """Fragments with a vector."""
    return int(connection.execute("SELECT coalesce(sum(rows - dead_rows), 0) FROM segment").fetchone()[0])


def _exists(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'calibration'").fetchone() is not None

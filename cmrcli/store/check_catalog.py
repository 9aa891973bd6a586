"""Whether the catalog is whole: SQLite's own checks, then ours, table by table."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from cmrcli.errors import CmrcliError
from cmrcli.store import calibrations, codebooks, schema
from cmrcli.store.accounts import Finding
from cmrcli.store.checking import REMEDY
from cmrcli.store.commit import content_checksum, file_checksum
from cmrcli.store.layout import CATALOG

WORDS_WAIT_S = 2  # for a running commit to end: FTS5's own check asks for the right to write
MOST_FINDINGS = 20  # of one sort

# Results of SQLite that say nothing of the catalog: this user may not, or not while somebody else does.
_NOT_OURS = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
_NOT_NOW = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM})

# Rows without what they refer to. Each query lists their numbers.
_DANGLING = {
    "items without a content": "SELECT id FROM item WHERE content_id NOT IN (SELECT id FROM content)",
    "fragments without an item": "SELECT id FROM fragment WHERE item_id NOT IN (SELECT id FROM item)",
    "words without an item": "SELECT item_id FROM words WHERE item_id NOT IN (SELECT id FROM item)",
    "contents without a file": (
        "SELECT id FROM content WHERE id NOT IN (SELECT content_id FROM file WHERE content_id IS NOT NULL)"
    ),
    "folders without a file": "SELECT id FROM directory WHERE id NOT IN (SELECT directory_id FROM file)",
    "segments without a codebook": (
        "SELECT id FROM segment WHERE codebook_id <> (SELECT coalesce(max(id), -1) FROM codebook)"
    ),
}


def check_catalog(connection: sqlite3.Connection, folder: Path) -> list[Finding]:
    """Findings about catalog.sqlite. A catalog that SQLite cannot make sense of is one finding.

    Raises:
        sqlite3.OperationalError: this user may not read it.
    """
    try:
        broken = [row[0] for row in connection.execute(f"PRAGMA integrity_check({MOST_FINDINGS})")]
        if broken != ["ok"]:
            return [_error(f"SQLite: {message}") for message in broken]
        connection.execute("BEGIN")
        try:
            findings = [*_references(connection), *_contents(connection), *_files(connection), *_rest(connection)]
        finally:
            connection.execute("ROLLBACK")
        return findings + _words(folder)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if _code(error) in _NOT_OURS:
            raise
        return [_error(f"SQLite: {error}")]


def _references(connection: sqlite3.Connection) -> Iterator[Finding]:
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield _error(f"row {row} of table {table} refers to a missing row of {parent}")
    for what, query in _DANGLING.items():
        rows = [str(row[0]) for row in connection.execute(f"{query} LIMIT {MOST_FINDINGS}")]
        if rows:
            yield _error(f"{what}: {', '.join(rows)}")
    for table, column in (("content", "items"), ("item", "fragments")):
        child = "item" if table == "content" else "fragment"
        expected = connection.execute(f"SELECT coalesce(sum({column}), 0) FROM {table}").fetchone()[0]
        actual = connection.execute(f"SELECT count(*) FROM {child}").fetchone()[0]
        if expected != actual:
            yield _error(f"{actual} rows in table {child}, {expected} expected")
    for name, following in connection.execute("SELECT name, next FROM counter"):
        if name in ("content", "item", "fragment", "file", "directory", "codebook"):
            highest = connection.execute(f"SELECT coalesce(max(id), 0) FROM {name}").fetchone()[0]
            if highest >= following:
                yield _error(f"the next number of a {name} would be {following}, {highest} is in use")


def _contents(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Compare each content's checksum with one over its rows."""
    contents = connection.execute("SELECT id, format, first_item, items, checksum FROM content ORDER BY id")
    bad = 0
    for content_id, content_format, first, count, checksum in contents:
        span = (first, first + count - 1)
        items = connection.execute("SELECT * FROM item WHERE id BETWEEN ? AND ? ORDER BY id", span).fetchall()
        words = connection.execute("SELECT * FROM words WHERE item_id BETWEEN ? AND ? ORDER BY item_id", span)
        start = items[0][8] if items else 0
        end = items[-1][8] + items[-1][9] if items else 0
        fragments = connection.execute("SELECT * FROM fragment WHERE id >= ? AND id < ? ORDER BY id", (start, end))
        if content_checksum(content_format, items, fragments, words) != checksum:
            bad += 1
            if bad <= MOST_FINDINGS:
                yield _error(f"what the catalog keeps of content {content_id} fails its checksum")


def _files(connection: sqlite3.Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "SELECT id, checksum, name, extension, size_bytes, mtime_ns, content_id, cause, detail FROM file"
    )
    bad = [row[0] for row in rows if file_checksum(*row[2:]) != row[1]]
    for number in bad[:MOST_FINDINGS]:
        yield _error(f"the row of file {number} fails its checksum")


def _rest(connection: sqlite3.Connection) -> Iterator[Finding]:
    for number, data, expected in connection.execute("SELECT id, data, sha256 FROM codebook"):
        if hashlib.sha256(data).hexdigest() != expected:
            yield _error(f"codebook {number} fails its checksum")
            return
    if calibrations.unsound(connection):
        yield _error("the calibration fails its checksum")
    try:
        codebooks.current(connection)
        schema.stored_encoder(connection)
    except (CmrcliError, KeyError, ValueError) as error:
        yield _error(str(error))


def _words(folder: Path) -> list[Finding]:
    """Let FTS5 compare its tables with the rows they were made from. It asks for the right to write, writes nothing."""
    findings = []
    try:
        connection = sqlite3.connect(folder / CATALOG, isolation_level=None, timeout=WORDS_WAIT_S)
        try:
            connection.execute("BEGIN IMMEDIATE")
            for table in (*schema.CONTENT_WORD_TABLES, *schema.SHORT_WORD_TABLES):
                rank = int(table in schema.CONTENT_WORD_TABLES)  # 1: compare with the rows, too
                try:
                    connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', {rank})")
                except sqlite3.DatabaseError as error:
                    if _code(error) in _NOT_OURS | _NOT_NOW:
                        raise
                    findings.append(_error(f"the words in {table} do not fit the rest: {error}"))
            connection.execute("ROLLBACK")
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        remedy = "check as the user who indexes" if _code(error) in _NOT_OURS else "check again when no run is going on"
        findings.append(Finding("note", CATALOG, f"the words were not verified: {error}", remedy))
    return findings


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 when it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _error(message: str) -> Finding:
    return Finding("error", CATALOG, message, REMEDY)

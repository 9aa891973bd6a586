"""The catalog's tables, and connections to it. FORMAT.md explains every column.

The catalog is the truth: whatever it does not name does not exist. Numbers of contents, items, fragments and files
are handed out once and never again (table `counter`), so a reader with an older view cannot mistake one for another.
"""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

from cmrcli.errors import IndexFormatError, IndexMissing, display_path
from cmrcli.store.failures import damaged
from cmrcli.store.layout import (
    APPLICATION_ID,
    CATALOG,
    CODES_ONLY,
    F16,
    FILE_MODE,
    FORMAT_VERSION,
    I8,
    INT8_VECTORS,
    READER_FEATURES,
    WRITER_FEATURES,
)
from cmrcli.store.records import EncoderIdentity

BUSY_TIMEOUT_S = 10.0
WRITER_CACHE_KIB = 32 * 1024
WAL_LIMIT_BYTES = 64 * 2**20

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE root (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, single_file INTEGER NOT NULL);
CREATE TABLE directory (
    id INTEGER PRIMARY KEY, root_id INTEGER NOT NULL REFERENCES root(id), dir BLOB NOT NULL, words TEXT NOT NULL,
    UNIQUE (root_id, dir)
);
CREATE TABLE content (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, format TEXT NOT NULL,
    first_item INTEGER NOT NULL, items INTEGER NOT NULL, checksum BLOB NOT NULL
);
CREATE TABLE file (
    id INTEGER PRIMARY KEY, directory_id INTEGER NOT NULL REFERENCES directory(id), name BLOB NOT NULL,
    extension TEXT NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    content_id INTEGER REFERENCES content(id), cause TEXT, detail TEXT NOT NULL, words TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (directory_id, name), CHECK ((content_id IS NULL) <> (cause IS NULL))
);
CREATE INDEX file_content ON file (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX file_size ON file (size_bytes, content_id) WHERE content_id IS NOT NULL;
CREATE INDEX file_cause ON file (cause) WHERE cause IS NOT NULL;
CREATE TABLE item (
    id INTEGER PRIMARY KEY, content_id INTEGER NOT NULL, page INTEGER, kind TEXT NOT NULL,
    label TEXT NOT NULL, title TEXT NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
    first_fragment INTEGER NOT NULL, fragments INTEGER NOT NULL
);
CREATE TABLE fragment (
    id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL, role TEXT NOT NULL,
    x0 REAL, y0 REAL, x1 REAL, y1 REAL, text TEXT NOT NULL
);
CREATE TABLE segment (
    id TEXT PRIMARY KEY, rows INTEGER NOT NULL, dead_rows INTEGER NOT NULL, dead BLOB,
    codebook_id INTEGER NOT NULL REFERENCES codebook(id), manifest_sha256 TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE codebook (
    id INTEGER PRIMARY KEY, data BLOB NOT NULL, sha256 TEXT NOT NULL, fitted_rows INTEGER NOT NULL,
    automatic INTEGER NOT NULL, created_ns INTEGER NOT NULL
);
CREATE TABLE calibration (
    id INTEGER PRIMARY KEY, encoder_digest TEXT NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL,
    sha256 TEXT NOT NULL, created_ns INTEGER NOT NULL
);
CREATE TABLE run (
    id INTEGER PRIMARY KEY, started_ns INTEGER NOT NULL, ended_ns INTEGER, user TEXT NOT NULL, process INTEGER NOT NULL,
    arguments TEXT NOT NULL, summary TEXT NOT NULL
);

CREATE TABLE words (item_id INTEGER PRIMARY KEY, text TEXT NOT NULL, title TEXT NOT NULL);
CREATE VIEW text_source AS SELECT item_id, text FROM words WHERE text <> '';
CREATE VIEW title_source AS SELECT item_id, title FROM words WHERE title <> '';
CREATE VIRTUAL TABLE text_words USING fts5 (
    text, content='text_source', content_rowid='item_id', tokenize='trigram case_sensitive 1'
);
CREATE VIRTUAL TABLE title_words USING fts5 (
    title, content='title_source', content_rowid='item_id', tokenize='trigram case_sensitive 1', columnsize=0
);
CREATE VIRTUAL TABLE file_words USING fts5 (
    words, content='file', content_rowid='id', tokenize='trigram case_sensitive 1', columnsize=0
);
CREATE VIRTUAL TABLE directory_words USING fts5 (
    words, content='directory', content_rowid='id', tokenize='trigram case_sensitive 1', columnsize=0
);
CREATE VIRTUAL TABLE item_short USING fts5 (
    tokens, content='', tokenize='unicode61 remove_diacritics 0', detail=none, columnsize=0
);
CREATE VIRTUAL TABLE file_short USING fts5 (
    tokens, content='', tokenize='unicode61 remove_diacritics 0', detail=none, columnsize=0
);
CREATE VIRTUAL TABLE directory_short USING fts5 (
    tokens, content='', tokenize='unicode61 remove_diacritics 0', detail=none, columnsize=0
);
"""
CONTENT_WORD_TABLES = ("text_words", "title_words", "file_words", "directory_words")
SHORT_WORD_TABLES = ("item_short", "file_short", "directory_short")
TILES = 2  # how pictures are cut into tiles: 1 a grid alone, 2 views besides; a new index says which
COUNTERS = ("content", "item", "fragment", "file", "directory", "segment", "codebook", "generation")


def connect_for_reading(index: Path) -> sqlite3.Connection:
    """A connection that cannot write, to a catalog whose format this version reads.

    Raises:
        IndexMissing, IndexFormatError, IndexDamaged: see cmrcli/errors.py.
    """
    path = _existing(index)
    try:
        return _checked_reader(index, _uri(path) + "?mode=ro")
    except sqlite3.OperationalError:
        # A folder we may only read cannot hold the -shm file of WAL mode; without a -wal the file alone is whole.
        if os.path.exists(f"{path}-wal") or os.access(index, os.W_OK):
            raise
        return _checked_reader(index, _uri(path) + "?mode=ro&immutable=1")


def _checked_reader(index: Path, uri: str) -> sqlite3.Connection:
    connection = _open(uri)
    try:
        _refuse_unknown(connection, index, "reader_features", READER_FEATURES)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_for_writing(index: Path, encoder: EncoderIdentity | None) -> sqlite3.Connection:
    """A connection that may write. Makes the tables where there are none yet, which needs an encoder."""
    path = index / CATALOG
    if encoder is not None and not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))  # SQLite gives -wal and -shm the same mode
    else:
        _existing(index)
    connection = _open(_uri(path) + "?mode=rw")
    try:
        connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        if _is_blank(connection):
            if encoder is None:
                raise missing(index)
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            _create(connection, encoder)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _refuse_unknown(connection, index, "reader_features", READER_FEATURES)
        _refuse_unknown(connection, index, "writer_features", WRITER_FEATURES)
    except BaseException:
        connection.close()
        raise
    return connection


def stored_encoder(connection: sqlite3.Connection) -> EncoderIdentity:
    """The encoder that made every vector of the index."""
    meta = dict(connection.execute("SELECT key, value FROM meta WHERE key LIKE 'encoder%'"))
    return EncoderIdentity(meta["encoder_name"], meta["encoder_digest"], int(meta["encoder_dim"]))


def reader_features(connection: sqlite3.Connection) -> list[str]:
    """What a program must know to read the index."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'reader_features'").fetchone()
    return [str(name) for name in json.loads(row[0])]


def kept_form(connection: sqlite3.Connection) -> str | None:
    """One of FORMS, that of the vectors on disk; None where codes alone are kept."""
    features = reader_features(connection)
    if CODES_ONLY in features:
        return None
    return I8 if INT8_VECTORS in features else F16


def add_reader_feature(connection: sqlite3.Connection, name: str) -> None:
    """From now on only programs that know the feature read the index. Within the caller's transaction."""
    features = sorted({*reader_features(connection), name})
    connection.execute("UPDATE meta SET value = ? WHERE key = 'reader_features'", (json.dumps(features),))


def tiles(connection: sqlite3.Connection) -> int:
    """How the items of this index were cut when it was made: TILES, or less in one of an earlier version."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'tiles'").fetchone()
    return int(row[0]) if row else 1


def generation(connection: sqlite3.Connection) -> int:
    """How many commits changed the index so far."""
    row = connection.execute("SELECT next FROM counter WHERE name = 'generation'").fetchone()
    return int(row[0])


def _open(uri: str) -> sqlite3.Connection:
    # Autocommit: transactions are begun by hand, where they are meant.
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False)


def _uri(path: Path) -> str:
    """The path as SQLite's file: URI, bytes that are not plain escaped one by one."""
    raw = os.fsencode(path.absolute().as_posix())
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:"
    quoted = "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in raw)
    return "file:" + (quoted if quoted.startswith("/") else "/" + quoted)


def _existing(index: Path) -> Path:
    path = index / CATALOG
    if not path.is_file():
        raise missing(index)
    return path


def missing(index: Path) -> IndexMissing:
    return IndexMissing(f"no index at {display_path(index)}", f"cmrcli index --index {display_path(index)} FOLDER")


def _is_blank(connection: sqlite3.Connection) -> bool:
    """Whether no table exists: the folder was made, but its first writer never got to the tables."""
    return bool(connection.execute("SELECT count(*) = 0 FROM sqlite_schema").fetchone()[0])


def _create(connection: sqlite3.Connection, encoder: EncoderIdentity) -> None:
    meta = {
        "encoder_name": encoder.name,
        "encoder_digest": encoder.digest,
        "encoder_dim": str(encoder.dim),
        "reader_features": "[]",
        "writer_features": "[]",
        "tiles": str(TILES),
    }
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in TABLES.split(";\n"):
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        connection.executemany("INSERT INTO counter VALUES (?, ?)", [(n, int(n != "generation")) for n in COUNTERS])
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _refuse_unknown(connection: sqlite3.Connection, index: Path, key: str, known: frozenset[str]) -> None:
    """Raise unless this version understands the catalog well enough for `key` (reader_features, writer_features)."""
    where = display_path(index)
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == 0 and version == 0 and _is_blank(connection):
            raise missing(index)
        if application != APPLICATION_ID:
            raise IndexFormatError(f"{where} holds a database, but no index", "choose another folder with --index")
        if version != FORMAT_VERSION:
            raise IndexFormatError(
                f"the index {where} has format {version}, this version reads format {FORMAT_VERSION}",
                "install a newer cmrcli" if version > FORMAT_VERSION else "index the folders again into a new --index",
            )
        value = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
        unknown = sorted(set(json.loads(value)) - known)
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, TypeError, ValueError) as error:
        raise damaged(index, error) from error
    if unknown:
        raise IndexFormatError(
            f"the index {where} uses features that this version does not know: {', '.join(unknown)}",
            "install a newer cmrcli",
        )

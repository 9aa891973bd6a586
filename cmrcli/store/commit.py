"""One batch becomes part of the index: rows, words and dead marks, inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import EmbeddingError
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment
from cmrcli.store.layout import ROWS, segment_folder
from cmrcli.store.normalise import searchable, searchable_name, short_tokens
from cmrcli.store.reader import segment_rows
from cmrcli.store.segments import pack_dead, positions, unpack_dead
from cmrcli.store.vectors import StoredVectors, pack

LONGEST_EXTENSION = 16  # characters; what follows the last dot of a longer one is no extension

ItemRow = tuple[int, int, int | None, str, str, str, int, int, int, int]
FragmentRow = tuple[int, int, str, float | None, float | None, float | None, float | None, str]
WordsRow = tuple[int, str, str]


@dataclass(slots=True)
class Prepared:
    """The rows that a batch adds to the catalog, numbered, and the vectors of its fragments."""

    contents: list[tuple[int, bytes, str, int, int, bytes]] = field(default_factory=list)
    items: list[ItemRow] = field(default_factory=list)
    fragments: list[FragmentRow] = field(default_factory=list)
    words: list[WordsRow] = field(default_factory=list)
    vectors: StoredVectors | None = None  # (fragments, dim)
    next_numbers: dict[str, int] = field(default_factory=dict)


def numbers(connection: sqlite3.Connection) -> dict[str, int]:
    """The next free number of every sort of thing."""
    return dict(connection.execute("SELECT name, next FROM counter").fetchall())


def prepare(connection: sqlite3.Connection, batch: Batch, dim: int, form: str) -> Prepared:
    """Number everything new in the batch. Contents that the catalog has, or that no file names, are left out.

    Args:
        form: of the vectors on disk, one of FORMS.

    Raises:
        EmbeddingError: a vector of another dimension, or one that is not finite.
        ValueError: a file names a digest that is nowhere, or an item has no fragment: a bug of the caller.
    """
    if any((update.digest is None) == (update.cause is None) for update in batch.files):
        raise ValueError("a file has either a digest or a cause why it could not be read")
    named = {update.digest for update in batch.files if update.digest is not None}
    new: dict[bytes, NewContent] = {}
    for content in batch.contents:
        if content.digest in named and not _content_id(connection, content.digest):
            new.setdefault(content.digest, content)
    for digest in named - new.keys():
        if not _content_id(connection, digest):
            raise ValueError(f"no content has the digest {digest.hex()}")
    prepared = Prepared(next_numbers=numbers(connection))
    vectors: list[NDArray[np.float32]] = []
    for content in new.values():
        _number_content(content, prepared, vectors)
    if vectors:
        prepared.vectors = pack(_stacked(vectors, dim), form)
    return prepared


def write(connection: sqlite3.Connection, index: Path, batch: Batch, prepared: Prepared) -> None:
    """Change the catalog's rows as the batch says (the segment's own row is there already), in a transaction."""
    _insert_contents(connection, prepared)
    touched: set[int] = set()  # contents that lose a file
    folders: dict[tuple[int, bytes], int] = {}
    emptied: set[int] = set()
    for file_id in batch.removed_file_ids:
        _remove_file(connection, file_id, touched, emptied)
    for update in batch.files:
        folder = folders.get((update.root_id, update.dir))
        if folder is None:
            folder = _directory(connection, update.root_id, update.dir, prepared.next_numbers)
            folders[update.root_id, update.dir] = folder
        touched |= _put_file(connection, folder, update, prepared.next_numbers)
    _remove_empty_directories(connection, emptied)
    dead = _remove_unnamed(connection, touched)
    mark_dead(connection, index, dead)
    prepared.next_numbers["generation"] += 1
    connection.executemany(
        "UPDATE counter SET next = ? WHERE name = ?",
        [(number, name) for name, number in prepared.next_numbers.items()],
    )


def mark_dead(connection: sqlite3.Connection, index: Path, fragment_ids: NDArray[np.int64]) -> None:
    """Note in every segment's bitmap which of its rows lost their fragment. `fragment_ids`: ascending."""
    if not len(fragment_ids):
        return
    for segment in segment_rows(connection):
        path = segment_folder(index, segment.id) / ROWS
        rows = np.memmap(path, dtype="<i8", mode="r", shape=(segment.rows,))
        hits = positions(rows, fragment_ids)
        if len(hits):
            dead = unpack_dead(segment.dead, segment.rows)
            dead = np.zeros(segment.rows, dtype=np.bool_) if dead is None else dead
            dead[hits] = True
            connection.execute(
                "UPDATE segment SET dead = ?, dead_rows = ? WHERE id = ?",
                (pack_dead(dead), int(dead.sum()), segment.id),
            )


def content_checksum(
    content_format: str, items: Iterable[ItemRow], fragments: Iterable[FragmentRow], words: Iterable[WordsRow]
) -> bytes:
    """16 bytes of BLAKE2b over all that the catalog keeps of one content, rows in ascending order."""
    whole = [content_format, list(items), list(fragments), list(words)]
    text = json.dumps(whole, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).digest()


def file_checksum(name: bytes, *state: str | int | None) -> int:
    """CRC-32 over a file's row: its name, then extension, size, mtime, content, cause and detail."""
    return zlib.crc32(json.dumps(state).encode("ascii"), zlib.crc32(name))


def extension_of(name: bytes) -> str:
    """What follows the last dot of a file's name, in lower case; "" when there is none."""
    stem, dot, extension = name.rpartition(b".")
    if not (stem and dot) or len(extension) > LONGEST_EXTENSION:
        return ""
    return extension.decode("utf-8", "replace").casefold()


def _content_id(connection: sqlite3.Connection, digest: bytes) -> int | None:
    row = connection.execute("SELECT id FROM content WHERE digest = ?", (digest,)).fetchone()
    return int(row[0]) if row else None


def _number_content(content: NewContent, prepared: Prepared, vectors: list[NDArray[np.float32]]) -> None:
    free = prepared.next_numbers
    content_id, first_item, first_fragment = free["content"], free["item"], free["fragment"]
    items: list[ItemRow] = []
    fragments: list[FragmentRow] = []
    words: list[WordsRow] = []
    for item_id, item in enumerate(content.items, first_item):
        if not item.fragments:
            raise ValueError(f"item {item.page} of a {content.format} has no fragment")
        start = first_fragment + len(fragments)
        for fragment_id, fragment in enumerate(item.fragments, start):
            fragments.append(_fragment_row(fragment_id, item_id, fragment))
            vectors.append(fragment.vector)
        label, title = storable(item.label), storable(item.title)
        items.append(
            (item_id, content_id, item.page, item.kind, label, title, item.width_px, item.height_px,
             start, len(item.fragments))
        )  # fmt: skip
        text, heading = searchable(item.text), searchable(" ".join(part for part in (title, label) if part))
        if text or heading:
            words.append((item_id, text, heading))
    checksum = content_checksum(content.format, items, fragments, words)
    prepared.contents.append((content_id, content.digest, content.format, first_item, len(items), checksum))
    prepared.items += items
    prepared.fragments += fragments
    prepared.words += words
    free["content"] += 1
    free["item"] += len(items)
    free["fragment"] += len(fragments)


def _fragment_row(fragment_id: int, item_id: int, fragment: NewFragment) -> FragmentRow:
    x0, y0, x1, y1 = map(float, fragment.box) if fragment.box else (None, None, None, None)
    return (fragment_id, item_id, fragment.role, x0, y0, x1, y1, storable(fragment.text))


def storable(text: str) -> str:
    """Text that SQLite keeps as it is: no half surrogates, no NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


def _stacked(vectors: list[NDArray[np.float32]], dim: int) -> NDArray[np.float32]:
    for vector in vectors:
        if vector.shape != (dim,):
            raise EmbeddingError(f"a vector of shape {vector.shape} in an index of dimension {dim}")
    stacked = np.stack(vectors).astype(np.float32, copy=False)
    if not np.isfinite(stacked.astype(np.float16)).all():
        raise EmbeddingError("a vector has components that are not finite")
    return stacked


def _insert_contents(connection: sqlite3.Connection, prepared: Prepared) -> None:
    connection.executemany("INSERT INTO content VALUES (?, ?, ?, ?, ?, ?)", prepared.contents)
    connection.executemany("INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", prepared.items)
    connection.executemany("INSERT INTO fragment VALUES (?, ?, ?, ?, ?, ?, ?, ?)", prepared.fragments)
    connection.executemany("INSERT INTO words VALUES (?, ?, ?)", prepared.words)
    connection.executemany(
        "INSERT INTO text_words (rowid, text) VALUES (?, ?)", [(w[0], w[1]) for w in prepared.words if w[1]]
    )
    connection.executemany(
        "INSERT INTO title_words (rowid, title) VALUES (?, ?)", [(w[0], w[2]) for w in prepared.words if w[2]]
    )
    connection.executemany(
        "INSERT INTO item_short (rowid, tokens) VALUES (?, ?)",
        [(w[0], _item_tokens(w)) for w in prepared.words],
    )


def _item_tokens(words: WordsRow) -> str:
    return short_tokens(f"{words[1]}\n{words[2]}")


def _directory(connection: sqlite3.Connection, root_id: int, folder: bytes, free: dict[str, int]) -> int:
    """Number of the folder's row, which is made when it is not there yet."""
    row = connection.execute("SELECT id FROM directory WHERE root_id = ? AND dir = ?", (root_id, folder)).fetchone()
    if row is not None:
        return int(row[0])
    number = free["directory"]
    free["directory"] += 1
    words = searchable_name(folder)
    connection.execute("INSERT INTO directory VALUES (?, ?, ?, ?)", (number, root_id, folder, words))
    connection.execute("INSERT INTO directory_words (rowid, words) VALUES (?, ?)", (number, words))
    connection.execute("INSERT INTO directory_short (rowid, tokens) VALUES (?, ?)", (number, short_tokens(words)))
    return number


def _put_file(connection: sqlite3.Connection, folder: int, update: FileUpdate, free: dict[str, int]) -> set[int]:
    """Insert or change one file's row; the content that it named before, if it names another one now."""
    content_id = _content_id(connection, update.digest) if update.digest is not None else None
    detail = storable(update.detail)
    old = connection.execute(
        "SELECT id, content_id FROM file WHERE directory_id = ? AND name = ?", (folder, update.name)
    ).fetchone()
    state = (extension_of(update.name), update.size_bytes, update.mtime_ns, content_id, update.cause, detail)
    if old is not None:
        connection.execute(
            "UPDATE file SET extension = ?, size_bytes = ?, mtime_ns = ?, content_id = ?, cause = ?, detail = ?,"
            " checksum = ? WHERE id = ?",
            (*state, file_checksum(update.name, *state), old[0]),
        )
        return {old[1]} if old[1] is not None and old[1] != content_id else set()
    number = free["file"]
    free["file"] += 1
    words = searchable_name(update.name)
    connection.execute(
        "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, folder, update.name, *state, words, file_checksum(update.name, *state)),
    )
    connection.execute("INSERT INTO file_words (rowid, words) VALUES (?, ?)", (number, words))
    connection.execute("INSERT INTO file_short (rowid, tokens) VALUES (?, ?)", (number, short_tokens(words)))
    return set()


def _remove_file(connection: sqlite3.Connection, file_id: int, touched: set[int], emptied: set[int]) -> None:
    row = connection.execute("SELECT directory_id, content_id, words FROM file WHERE id = ?", (file_id,)).fetchone()
    if row is None:
        return
    folder, content_id, words = row
    _unlist(connection, "file", file_id, words)
    connection.execute("DELETE FROM file WHERE id = ?", (file_id,))
    emptied.add(folder)
    if content_id is not None:
        touched.add(content_id)


def _unlist(connection: sqlite3.Connection, table: str, number: int, words: str) -> None:
    """Take a file or directory out of the words. FTS5 needs the very words that were put in."""
    connection.execute(
        f"INSERT INTO {table}_words ({table}_words, rowid, words) VALUES ('delete', ?, ?)", (number, words)
    )
    connection.execute(
        f"INSERT INTO {table}_short ({table}_short, rowid, tokens) VALUES ('delete', ?, ?)",
        (number, short_tokens(words)),
    )


def _remove_empty_directories(connection: sqlite3.Connection, candidates: set[int]) -> None:
    for number in candidates:
        if connection.execute("SELECT 1 FROM file WHERE directory_id = ? LIMIT 1", (number,)).fetchone() is None:
            words = connection.execute("SELECT words FROM directory WHERE id = ?", (number,)).fetchone()[0]
            _unlist(connection, "directory", number, words)
            connection.execute("DELETE FROM directory WHERE id = ?", (number,))


def _remove_unnamed(connection: sqlite3.Connection, candidates: set[int]) -> NDArray[np.int64]:
    """Remove those contents that no file names any more; the fragments that went with them, ascending."""
    dead: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    for content_id in sorted(candidates):
        if connection.execute("SELECT 1 FROM file WHERE content_id = ? LIMIT 1", (content_id,)).fetchone():
            continue
        first, count = connection.execute(
            "SELECT first_item, items FROM content WHERE id = ?", (content_id,)
        ).fetchone()
        span = (first, first + count - 1)
        start, end = connection.execute(
            "SELECT min(first_fragment), max(first_fragment + fragments) FROM item WHERE id BETWEEN ? AND ?",
            span,
        ).fetchone()
        _remove_words(connection, span)
        if start is not None:
            connection.execute("DELETE FROM fragment WHERE id >= ? AND id < ?", (start, end))
            dead.append(np.arange(start, end, dtype=np.int64))
        connection.execute("DELETE FROM item WHERE id BETWEEN ? AND ?", span)
        connection.execute("DELETE FROM content WHERE id = ?", (content_id,))
    return np.concatenate(dead)


def _remove_words(connection: sqlite3.Connection, span: tuple[int, int]) -> None:
    for table, column in (("text_words", "text"), ("title_words", "title")):
        connection.execute(
            f"INSERT INTO {table} ({table}, rowid, {column})"
            f" SELECT 'delete', item_id, {column} FROM words WHERE item_id BETWEEN ? AND ? AND {column} <> ''",
            span,
        )
    rows: list[WordsRow] = connection.execute(
        "SELECT item_id, text, title FROM words WHERE item_id BETWEEN ? AND ?", span
    ).fetchall()
    connection.executemany(
        "INSERT INTO item_short (item_short, rowid, tokens) VALUES ('delete', ?, ?)",
        [(row[0], _item_tokens(row)) for row in rows],
    )
    connection.execute("DELETE FROM words WHERE item_id BETWEEN ? AND ?", span)


def user_name() -> str:
    """Who runs this, for the audit log: the numeric user where there is one, else the login name."""
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "")

"""A Filter as SQL conditions on the tables `file` (alias f) and `item` (alias i)."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from cmrcli.store.records import Filter


@dataclass(frozen=True, slots=True)
class Conditions:
    """SQL for a file and for an item that passes, each with its parameters; "1" passes everything."""

    file_sql: str
    file_values: tuple[str | int, ...]
    item_sql: str
    item_values: tuple[str | int, ...]
    by_folder: bool = False  # the file condition names folders: few files pass, and they are found by an index

    @property
    def item_with_file_sql(self) -> str:
        """For a query that has only the item: its kind passes, and some file of its content does."""
        if self.file_sql == "1":
            return self.item_sql
        file_passes = f"SELECT 1 FROM file f WHERE f.content_id = i.content_id AND {self.file_sql}"
        return f"{self.item_sql} AND EXISTS ({file_passes})"

    @property
    def item_with_file_values(self) -> tuple[str | int, ...]:
        """Parameters of `item_with_file_sql`, in its order."""
        return self.item_values + self.file_values


def conditions(connection: sqlite3.Connection, wanted: Filter | None) -> Conditions:
    """The filter in SQL. Folders are resolved to directory numbers here, once."""
    if wanted is None:
        return Conditions("1", (), "1", ())
    clauses: list[str] = []
    values: list[str | int] = []
    if wanted.extensions:
        clauses.append("f.extension IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(extension.casefold().lstrip(".") for extension in wanted.extensions)))
    if wanted.since_ns is not None:
        clauses.append("f.mtime_ns >= ?")
        values.append(wanted.since_ns)
    if wanted.until_ns is not None:
        clauses.append("f.mtime_ns <= ?")
        values.append(wanted.until_ns)
    if wanted.under:
        directories, files = _resolve(connection, wanted.under)
        clauses.append(
            "(f.directory_id IN (SELECT value FROM json_each(?)) OR f.id IN (SELECT value FROM json_each(?)))"
        )
        values += [json.dumps(sorted(directories)), json.dumps(sorted(files))]
    item_sql = "1"
    item_values: tuple[str, ...] = ()
    if wanted.kinds:
        item_sql, item_values = (
            "i.kind IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(wanted.kinds)),),
        )
    return Conditions(" AND ".join(clauses) or "1", tuple(values), item_sql, item_values, bool(wanted.under))


def _resolve(connection: sqlite3.Connection, under: tuple[bytes, ...]) -> tuple[set[int], set[int]]:
    """Numbers of the directories in or below the paths, and of the files that a path names itself."""
    directories: set[int] = set()
    files: set[int] = set()
    for root_id, root_path, single_file in connection.execute("SELECT id, path, single_file FROM root").fetchall():
        for path in (p.rstrip(b"/") or b"/" for p in under):
            if root_path == path or root_path.startswith(path.rstrip(b"/") + b"/"):
                rows = connection.execute("SELECT id FROM directory WHERE root_id = ?", (root_id,))
                directories.update(row[0] for row in rows)
            elif not single_file and path.startswith(root_path.rstrip(b"/") + b"/"):
                below = path[len(root_path.rstrip(b"/")) + 1 :]
                rows = connection.execute(
                    "SELECT id FROM directory WHERE root_id = ? AND (dir = ? OR (dir > ? AND dir < ?))",
                    (root_id, below, below + b"/", below + b"0"),  # "0" follows "/" in ASCII
                )
                directories.update(row[0] for row in rows)
                folder, _, name = below.rpartition(b"/")
                rows = connection.execute(
                    "SELECT f.id FROM file f JOIN directory d ON d.id = f.directory_id"
                    " WHERE d.root_id = ? AND d.dir = ? AND f.name = ?",
                    (root_id, folder, name),
                )
                files.update(row[0] for row in rows)
    return directories, files

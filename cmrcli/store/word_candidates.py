"""Which items and files may match a query's terms: rows of the FTS5 tables, bounded, without reading a text.

The bounds are PROBE_ROWS newest rows a term of each kind of place (text, title, name), as many for all terms together,
and under a filter that names folders FILTERED_ROWS rows a term; with other filters, JOINED_ROWS.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cmrcli.store.filters import Conditions
from cmrcli.store.normalise import SHORT, Term, Terms

PROBE_ROWS = 1_000
FILTERED_ROWS = 50_000
JOINED_ROWS = 10_000
FEW_CONTENTS = 20_000  # of a filter by folder: so many are listed, more are tested one by one
FEW_ITEMS = 300  # of a filter by folder: so few are all candidates
FOLDERS_A_TERM = 50
FILES_A_FOLDER = 100


@dataclass(slots=True)
class Candidates:
    """Which terms (bit t: term t) were seen where.

    Attributes:
        items, files: number -> bits.
        rows: for each term, how many items have it in their text or title, estimated where the probe was cut short.
    """

    items: dict[int, int] = field(default_factory=dict)
    files: dict[int, int] = field(default_factory=dict)
    rows: list[float] = field(default_factory=list)


def collect(connection: sqlite3.Connection, terms: Terms, passing: Conditions, last_item: int) -> Candidates:
    """Ask for every term alone, for part numbers written with spaces as one, for other names, for all terms at once."""
    search = _Probe(connection, passing, last_item)
    found = search.found
    for position, term in enumerate(terms.terms):
        bit = 1 << position
        found.rows.append(search.everywhere(*_expressions([term]), bit))
    for squeezed, covered in terms.joined.items():
        bits = sum(1 << position for position in covered)
        search.items("text_words", _quoted(squeezed), bits)
        search.items("title_words", _quoted(squeezed), bits)
        search.files("file_words", "directory_words", _quoted(squeezed), bits)
    for stand in terms.stands:
        bits = sum(1 << position for position in stand.worth)
        rows = search.everywhere(*_expressions([Term("", stand.needles)]), bits)
        for position in stand.worth:
            # A term that stands nowhere is as rare as what stands for it: else one word of another language would
            # outweigh all others.
            found.rows[position] = found.rows[position] or rows
    together = [position for position, term in enumerate(terms.terms) if len(term.shown) > SHORT]
    if len(together) > 1 and max(found.rows) >= PROBE_ROWS:
        # Common words: the newest rows of each need not meet, so ask for those that have all of them.
        long, _ = _expressions([terms.terms[position] for position in together], " AND ")
        search.items("text_words", long, sum(1 << position for position in together))
    return found


def _expressions(terms: list[Term], join: str = " OR ") -> tuple[str, str]:
    """FTS5 expressions for the tables of trigrams and of short tokens; "" when nothing is to be asked there."""
    long = [" OR ".join(_quoted(n) for n in term.needles if len(n) > SHORT) for term in terms]
    short = [_quoted(n) for term in terms for n in term.needles if len(n) <= SHORT]
    return join.join(f"({part})" for part in long if part), " OR ".join(short)


def _quoted(needle: str) -> str:
    return '"' + needle.replace('"', '""') + '"'


class _Probe:
    """Asks one table at a time and notes what passes the filter."""

    def __init__(self, connection: sqlite3.Connection, passing: Conditions, last_item: int) -> None:
        self.found = Candidates()
        self._connection = connection
        self._passing = passing
        self._last_item = last_item
        self._allowed = _allowed_items(connection, passing) if passing.by_folder else None
        if self._allowed is not None and len(self._allowed) <= FEW_ITEMS:
            self.found.items = dict.fromkeys(self._allowed.tolist(), 0)

    def everywhere(self, long: str, short: str, bits: int) -> float:
        """Note items and files that match either expression in any place; how many items do, as `items` counts."""
        rows = 0.0
        if long:
            rows += self.items("text_words", long, bits) + self.items("title_words", long, bits)
            self.files("file_words", "directory_words", long, bits)
        if short:
            rows += self.items("item_short", short, bits)
            self.files("file_short", "directory_short", short, bits)
        return rows

    def items(self, table: str, match: str, bits: int) -> float:
        """Note the newest items that match; how many rows of the table do, estimated when cut short."""
        newest = f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid DESC LIMIT ?"
        rows = [row[0] for row in self._connection.execute(newest, (match, PROBE_ROWS))]
        count = float(len(rows))
        if len(rows) == PROBE_ROWS:
            count *= self._last_item / max(1, self._last_item - rows[-1])
        if self._allowed is not None:
            rows = self._within_allowed(table, match)
        elif self._passing.item_with_file_sql != "1":
            rows = self._joined(newest, match)
        items = self.found.items
        for item_id in rows:
            items[item_id] = items.get(item_id, 0) | bits
        return count

    def files(self, table: str, folders: str, match: str, bits: int) -> None:
        """Note files whose name matches, and files in folders whose path does."""
        test, values = self._passing.file_sql, self._passing.file_values
        rows = self._connection.execute(
            f"SELECT f.id FROM (SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid DESC LIMIT ?) w"
            f" JOIN file f ON f.id = w.rowid WHERE f.content_id IS NOT NULL AND {test} LIMIT ?",
            (match, PROBE_ROWS if test == "1" else JOINED_ROWS, *values, PROBE_ROWS),
        ).fetchall()
        matching = f"SELECT rowid FROM {folders} WHERE {folders} MATCH ? LIMIT ?"
        for (folder_id,) in self._connection.execute(matching, (match, FOLDERS_A_TERM)).fetchall():
            rows += self._connection.execute(
                f"SELECT f.id FROM file f WHERE f.directory_id = ? AND f.content_id IS NOT NULL AND {test} LIMIT ?",
                (folder_id, *values, FILES_A_FOLDER),
            ).fetchall()
        files = self.found.files
        for (file_id,) in rows:
            files[file_id] = files.get(file_id, 0) | bits

    def _within_allowed(self, table: str, match: str) -> list[int]:
        """Newest matching items among those that the filter's folders hold."""
        allowed = self._allowed
        if allowed is None or len(allowed) <= FEW_ITEMS:
            return []  # all of them are candidates already
        rows = self._connection.execute(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?",
            (match, int(allowed[0]), int(allowed[-1]), FILTERED_ROWS),
        )
        ids = np.fromiter((row[0] for row in rows), dtype=np.int64)
        kept: list[int] = ids[np.isin(ids, allowed)][:PROBE_ROWS].tolist()
        return kept

    def _joined(self, newest: str, match: str) -> list[int]:
        passing = self._passing
        rows = self._connection.execute(
            f"SELECT w.rowid FROM ({newest}) w JOIN item i ON i.id = w.rowid"
            f" WHERE {passing.item_with_file_sql} LIMIT ?",
            (match, JOINED_ROWS, *passing.item_with_file_values, PROBE_ROWS),
        )
        return [row[0] for row in rows]


def _allowed_items(connection: sqlite3.Connection, passing: Conditions) -> NDArray[np.int64] | None:
    """Every item that passes, ascending; None when the folders hold too many contents to list them."""
    contents = connection.execute(
        f"SELECT DISTINCT f.content_id FROM file f WHERE {passing.file_sql} AND f.content_id IS NOT NULL LIMIT ?",
        (*passing.file_values, FEW_CONTENTS + 1),
    ).fetchall()
    if len(contents) > FEW_CONTENTS:
        return None
    rows = connection.execute(
        "SELECT i.id FROM content c JOIN item i ON i.id >= c.first_item AND i.id < c.first_item + c.items"
        f" WHERE c.id IN (SELECT value FROM json_each(?)) AND {passing.item_sql}",
        (json.dumps([row[0] for row in contents]), *passing.item_values),
    )
    return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64))

"""Questions to the catalog that readers and writers share. Each costs what it returns, not what there is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.store import words
from cmrcli.store.failures import reads_plainly
from cmrcli.store.filters import Conditions, conditions
from cmrcli.store.item_lookups import ItemLookups
from cmrcli.store.records import Box, FilePlace, FileState, Filter, FragmentHit, Root, Withheld, WordHit

_HIT = (
    "SELECT g.id, i.id, i.content_id, g.role, g.x0, g.y0, g.x1, g.y1, g.text, i.page, i.kind, i.label,"
    " i.title FROM fragment g JOIN item i ON i.id = g.item_id"
)
_STATE = "f.id, d.dir, f.name, f.size_bytes, f.mtime_ns, f.content_id, f.cause, f.detail"


class Lookups(ItemLookups):
    """Reading side of the catalog, on a connection that its subclass opened."""

    folder: Path
    _resolved: tuple[Filter, tuple[int, int], Conditions] | None = None
    _passing: tuple[Filter, tuple[int, int], NDArray[np.int64]] | None = None

    @reads_plainly
    def fragments(self, ids: Sequence[int]) -> dict[int, FragmentHit]:
        """What results need of these fragments; one that is gone by now is left out."""
        rows = self._connection.execute(f"{_HIT} WHERE g.id IN (SELECT value FROM json_each(?))", (_json(ids),))
        return {row[0]: _fragment_hit(row) for row in rows}

    @reads_plainly
    def items_of(self, fragment_ids: Sequence[int]) -> dict[int, int]:
        """Fragment -> its item: all that ranking needs of thousands. One that is gone by now is left out."""
        rows = self._connection.execute(
            "SELECT id, item_id FROM fragment WHERE id IN (SELECT value FROM json_each(?))", (_json(fragment_ids),)
        )
        return dict(rows)

    @reads_plainly
    def passages_among(self, fragment_ids: Sequence[int]) -> frozenset[int]:
        """Those of the fragments that are passages of text; the others are pictures."""
        rows = self._connection.execute(
            "SELECT id FROM fragment WHERE id IN (SELECT value FROM json_each(?)) AND role = 'passage'",
            (_json(fragment_ids),),
        )
        return frozenset(row[0] for row in rows)

    @reads_plainly
    def item_count(self) -> int:
        """Items ever numbered: a bound of those there are, at no price."""
        return int(self._connection.execute("SELECT next FROM counter WHERE name = 'item'").fetchone()[0])

    @reads_plainly
    def whole_fragments(self, item_ids: Sequence[int]) -> dict[int, FragmentHit]:
        """The first fragment of each item, by item: how a hit by words becomes a result."""
        rows = self._connection.execute(
            f"{_HIT} WHERE g.id IN (SELECT first_fragment FROM item WHERE id IN (SELECT value FROM json_each(?)))",
            (_json(item_ids),),
        )
        return {row[1]: _fragment_hit(row) for row in rows}

    @reads_plainly
    def places(self, content_ids: Sequence[int], wanted: Filter | None = None) -> dict[int, list[FilePlace]]:
        """The files that hold each content and pass the filter, by path. Contents without any are left out."""
        passing = self._conditions(wanted)
        rows = self._connection.execute(
            "SELECT f.content_id, f.id, r.path, r.single_file, d.dir, f.name, f.size_bytes, f.mtime_ns"
            " FROM file f JOIN directory d ON d.id = f.directory_id JOIN root r ON r.id = d.root_id"
            f" WHERE f.content_id IN (SELECT value FROM json_each(?)) AND {passing.file_sql}",
            (_json(content_ids), *passing.file_values),
        )
        places: dict[int, list[FilePlace]] = {}
        for content_id, file_id, root, single_file, folder, name, size_bytes, mtime_ns in rows:
            place = FilePlace(content_id, file_id, root, _relpath(single_file, folder, name), size_bytes, mtime_ns)
            places.setdefault(content_id, []).append(place)
        for same in places.values():
            same.sort(key=lambda place: place.path)
        return places

    @reads_plainly
    def fragment_ids(self, wanted: Filter) -> NDArray[np.int64]:
        """(n,) int64, ascending: every fragment of a passing kind in a content with a passing file.

        A batch asks with one filter again and again: the last answer is kept as long as the catalog stays the same.
        """
        state = self._state()
        if self._passing is None or self._passing[:2] != (wanted, state):
            self._passing = wanted, state, self._fragment_ids(wanted)
        return self._passing[2]

    def _fragment_ids(self, wanted: Filter) -> NDArray[np.int64]:
        passing = self._conditions(wanted)
        if wanted.asks_for_files:
            ranges = (
                "SELECT i.first_fragment, i.fragments FROM content c"
                " JOIN item i ON i.id >= c.first_item AND i.id < c.first_item + c.items"
                f" WHERE c.id IN (SELECT f.content_id FROM file f WHERE {passing.file_sql}) AND {passing.item_sql}"
            )
            values = passing.file_values + passing.item_values
        else:
            ranges = f"SELECT i.first_fragment, i.fragments FROM item i WHERE {passing.item_sql}"
            values = passing.item_values
        # One string of numbers costs less than half of one Python tuple an item.
        firsts, counts = self._connection.execute(
            f"SELECT group_concat(first_fragment), group_concat(fragments) FROM ({ranges})", values
        ).fetchone()
        if firsts is None:
            return np.empty(0, dtype=np.int64)
        first = np.fromstring(firsts, dtype=np.int64, sep=",")
        count = np.fromstring(counts, dtype=np.int64, sep=",")
        order = np.argsort(first)
        return _expand(first[order], count[order])

    def _conditions(self, wanted: Filter | None) -> Conditions:
        """The filter in SQL, kept like the fragments that pass."""
        if wanted is None:
            return conditions(self._connection, None)
        state = self._state()
        if self._resolved is None or self._resolved[:2] != (wanted, state):
            self._resolved = wanted, state, conditions(self._connection, wanted)
        return self._resolved[2]

    def _state(self) -> tuple[int, int]:
        """Differs after every change of the catalog, by another process or by this connection."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0]), self._connection.total_changes

    @reads_plainly
    def words(
        self,
        query: str,
        limit: int,
        wanted: Filter | None = None,
        withheld: Withheld | None = None,
        others: Sequence[tuple[str, tuple[str, ...]]] = (),
    ) -> list[WordHit]:
        """Items by their words and their files' names, best first. See words.py for what is matched and bounded."""
        return words.search(self._connection, query, limit, self._conditions(wanted), withheld, others)

    @reads_plainly
    def items_holding(self, text: str, item_ids: Sequence[int]) -> set[int]:
        """Those of the items whose text or title holds every word of `text`, as whole words."""
        from cmrcli.store.word_holders import holding

        return holding(self._connection, text, item_ids)

    @reads_plainly
    def roots(self) -> list[Root]:
        """Everything the user asked to index, by path."""
        rows = self._connection.execute("SELECT id, path, single_file FROM root ORDER BY path")
        return [Root(root_id, path, bool(single_file)) for root_id, path, single_file in rows]

    @reads_plainly
    def directories(self, root_id: int) -> list[bytes]:
        """Folders below the root that have files in the catalog, relative, ascending."""
        rows = self._connection.execute("SELECT dir FROM directory WHERE root_id = ? ORDER BY dir", (root_id,))
        return [row[0] for row in rows]

    @reads_plainly
    def file_count(self, root_id: int) -> int:
        """Files of the root in the catalog, unreadable ones included."""
        row = self._connection.execute(
            "SELECT count(*) FROM file f JOIN directory d ON d.id = f.directory_id WHERE d.root_id = ?",
            (root_id,),
        ).fetchone()
        return int(row[0])

    @reads_plainly
    def files_in(self, root_id: int, folder: bytes) -> dict[bytes, FileState]:
        """The files of one folder by name, as the catalog knows them."""
        rows = self._connection.execute(
            f"SELECT {_STATE} FROM directory d JOIN file f ON f.directory_id = d.id WHERE d.root_id = ? AND d.dir = ?",
            (root_id, folder),
        )
        return {row[2]: FileState._make(row) for row in rows}

    @reads_plainly
    def stamps_in(self, root_id: int, folder: bytes) -> dict[bytes, tuple[int, int]]:
        """Name -> (size_bytes, mtime_ns) of one folder: all that an unchanged run needs, at half the price."""
        rows = self._connection.execute(
            "SELECT f.name, f.size_bytes, f.mtime_ns FROM directory d JOIN file f ON f.directory_id = d.id"
            " WHERE d.root_id = ? AND d.dir = ?",
            (root_id, folder),
        )
        return {name: (size_bytes, mtime_ns) for name, size_bytes, mtime_ns in rows}

    @reads_plainly
    def known_digests(self, digests: Iterable[bytes]) -> set[bytes]:
        """Those of the digests whose content the catalog has."""
        known: set[bytes] = set()
        for digest in digests:
            if self._connection.execute("SELECT 1 FROM content WHERE digest = ?", (digest,)).fetchone():
                known.add(digest)
        return known

    @reads_plainly
    def digests_of_size(self, size_bytes: int) -> set[bytes]:
        """Digests of the contents with a file of this size: what a new file of the size may be a copy of."""
        rows = self._connection.execute(
            "SELECT c.digest FROM file f JOIN content c ON c.id = f.content_id WHERE f.size_bytes = ? LIMIT 256",
            (size_bytes,),
        )
        return {row[0] for row in rows}

    @reads_plainly
    def last_holders(self, file_ids: Sequence[int]) -> int:
        """How many of the files hold a content that no other file holds: what would be lost with them."""
        ids = _json(file_ids)
        row = self._connection.execute(
            "SELECT count(*) FROM file f WHERE f.id IN (SELECT value FROM json_each(?1)) AND NOT EXISTS (SELECT 1"
            " FROM file o WHERE o.content_id = f.content_id AND o.id NOT IN (SELECT value FROM json_each(?1)))",
            (ids,),
        ).fetchone()
        return int(row[0])

    def failures(self) -> Iterator[tuple[bytes, str, str]]:
        """(absolute path, cause, detail) of every file that could not be read, by path within its folder."""
        rows = self._connection.execute(
            "SELECT r.path, r.single_file, d.dir, f.name, f.cause, f.detail"
            " FROM file f JOIN directory d ON d.id = f.directory_id JOIN root r ON r.id = d.root_id"
            " WHERE f.cause IS NOT NULL ORDER BY r.path, d.dir, f.name"
        )
        for root, single_file, folder, name, cause, detail in rows:
            relpath = _relpath(single_file, folder, name)
            yield os.path.join(root, relpath) if relpath else root, cause, detail


def _relpath(single_file: int, folder: bytes, name: bytes) -> bytes:
    """The file's path below its root; b"" when the root is the file itself."""
    if single_file:
        return b""
    return folder + b"/" + name if folder else name


def _fragment_hit(
    row: tuple[int, int, int, str, float, float, float, float, str, int, str, str, str],
) -> FragmentHit:
    fragment_id, item_id, content_id, role, x0, y0, x1, y1, text, page, kind, label, title = row
    box: Box | None = None if x0 is None else (x0, y0, x1, y1)
    return FragmentHit(fragment_id, item_id, content_id, role, box, text, page, kind, label, title)


def _json(ids: Sequence[int]) -> str:
    return json.dumps([int(i) for i in ids])


def _expand(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """first[0], first[0] + 1, ... (count[0] numbers), first[1], ..."""
    total = int(count.sum())
    starts = np.cumsum(count) - count
    expanded: NDArray[np.int64] = np.arange(total, dtype=np.int64) + np.repeat(first - starts, count)
    return expanded

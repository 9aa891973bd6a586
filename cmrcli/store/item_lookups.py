"""Questions to the catalog about items as such: what their parts are, what they are called, what their words are.

A search asks for the parts at most; an evaluation makes its queries of the others.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.store.failures import reads_plainly
from cmrcli.store.normalise import SHORT, normalise
from cmrcli.store.records import ItemCard, ItemFragment

_CARD = "SELECT i.id, i.content_id, i.page, i.kind, i.label, i.title, i.width_px, i.height_px FROM item i"


class ItemLookups:
    """A part of `Lookups`, on the same connection."""

    folder: Path
    _connection: sqlite3.Connection

    @reads_plainly
    def item_ids(self) -> dict[str, NDArray[np.int64]]:
        """Kind -> (n,) int64, the numbers of its items, ascending. Reads the whole table of items."""
        ids: dict[str, NDArray[np.int64]] = {}
        for (kind,) in self._connection.execute("SELECT DISTINCT kind FROM item ORDER BY kind").fetchall():
            rows = self._connection.execute("SELECT id FROM item WHERE kind = ? ORDER BY id", (kind,))
            ids[kind] = np.fromiter((row[0] for row in rows), dtype=np.int64)
        return ids

    @reads_plainly
    def item_cards(self, item_ids: Sequence[int]) -> list[ItemCard]:
        """What these items are, by number. One that is gone by now is left out."""
        rows = self._connection.execute(
            f"{_CARD} WHERE i.id IN (SELECT value FROM json_each(?)) ORDER BY i.id", (_json(item_ids),)
        )
        return [ItemCard._make(row) for row in rows]

    @reads_plainly
    def fragments_in(self, item_ids: Sequence[int]) -> list[ItemFragment]:
        """All fragments of these items, by number. An item that is gone by now is left out."""
        rows = self._connection.execute(
            "SELECT g.id, i.id, g.role FROM item i JOIN fragment g"
            " ON g.id >= i.first_fragment AND g.id < i.first_fragment + i.fragments"
            " WHERE i.id IN (SELECT value FROM json_each(?)) ORDER BY g.id",
            (_json(item_ids),),
        )
        return [ItemFragment._make(row) for row in rows]

    @reads_plainly
    def items_at(self, path: bytes, page: int | None = None) -> list[ItemCard]:
        """The items of the file at an absolute path, in order; only the one of the page where a page is given.

        A file of one item without pages has that for its page 1.
        """
        folder, name = os.path.split(path)
        for root_id, root, single_file in self._connection.execute("SELECT id, path, single_file FROM root").fetchall():
            below = root.rstrip(b"/") + b"/"
            if root != path if single_file else not path.startswith(below):
                continue
            rows = self._connection.execute(
                f"{_CARD} JOIN content c ON i.id >= c.first_item AND i.id < c.first_item + c.items"
                " JOIN file f ON f.content_id = c.id JOIN directory d ON d.id = f.directory_id"
                " WHERE d.root_id = ? AND d.dir = ? AND f.name = ? ORDER BY i.id",
                (root_id, b"" if single_file else folder[len(below) :], name),
            )
            cards = [ItemCard._make(row) for row in rows]
            if cards:
                return [card for card in cards if page is None or (card.page or 1) == page]
        return []

    @reads_plainly
    def passages_of(self, item_ids: Sequence[int]) -> dict[int, dict[int, str]]:
        """Item -> fragment -> text of its passages, in reading order. Items without any are left out."""
        rows = self._connection.execute(
            "SELECT i.id, g.id, g.text FROM item i JOIN fragment g"
            " ON g.id >= i.first_fragment AND g.id < i.first_fragment + i.fragments"
            " WHERE i.id IN (SELECT value FROM json_each(?)) AND g.role = 'passage' ORDER BY g.id",
            (_json(item_ids),),
        )
        passages: dict[int, dict[int, str]] = {}
        for item_id, fragment_id, text in rows:
            passages.setdefault(item_id, {})[fragment_id] = text
        return passages

    @reads_plainly
    def items_with_phrase(self, phrase: str, limit: int, titles: bool = False) -> list[int]:
        """Up to `limit` items with the phrase literally, as words are searched, in their text, or in title and label.

        A phrase of fewer than three characters, which no trigram holds, is in none.
        """
        plain = normalise(phrase).replace('"', '""')
        if len(plain) <= SHORT:
            return []
        table = "title_words" if titles else "text_words"
        rows = self._connection.execute(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? LIMIT ?", (f'"{plain}"', limit)
        )
        return [row[0] for row in rows]


def _json(ids: Sequence[int]) -> str:
    return json.dumps([int(i) for i in ids])

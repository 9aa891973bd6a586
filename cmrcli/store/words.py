"""Items by their words: texts, titles, file names and folder names, in bounded time.

A term of three or more characters matches anywhere in a word (trigrams), a shorter one matches a whole token or
any place of a Japanese text. Items matching all terms come first; within that, rare terms, titles, names, whole
words and short texts count more: BM25's idea, computed here because SQLite's own would score every row that a
common word is in.

The bound: word_candidates.py takes a bounded number of rows from the tables; of these the READ_ROWS most promising
items and half as many files are read and scored, and no more than READ_CHARS of text.
"""

from __future__ import annotations

import heapq
import json
import math
import sqlite3
from collections.abc import Iterator, Sequence

from cmrcli.store.filters import Conditions
from cmrcli.store.normalise import Terms, normalise, query_terms, searchable, with_other_names
from cmrcli.store.records import Withheld, WordHit
from cmrcli.store.word_candidates import Candidates, collect

READ_ROWS = 300
READ_CHARS = 4_000_000
READ_AT_ONCE = 50

_FIELDS = ("text", "title", "name")
_WEIGHTS = (1.0, 2.0, 2.0)
_FOLDER_SHARE = 0.5  # a folder's name says less of a file than its own: every file beside it has it too
_USUAL_CHARS = (1500.0, 40.0, 40.0)  # a text of this length neither gains nor loses
_COUNTED = 3  # occurrences of a term that still add something
_PLURAL = 0.95  # what a word counts that is the term's plural


def search(
    connection: sqlite3.Connection,
    query: str,
    limit: int,
    passing: Conditions,
    withheld: Withheld | None = None,
    others: Sequence[tuple[str, tuple[str, ...]]] = (),
) -> list[WordHit]:
    """The best `limit` items for the query's words, best first; ties by item. Empty for a query without words.

    `others`: parts of the normalised query with their other names, which count less than what was typed.
    """
    terms = with_other_names(query_terms(query), others)
    if not terms.terms or limit < 1:
        return []
    last_item = connection.execute("SELECT next FROM counter WHERE name = 'item'").fetchone()[0]
    candidates = collect(connection, terms, passing, last_item)
    rarity = [math.log(1.0 + last_item / (rows + 0.5)) for rows in candidates.rows]
    scorer = _Scorer(terms, rarity, normalise(query))
    left = "" if withheld is None else _left(connection, withheld)
    if withheld is not None and withheld.item_id in candidates.items:
        candidates.items[withheld.item_id] &= scorer.held(left)  # what it was found by does not count
    names: dict[int, list[float]] = {}  # content -> strength of each term in the names of its files
    for content_id, item_id, name, folder in _read_files(
        connection, candidates, rarity, max(READ_ROWS, limit), passing
    ):
        pairs = zip(scorer.strengths(name, 2), scorer.strengths(folder, 2), strict=True)
        strengths = [max(own, _FOLDER_SHARE * above) for own, above in pairs]
        if any(strengths):
            best = names.get(content_id, strengths)
            names[content_id] = [max(pair) for pair in zip(best, strengths, strict=True)]
            candidates.items.setdefault(item_id, (1 << len(rarity)) - 1)  # stands for the whole file
    hits = []
    for item_id, content_id, text, title in _read_items(connection, candidates, rarity, max(READ_ROWS, limit)):
        if withheld is not None and item_id == withheld.item_id:
            text, title = left, ""
        hit = scorer.hit(item_id, text or "", title or "", names.get(content_id))
        if hit is not None:
            hits.append(hit)
    return heapq.nsmallest(limit, hits, key=lambda hit: (-hit.score, hit.item_id))


def _left(connection: sqlite3.Connection, withheld: Withheld) -> str:
    """What the item's text is without what is withheld of it, as it is searched."""
    rows = connection.execute(
        "SELECT g.id, g.text FROM item i JOIN fragment g"
        " ON g.id >= i.first_fragment AND g.id < i.first_fragment + i.fragments"
        " WHERE i.id = ? AND g.role = 'passage' ORDER BY g.id",
        (withheld.item_id,),
    )
    return searchable(" ".join(text for number, text in rows if number not in withheld.fragments))


def _promising(candidates: dict[int, int], rarity: Sequence[float], count: int) -> list[int]:
    """The `count` candidates whose terms are rarest together, newest first among equals; best first."""
    worth: dict[int, float] = {}
    for bits in set(candidates.values()):
        worth[bits] = sum(value for position, value in enumerate(rarity) if bits >> position & 1)
    return heapq.nlargest(count, candidates, key=lambda number: (worth[candidates[number]], number))


def _read_files(
    connection: sqlite3.Connection, candidates: Candidates, rarity: Sequence[float], rows: int, passing: Conditions
) -> Iterator[tuple[int, int, str, str]]:
    """(content, the item that stands for it, words of its name, words of its folder) of the most promising files."""
    chosen = _promising(candidates.files, rarity, rows // 2)
    for content_id, item_id, name, folder in connection.execute(
        "SELECT c.id, (SELECT min(i.id) FROM item i WHERE i.id >= c.first_item AND i.id < c.first_item + c.items"
        f" AND {passing.item_sql}), f.words, d.words FROM file f JOIN content c ON c.id = f.content_id"
        " JOIN directory d ON d.id = f.directory_id WHERE f.id IN (SELECT value FROM json_each(?))",
        (*passing.item_values, json.dumps(chosen)),
    ):
        if item_id is not None:
            yield content_id, item_id, name, folder


def _read_items(
    connection: sqlite3.Connection, candidates: Candidates, rarity: Sequence[float], rows: int
) -> Iterator[tuple[int, int, str | None, str | None]]:
    """(item, content, text, title) of the most promising items."""
    chosen = _promising(candidates.items, rarity, rows)
    chars = 0
    for start in range(0, len(chosen), READ_AT_ONCE):
        for row in connection.execute(
            "SELECT i.id, i.content_id, w.text, w.title FROM item i LEFT JOIN words w ON w.item_id = i.id"
            " WHERE i.id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(chosen[start : start + READ_AT_ONCE])),),
        ):
            chars += len(row[2] or "")
            yield row
        if chars > READ_CHARS:
            break


class _Scorer:
    """Turns the words of one item into a hit."""

    def __init__(self, terms: Terms, rarity: list[float], phrase: str) -> None:
        self._terms = terms
        self._rarity = rarity
        self._phrase = phrase if len(terms.terms) > 1 else ""
        self._worth = [max((s.worth.get(p, 0.0) for s in terms.stands), default=0.0) for p in range(len(rarity))]
        self._nothing = [0.0] * (2 * len(rarity))
        self._total = sum(rarity)
        self._most = self._total * sum(_WEIGHTS)  # no item gets more for its words alone

    def strengths(self, words: str, place: int) -> list[float]:
        """How much of each term is in the words of one place, 0..1; then the same for what stands for each."""
        if not words:
            return self._nothing
        found = [max([_occurrences(needle, words) for needle in term.needles]) for term in self._terms.terms]
        for squeezed, covered in self._terms.joined.items():
            count = _occurrences(squeezed, words)
            for position in covered if count else ():
                found[position] = max(found[position], count)
        slowness = 0.5 + 0.5 * min(4.0, len(words) / _USUAL_CHARS[place])
        stood = [0.0] * len(found)
        for stand in self._terms.stands:
            count = max([_whole_occurrences(needle, words) for needle in stand.needles])
            for position, worth in stand.worth.items() if count else ():
                stood[position] = max(stood[position], worth * count / (count + slowness))
        return [count / (count + slowness) for count in found] + stood

    def held(self, words: str) -> int:
        """Which terms (bit t: term t) are in a text."""
        strengths = self.strengths(words, 0)
        count = len(self._rarity)
        return sum(1 << position for position in range(count) if strengths[position] or strengths[count + position])

    def hit(self, item_id: int, text: str, title: str, name: list[float] | None) -> WordHit | None:
        """The item's score, or None when none of the terms is in it after all."""
        places = (self.strengths(text, 0), self.strengths(title, 1), name or self._nothing)
        found = [any(strengths) for strengths in zip(*places, strict=True)]
        if not any(found):
            return None
        count = len(self._rarity)
        # 1 where the term itself is there, less where another name stands for it.
        matched = [float(found[p]) or found[count + p] * self._worth[p] for p in range(count)]
        shares = [
            weight * sum([value * max(s[p], s[count + p]) for p, value in enumerate(self._rarity)])
            for weight, s in zip(_WEIGHTS, places, strict=True)
        ]
        score = sum(shares)
        if all(matched):
            score += self._most * min(matched)
            if self._phrase and (self._phrase in text or self._phrase in title):
                score += self._most / 4
        shown = tuple(term.shown for term, is_in in zip(self._terms.terms, matched, strict=True) if is_in)
        held = sum([value * share for value, share in zip(self._rarity, matched, strict=True)])
        field = _FIELDS[shares.index(max(shares))]
        return WordHit(item_id, score, field, shown, held / self._total, self._total, score / self._most)


def has_word(needle: str, words: str) -> bool:
    """Whether the needle is one of the words, or the singular of one; Japanese may stand anywhere."""
    start = words.find(needle)
    while start >= 0:
        if _weight(needle, words, start) >= _PLURAL:
            return True
        start = words.find(needle, start + len(needle))
    return False


def _occurrences(needle: str, words: str) -> float:
    """Up to _COUNTED occurrences: a whole word counts 1, the start of one 0.6, the middle 0.25; Japanese always 1."""
    total = 0.0
    start = words.find(needle)
    counted = 0
    while start >= 0 and counted < _COUNTED:
        total += _weight(needle, words, start)
        counted += 1
        start = words.find(needle, start + len(needle))
    return total


def _whole_occurrences(needle: str, words: str) -> float:
    """Up to _COUNTED occurrences as a whole word or its plural: what was not typed must not be found within words."""
    total = 0.0
    start = words.find(needle)
    while start >= 0 and total < _COUNTED:
        weight = _weight(needle, words, start)
        total += weight if weight >= _PLURAL else 0.0
        start = words.find(needle, start + len(needle))
    return total


def _weight(needle: str, words: str, start: int) -> float:
    """What the occurrence at `start` counts."""
    end = start + len(needle)
    if start > 0 and _joins(words[start - 1]) and _joins(needle[0]):
        return 0.25
    if end < len(words) and _joins(words[end]) and _joins(needle[-1]):
        plural = words[end] == "s" and (end + 1 == len(words) or not _joins(words[end + 1]))
        return _PLURAL if plural else 0.6
    return 1.0


def _joins(character: str) -> bool:
    """Whether words run on through the character: letters and digits of scripts that part words by spaces."""
    return character < "\u3040" and character.isalnum()

"""Which items hold a text's words as whole words: what a search leaves out when it is told what it should not be."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from cmrcli.store.normalise import Terms, query_terms
from cmrcli.store.words import has_word


def holding(connection: sqlite3.Connection, text: str, item_ids: Sequence[int]) -> set[int]:
    """Those of the items that hold every word of the text, in their own text or title.

    Whole words, or their plural; Japanese, which does not part words, anywhere. Names of files and folders say
    where an item lies rather than what it is, and do not count. Nothing holds a text without words.
    """
    terms = query_terms(text)
    if not terms.terms:
        return set()
    rows = connection.execute(
        "SELECT item_id, text, title FROM words WHERE item_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(item_ids)),),
    )
    return {item_id for item_id, body, title in rows if _has_all(terms, (body, title))}


def _has_all(terms: Terms, places: tuple[str, str]) -> bool:
    held = {
        position
        for squeezed, covered in terms.joined.items()
        if any(has_word(squeezed, words) for words in places)
        for position in covered
    }
    return all(
        position in held or any(has_word(needle, words) for needle in term.needles for words in places)
        for position, term in enumerate(terms.terms)
    )

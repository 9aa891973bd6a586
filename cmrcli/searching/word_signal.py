"""Asking the words of an index: the lexical ranking of one query, and what its hits are worth."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cmrcli.searching.query import looks_like_code

if TYPE_CHECKING:
    from cmrcli.searching.answer import Explanation
    from cmrcli.searching.assembly import Wanted
    from cmrcli.searching.fusion import Ranking
    from cmrcli.store import Reader

CODE_WEIGHT = 4.0  # words count this much more when the query is a part number: vectors know nothing of those


def ask_words(reader: Reader, wanted: Wanted, depth: int, explanation: Explanation) -> Ranking:
    """The `depth` best items by the words of the query's text, other names of the same things included."""
    from cmrcli.searching.evidence import of_words
    from cmrcli.searching.fusion import Ranking

    started = time.perf_counter()
    text = wanted.query.text
    is_code = looks_like_code(text)
    others = [] if is_code else _other_names(text)
    explanation.others = others
    hits = reader.words(text, depth, wanted.filter, wanted.withheld, others)
    weight = CODE_WEIGHT if is_code else 1.0
    explanation.stage("words", started, len(hits))
    coverage = [hit.coverage for hit in hits]
    evidence = of_words(hits, reader.item_count(), is_code)
    return Ranking("words", weight, [(hit.item_id, hit.score) for hit in hits], coverage, evidence)


def _other_names(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """What things in the text are called besides: (words of the text, other names) pairs, as the index writes them."""
    from cmrcli.lexicon.expansion import other_names
    from cmrcli.store.normalise import normalise

    return [(typed, tuple(dict.fromkeys(map(normalise, names)))) for typed, names in other_names(normalise(text))]

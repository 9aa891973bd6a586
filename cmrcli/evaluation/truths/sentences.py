"""What of a passage can be asked as a query: whole sentences, or its start where it has none."""

from __future__ import annotations

import re

from cmrcli.corpus.passages import width
from cmrcli.evaluation.truths.groups import words
from cmrcli.searching.query import IMAGE_PREFIX

SENTENCE_WIDTH = (24, 240)  # wide characters count as two
SENTENCE_WORDS = 4
CUT_WIDTH = 160  # of a query made of a text without sentences

_SENTENCE_END = re.compile(r"(?<=[。！？])|(?<=[.!?])\s+(?=[^a-z])")


def sentences_of(passage: str) -> list[str]:
    """What of a passage can be asked: whole sentences, or the start of a passage without any."""
    parts = [part.strip() for part in _SENTENCE_END.split(passage)]
    # The first and the last may be cut off by the passage's own border; with others to choose from they are left out.
    whole = [part for part in parts[1:-1] if _asks(part)] or [part for part in parts if _asks(part)]
    if whole:
        return whole
    start = passage[:CUT_WIDTH]
    while width(start) > CUT_WIDTH:
        start = start[: len(start) // 2]
    start = start.rpartition(" ")[0] if " " in start and len(start) < len(passage) else start
    return [start.strip()] if _asks(start.strip()) else []


def _asks(text: str) -> bool:
    low, high = SENTENCE_WIDTH
    return (
        low <= width(text) <= high
        and sum(map(str.isalpha, text)) >= len(text) / 2
        and words(text) >= SENTENCE_WORDS
        and not text.startswith(IMAGE_PREFIX)
    )

"""The engineering lexicon as training reads it."""

import csv
from dataclasses import dataclass
from pathlib import Path

from models.train.workspace import LEXICON


@dataclass(frozen=True)
class Term:
    """One lexicon entry: every way to write it in both languages, and its definition."""

    english: tuple[str, ...]  # the term first, then its synonyms
    japanese: tuple[str, ...]  # the usual writing first, then variants
    definition: str


def read_lexicon(path: Path = LEXICON) -> list[Term]:
    """The lexicon as it is now; empty when there is none."""
    if not path.exists():
        return []
    terms = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            english = _alternatives(row.get("en"), row.get("synonyms"))
            japanese = _alternatives(row.get("ja"), row.get("ja_variants"))
            if english and japanese:
                terms.append(Term(english, japanese, (row.get("definition") or "").strip()))
    return terms


def _alternatives(*cells: str | None) -> tuple[str, ...]:
    words = [word.strip() for cell in cells for word in (cell or "").split("|")]
    return tuple(dict.fromkeys(word for word in words if word))

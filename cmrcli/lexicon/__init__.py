"""Bilingual engineering terms: what a Japanese term means in English, and what else it is called.

The table is `terms.tsv`, one term a line under a header; importing this package reads nothing.
"""

from functools import cache
from typing import NamedTuple


class Term(NamedTuple):
    """One concept, its names in both languages and a short meaning; the fields are the table's columns."""

    en: str  # singular, lower case except for proper names and letters that are shapes ("V-belt")
    ja: str  # the form usual in Japanese industry
    ja_variants: tuple[str, ...]  # readings in kana, other kanji, okurigana, long vowels, short forms
    synonyms: tuple[str, ...]  # English synonyms, abbreviations, grades, British and American forms
    category: str  # "fastener", "piping" ...
    definition: str  # one English phrase of at most 14 words, no full stop


@cache
def load_terms() -> list[Term]:
    """All terms in the order of the table; read once, so callers share the list and must not change it."""
    from importlib.resources import files

    _header, *lines = files(__name__).joinpath("terms.tsv").read_text(encoding="utf-8").splitlines()
    return [parse_line(line) for line in lines]


def parse_line(line: str) -> Term:
    """One line of the table, without its end."""
    en, ja, ja_variants, synonyms, category, definition = line.split("\t")
    return Term(en, ja, _alternatives(ja_variants), _alternatives(synonyms), category, definition)


def _alternatives(field: str) -> tuple[str, ...]:
    return tuple(field.split("|")) if field else ()

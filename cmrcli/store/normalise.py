"""How words are written in the index, and how a query becomes terms that look the same.

A part number has many spellings (A-1023-02, A1023-02, A 1023 02, full width). Beside the text itself the index keeps
each one squeezed (a102302), and a query asks for both forms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

MAX_TERMS = 12  # of one query; the longest are kept
STAND_WORTH = 0.5  # of another name beside the one that was typed: an item with all typed words always comes first
SHORT = 2  # terms up to this length are looked up in the tables of short tokens, longer ones by trigrams

_CJK = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
_SIGNS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63", "-") | {"\u00d7": "x", "\u2300": "\u00f8"}
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]+")
_SPACES = re.compile(r"\s+")
_UNIT = re.compile(r"(?=[^\W_])([^\W\d_]*)(\d*)")
_PART = re.compile(
    r"(?<![a-z0-9])(?:[a-z]{1,4}[-_./ ]?)?\d[a-z0-9]*"
    r"(?:[-_./][a-z0-9]{1,8}| (?=[a-z]{0,3}\d)[a-z0-9]{1,8}(?![a-z0-9])){0,5}"
)
_SEPARATORS = re.compile(r"[-_./ ]")
_DECIMAL = re.compile(r"\d+\.\d+")
_WORD = re.compile(r"[\w.+#/°%-]+")
_STOP = frozenset(("a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "in", "into", "is", "it"))
_STOP |= frozenset(("its", "of", "on", "or", "that", "the", "this", "to", "was", "which", "with"))


@dataclass(frozen=True, slots=True)
class Term:
    """One thing a query asks for. `needles`: its spellings in the index, any of which will do."""

    shown: str
    needles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stand:
    """Other names of something typed, any of which may stand for it, at less than its worth.

    Attributes:
        needles: the names as they are in the index.
        worth: position in `Terms.terms` -> share of that term that a needle is worth, 0..1.
    """

    needles: tuple[str, ...]
    worth: dict[int, float]


@dataclass(frozen=True, slots=True)
class Terms:
    """A query taken apart.

    Attributes:
        terms: what an item should have, all of it if possible.
        joined: squeezed part number -> the positions in `terms` that it stands for ("a 1023 02": all three).
        stands: what may stand for terms that an item does not have.
    """

    terms: tuple[Term, ...]
    joined: dict[str, tuple[int, ...]]
    stands: tuple[Stand, ...] = ()


def normalise(text: str) -> str:
    """Text as it is searched: NFKC, case folded, one space between words, none between Japanese characters."""
    if text.isascii():
        folded = text.lower()
    else:
        text = text.encode("utf-8", "replace").decode("utf-8")  # half surrogates cannot be stored
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_SIGNS)
    folded = _SPACES.sub(" ", _CONTROL.sub(" ", folded)).strip()
    return folded if folded.isascii() else _japanese().gap.sub("", folded)


def searchable(text: str) -> str:
    """The normalised text, then what part numbers in it look like without their separators."""
    plain = normalise(text)
    squeezed = {short for match in _PART.finditer(plain) if (short := squeeze(match.group()))}
    return f"{plain} {' '.join(sorted(squeezed))}" if squeezed else plain


def searchable_name(name: bytes) -> str:
    """The same for a path's last part or a folder's relative path."""
    return searchable(name.decode("utf-8", "replace"))


def squeeze(part: str) -> str | None:
    """A part number without separators; None where that says nothing new (no separator, or a decimal number)."""
    short = _SEPARATORS.sub("", part)
    if len(short) == len(part) or len(short) < 3 or _DECIMAL.fullmatch(part):
        return None
    return short


def short_tokens(searchable_text: str) -> str:
    """The tokens that queries of one or two characters find, separated by spaces.

    Of Japanese: every character and every pair. Of the rest: words, numbers and letter-number units (m8) of up to
    two characters.
    """
    tokens: set[str] = set()
    rest = searchable_text
    if not searchable_text.isascii():
        japanese = _japanese()
        for run in japanese.run.findall(searchable_text):
            tokens.update(run)
            tokens.update(run[i : i + 2] for i in range(len(run) - 1))
        rest = japanese.run.sub(" ", searchable_text)
    for letters, digits in _UNIT.findall(rest):
        tokens.update(token for token in (letters + digits, digits) if 0 < len(token) <= SHORT)
    return " ".join(sorted(tokens))


def query_terms(query: str) -> Terms:
    """What to look for. Empty when the query has no word in it."""
    plain = normalise(query)
    words = [word for run in _WORD.findall(plain) for word in _by_script(run)]
    words = list(dict.fromkeys(word for part in words if (word := part.strip("./#+-%_"))))
    words = [word for word in words if word not in _STOP] or words
    if len(words) > MAX_TERMS:
        longest = set(sorted(words, key=len, reverse=True)[:MAX_TERMS])
        words = [word for word in words if word in longest]
    position = {word: i for i, word in enumerate(words)}
    joined: dict[str, tuple[int, ...]] = {}
    for match in _PART.finditer(plain):
        short = squeeze(match.group())
        covered = tuple(position[word] for word in match.group().split() if word in position)
        if short and " " in match.group() and covered:
            joined[short] = covered
    return Terms(tuple(Term(word, _spellings(word)) for word in words), joined)


def with_other_names(terms: Terms, others: Sequence[tuple[str, tuple[str, ...]]]) -> Terms:
    """The terms with what may stand for them.

    Args:
        others: (a part of the normalised query, its other names, normalised) pairs. A part of several terms needs all
            of them to be there; one that is only a part of a term ("pump" in "coolingpump") is worth its share of it.
    """
    position = {term.shown: number for number, term in enumerate(terms.terms)}
    stands = []
    for typed, names in others:
        parts = [term.shown for term in query_terms(typed).terms]
        if parts and all(part in position for part in parts):
            stands.append(Stand(names, {position[part]: STAND_WORTH for part in parts}))
            continue
        within = {n: STAND_WORTH * len(typed) / len(shown) for shown, n in position.items() if typed in shown}
        if within:
            stands.append(Stand(names, within))
    return Terms(terms.terms, terms.joined, tuple(stands))


@dataclass(frozen=True, slots=True)
class _Japanese:
    """Patterns that take milliseconds to compile, which a search in English need not spend."""

    gap: re.Pattern[str]  # a space within Japanese text: a line end
    run: re.Pattern[str]
    parts: re.Pattern[str]  # runs of Japanese and of the rest
    scripts: re.Pattern[str]  # runs of hiragana and of the rest


@cache
def _japanese() -> _Japanese:
    return _Japanese(
        re.compile(f"(?<=[{_CJK}]) (?=[{_CJK}])"),
        re.compile(f"[{_CJK}]+"),
        re.compile(f"[{_CJK}]+|[^{_CJK}]+"),
        re.compile("[\u3040-\u309f]+|[^\u3040-\u309f]+"),
    )


def _by_script(word: str) -> list[str]:
    """The word parted where Japanese begins or ends, and there where hiragana of one or two characters (particles) are.

    The particles themselves are left out unless there is nothing else.
    """
    if word.isascii():
        return [word]
    japanese = _japanese()
    parts: list[str] = []
    for part in japanese.parts.findall(word):
        scripts = japanese.scripts.findall(part) if japanese.run.match(part) else [part]
        parts += [run for run in scripts if len(run) > 2 or not "\u3040" <= run[0] <= "\u309f"] or [part]
    return parts


def _spellings(word: str) -> tuple[str, ...]:
    spellings = [word]
    if any(c.isdigit() for c in word) and (short := squeeze(word)):
        spellings.append(short)
    if word.isascii() and word.isalpha() and len(word) >= 5 and word.endswith("s") and not word.endswith("ss"):
        spellings.append(word[:-3] if word.endswith("ies") else word[:-1])
    return tuple(spellings)

"""Other names of what a query names: from Japanese to English, back, and to synonyms.

The table is not parsed for this: its bytes are folded and parted into a set of names once, in about ten milliseconds,
and only the lines of names that the query holds are read further. A query in which no name can stand (a part number)
does not even open the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cmrcli.lexicon import Term, parse_line

MAX_NAMES = 8  # of one thing; the table's first ones, which are the usual ones
MAX_THINGS = 4  # that one query names: each costs some look-ups
MAX_MEANINGS = 3  # of one name ("bushing"): a name of more says nothing
LONGEST_ENGLISH = 5  # words of one name
LONGEST_JAPANESE = 16  # characters of one name
SHORTEST_JAPANESE = 2  # one character stands in too many other words (an axle in every bearing)
SHORTEST_KANA = 4  # of a reading in hiragana alone: shorter ones stand in ordinary words

_JAPANESE = "[\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+"
_ENGLISH_RUN = re.compile("[a-z0-9][a-z0-9 '&/.-]*")
_PARTICLES = "のとやをはがにでへも"


class OtherNames(NamedTuple):
    """One thing that a query names.

    Attributes:
        typed: the words of the query, as they stand in it.
        names: what else it is called, folded to lower case, the usual names first; never what was typed.
    """

    typed: str
    names: tuple[str, ...]


def other_names(query: str) -> list[OtherNames]:
    """The other names of what the query names, in the order of the query; [] for one that names nothing known.

    Args:
        query: normalised: NFKC, case folded, one space between words.

    Names with a digit (grades, sizes) are neither looked for nor added: a part number means itself. Of overlapping
    names the longest counts: "spur gear" is not a gear besides.
    """
    found: list[OtherNames] = []
    for typed in dict.fromkeys([*_english(query), *_japanese(query)]):
        names = _names_of(typed)
        if names:
            found.append(OtherNames(typed, names))
    return sorted(found[:MAX_THINGS], key=lambda one: query.find(one.typed))


@cache
def _table() -> tuple[bytes, frozenset[bytes]]:
    """The table in lower case with one sign between all names and fields, and everything between two signs."""
    raw = Path(__file__).with_name("terms.tsv").read_bytes()  # importlib.resources alone would take 10 ms
    flat = raw.lower().replace(b"\t", b"|").replace(b"\n", b"|")
    return raw, frozenset(flat.split(b"|"))


def _known(name: str) -> bool:
    return name.encode() in _table()[1]


def _singulars(name: str) -> Iterator[str]:
    """The name itself, then what it may be the plural of."""
    yield name
    if name.endswith("ies"):
        yield name[:-3] + "y"
    if name.endswith("es"):
        yield name[:-2]
    if name.endswith("s") and not name.endswith("ss"):
        yield name[:-1]


def _english(query: str) -> Iterator[str]:
    """Names in runs of Latin letters, the longest at each word, from left to right."""
    for run in _ENGLISH_RUN.findall(query):
        words = run.split()
        start = 0
        while start < len(words):
            taken = 1
            for count in range(min(LONGEST_ENGLISH, len(words) - start), 0, -1):
                phrase = " ".join(words[start : start + count])
                if not _has_digit(phrase) and len(phrase) > 2 and any(map(_known, _singulars(phrase))):
                    yield phrase
                    taken = count
                    break
            start += taken


def _japanese(query: str) -> Iterator[str]:
    """Names in runs of Japanese, the longest at each place, from left to right."""
    if query.isascii():
        return
    for match in re.finditer(_JAPANESE, query):  # milliseconds to compile, which English need not spend
        run = match.group()
        start = 0
        while start < len(run):
            taken = 1
            for end in range(min(len(run), start + LONGEST_JAPANESE), start + SHORTEST_JAPANESE - 1, -1):
                if _begins_at(run, start) and _parts_at(run, end) and _known(run[start:end]):
                    yield run[start:end]
                    taken = end - start
                    break
            start += taken


def _parts_at(run: str, place: int) -> bool:
    """Whether a name can begin or end there: not within a word of katakana, nor of hiragana but for a particle."""
    if place in (0, len(run)):
        return True
    before, after = run[place - 1], run[place]
    if _is_katakana(before) and _is_katakana(after):
        return False
    return not (_is_hiragana(before) and _is_hiragana(after)) or before in _PARTICLES or after in _PARTICLES


def _begins_at(run: str, place: int) -> bool:
    """Whether a name can begin there: hiragana that follow a kanji end its word, but for a particle."""
    if not _parts_at(run, place):
        return False
    return place == 0 or not _is_hiragana(run[place]) or _is_hiragana(run[place - 1]) or _is_katakana(run[place - 1])


def _is_katakana(character: str) -> bool:
    return "\u30a0" <= character <= "\u30ff"


def _is_hiragana(character: str) -> bool:
    return "\u3040" <= character <= "\u309f"


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _names_of(typed: str) -> tuple[str, ...]:
    """All names of the things that are called so, those first of which it is the first name."""
    terms = [term for name in _singulars(typed) for term in _terms_called(name)]
    terms = sorted(dict.fromkeys(terms), key=lambda term: typed not in (term.en.lower(), term.ja))
    if len(terms) > MAX_MEANINGS:
        return ()
    own = set(_singulars(typed))
    names = (name.lower() for term in terms for name in (term.ja, term.en, *term.synonyms, *term.ja_variants))
    return tuple(dict.fromkeys(name for name in names if name not in own and _says_enough(name)))[:MAX_NAMES]


def _says_enough(name: str) -> bool:
    """Whether finding the name in a text means the thing: not a number, a letter or two, or a short reading."""
    if _has_digit(name):
        return False
    if name.isascii():
        return len(name) > 2
    return len(name) >= (SHORTEST_KANA if all(map(_is_hiragana, name)) else SHORTEST_JAPANESE)


def _terms_called(name: str) -> Sequence[Term]:
    """The lines of the table in which the name is a name, rather than a category or a meaning."""
    if not _known(name):
        return ()
    raw, _ = _table()
    folded = raw.lower()
    needle = name.encode()
    terms = []
    place = folded.find(needle)
    while place >= 0:
        end = place + len(needle)
        if folded[place - 1 : place] in b"\n\t|" and folded[end : end + 1] in b"\t|":
            first, last = raw.rfind(b"\n", 0, place) + 1, raw.find(b"\n", place)
            term = parse_line(raw[first:last].decode())
            if name in {one.lower() for one in (term.en, term.ja, *term.synonyms, *term.ja_variants)}:
                terms.append(term)
        place = folded.find(needle, end)
    return terms

"""What is asked: a sentence, examples, what it should not be, or a mix; and how one line of a batch says so."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from cmrcli.errors import UsageError

IMAGE_PREFIX = "image:"
MAX_QUERY_CHARS = 4_000  # longer than any encoder reads; bounds the words query too


@dataclass(frozen=True, slots=True)
class Example:
    """A file to search by; `page` is 1-based, None for its first page."""

    path: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """One question to an index.

    Attributes:
        text: what it is, in words; also matched as words.
        like: examples of it; matched by their pictures (text files: by their text).
        without: what it is not: pushes the query vector away, and drops items that hold all of these words.
        shown: how results name the query; made from the parts when left out.
    """

    text: str = ""
    like: tuple[Example, ...] = ()
    without: tuple[str, ...] = ()
    shown: str = ""

    def __post_init__(self) -> None:
        if not self.text.strip() and not self.like:
            raise UsageError("the query is empty", 'give words (cmrcli search "hex bolt") or an example (--like FILE)')
        object.__setattr__(self, "text", self.text.strip()[:MAX_QUERY_CHARS])
        if not self.shown:
            parts = [self.text] if self.text else []
            parts += [IMAGE_PREFIX + example_name(example) for example in self.like]
            parts += [f"not:{text}" for text in self.without]
            object.__setattr__(self, "shown", " ".join(parts))


def example_name(example: Example) -> str:
    return example.path if example.page is None else f"{example.path}#{example.page}"


def parse_example(argument: str) -> Example:
    """`file.pdf#3` -> page 3 of file.pdf. A file whose own name ends like that wins over the page."""
    import os

    found = re.fullmatch(r"(?s)(.+)#([1-9][0-9]{0,6})", argument)
    if found and not os.path.exists(argument):
        return Example(found[1], int(found[2]))
    return Example(argument)


def parse_line(line: str, without: tuple[str, ...] = ()) -> Query:
    """One line of a batch: words, or an example as `image:PATH[#PAGE]`."""
    line = line.rstrip("\r\n").removeprefix("\ufeff")
    if line.startswith(IMAGE_PREFIX):
        return Query(like=(parse_example(line[len(IMAGE_PREFIX) :]),), without=without, shown=line)
    text = _decoded(line)
    return Query(text=text, without=without, shown=text)


def _decoded(line: str) -> str:
    """A line that is not UTF-8 (its bytes as surrogate escapes) as Shift_JIS, which Windows writes.

    Raises:
        UsageError: it is neither.
    """
    if line.isascii() or not any("\udc80" <= character <= "\udcff" for character in line):
        return line
    try:
        return line.encode("utf-8", "surrogateescape").decode("cp932")
    except UnicodeDecodeError:
        raise UsageError("the line is neither UTF-8 nor Shift_JIS", "write the queries as UTF-8") from None


# A drawing or part number: one word with a digit, or capitals and digits joined by - . / _
_CODE = re.compile(r"(?=[^\s]*\d)[A-Za-z0-9][A-Za-z0-9._/\-]*[A-Za-z0-9]")

# One with a space after its letters, which are capitals then: SUS 304, HB 2833B, JIS B 0405. Small ones are words.
_SPACED_CODE = re.compile(r"[A-Z]{1,3}(?: [A-Z])? \d[A-Za-z0-9._/\-]*")


_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")


def looks_like_code(text: str) -> bool:
    """Whether the whole query is part numbers, sizes or grades (M8x25, SUS304, A-1023-02, 6204ZZ, SUS 304)."""
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    words = plain.split()
    every = 0 < len(words) <= 3 and all(_CODE.fullmatch(word) for word in words)
    return every or _SPACED_CODE.fullmatch(" ".join(words)) is not None

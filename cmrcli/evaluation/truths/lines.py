"""What all ground-truth files share: reading them as text, one-line errors with their line, and checking a query.

Files are UTF-8, with or without a byte order mark; names of files in them that are not are kept byte by byte (as
surrogate escapes).
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.searching.query import IMAGE_PREFIX, MAX_QUERY_CHARS, example_name, parse_example, parse_line

PathLike = str | os.PathLike[str]

_GRADE = re.compile(r"[+-]?[0-9]{1,9}")
_LINE_ENDS = re.compile(r"[^\S\r\n]*[\r\n]+\s*")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: PathLike) -> str:
    """The whole file, line ends as they are.

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    if data.startswith(_UTF16):
        raise UsageError(f"{display_path(path)} is UTF-16, not UTF-8", "save it as UTF-8, or: iconv -f utf-16 -t utf-8")
    text = data.decode("utf-8-sig", "surrogateescape")
    # Paths in it may be any bytes, but a file that is Shift_JIS throughout would silently find nothing.
    if not text.isascii() and sum("\udc80" <= c <= "\udcff" for c in text) > len(text) // 20:
        raise UsageError(f"{display_path(path)} is not UTF-8", "convert it: iconv -f cp932 -t utf-8")
    return text


def numbered_lines(path: PathLike) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its end), blank lines left out."""
    # Not splitlines(): a file name may hold characters that it takes for line ends.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        line = line.rstrip("\r")
        if line.strip():
            yield number, line


def wrong(path: PathLike, number: int, what: str, remedy: str) -> UsageError:
    """`file:LINE: what`, on one line."""
    return UsageError(f"{display_path(path)}:{number}: {display_path(what)}", remedy)


def unreadable(path: PathLike, error: OSError) -> UsageError:
    """A file or folder that the system does not hand out."""
    return UsageError(f"cannot read {display_path(path)}: {error.strerror or error}", "name a file that can be read")


def grade_of(path: PathLike, number: int, written: str) -> int:
    """A relevance grade as it stands in a line.

    Raises:
        UsageError: no whole number of at most nine digits.
    """
    if not _GRADE.fullmatch(written):
        remedy = "write a whole number: 0 not relevant, 1 or more relevant"
        raise wrong(path, number, f"the grade {written!r} is not a whole number", remedy)
    return int(written)


def query_line(path: PathLike, number: int, written: str) -> str:
    """What a topic asks, as one line: line ends within it become blanks, the path of an example absolute.

    Args:
        written: words, or `image:PATH[#PAGE]` with the path relative to the file.

    Raises:
        UsageError: nothing is asked, more than a search takes, neither UTF-8 nor Shift_JIS, or there is no such
            example.
    """
    text = written.strip()
    if text.startswith(IMAGE_PREFIX):
        return _example_line(path, number, text)
    text = _LINE_ENDS.sub(" ", text)
    if not text:
        raise wrong(path, number, "the query is empty", "write what it asks for, or remove the line")
    if len(text) > MAX_QUERY_CHARS:
        raise wrong(path, number, f"the query has {len(text):,} characters", f"ask in at most {MAX_QUERY_CHARS:,}")
    try:
        return parse_line(text).text
    except UsageError as error:
        raise wrong(path, number, str(error), error.remedy) from None


def _example_line(path: PathLike, number: int, text: str) -> str:
    named = text[len(IMAGE_PREFIX) :].strip()
    if not named:
        raise wrong(path, number, "the query names no example", f"write {IMAGE_PREFIX}PATH")
    example = parse_example(os.path.join(os.path.dirname(os.path.abspath(path)), named))
    if not os.path.isfile(example.path):
        missing = f"no file {display_path(example.path)}"
        raise wrong(path, number, missing, "name examples relative to this file, or absolutely")
    return IMAGE_PREFIX + example_name(example)

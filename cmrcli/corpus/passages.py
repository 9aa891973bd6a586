"""Passages: the text of an item in pieces short enough for a text tower, cut where a reader would pause.

A passage is 300 to 500 characters long, where a wide character (Japanese, Chinese, Korean) counts as two: it
takes about as many tokens as two Latin letters and says as much. Cuts prefer the end of a paragraph, then of
a sentence, then of a line, then a clause or a space; only a run of characters without any of these is cut
bluntly. Passages do not overlap: put together in order they are the text again, apart from whitespace, leader
dots, passages without a letter and what MAX_PASSAGES leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

MIN_WIDTH = 300  # a passage ends at the best border beyond this width ...
MAX_WIDTH = 500  # ... and never exceeds this one
MAX_PASSAGES = 64

# How good it is to cut after a piece; higher is better.
_BLUNT, _SPACE, _CLAUSE, _LINE, _SENTENCE, _PARAGRAPH = range(6)
# So short that every stretch of MIN_WIDTH..MAX_WIDTH holds a border.
_PIECE_WIDTH = MAX_WIDTH - MIN_WIDTH

_WIDE = (
    "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\uffe0-\uffe6\U0001f300-\U0003fffd"
)
_WIDE_RUN = re.compile(f"[{_WIDE}]+")
_WIDE_LAST = re.compile(f"[{_WIDE}]$")
_WIDE_FIRST = re.compile(f"[{_WIDE}]")
# Line ends of every system become \n below; other control characters and lone surrogates (no tokenizer takes
# them) are spaces.
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\ud800-\udfff\ufeff\u200b]")
_LEADERS = re.compile(r"([.·…‥・_=*-])(?:\s?\1){3,}")  # tables of contents, rulers
# Where a line may be cut: after a sentence, a clause, a space. Closing quotes stay with their sentence.
_SENTENCE_END = re.compile(r"""[。！？!?][」』）)"'”’]*\s*|(?<!\b[A-Za-z])\.["'”’)]*\s+(?=[^a-z])""")
_CLAUSE_END = re.compile(r"[、，；]|[,;:]\s+")
_SPACE_END = re.compile(r"\s+")


class _Piece(NamedTuple):
    """A stretch of text with its trailing space, its width, and how good a cut after it is."""

    text: str
    width: int
    border: int


def split_passages(text: str) -> list[str]:
    """The passages of a text in reading order, at most MAX_PASSAGES; [] when there is nothing but whitespace.

    Whitespace inside a passage is one space; the lines of Japanese text are joined without one. A passage
    without a single letter (a column of figures, a ruler) is left out unless the whole text is like that. Of
    a text that makes more than MAX_PASSAGES, equally long stretches give the widest passage each.
    """
    passages = [_joined(pieces) for pieces in _packed(list(_pieces(text)))]
    passages = [p for p in passages if p]
    worded = [p for p in passages if any(map(str.isalpha, p))]
    return _spread(worded or passages, MAX_PASSAGES)


def width(text: str) -> int:
    """Length in characters, wide ones counted twice."""
    return len(text) + sum(map(len, _WIDE_RUN.findall(text)))


def _pieces(text: str) -> Iterator[_Piece]:
    """The text cut at every border that may be needed, no piece wider than _PIECE_WIDTH."""
    lines = _LEADERS.sub(r"\1\1\1", _NOT_TEXT.sub(" ", _LINE_END.sub("\n", text))).split("\n")
    lines = [" ".join(line.split()) for line in lines]
    for number, line in enumerate(lines):
        if not line:
            continue
        following = lines[number + 1] if number + 1 < len(lines) else ""
        sentences = _cut(line, _SENTENCE_END)
        for sentence in sentences[:-1]:
            yield from _narrow(sentence, _SENTENCE)
        last, end = sentences[-1], _LINE
        if not following:
            end = _PARAGRAPH
        elif _SENTENCE_END.search(last + " X"):
            end = _SENTENCE
        yield from _narrow(last + _gap(last, following), end)


def _gap(line: str, following: str) -> str:
    """What stands between two lines once they are one: nothing between wide characters, else a space."""
    joined = _WIDE_LAST.search(line) and _WIDE_FIRST.match(following)
    return "" if joined else " "


def _narrow(stretch: str, border: int) -> Iterator[_Piece]:
    """The stretch as one piece, or cut at clauses, then spaces, then bluntly where it is too wide."""
    for pattern, inner in ((_CLAUSE_END, _CLAUSE), (_SPACE_END, _SPACE)):
        if (size := width(stretch)) <= _PIECE_WIDTH:
            yield _Piece(stretch, size, border)
            return
        *heads, stretch = _merged(_cut(stretch, pattern))
        for head in heads:
            yield from _narrow(head, inner)
    step = _PIECE_WIDTH // 2  # characters, all of which may be wide
    for start in range(0, len(stretch), step):
        part = stretch[start : start + step]
        yield _Piece(part, width(part), border if start + step >= len(stretch) else _BLUNT)


def _merged(parts: list[str]) -> list[str]:
    """Neighbours put together again as long as they stay narrow enough: few pieces instead of one a word."""
    merged: list[str] = []
    room = 0
    for part in parts:
        size = width(part)
        if merged and size <= room:
            merged[-1] += part
            room -= size
        else:
            merged.append(part)
            room = _PIECE_WIDTH - size
    return merged


def _cut(stretch: str, border: re.Pattern[str]) -> list[str]:
    """The stretch cut behind every match of `border`; never empty, and joined again it is the stretch."""
    ends = [match.end() for match in border.finditer(stretch)]
    bounds = [0, *(e for e in ends if 0 < e < len(stretch)), len(stretch)]
    return [stretch[a:b] for a, b in pairwise(bounds)]


def _packed(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Pieces in groups of at most MAX_WIDTH, each ended at its best border beyond MIN_WIDTH."""
    groups: list[list[_Piece]] = []
    start = 0
    while start < len(pieces):
        end, total = start, 0
        while end < len(pieces) and total + pieces[end].width <= MAX_WIDTH:
            total += pieces[end].width
            end += 1
        if end < len(pieces):
            end = _best_end(pieces, start, end, MIN_WIDTH)
        groups.append(pieces[start:end])
        start = end
    if len(groups) > 1 and sum(p.width for p in groups[-1]) < MIN_WIDTH:
        groups[-2:] = _balanced(groups[-2] + groups[-1])
    return groups


def _best_end(pieces: list[_Piece], start: int, end: int, least: int) -> int:
    """The last of the best borders in pieces[start:end] at which at least `least` has been taken."""
    widths = list(accumulate(p.width for p in pieces[start:end]))
    allowed = [i for i, total in enumerate(widths) if total >= least] or [len(widths) - 1]
    return start + 1 + max(allowed, key=lambda i: (pieces[start + i].border, i))


def _balanced(pieces: list[_Piece]) -> list[list[_Piece]]:
    """The end of a text as two groups of like size, so that no stub of a few words stands alone."""
    total = sum(p.width for p in pieces)
    before = list(accumulate(p.width for p in pieces[:-1]))
    # Both halves must fit, and a third of the text on either side is even enough for a better border.
    fitting = [i for i, w in enumerate(before) if max(w, total - w) <= MAX_WIDTH]
    even = [i for i in fitting if min(before[i], total - before[i]) * 3 >= total] or fitting
    middle = max(even, key=lambda i: (pieces[i].border, -abs(total - 2 * before[i])))
    return [pieces[: middle + 1], pieces[middle + 1 :]]


def _joined(pieces: list[_Piece]) -> str:
    return "".join(p.text for p in pieces).strip()


def _spread(passages: list[str], most: int) -> list[str]:
    """At most `most` of them, in order: the widest of each of `most` equally long stretches."""
    if len(passages) <= most:
        return passages
    bounds = [len(passages) * i // most for i in range(most + 1)]
    return [max(passages[a:b], key=width) for a, b in pairwise(bounds)]

"""The queries on stdin, one a line: as many at once as have arrived, so that they can be looked for together.

Who writes one query and waits for its answer gets it: nothing is waited for but the first line of a block.
"""

from __future__ import annotations

import codecs
import io
import os
import stat
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from cmrcli.errors import UsageError

if TYPE_CHECKING:
    from cmrcli.searching import Query

BLOCK_QUERIES = 128  # looked for together: a query's results wait for those of so many others
CHUNK_BYTES = 1 << 16


def blocks(without: tuple[str, ...]) -> Iterator[tuple[list[Query | UsageError], int]]:
    """Blocks of queries in the order of the lines, a line that makes no sense as its error; and how many are to come,
    each block included, as far as that can be told.

    Args:
        without: negatives of every query.
    """
    from cmrcli.searching import parse_line

    for lines, coming in _lines():
        block: list[Query | UsageError] = []
        for line in lines:
            try:
                block.append(parse_line(line, without))
            except UsageError as error:
                block.append(error)
        yield block, coming


def _lines() -> Iterator[tuple[list[str], int]]:
    """What arrived at once, cut into at most BLOCK_QUERIES lines, as a text stream would read them; and `coming`."""
    decoder = codecs.getincrementaldecoder(sys.stdin.encoding or "utf-8")(errors="surrogateescape")
    newlines = io.IncrementalNewlineDecoder(decoder, translate=True)
    stream = cast(io.BufferedReader, sys.stdin.buffer)
    size = _size_of_file()
    begun, seen_bytes, seen_lines = "", 0, 0
    while True:
        chunk = stream.read1(CHUNK_BYTES)
        *lines, begun = (begun + newlines.decode(chunk, final=not chunk)).split("\n")
        if not chunk and begun:
            lines.append(begun)
        seen_bytes, seen_lines = seen_bytes + len(chunk), seen_lines + len(lines)
        beyond = max(0, size - seen_bytes) * seen_lines // max(1, seen_bytes)  # lines, if the rest is like these
        for start in range(0, len(lines), BLOCK_QUERIES):
            yield lines[start : start + BLOCK_QUERIES], len(lines) - start + beyond
        if not chunk:
            return


def _size_of_file() -> int:
    """Bytes of stdin where it is a file, 0 for anything else."""
    try:
        status = os.fstat(sys.stdin.fileno())
    except (OSError, ValueError):
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0

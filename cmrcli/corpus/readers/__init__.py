"""Readers: one file of any known format to items, within limits. Runs inside a worker process.

`read` decides the format by content; the extension only breaks ties (plain text, TGA). Each format has a module with
`read(source, first, count, limits) -> ReadResult`, imported when the first such file comes along.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from cmrcli.corpus.items import Limits
from cmrcli.corpus.readers.formats import FORMATS, UNSUPPORTED
from cmrcli.corpus.readers.result import ReadResult
from cmrcli.corpus.readers.sniff import sniff
from cmrcli.corpus.readers.source import Source, open_source
from cmrcli.errors import UnreadableFile

__all__ = ["FORMATS", "UNSUPPORTED", "ReadResult", "read"]

_MODULES = {
    "pdf": "pdf",
    "svg": "svg",
    "dxf": "dxf",
    "text": "text",
    "markdown": "text",
    "tiff": "tiff",
    "heic": "heic",
}
_Reader = Callable[[Source, int, "int | None", Limits], ReadResult]


def read(path: bytes, first: int = 1, count: int | None = None, limits: Limits | None = None) -> ReadResult:
    """What the file at `path` holds: items `first` .. `first + count - 1` (1-based), or all of them.

    A page that cannot be read within a sound file is left out and noted, in the result and on its first item.
    `more_from` is the next page when `count`, or the memory that the pictures take, cut the result short.

    Raises:
        UnreadableFile: nothing of it can be read, and why.
    """
    limits = limits or Limits()
    with open_source(path) as source:
        format = sniff(source)
        module = importlib.import_module(f"cmrcli.corpus.readers.{_MODULES.get(format, 'images')}")
        result = cast(_Reader, module.read)(source, first, count, limits)
    result.format = format
    if not result.items and first == 1 and result.more_from is None:
        raise UnreadableFile("no-content", "; ".join(result.notes) or f"a {format} file without a page")
    for item in result.items[:1]:
        item.notes += result.notes
    return result

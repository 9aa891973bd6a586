"""What a PDF says about itself: its title and the outline's title of each page.

Through pypdf; through pdfium where pypdf fails (damage, AES without the cryptography package) or takes too long.
"""

from __future__ import annotations

import io
import itertools
import logging
import os
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from cmrcli.corpus.readers.guard import TooSlow, cpu_limit

if TYPE_CHECKING:
    from pypdf import PdfReader
    from pypdfium2 import PdfDocument

CPU_S = 4.0  # for title and outline of one file, and for one page's text
_ENTRIES = 20_000
_TITLE_CHARS = 300


@dataclass(slots=True)
class Structure:
    """Attributes: title of the document; outline title of each page (1-based) that an entry points to."""

    title: str = ""
    labels: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def label(self, page: int) -> str:
        return self.labels.get(page, "")


_last: tuple[tuple[int, ...], Structure] | None = (
    None  # long files are read in stretches: parse once a worker, not once a stretch
)


def structure(file: BinaryIO, data: bytes | None, document: PdfDocument) -> Structure:
    """Title and outline of the file; empty, with a note, where neither library can read them."""
    global _last
    stat = os.fstat(file.fileno())
    key = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if _last is None or _last[0] != key:
        _last = (key, _parse(file if data is None else io.BytesIO(data), document))
    return _last[1]


def open_quietly(stream: BinaryIO | io.BytesIO) -> PdfReader:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)
    from pypdf import PdfReader

    return PdfReader(stream)


def _parse(stream: BinaryIO | io.BytesIO, document: PdfDocument) -> Structure:
    found = Structure()
    try:
        with warnings.catch_warnings(), cpu_limit(CPU_S):
            warnings.simplefilter("ignore")
            reader = open_quietly(stream)
            if reader.is_encrypted:
                reader.decrypt("")
            found.title = _line(reader.metadata.title if reader.metadata else None)
            _outline(reader, found.labels)
        return found
    except (Exception, TooSlow) as error:
        why = type(error).__name__
    try:
        return _by_pdfium(document)
    except Exception:
        return Structure(notes=[f"title and outline could not be read: {why}"])


def _by_pdfium(document: PdfDocument) -> Structure:
    logging.getLogger("pypdfium2").setLevel(logging.CRITICAL + 1)
    found = Structure(_line(document.get_metadata_value("Title")))
    for entry in itertools.islice(document.get_toc(), _ENTRIES):
        destination = entry.get_dest()
        index = destination.get_index() if destination else None
        if index is not None and _line(entry.get_title()):
            found.labels.setdefault(index + 1, _line(entry.get_title()))
    return found


def _outline(reader: PdfReader, labels: dict[int, str]) -> None:
    from pypdf.generic import Destination

    pages: dict[int, int] | None = None
    waiting: list[object] = [reader.outline]
    seen = 0
    while waiting and seen < _ENTRIES:
        entry = waiting.pop()
        if isinstance(entry, list):
            waiting.extend(reversed(entry))
        elif isinstance(entry, Destination):
            seen += 1
            if pages is None:
                pages = {
                    page.indirect_reference.idnum: i
                    for i, page in enumerate(reader.pages, 1)
                    if page.indirect_reference
                }
            target = entry.raw_get("/Page") if "/Page" in entry else None
            number = pages.get(getattr(target, "idnum", -1))
            if number is None and isinstance(target, int):
                number = int(target) + 1
            if number is not None and _line(entry.title):
                labels.setdefault(number, _line(entry.title))


def _line(text: object) -> str:
    """One line of a title, or "" for what is none (no text at all, a broken string)."""
    line = " ".join(str(text or "").replace("\0", "").split())[:_TITLE_CHARS]
    return "" if line.lower() in ("untitled", "none") else line

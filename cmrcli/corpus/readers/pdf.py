"""PDF: every page an item. Pixels and words through pdfium, title and outline through pypdf.

Words by pdfium: on 129 pages of office files it took 0.34 s where pypdf took 2.9 s, and it kept words apart
that pypdf ran together (table cells, ligatures, tightly set lines). pypdf is asked where pdfium finds only
unmapped glyphs.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers.pdf_render import is_scan, render
from cmrcli.corpus.readers.pdf_structure import structure
from cmrcli.corpus.readers.pdf_words import page_words
from cmrcli.corpus.readers.result import ReadResult
from cmrcli.corpus.readers.source import Source
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

TEXT_PAGE_CHARS = 600  # a page with as many characters is for reading
TEXT_PAGE_SCALE = 1100 / 842  # pixels a point: 94 dpi, A4 at 1,100 pixels, small print just legible
SMALLEST_EDGE_PX = 768  # labels and business cards are enlarged to this

_IN_MEMORY_BYTES = 64 * 2**20  # larger files are read from disk piece by piece
_PASSWORD, _SECURITY = 4, 5  # FPDF_ERR_*
_PAGE_TIME = 0.4  # share of the time limit for drawing one page
_STRETCH_TIME = 0.4  # share of the time limit after which the rest of the pages is for another call


def read(source: Source, first: int, count: int | None, limits: Limits) -> ReadResult:
    started = time.monotonic()
    result = ReadResult("pdf")
    data = source.all_bytes(_IN_MEMORY_BYTES) if source.size_bytes <= _IN_MEMORY_BYTES else None
    document = _open(source, data)
    try:
        pages = len(document)
        allowed = min(pages, limits.pages)
        last = allowed if count is None else min(allowed, first + count - 1)
        about = structure(source.file, data, document)
        result.notes += about.notes if first == 1 else []
        for number in range(first, last + 1):
            try:
                item = _page(document, number, source, data, limits)
            except (UnreadableFile, MemoryError):
                raise
            except Exception as error:
                result.notes.append(f"page {number} could not be read: {type(error).__name__}: {error}")
                continue
            item.title, item.label = about.title, about.label(number)
            result.items.append(item)
            if result.is_full(limits) or time.monotonic() - started > _STRETCH_TIME * limits.time_s:
                last = number
                break
        result.more_from = last + 1 if last < allowed else None
        if allowed < pages and result.more_from is None:
            result.notes.append(f"only the first {allowed} of {pages} pages")
        if not result.items and result.more_from is None and first == 1:
            raise UnreadableFile("damaged", "; ".join(result.notes[-1:]) or "no page")
    finally:
        document.close()
    return result


def _open(source: Source, data: bytes | None) -> PdfDocument:
    from pypdfium2 import PdfDocument, PdfiumError

    source.file.seek(0)
    try:
        document = PdfDocument(source.file if data is None else data)
    except PdfiumError as error:
        cause = "encrypted" if error.err_code in (_PASSWORD, _SECURITY) else "damaged"
        raise UnreadableFile(cause, str(error)) from None
    with contextlib.suppress(PdfiumError):  # a broken form: the pages themselves still render
        document.init_forms()  # without it filled-in fields stay blank
    return document


def _page(document: PdfDocument, number: int, source: Source, data: bytes | None, limits: Limits) -> ReaderItem:
    page = document[number - 1]
    try:
        item = ReaderItem(number)
        item.text, note = page_words(page, number, source, data, limits.text_chars)
        item.notes += [note] if note else []
        width, height = page.get_size()
        if not (0 < width < math.inf and 0 < height < math.inf):
            item.notes.append(f"a page of {width:g} x {height:g} points has no picture")
            return item
        item.vector = not is_scan(page, width * height)
        longest = max(width, height)
        scale = _edge(longest, len(item.text), limits.longest_edge_px) / longest
        item.image, complete = render(page, scale, _PAGE_TIME * limits.time_s)
        if not complete:
            item.notes.append(f"drawn as far as {_PAGE_TIME * limits.time_s:g} s allowed")
        item.image.thumbnail((limits.longest_edge_px, limits.longest_edge_px))  # rounding may give a pixel more
        item.width_px, item.height_px = item.image.size
        return item
    finally:
        page.close()


def _edge(longest_pt: float, chars: int, most: int) -> int:
    """Pixels of the longest edge: small for pages of text, all that is allowed for drawings."""
    if chars < TEXT_PAGE_CHARS:
        return most
    return min(most, max(SMALLEST_EDGE_PX, round(longest_pt * TEXT_PAGE_SCALE)))

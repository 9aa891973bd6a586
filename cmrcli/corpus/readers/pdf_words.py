"""The words of one PDF page: pdfium's, or pypdf's where pdfium finds none or only unmapped glyphs."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING

from cmrcli.corpus.readers.guard import TooSlow, cpu_limit
from cmrcli.corpus.readers.pdf_structure import CPU_S, open_quietly
from cmrcli.corpus.readers.source import Source

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

_HYPHEN = re.compile("[\x02\ufffe\xad]\r?\n?")  # pdfium's marks for a word divided at the end of a line
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_UNMAPPED = re.compile("[\0-\x08\x0e-\x1f\ufffd\ue000-\uf8ff]")
_UNMAPPED_SHARE = 0.3


def page_words(page: PdfPage, number: int, source: Source, data: bytes | None, most: int) -> tuple[str, str]:
    """(text, note): at most `most` characters; the note says what is missing, "" when nothing is."""
    text, shown = _by_pdfium(page, most)
    if shown and len(_UNMAPPED.findall(text)) >= _UNMAPPED_SHARE * max(1, len(text)):
        other = _by_pypdf(number, source, data, most)
        if len(_UNMAPPED.sub("", other).split()) > len(_UNMAPPED.sub("", text).split()):
            text = other
    clean = _CONTROL.sub("", _HYPHEN.sub("", text).replace("\r\n", "\n").replace("\r", "\n")).strip()
    return clean[:most], f"text cut at {most} characters" if len(clean) > most or shown > 2 * most else ""


def _by_pdfium(page: PdfPage, most: int) -> tuple[str, int]:
    """The text, and how many characters the page shows."""
    try:
        words = page.get_textpage()
    except Exception:
        return "", 0
    try:
        shown = words.count_chars()
        return (words.get_text_bounded() if shown <= 2 * most else words.get_text_range(0, 2 * most)), shown
    except Exception:
        return "", 1
    finally:
        words.close()


def _by_pypdf(number: int, source: Source, data: bytes | None, most: int) -> str:
    try:
        with warnings.catch_warnings(), cpu_limit(CPU_S):
            warnings.simplefilter("ignore")
            reader = open_quietly(source.file if data is None else io.BytesIO(data))
            if reader.is_encrypted:
                reader.decrypt("")
            return reader.pages[number - 1].extract_text()[: 2 * most]
    except (Exception, RecursionError, TooSlow):
        return ""

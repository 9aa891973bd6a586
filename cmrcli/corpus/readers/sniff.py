"""The format of a file by its first bytes; the extension decides only what has no signature."""

from __future__ import annotations

import re

from cmrcli.corpus.readers.formats import FORMATS
from cmrcli.corpus.readers.source import Source
from cmrcli.errors import UnreadableFile

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"8BPS", "psd"),
    (b"icns", "icns"),
    (b"DDS ", "dds"),
    (b"qoif", "qoi"),
    (b"\0\0\1\0", "ico"),
    (b"\x01\xda", "sgi"),
    (b"\xb1\x68\xde\x3a", "dcx"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"AutoCAD Binary DXF", "dxf"),
)
_OTHER_CONTENT: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"AC10", "a DWG drawing"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_PDF_WITHIN = 1024  # where the header may begin (Acrobat's own tolerance)
_SVG = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?svg[\s>]")
_DXF = re.compile(rb"^\s*(?:999[ \t]*\r?\n[^\n]*\n\s*)*0[ \t]*\r?\n[ \t]*(?:SECTION|EOF)\b", re.IGNORECASE)


def sniff(source: Source) -> str:
    """A value of FORMATS.

    Raises UnreadableFile("damaged"): neither the content nor the extension tells a known format.
    """
    by_content = _by_signature(source.head) or _by_structure(source)
    if by_content:
        return by_content
    by_name = FORMATS.get(source.extension, "")
    if by_name == "heic" and source.head[4:8] == b"ftyp":
        return "heic"
    # Without a signature of their own, or with a damaged one that the reader shall report in its own words:
    if by_name in ("text", "markdown", "tga", "dxf", "pdf", "svg", "pcx", "fli"):
        for signature, what in _OTHER_CONTENT:
            if source.head.startswith(signature) and len(signature) > 3:
                raise UnreadableFile("damaged", f"the content is {what}")
        return by_name
    for signature, what in _OTHER_CONTENT:
        if source.head.startswith(signature):
            raise UnreadableFile("damaged", f"the content is {what}")
    raise UnreadableFile("damaged", f"the content is not {by_name or 'of a known format'}")


def _by_signature(head: bytes) -> str:
    for signature, format in _SIGNATURES:
        if head.startswith(signature):
            return format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        brands = {
            head[8:12],
            *(head[i : i + 4] for i in range(16, min(len(head), int.from_bytes(head[:4], "big")), 4)),
        }
        if brands & {b"avif", b"avis"}:
            return "avif"
        if brands & _HEIC_BRANDS:
            return "heic"
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return "pdf"
    return ""


def _by_structure(source: Source) -> str:
    """Formats whose signature is too short or too loose to be believed alone."""
    head = source.head
    if head[:2] == b"BM" and (head[6:10] == bytes(4) or FORMATS.get(source.extension) == "bmp"):
        return "bmp"
    if re.match(rb"P[1-6][\s#]", head) and FORMATS.get(source.extension) not in ("text", "markdown"):
        return "ppm"
    if head[4:6] in (b"\x11\xaf", b"\x12\xaf") and FORMATS.get(source.extension) == "fli":
        return "fli"
    if head[:1] == b"\x0a" and head[1:3] in (
        b"\0\5",
        b"\2\5",
        b"\3\5",
        b"\4\5",
        b"\5\5",
        b"\0\1",
        b"\2\1",
        b"\3\1",
        b"\5\1",
    ):
        return "pcx"
    if head[:2] == b"\x1f\x8b" and source.extension in ("svgz", "svg"):
        return "svg"
    if _DXF.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "dxf"
    if FORMATS.get(source.extension) not in ("text", "markdown") and _SVG.search(_as_ascii(head)):
        return "svg"
    return ""


def _as_ascii(head: bytes) -> bytes:
    return head.replace(b"\0", b"") if head[:2] in (b"\xff\xfe", b"\xfe\xff") else head

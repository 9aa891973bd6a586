"""Sheets as a PDF of vectors and text, one page a sheet, written by hand.

Latin text is in Helvetica, one of the standard fonts of every reader. Japanese text is in a CID font of the
Adobe-Japan1 collection that is named and not embedded (readers substitute one of the system), its codes are UCS-2
(`UniJIS-UCS2-H`), and a ToUnicode map says so for whoever extracts text.
Reference: ISO 32000-1, 7.3 to 7.5 (objects and file), 8.5 (paths), 9.6 and 9.7 (fonts).
"""

import math
from collections.abc import Sequence
from pathlib import Path

from cmrcli.samples.displaylist import (
    LAYERS,
    Arc,
    Circle,
    Fill,
    Hatch,
    Line,
    Point,
    Polyline,
    Primitive,
    Text,
    hatch_lines,
)
from cmrcli.samples.sheet import Sheet

MM = 72 / 25.4  # points a millimetre
_CAPITAL = 0.718  # height of Helvetica's capitals, in em
# Advance widths of Helvetica for the codes 32..126, in thousandths of an em (Adobe's font metrics).
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_JAPANESE_FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5-UniJIS-UCS2-H /Encoding /UniJIS-UCS2-H"
    b" /DescendantFonts [5 0 R] /ToUnicode 6 0 R >>"
)
_JAPANESE_GLYPHS = (
    b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5 /DW 1000"
    b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >>"
    b" /FontDescriptor << /Type /FontDescriptor /FontName /HeiseiKakuGo-W5 /Flags 4 /FontBBox [-92 -250 1010 922]"
    b" /ItalicAngle 0 /Ascent 752 /Descent -221 /CapHeight 737 /StemV 114 >> >>"
)


def line_width(text: str, height: float) -> float:
    """Width of a line of text in mm when its capitals are `height` mm high."""
    em = height / _CAPITAL
    return sum(_advance(c) for c in text) * em


def _advance(letter: str) -> float:
    code = ord(letter)
    if 32 <= code <= 126:
        return _WIDTHS[code - 32] / 1000
    return 0.6 if code < 256 else 1.0


def write_pdf(sheets: Sequence[Sheet], path: Path, title: str = "", outline: Sequence[tuple[str, int]] = ()) -> None:
    """Writes the sheets as pages; `outline` holds bookmarks (title, page counted from 0)."""
    pages_at = 7  # objects 1..6: catalog, page tree, fonts (4 objects); then two objects a page
    kids = [pages_at + 2 * i for i in range(len(sheets))]
    outline_at = pages_at + 2 * len(sheets)
    catalog = "<< /Type /Catalog /Pages 2 0 R"
    catalog += f" /Outlines {outline_at} 0 R /PageMode /UseOutlines >>" if outline else " >>"
    bodies: list[bytes] = [
        catalog.encode(),
        f"<< /Type /Pages /Kids [{' '.join(f'{k} 0 R' for k in kids)}] /Count {len(sheets)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        _JAPANESE_FONT,
        _JAPANESE_GLYPHS,
        _stream(_to_unicode()),
    ]
    for i, sheet in enumerate(sheets):
        box = f"[0 0 {_n(sheet.width * MM)} {_n(sheet.height * MM)}]"
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents {kids[i] + 1} 0 R"
            " /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode()
        )
        bodies.append(_stream(_content(sheet)))
    if outline:
        bodies += _outline(outline, outline_at, kids)
    if title:
        bodies.append(f"<< /Title {_text_string(title)} /Producer (cmrcli sample writer) >>".encode())
    path.write_bytes(_file(bodies, info=bool(title)))


def _file(bodies: Sequence[bytes], *, info: bool) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for i, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % i + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % o for o in offsets)
    last = b" /Info %d 0 R" % len(bodies) if info else b""
    out += b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, last, start)
    return bytes(out)


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream"


def _text_string(text: str) -> str:
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"


def _outline(entries: Sequence[tuple[str, int]], at: int, kids: Sequence[int]) -> list[bytes]:
    n = len(entries)
    out = [f"<< /Type /Outlines /First {at + 1} 0 R /Last {at + n} 0 R /Count {n} >>".encode()]
    for i, (title, page) in enumerate(entries):
        links = f" /Prev {at + i} 0 R" if i else ""
        links += f" /Next {at + i + 2} 0 R" if i < n - 1 else ""
        dest = f"[{kids[page]} 0 R /Fit]"
        out.append(f"<< /Title {_text_string(title)} /Parent {at} 0 R{links} /Dest {dest} >>".encode())
    return out


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def _content(sheet: Sheet) -> bytes:
    """The page's content stream, in millimetres under one scaling matrix."""
    out: list[str] = [f"{MM:.5f} 0 0 {MM:.5f} 0 0 cm 1 J 1 j"]
    for layer, look in LAYERS.items():
        members = [p for p in sheet.primitives if p.layer == layer]
        if members:
            out.append(f"{_n(look.width)} w [{' '.join(_n(d) for d in look.dash)}] 0 d")
            out += [_operators(p) for p in members]
    return "\n".join(out).encode("latin-1")


def _operators(p: Primitive) -> str:
    match p:
        case Line():
            return _trace((p.start, p.end)) + " S"
        case Polyline():
            return _trace(p.points) + (" s" if p.closed else " S")
        case Fill():
            return _trace(p.points) + " f"
        case Circle():
            return _curve(p.centre, p.radius, 0.0, 360.0) + " s"
        case Arc():
            return _curve(p.centre, p.radius, p.start_deg, p.end_deg) + " S"
        case Hatch():
            return "\n".join(_trace(((a[0], a[1]), (b[0], b[1]))) + " S" for a, b in hatch_lines(p))
        case Text():
            return _text(p)


def _trace(points: Sequence[Point]) -> str:
    (x, y), *rest = points
    return f"{_n(x)} {_n(y)} m " + " ".join(f"{_n(u)} {_n(v)} l" for u, v in rest)


def _curve(centre: Point, r: float, start_deg: float, end_deg: float) -> str:
    """A circular arc as cubic Bezier curves of at most a quarter turn."""
    n = max(1, math.ceil((end_deg - start_deg) / 90))
    step = math.radians(end_deg - start_deg) / n
    k = 4 / 3 * math.tan(step / 4)
    a = math.radians(start_deg)
    (cx, cy), out = centre, [f"{_n(centre[0] + r * math.cos(a))} {_n(centre[1] + r * math.sin(a))} m"]
    for _ in range(n):
        b = a + step
        x0, y0, x1, y1 = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
        points = ((x0 - k * y0, y0 + k * x0), (x1 + k * y1, y1 - k * x1), (x1, y1))
        out.append(" ".join(f"{_n(cx + r * u)} {_n(cy + r * v)}" for u, v in points) + " c")
        a = b
    return " ".join(out)


def _text(p: Text) -> str:
    """Runs of Latin and Japanese letters in their fonts, on one baseline."""
    size = p.height / _CAPITAL
    shift = {"left": 0.0, "centre": -0.5, "right": -1.0}[p.anchor] * line_width(p.text, p.height)
    a = math.radians(p.rotation_deg)
    c, s = math.cos(a), math.sin(a)
    out = [f"BT {c:.4f} {s:.4f} {-s:.4f} {c:.4f} {_n(p.at[0] + c * shift)} {_n(p.at[1] + s * shift)} Tm"]
    for latin, run in _runs(p.text):
        if latin:
            escaped = run.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            out.append(f"/F1 {_n(size)} Tf ({escaped}) Tj")
        else:
            out.append(f"/F2 {_n(size)} Tf <{run.encode('utf-16-be').hex().upper()}> Tj")
    return " ".join([*out, "ET"])


def _runs(text: str) -> list[tuple[bool, str]]:
    out: list[tuple[bool, str]] = []
    for letter in text:
        latin = ord(letter) < 256
        if out and out[-1][0] == latin:
            out[-1] = (latin, out[-1][1] + letter)
        else:
            out.append((latin, letter))
    return out


def _to_unicode() -> bytes:
    """The ToUnicode map of the Japanese font: its codes are UCS-2 already, so each block maps to itself."""
    blocks = (0x00, 0x03, *range(0x20, 0x27), *range(0x30, 0x34), *range(0x4E, 0xA0), 0xFE, 0xFF)  # at most 100
    ranges = "\n".join(f"<{k:02X}00> <{k:02X}FF> <{k:02X}00>" for k in blocks)
    return f"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{len(blocks)} beginbfrange
{ranges}
endbfrange
endcmap
CMapName currentdict /CMap defineresource pop
end
end""".encode()

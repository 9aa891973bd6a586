"""Files made by code for the readers' tests."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageDraw


def pdf(pages: list[tuple[str, str]], *, catalog: str = "", more: tuple[bytes, ...] = ()) -> bytes:
    """A PDF of (content stream, further entries of the page dictionary); Helvetica is /F1.

    Objects: 1 catalog, 2 page tree, 3 font, then page and content in turns, then `more`.
    """
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, (content, entries) in enumerate(pages):
        box = "" if "/MediaBox" in entries else "/MediaBox [0 0 595 842]"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R {box} /Contents {5 + 2 * i} 0 R"
            f" /Resources << /Font << /F1 3 0 R >> >> {entries} >>".encode()
        )
        data = content.encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(data), data))
    return assemble([*objects, *more])


def assemble(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, thing in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, thing)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def png(width: int, height: int, bits: int = 8, colour: int = 0, stored_rows: int | None = None) -> bytes:
    """A PNG of zeros, small however large its picture; cut off after `stored_rows`."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = bytes(1 + (width * bits * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(stored_rows or height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def scan(width: int, height: int, seed: int = 0) -> Image.Image:
    """A bilevel page of thin lines, circles and specks, no two regions alike."""
    dice = random.Random(seed)
    page = Image.new("1", (width, height), 1)
    draw = ImageDraw.Draw(page)
    for _ in range(60):
        x, y, s = dice.randrange(width), dice.randrange(height), dice.randrange(5, max(6, width // 6))
        draw.ellipse((x - s, y - s, x + s, y + s), outline=0)
        draw.line((x, y, x + 2 * s, y + s), fill=0, width=dice.choice((1, 2, 5)))
        draw.rectangle((x, y, x + s // 3, y + s // 5), fill=dice.choice((0, 1)))
    return page


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


DXF_HEAD = "0\nSECTION\n2\nENTITIES\n"
DXF_TAIL = "0\nENDSEC\n0\nEOF\n"


def dxf_line(x0: float, y0: float, x1: float, y1: float) -> str:
    return f"0\nLINE\n8\n0\n10\n{x0}\n20\n{y0}\n11\n{x1}\n21\n{y1}\n"

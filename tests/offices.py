"""A folder like an office's, small enough for every test: made by code, the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw

COLOURS = {"red": (220, 30, 30), "green": (30, 150, 50), "blue": (30, 60, 210)}
NOTES = "# Bolts\n\nThe hex flange bolt M8x25 in SUS304, part number A-1023-02, holds the cover.\n"
JAPANESE_NOTES = "歯車の図面です。材質はS45C、部品番号は6204ZZ。\n"


def make_office(folder: Path) -> Path:
    """photos/{red,green,blue}.png, drawings/plate.png, notes/{bolts.md,歯車.txt}, spec.pdf (two pages)."""
    for name in ("photos", "drawings", "notes"):
        (folder / name).mkdir(parents=True)
    for name, colour in COLOURS.items():
        make_photo(folder / "photos" / f"{name}.png", colour)
    make_drawing(folder / "drawings" / "plate.png")
    (folder / "notes" / "bolts.md").write_text(NOTES, encoding="utf-8")
    (folder / "notes" / "歯車.txt").write_text(JAPANESE_NOTES, encoding="utf-8")
    make_pdf(folder / "spec.pdf", ["Hydraulic pump P-200, cast iron FC250.", "Spare parts: seal ring NBR 70."])
    return folder


def make_photo(path: Path, colour: tuple[int, int, int], seed: int = 0) -> None:
    """A noisy patch of one colour: what the tiny encoder knows a colour by."""
    noise = np.random.default_rng(seed).normal(0, 12, (120, 160, 3))
    pixels = np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)
    PIL.Image.fromarray(pixels).save(path)


def make_drawing(path: Path, size: tuple[int, int] = (640, 480)) -> None:
    """Black lines on white."""
    image = PIL.Image.new("L", size, 255)
    draw = PIL.ImageDraw.Draw(image)
    draw.rectangle((40, 40, size[0] - 40, size[1] - 40), outline=0, width=2)
    draw.ellipse((100, 100, 300, 300), outline=0, width=2)
    image.save(path)


def make_pdf(path: Path, pages: list[str]) -> None:
    """A minimal PDF with a line of text a page, written by hand."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for text in pages:
        stream = f"BT /F1 14 Tf 60 700 Td ({text}) Tj ET".encode("ascii")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    data += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, data.rfind(b"xref\n0"))
    path.write_bytes(data)

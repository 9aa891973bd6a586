"""CCITT fax data of any size to a small grey picture, through pdfium.

pdfium decodes fax images by scan lines and scales while it decodes, where libtiff would need the strip whole.
So the data is wrapped as the one page of a PDF in memory and rendered at the size wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


@dataclass(frozen=True, slots=True)
class FaxStrip:
    """Attributes: data as the TIFF holds it; the rows of pixels in it."""

    data: bytes
    rows: int


def render_fax(
    strips: list[FaxStrip],
    width: int,
    size: tuple[int, int],
    *,
    compression: int,
    two_dimensional: bool,
    reversed_bits: bool,
    black_is_zero: bool,
) -> Image:
    """L picture of `size` pixels from strips of `width` pixels a row, from top to bottom.

    Args:
        compression: as TIFF numbers them: 2 (Group 3 without end-of-line marks, rows at whole bytes), 3
            (Group 3), 4 (Group 4).
        two_dimensional: Group 3 in its mixed form (T4Options, bit 0).
        reversed_bits: the first pixel is the lowest bit (FillOrder 2).
        black_is_zero: PhotometricInterpretation 1: the fax codes' "black" means white.
    """
    from pypdfium2 import PdfDocument

    k = -1 if compression == 4 else int(two_dimensional)
    align = " /EncodedByteAlign true" if compression == 2 else ""
    invert = " /Decode [1 0]" if black_is_zero else ""
    height = sum(strip.rows for strip in strips)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    ]
    names = " ".join(f"/S{i} {i + 5} 0 R" for i in range(len(strips)))
    objects.append(
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Contents 4 0 R"
        f" /Resources << /XObject << {names} >> >> >>".encode()
    )
    content = ""
    below = height
    for i, strip in enumerate(strips):
        below -= strip.rows
        tall, bottom = (rows * size[1] / height for rows in (strip.rows, below))
        content += f"q {size[0]} 0 0 {tall:.6f} 0 {bottom:.6f} cm /S{i} Do Q\n"
    objects.append(_stream("", content.encode()))
    for strip in strips:
        head = (
            f"/Type /XObject /Subtype /Image /Width {width} /Height {strip.rows}"
            f" /ColorSpace /DeviceGray /BitsPerComponent 1{invert} /Filter /CCITTFaxDecode"
            f" /DecodeParms << /K {k} /Columns {width} /Rows {strip.rows}{align} >>"
        )
        objects.append(_stream(head, strip.data.translate(_REVERSED) if reversed_bits else strip.data))
    document = PdfDocument(_pdf(objects))
    try:
        bitmap = document[0].render(scale=1, grayscale=True)
        picture: Image = bitmap.to_pil().convert("L").copy()
        return picture
    finally:
        document.close()


def _stream(head: str, data: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head.encode(), len(data), data)


def _pdf(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    table = [b"0000000000 65535 f \n"]
    for number, thing in enumerate(objects, 1):
        table.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, thing)
    start = len(out)
    out += b"xref\n0 %d\n%s" % (len(table), b"".join(table))
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(table), start)
    return bytes(out)

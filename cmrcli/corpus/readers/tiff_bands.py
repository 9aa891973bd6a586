"""Large TIFF pages without ever holding them whole: decoded band by band, each band averaged down at once.

A band is a run of stored strips, or one row of tiles, wrapped as a small TIFF in memory and given to Pillow,
so that libtiff does all the decoding. Strips too large for that (many scanners write one for the whole page)
go other ways: uncompressed data is cut by rows; bilevel LZW, PackBits and deflate data is decoded as bytes of
eight pixels, an eighth of what Pillow would take; fax data goes to pdfium, which decodes by scan lines; JPEG
data is decoded at a reduced DCT scale.

A bilevel page of 28,000 x 20,000 pixels took 0.7 to 1.4 s of one core, and the process at most 92 MB in strips,
131 MB as one G4 strip, 171 MB as one G3 strip, 208 MB as one packed strip (resident, imports included).
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from cmrcli.corpus.items import Limits
from cmrcli.corpus.readers import raster
from cmrcli.corpus.readers import tiff_tags as t
from cmrcli.corpus.readers.fax import FaxStrip, render_fax
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 4 * 10**9  # A0 at 1,600 dpi

_BAND_BYTES = 24 * 2**20  # decoded size that a band aims at
_LARGE_BAND_BYTES = 64 * 2**20
_NONE, _FAX, _LZW, _JPEG, _BYTES = 1, (2, 3, 4), 5, 7, (1, 5, 8, 32773, 32946)


@dataclass(slots=True)
class _Pieces:
    """Offsets and sizes of the stored pieces; `across` of them cover `rows` rows of pixels."""

    offsets: list[int]
    sizes: list[int]
    across: int
    rows: int
    tiled: bool


def reduce_page(file: BinaryIO, page: t.Page, limits: Limits, notes: list[str]) -> Image | None:
    """The page on white, L or RGB, at most Limits.longest_edge_px, not yet turned upright; None when it cannot be cut.

    Strips that cannot be decoded stay white and are noted.

    Raises:
        UnreadableFile: "damaged" when more than half of the strips cannot be decoded.
    """
    width, height = page.number(t.WIDTH, 0), page.number(t.HEIGHT, 0)
    pieces = _pieces(page, width, height)
    if pieces is None or (page.number(t.PLANAR, 1) != 1 and page.number(t.SAMPLES, 1) > 1):
        return None
    size = raster.reduced_size(width, height, limits.longest_edge_px)
    mode = "F" if 3 in page.numbers(t.SAMPLE_FORMAT) else "I"  # how deep samples scale; of no effect on 8 bits
    bands = _bands(file, page, pieces, notes)
    band_bytes = pieces.rows * width * (1 if page.number(t.SAMPLES, 1) == 1 else 4)
    compression = page.number(t.COMPRESSION, _NONE)
    if band_bytes > _LARGE_BAND_BYTES and not pieces.tiled:
        if compression in _FAX:
            return _by_pdfium(file, page, pieces, size)
        if compression == _JPEG and len(pieces.offsets) == 1:
            return _by_dct(file, page, pieces, limits)
        if (
            compression in _BYTES
            and page.number(t.BITS, 1) == 1 == page.number(t.SAMPLES, 1)
            and page.number(t.PREDICTOR, 1) == 1
        ):
            bands = _bits(_bands(file, _as_bytes(page), pieces, notes), width, page.number(t.PHOTOMETRIC, 0) == 0)
            band_bytes //= 8
    if band_bytes > limits.decoded_bytes // 2:
        return None
    return raster.shrink(bands, width, height, limits.longest_edge_px, mode)


def _pieces(page: t.Page, width: int, height: int) -> _Pieces | None:
    tiled = t.TILE_OFFSETS in page.tags or t.TILE_WIDTH in page.tags
    offsets = list(page.numbers(t.TILE_OFFSETS if tiled else t.STRIP_OFFSETS))
    sizes = list(page.numbers(t.TILE_BYTES if tiled else t.STRIP_BYTES))
    if not tiled and page.number(t.COMPRESSION, _NONE) == _NONE:
        return _rows_as_strips(page, offsets, width, height)
    if not offsets or len(offsets) != len(sizes):
        return None
    if tiled:
        across = math.ceil(width / max(1, page.number(t.TILE_WIDTH, 0)))
        rows = page.number(t.TILE_HEIGHT, 0)
    else:
        across, rows = 1, min(height, page.number(t.ROWS_PER_STRIP, height))
    if rows < 1 or len(offsets) < across * math.ceil(height / rows):
        return None
    return _Pieces(offsets, sizes, across, rows, tiled)


def _rows_as_strips(page: t.Page, offsets: list[int], width: int, height: int) -> _Pieces | None:
    """Uncompressed strips cut into smaller ones: every row starts at a whole byte."""
    bits = page.numbers(t.BITS) or (1,)
    row_bytes = math.ceil(width * page.number(t.SAMPLES, 1) * bits[0] / 8)
    stored_rows = min(height, page.number(t.ROWS_PER_STRIP, height))
    if stored_rows < 1 or len(offsets) < math.ceil(height / stored_rows):
        return None
    rows = math.gcd(stored_rows, 64) if len(offsets) > 1 else 64
    starts = [offsets[top // stored_rows] + top % stored_rows * row_bytes for top in range(0, height, rows)]
    sizes = [min(rows, height - top) * row_bytes for top in range(0, height, rows)]
    return _Pieces(starts, sizes, 1, rows, False)


def _bands(file: BinaryIO, page: t.Page, pieces: _Pieces, notes: list[str]) -> Iterator[Image]:
    """The page from top to bottom in whole rows of pieces, white where they are damaged."""
    import PIL.Image

    width, height = page.number(t.WIDTH, 0), page.number(t.HEIGHT, 0)
    total = math.ceil(height / pieces.rows)
    deep = 4 if page.number(t.SAMPLES, 1) > 1 else 1
    together = 1 if pieces.tiled else max(1, _BAND_BYTES // (pieces.rows * width * deep))
    failed = 0
    mode = ""
    row = 0
    while row < total:
        many = min(together, total - row)
        rows = min(pieces.rows * many, height - row * pieces.rows)
        try:
            band = _decode(file, page, pieces, row, many, rows)
            mode = band.mode
        except (
            OSError,
            ValueError,
            SyntaxError,
            EOFError,
            TypeError,
            KeyError,
            IndexError,
            RuntimeError,
        ) as error:
            if many > 1:  # find the bad ones among them
                together = 1
                continue
            failed += 1
            if failed > total // 2:
                raise UnreadableFile("damaged", f"{failed} of {total} strips: {error}") from None
            # Before the first sound strip the mode is unknown; RGB would force colour on a bilevel scan.
            band = PIL.Image.new(mode or "L", (width, rows), "white" if mode in ("", "1", "L", "RGB") else None)
        yield band
        row += many
    if failed:
        notes.append(f"{failed} of {total} strips could not be decoded")


def _decode(file: BinaryIO, page: t.Page, pieces: _Pieces, row: int, many: int, rows: int) -> Image:
    import PIL.Image

    chosen = slice(row * pieces.across, (row + many) * pieces.across)
    parts = [_stored(file, *piece) for piece in zip(pieces.offsets[chosen], pieces.sizes[chosen], strict=True)]
    tags = {number: tag for number, tag in page.tags.items() if number not in (t.ORIENTATION, t.SUBFILE)}
    tags[t.HEIGHT] = t.long_tag(page.order, rows)
    if not pieces.tiled:
        tags[t.ROWS_PER_STRIP] = t.long_tag(page.order, pieces.rows)
    small = t.write_single(page.order, tags, parts, pieces.tiled)
    with PIL.Image.open(io.BytesIO(small), formats=("TIFF",)) as image:
        image.load()
        return image


def _stored(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if not data:
        raise EOFError("strip beyond the end of the file")
    return data


def _as_bytes(page: t.Page) -> t.Page:
    """The same page, pretending that each byte of eight pixels is one grey pixel."""
    tags = {
        number: tag
        for number, tag in page.tags.items()
        if number not in (t.COLOUR_MAP, t.EXTRA_SAMPLES, t.SAMPLE_FORMAT)
    }
    tags[t.WIDTH] = t.long_tag(page.order, math.ceil(page.number(t.WIDTH, 0) / 8))
    tags[t.BITS] = t.short_tag(page.order, 8)
    tags[t.PHOTOMETRIC] = t.short_tag(page.order, 1)
    return t.Page(page.order, tags)


def _bits(bands: Iterator[Image], width: int, white_is_zero: bool) -> Iterator[Image]:
    """Bands of eight pixels a byte, unpacked to L."""
    import numpy as np
    import PIL.Image

    for band in bands:
        rows = max(1, _BAND_BYTES // width)
        for top in range(0, band.height, rows):
            packed = np.asarray(band.crop((0, top, band.width, min(top + rows, band.height))))
            pixels = np.unpackbits(packed, axis=1, count=width)
            if white_is_zero:
                np.subtract(1, pixels, out=pixels)
            pixels *= 255
            yield PIL.Image.fromarray(pixels)


def _by_pdfium(file: BinaryIO, page: t.Page, pieces: _Pieces, size: tuple[int, int]) -> Image:
    width, height = page.number(t.WIDTH, 0), page.number(t.HEIGHT, 0)
    strips = [
        FaxStrip(_stored(file, offset, size), min(pieces.rows, height - i * pieces.rows))
        for i, (offset, size) in enumerate(zip(pieces.offsets, pieces.sizes, strict=True))
    ]
    return render_fax(
        strips,
        width,
        size,
        compression=page.number(t.COMPRESSION, 4),
        two_dimensional=bool(page.number(t.T4_OPTIONS, 0) & 1),
        reversed_bits=page.number(t.FILL_ORDER, 1) == 2,
        black_is_zero=page.number(t.PHOTOMETRIC, 0) == 1,
    )


def _by_dct(file: BinaryIO, page: t.Page, pieces: _Pieces, limits: Limits) -> Image:
    """A page that is one JPEG stream, whose tables may stand in a tag of their own."""
    import PIL.Image

    stream = _stored(file, pieces.offsets[0], pieces.sizes[0])
    tables = page.tags.get(t.JPEG_TABLES)
    if tables is not None and len(tables.data) > 4:
        stream = tables.data[:-2] + stream[2:]  # less the end mark of one and the start mark of the other
    if page.number(t.PHOTOMETRIC, 6) == 2:  # RGB, not YCbCr: said the way a JPEG file says it
        stream = stream[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0" + stream[2:]
    image = PIL.Image.open(io.BytesIO(stream), formats=("JPEG",))
    image.draft(None, raster.reduced_size(*image.size, limits.longest_edge_px))
    raster.refuse_bomb(raster.decoded_bytes(image.mode, *image.size), *image.size, limits)
    return raster.to_small(image, limits.longest_edge_px)

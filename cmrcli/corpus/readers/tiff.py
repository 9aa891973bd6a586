"""TIFF and BigTIFF: every page an item. Small pages through Pillow as a whole, large ones in bands.

Reduced copies of a page (overviews, previews) and transparency masks are no pages of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import raster
from cmrcli.corpus.readers import tiff_tags as t
from cmrcli.corpus.readers.images import Decoding, open_image, refuse_no_size
from cmrcli.corpus.readers.result import ReadResult
from cmrcli.corpus.readers.source import Source
from cmrcli.corpus.readers.tiff_bands import MOST_PIXELS, reduce_page
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from PIL.Image import Image

BANDS_FROM_BYTES = 64 * 2**20  # decoded size from which a page is read in bands

_REDUCED_OR_MASK = 1 | 4  # NewSubfileType


def read(source: Source, first: int, count: int | None, limits: Limits) -> ReadResult:
    result = ReadResult("tiff")
    with Decoding():
        chain, more = t.read_pages(source.file, limits.pages)
        places = [i for i, page in enumerate(chain) if not page.number(t.SUBFILE, 0) & _REDUCED_OR_MASK] or [0]
        last = min(len(places), len(places) if count is None else first + count - 1)
        failure: UnreadableFile | None = None
        for number in range(first, last + 1):
            place = places[number - 1]
            try:
                with Decoding():
                    item = _page(source, chain[place], place, limits)
            except UnreadableFile as error:
                failure = error
                result.notes.append(f"page {number} could not be read: {error}")
                continue
            item.page = number if len(places) > 1 else None
            result.items.append(item)
            if result.is_full(limits):
                last = number
                break
        if last < len(places):
            result.more_from = last + 1
        elif more:
            result.notes.append(f"only the first {limits.pages} pages")
        if failure is not None and not result.items and first == 1 and result.more_from is None:
            raise failure
    return result


def _page(source: Source, page: t.Page, place: int, limits: Limits) -> ReaderItem:
    width, height = page.number(t.WIDTH, 0), page.number(t.HEIGHT, 0)
    orientation = page.number(t.ORIENTATION, 1)
    notes: list[str] = []
    refuse_no_size(width, height)
    if width * height > MOST_PIXELS:
        raise UnreadableFile("too-large", f"{width} x {height} pixels")
    samples, bits = page.number(t.SAMPLES, 1), max(page.numbers(t.BITS) or (1,))
    estimate = width * height * (4 if samples > 1 or bits > 16 else 2 if bits > 8 else 1)
    small: Image | None = None
    if estimate > BANDS_FROM_BYTES:
        small = reduce_page(source.file, page, limits, notes)
        if small is not None:
            small = raster.upright(small, orientation)
    if small is None:
        raster.refuse_bomb(estimate, width, height, limits)
        small = _whole(source, place, limits)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return ReaderItem(None, image=small, width_px=width, height_px=height, notes=notes)


def _whole(source: Source, place: int, limits: Limits) -> Image:
    image = open_image(source, "tiff", limits)
    if place:
        image.seek(place)
    image.load()  # turns it upright, too
    return raster.to_small(image, limits.longest_edge_px)

"""Tiles: parts of a picture with a vector of their own, because the whole is too small to show them.

An image tower sees 160 to 384 pixels a side. Of an A-size sheet that is the layout; a section view or the title
block in a corner is a smudge. So a large drawing is cut into a grid of overlapping tiles, as many along each
edge as keep a tile below TILE_PX: 3 x 2 for a sheet of 1568 px, 2 x 2 for 1000 px, none below
MIN_LONG_EDGE_PX. Long strips of any kind (a panorama, a plan of a pipeline, a long receipt) are cut along
their length, because a letterbox leaves them few pixels across.

A tile is dropped as blank when it shows next to nothing besides paper and the sheet's frame: lines that run
across more than half of the sheet would otherwise make every empty corner look drawn on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmrcli.corpus.items import Box, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

MAX_TILES = 12
OVERLAP = 0.15  # of a tile's edge, shared with its neighbour: a detail on a seam is whole in one of them
ELONGATED = 2.2  # aspect from which a picture of any kind is cut along its length
MIN_LONG_EDGE_PX = 717  # 2 x 224 x 1.6: below, a tile would show hardly more than the whole picture does
TILE_PX = 600  # longest tile edge wanted: a pen line of 2 px is still half a pixel of an encoder's 160, 3/4 of 224
MIN_TILE_PX = 96  # strips thinner than this hold nothing that more pixels would bring out
_STRIP_ASPECT = 1.6  # a tile's own aspect stays below this

_INK_EDGE_PX = 784  # ink is looked for at this size: pen lines survive, scanner noise does not
_INK_CONTRAST = 32  # grey levels between ink and what surrounds it; from the paper it differs by twice that
_NOISE_FACTOR = 6  # ink stands out by this many times the median step between neighbours, in a noisy scan
_BLANK_SHARE = 0.001  # of a tile's area; one short line of small lettering has about as much


def tile_boxes(image: Image, kind: Kind, ink: NDArray[np.bool_] | None = None) -> list[Box]:
    """Boxes of the tiles, row by row; [] when the whole picture says it all.

    At most MAX_TILES. Together they cover all the ink of the picture, apart from what is too little in a
    tile to count (_BLANK_SHARE) and the lines of a frame; photos have no paper and keep every tile. The same
    picture gives the same boxes.

    Args:
        ink: of `drawn_ink`, where it has been made before.
    """
    columns, rows = grid(image.width, image.height, kind)
    if columns * rows == 1:
        return []
    boxes = [(x0, y0, x1, y1) for y0, y1 in _spans(rows) for x0, x1 in _spans(columns)]
    if kind == "photo":
        return boxes
    drawn = drawn_on(drawn_ink(image) if ink is None else ink, boxes)
    return [box for box, shows in zip(boxes, drawn, strict=True) if shows]


def grid(width: int, height: int, kind: Kind) -> tuple[int, int]:
    """Columns and rows of tiles for a picture of that size; (1, 1): not to be cut."""
    long, short = max(width, height), min(width, height)
    large = kind == "drawing" and long >= MIN_LONG_EDGE_PX
    if short < MIN_TILE_PX or not (large or long >= ELONGATED * short):
        return 1, 1
    strip_px = _STRIP_ASPECT * short
    along, across = _count(long, min(TILE_PX, strip_px) if large else strip_px), 1
    if large:
        across = _count(short, TILE_PX)
    while along * across > MAX_TILES:  # one tile less along the edge whose tiles are shorter
        if across > 1 and across * long > along * short:
            across -= 1
        else:
            along -= 1
    return (along, across) if width >= height else (across, along)


def crop(image: Image, box: Box) -> Image:
    """The part of the picture inside the box, at least one pixel each way."""
    x0, y0 = int(box[0] * image.width), int(box[1] * image.height)
    x1, y1 = round(box[2] * image.width), round(box[3] * image.height)
    return image.crop((x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)))


def _count(edge_px: int, tile_px: float) -> int:
    """Fewest tiles of at most `tile_px` that cover an edge with OVERLAP."""
    if edge_px <= tile_px:
        return 1
    return int(np.ceil((edge_px / tile_px - OVERLAP) / (1 - OVERLAP)))


def _spans(count: int) -> list[tuple[float, float]]:
    """The tiles along one edge as fractions, first at 0, last at 1."""
    length = 1 / (count - (count - 1) * OVERLAP)
    step = length * (1 - OVERLAP)
    spans = [(i * step, i * step + length) for i in range(count)]
    return [*spans[:-1], (spans[-1][0], 1.0)]


def drawn_ink(image: Image) -> NDArray[np.bool_]:
    """(height, width) bool: the ink mask without the lines of a frame."""
    return _without_frame(ink_mask(image))


def drawn_on(ink: NDArray[np.bool_], boxes: list[Box]) -> list[bool]:
    """For each box whether it shows more ink than a blank one."""
    height, width = ink.shape
    drawn = []
    for x0, y0, x1, y1 in boxes:
        # Outwards to whole pixels: ink on a tile's edge is in the tile.
        part = ink[int(y0 * height) : int(np.ceil(y1 * height)), int(x0 * width) : int(np.ceil(x1 * width))]
        drawn.append(bool(part.mean() >= _BLANK_SHARE))
    return drawn


def ink_mask(image: Image) -> NDArray[np.bool_]:
    """(height, width) bool of the picture reduced to _INK_EDGE_PX: True on lines, edges and fillings.

    Ink is what stands out from its neighbours, or from the paper: the picture's most frequent grey, so white
    lines on a black screen count as well.
    """
    grey = image.convert("L")
    factor = -(-max(grey.size) // _INK_EDGE_PX)
    if factor > 1:
        grey = grey.reduce(factor)
    pixels = np.asarray(grey, dtype=np.int16)
    histogram = np.bincount(pixels.ravel() >> 3, minlength=32)
    paper = int(histogram.argmax()) * 8 + 4
    ink: NDArray[np.bool_] = np.abs(pixels - paper) > 2 * _INK_CONTRAST
    across, down = np.abs(np.diff(pixels, axis=1)), np.abs(np.diff(pixels, axis=0))
    contrast = min(max(_INK_CONTRAST, _NOISE_FACTOR * float(np.median(across))), 2 * _INK_CONTRAST)
    ink[:, 1:] |= across > contrast
    ink[1:] |= down > contrast
    return ink


def _without_frame(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without thin lines, level or upright, that are longer than half the sheet."""
    lines = ink.copy()
    lines[_frame_rows(ink)] = False
    lines[:, _frame_rows(ink.T)] = False
    return lines


def _frame_rows(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(rows,) bool: rows with more than half ink, in bands of at most 4 rows (thicker ones are fillings)."""
    full: NDArray[np.bool_] = ink.mean(axis=1) > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate(([False], full, [False])).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        if end - start > 4:
            full[start:end] = False
    return full

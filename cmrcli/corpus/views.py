"""The parts of a picture that get a vector of their own: a coarse grid from its shape, and views from its ink.

A sheet holds views, details, sections and tables with white between them; a figure holds panels. Ink that is closer
than a gap belongs together: the ink is smeared over coarse cells, and cells that touch make a block (run-length
smoothing, Wong, Casey & Wahl 1982, "Document analysis system", in two dimensions at once). The box of a block, with
some paper around it, shows one thing alone and as large as the encoder can see it, where a grid (tiles.py) cuts it.

A grid tile in which there is nothing but small views is left out: they show it better. So a sheet has at most
MAX_TILES + MAX_VIEWS parts, and one of scattered details hardly more than its details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmrcli.corpus.items import Box, Kind
from cmrcli.corpus.tiles import drawn_ink, drawn_on, grid, tile_boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

MAX_VIEWS = 12  # the largest ones: what is smaller is lettering as a rule
MIN_LONG_EDGE_PX = 200  # of a picture: an icon is one thing, however many strokes it has
GAP = 0.02  # of the picture's longer edge: white that parts two views
MIN_VIEW = 0.06  # of the picture's longer edge, by the view's longer edge: a word is no view
MIN_VIEW_PX = 48  # of the view's longer edge: fewer pixels show nothing
MAX_AREA = 0.5  # of the picture: more than that, the whole picture shows it as well
PADDING = 0.06  # of the view's longer edge: paper on each side
SMALL_VIEW = 1.25  # of a tile's longer edge: the view's own box shows it as large as the tile would

_THUMBNAIL_PX = 128  # at which a photograph is asked whether it is several
_WHITE = 232  # darkest grey of the white between panels, JPEG noise included


def part_boxes(image: Image, kind: Kind) -> list[Box]:
    """Boxes of a picture's parts: tiles, then views, each from the top; [] when the whole picture says it all.

    Fractions (x0, y0, x1, y1) of the picture. The same picture gives the same boxes.
    """
    gridded = grid(image.width, image.height, kind) != (1, 1)
    viewed = _may_hold_views(image, kind)
    if not viewed:
        return tile_boxes(image, kind) if gridded else []
    ink = drawn_ink(image)
    views = view_boxes(image, kind, ink)
    tiles = tile_boxes(image, kind, ink) if gridded else []
    if tiles and views and kind != "photo":
        tiles = _without_small_views(ink, tiles, views)
    return tiles + views


def view_boxes(image: Image, kind: Kind, ink: NDArray[np.bool_] | None = None) -> list[Box]:
    """Boxes of the views of a drawing, or of the panels of pictures with white between; [] when it is one thing.

    At most MAX_VIEWS, the largest; none for pages.

    Args:
        ink: of `drawn_ink`, where it has been made before.
    """
    if not _may_hold_views(image, kind):
        return []
    if ink is None:
        ink = drawn_ink(image)
    height, width = ink.shape
    longest = max(height, width)
    blocks = _blocks(ink, max(1, round(GAP * longest)))
    if len(blocks) < 2:
        return []
    least = longest * max(MIN_VIEW, MIN_VIEW_PX / max(image.size))
    views = [
        (x0, y0, x1, y1)
        for x0, y0, x1, y1 in blocks
        if max(x1 - x0, y1 - y0) >= least and (x1 - x0) * (y1 - y0) <= MAX_AREA * width * height
    ]
    views.sort(key=lambda view: -(view[2] - view[0]) * (view[3] - view[1]))
    boxes = []
    for x0, y0, x1, y1 in views[:MAX_VIEWS]:
        pad = PADDING * max(x1 - x0, y1 - y0)
        left, top = max(0.0, (x0 - pad) / width), max(0.0, (y0 - pad) / height)
        boxes.append((left, top, min(1.0, (x1 + pad) / width), min(1.0, (y1 + pad) / height)))
    return sorted(boxes, key=lambda box: (box[1], box[0]))


def _may_hold_views(image: Image, kind: Kind) -> bool:
    """Whether it is worth looking for ink."""
    if max(image.size) < MIN_LONG_EDGE_PX:
        return False
    return kind == "drawing" or (kind == "photo" and _parted(image))


def _parted(image: Image) -> bool:
    """Whether a band of white runs across the picture or down it, with something on both sides.

    Far cheaper than looking for blocks, of which nearly every photograph has one.
    """
    grey = image.convert("L").reduce(max(1, max(image.size) // _THUMBNAIL_PX))
    white = np.asarray(grey) >= _WHITE
    for blank in (white.all(axis=0), white.all(axis=1)):
        taken = np.flatnonzero(~blank)
        if bool(np.diff(taken).max(initial=1) > 1):
            return True
    return False


def _without_small_views(ink: NDArray[np.bool_], tiles: list[Box], views: list[Box]) -> list[Box]:
    """Those of the tiles that show more than paper and views with boxes of their own."""
    height, width = ink.shape
    rest = ink.copy()
    edge = max((tiles[0][2] - tiles[0][0]) * width, (tiles[0][3] - tiles[0][1]) * height)
    for x0, y0, x1, y1 in views:
        if max((x1 - x0) * width, (y1 - y0) * height) <= SMALL_VIEW * edge:
            rest[int(y0 * height) : int(np.ceil(y1 * height)), int(x0 * width) : int(np.ceil(x1 * width))] = False
    return [tile for tile, drawn in zip(tiles, drawn_on(rest, tiles), strict=True) if drawn]


def _blocks(ink: NDArray[np.bool_], cell: int) -> list[tuple[int, int, int, int]]:
    """Boxes (x0, y0, x1, y1) in pixels, ends exclusive, of ink whose cells touch, also at a corner."""
    rows, columns = -(-ink.shape[0] // cell), -(-ink.shape[1] // cell)
    padded = np.zeros((rows * cell, columns * cell), dtype=np.bool_)
    padded[: ink.shape[0], : ink.shape[1]] = ink
    inked = padded.reshape(rows, cell, columns, cell).any(axis=(1, 3))
    blocks = []
    left = {(int(y), int(x)) for y, x in np.argwhere(inked)}
    while left:
        seed = left.pop()
        block, waiting = [seed], [seed]
        while waiting:
            y, x = waiting.pop()
            for near in ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
                if near in left:
                    left.remove(near)
                    block.append(near)
                    waiting.append(near)
        blocks.append(_box(padded, block, cell))
    return sorted(blocks)


def _box(ink: NDArray[np.bool_], cells: list[tuple[int, int]], cell: int) -> tuple[int, int, int, int]:
    """The bounds of the ink in these cells."""
    top, low = min(y for y, _ in cells) * cell, (max(y for y, _ in cells) + 1) * cell
    left, right = min(x for _, x in cells) * cell, (max(x for _, x in cells) + 1) * cell
    own = np.zeros_like(ink[top:low, left:right])
    for y, x in cells:
        at = (slice(y * cell - top, (y + 1) * cell - top), slice(x * cell - left, (x + 1) * cell - left))
        own[at] = ink[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell]
    ys, xs = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    return left + int(xs[0]), top + int(ys[0]), left + int(xs[-1]) + 1, top + int(ys[-1]) + 1

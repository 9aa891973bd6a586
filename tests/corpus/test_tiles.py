"""Tiles: boxes inside the picture, all ink covered, blank paper dropped, the number bounded."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from cmrcli.corpus.items import KINDS, Kind
from cmrcli.corpus.tiles import MAX_TILES, OVERLAP, crop, grid, ink_mask, tile_boxes

edges = st.integers(1, 3000)


def sheet(width: int = 1568, height: int = 1109) -> Image.Image:
    return Image.new("L", (width, height), 255)


def with_disc(image: Image.Image, x: float, y: float, radius: int = 30) -> Image.Image:
    centre = (x * image.width, y * image.height)
    ImageDraw.Draw(image).circle(centre, radius, outline=0, width=2)
    return image


@settings(max_examples=80, deadline=None)
@given(edges, edges, st.sampled_from(KINDS))
@example(96, 1590, "drawing")
@example(9000, 8000, "drawing")
def test_grid_is_bounded_and_turns_with_the_picture(width: int, height: int, kind: Kind) -> None:
    columns, rows = grid(width, height, kind)
    assert columns >= 1 and rows >= 1 and columns * rows <= MAX_TILES
    if width != height:
        assert grid(height, width, kind) == (rows, columns)


@settings(max_examples=25, deadline=None)
@given(st.integers(720, 1600), st.integers(100, 1600), st.data())
def test_tiles_cover_all_the_ink(width: int, height: int, data: st.DataObject) -> None:
    image = sheet(width, height)
    for _ in range(data.draw(st.integers(1, 4))):
        x, y = data.draw(st.floats(0.05, 0.95)), data.draw(st.floats(0.05, 0.95))
        ImageDraw.Draw(image).rectangle(
            (x * width, y * height, x * width + 40, y * height + 40), fill=data.draw(st.sampled_from([0, 90]))
        )
    boxes = tile_boxes(image, "drawing")
    assert len(boxes) <= MAX_TILES
    covered = np.zeros((height, width), dtype=bool)
    for x0, y0, x1, y1 in boxes:
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
        covered[int(y0 * height) : round(y1 * height), int(x0 * width) : round(x1 * width)] = True
    missed = (np.asarray(image) < 255) & ~covered
    # What a dropped tile may hold: a thousandth of its area, and no tile is larger than the picture.
    assert missed.mean() <= 0.001 * len(boxes or [1])


@pytest.mark.parametrize("corner", [(0.05, 0.05), (0.95, 0.05), (0.05, 0.95), (0.95, 0.95)])
def test_a_detail_in_a_corner_of_a_framed_sheet_gives_that_corner_alone(corner: tuple[float, float]) -> None:
    image = sheet()
    ImageDraw.Draw(image).rectangle((15, 15, 1553, 1094), outline=0, width=3)
    assert tile_boxes(image, "drawing") == []
    boxes = tile_boxes(with_disc(image, *corner), "drawing")
    assert len(boxes) == 1
    x0, y0, x1, y1 = boxes[0]
    assert x0 <= corner[0] <= x1 and y0 <= corner[1] <= y1


def test_a_full_sheet_gives_the_whole_grid_with_overlap() -> None:
    image = sheet()
    for x in (0.1, 0.3, 0.5, 0.7, 0.9):
        for y in (0.2, 0.5, 0.8):
            with_disc(image, x, y, 100)
    boxes = tile_boxes(image, "drawing")
    assert len(boxes) == 6 == len(set(boxes))
    assert boxes[0][2] - boxes[1][0] == pytest.approx(OVERLAP * (boxes[0][2] - boxes[0][0]))
    assert boxes[0][:2] == (0, 0) and boxes[-1][2:] == (1, 1)


def test_noise_and_tint_of_a_scan_are_no_ink() -> None:
    rng = np.random.default_rng(1)
    image = with_disc(sheet(), 0.1, 0.1, 60)
    grey = np.asarray(image) * 0.7 + 40 + np.linspace(-15, 15, 1568) + rng.normal(0, 10, (1109, 1568))
    scan = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
    assert len(tile_boxes(scan, "drawing")) == 1


def test_white_lines_on_black_count_as_ink() -> None:
    screen = Image.eval(with_disc(sheet(), 0.9, 0.9), lambda value: 255 - value)
    assert len(tile_boxes(screen, "drawing")) == 1
    assert 0 < ink_mask(screen).mean() < 0.01


@pytest.mark.parametrize(("kind", "size"), [("photo", (1568, 1109)), ("page", (1109, 1568)), ("drawing", (700, 500))])
def test_ordinary_photos_pages_and_small_drawings_have_none(kind: Kind, size: tuple[int, int]) -> None:
    assert tile_boxes(with_disc(sheet(*size), 0.5, 0.5, 100), kind) == []


@pytest.mark.parametrize("kind", ["drawing", "photo", "page"])
def test_long_strips_are_cut_along_their_length(kind: Kind) -> None:
    assert grid(1500, 300, kind)[1] == 1 < grid(1500, 300, kind)[0]
    assert grid(300, 1500, kind) == (1, grid(1500, 300, kind)[0])
    assert grid(1500, 20, kind) == (1, 1)


def test_a_panorama_keeps_its_sky() -> None:
    assert len(tile_boxes(Image.new("RGB", (1500, 500), "skyblue"), "photo")) == grid(1500, 500, "photo")[0]


def test_crop_cuts_what_the_box_says() -> None:
    image = Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20))
    part = crop(image, (0.5, 0.2, 1.0, 0.6))
    assert part.size == (10, 4)
    assert part.getpixel((0, 0)) == 2 * 20 + 10
    assert crop(image, (0.999, 0.999, 1.0, 1.0)).size == (1, 1)


def test_the_same_picture_gives_the_same_tiles() -> None:
    image = with_disc(with_disc(sheet(), 0.2, 0.3), 0.7, 0.8)
    assert tile_boxes(image, "drawing") == tile_boxes(image.copy(), "drawing") != []

"""Views: each drawing on a sheet in a box of its own, icons and photographs left alone, the number bounded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from cmrcli.corpus.tiles import MAX_TILES, tile_boxes
from cmrcli.corpus.views import MAX_VIEWS, part_boxes, view_boxes


def sheet(width: int = 1568, height: int = 1109) -> Image.Image:
    image = Image.new("L", (width, height), 255)
    ImageDraw.Draw(image).rectangle((15, 15, width - 16, height - 16), outline=0, width=3)
    return image


def with_disc(image: Image.Image, x: float, y: float, radius: int) -> Image.Image:
    ImageDraw.Draw(image).circle((x * image.width, y * image.height), radius, outline=0, width=3)
    return image


def inside(x: float, y: float, box: tuple[float, float, float, float]) -> bool:
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def test_every_view_has_a_box_of_its_own_that_holds_it_whole() -> None:
    places = {(0.5, 0.5): 240, (0.1, 0.15): 80, (0.9, 0.85): 80}
    image = sheet()
    for (x, y), radius in places.items():
        with_disc(image, x, y, radius)
    boxes = view_boxes(image, "drawing")
    assert len(boxes) == 3
    for (x, y), radius in places.items():
        (own,) = [box for box in boxes if inside(x, y, box)]
        assert own[0] < x - radius / 1568 and own[2] > x + radius / 1568
        assert own[1] < y - radius / 1109 and own[3] > y + radius / 1109
        assert (own[2] - own[0]) * 1568 < 2.5 * radius


def test_one_thing_is_no_views() -> None:
    assert view_boxes(with_disc(sheet(), 0.5, 0.5, 200), "drawing") == []
    assert view_boxes(sheet(), "drawing") == []


def test_lettering_is_no_view() -> None:
    image = with_disc(with_disc(sheet(), 0.3, 0.5, 150), 0.8, 0.5, 150)
    ImageDraw.Draw(image).text((780, 60), "A-A", fill=0)
    assert len(view_boxes(image, "drawing")) == 2


def test_an_icon_is_one_thing_however_many_strokes_it_has() -> None:
    icon = with_disc(with_disc(Image.new("L", (128, 128), 255), 0.2, 0.2, 15), 0.8, 0.8, 15)
    assert view_boxes(icon, "drawing") == [] == part_boxes(icon, "drawing")


def test_a_tile_with_nothing_but_small_views_is_left_out() -> None:
    image = with_disc(with_disc(sheet(), 0.12, 0.15, 80), 0.88, 0.85, 80)
    views = view_boxes(image, "drawing")
    assert len(views) == 2 and tile_boxes(image, "drawing")
    assert part_boxes(image, "drawing") == views


def test_a_view_larger_than_a_tile_keeps_its_tiles() -> None:
    image = with_disc(with_disc(sheet(), 0.4, 0.5, 480), 0.93, 0.9, 60)
    parts = part_boxes(image, "drawing")
    tiles = tile_boxes(image, "drawing")
    assert set(view_boxes(image, "drawing")) < set(parts) and set(tiles) & set(parts)


def test_panels_of_photographs_with_white_between_are_views() -> None:
    rng = np.random.default_rng(1)
    pixels = np.full((200, 420, 3), 255, np.uint8)
    pixels[10:190, 10:200] = rng.integers(20, 200, (180, 190, 3))
    pixels[10:190, 220:410] = rng.integers(20, 200, (180, 190, 3))
    boxes = view_boxes(Image.fromarray(pixels), "photo")
    assert len(boxes) == 2
    assert sorted((x0 + x1) / 2 for x0, _, x1, _ in boxes) == pytest.approx([0.25, 0.75], abs=0.02)


@pytest.mark.parametrize("margin", [0, 30])
def test_a_photograph_with_or_without_a_white_margin_has_none(margin: int) -> None:
    pixels = np.full((300, 400, 3), 255, np.uint8)
    pixels[margin : 300 - margin, margin : 400 - margin] = np.random.default_rng(1).integers(0, 200, (1, 1, 3))
    assert view_boxes(Image.fromarray(pixels), "photo") == []


def test_a_page_has_none() -> None:
    assert view_boxes(with_disc(with_disc(sheet(), 0.2, 0.2, 90), 0.8, 0.8, 90), "page") == []


@settings(max_examples=30, deadline=None)
@given(st.integers(200, 1600), st.integers(200, 1600), st.integers(0, 40), st.integers(0, 99))
def test_parts_are_inside_the_picture_bounded_and_the_same_again(
    width: int, height: int, discs: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    image = Image.new("L", (width, height), 255)
    for _ in range(discs):
        with_disc(image, rng.uniform(), rng.uniform(), int(rng.integers(5, 120)))
    boxes = part_boxes(image, "drawing")
    assert len(boxes) <= MAX_TILES + MAX_VIEWS
    assert all(0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1 for x0, y0, x1, y1 in boxes)
    assert boxes == part_boxes(image.copy(), "drawing")


def test_of_more_views_than_are_kept_the_largest_stay() -> None:
    image = Image.new("L", (2000, 2000), 255)
    for row in range(5):
        for column in range(5):
            with_disc(image, 0.1 + 0.2 * column, 0.1 + 0.2 * row, 150 if row == 2 else 65)
    boxes = view_boxes(image, "drawing")
    assert len(boxes) == MAX_VIEWS
    assert all(any(inside(0.1 + 0.2 * column, 0.5, box) for box in boxes) for column in range(5))

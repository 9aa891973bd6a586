"""Kinds: pictures made by code that leave no doubt, at several sizes, clean and scanned.

How often the rule is right on real pictures is measured by tests/bench/kinds.py.
"""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cmrcli.corpus.items import Kind, ReaderItem
from cmrcli.corpus.kinds import classify, strokes, tones

WORDS = "flange bearing housing tolerance unless otherwise noted material stainless steel the of and 12"


def sheet(seed: int = 1) -> Image.Image:
    """A framed sheet with views, centre lines, hatching, dimensions and a title block."""
    rng = random.Random(seed)
    image = Image.new("L", (1568, 1109), 255)
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 1548, 1089), outline=0, width=2)
    draw.rectangle((1100, 950, 1548, 1089), outline=0, width=2)
    for _ in range(4):
        x, y, size = rng.randint(200, 1200), rng.randint(200, 800), rng.randint(60, 180)
        draw.circle((x, y), size, outline=0, width=2)
        draw.line((x - size, y, x + size, y), fill=0)
        draw.line((x, y - size, x, y + size), fill=0)
        draw.rectangle((x, y, x + 1.5 * size, y + size), outline=0, width=2)
        for step in range(0, size, 9):
            draw.line((x + step, y, x + step - 30, y + 40), fill=0)
        draw.text((x + size, y + size), f"{rng.randint(10, 99)}.5", fill=0, font=ImageFont.load_default(16))
    draw.text((1120, 970), "FLANGE A-1023-02\n1.4301", fill=0, font=ImageFont.load_default(20))
    return image


def written_page(seed: int = 1) -> tuple[Image.Image, str]:
    """A page of running text, and the text."""
    rng = random.Random(seed)
    image = Image.new("L", (1109, 1568), 255)
    draw = ImageDraw.Draw(image)
    lines = [" ".join(rng.choices(WORDS.split(), k=12)) for _ in range(60)]
    for number, line in enumerate(lines):
        draw.text((100, 100 + 22 * number), line, fill=0, font=ImageFont.load_default(15))
    return image, "\n".join(lines)


def scanned(image: Image.Image, seed: int = 1) -> Image.Image:
    """The picture on yellowed, unevenly lit paper, soft, askew and noisy."""
    rng = np.random.default_rng(seed)
    soft = image.rotate(0.8, fillcolor=255, resample=Image.Resampling.BICUBIC)
    grey = np.asarray(soft.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float64)
    grey = 60 + grey * 0.65 + np.linspace(-10, 10, image.width) + rng.normal(0, 8, grey.shape)
    return Image.fromarray(np.clip(grey[..., None] * [1, 0.97, 0.9], 0, 255).astype(np.uint8))


def scenery(seed: int = 1, size: tuple[int, int] = (800, 600)) -> Image.Image:
    """Soft colour fields with grain: what every photo has and no drawing."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    fields = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.float64)
    return Image.fromarray(np.clip(fields + rng.normal(0, 6, fields.shape), 0, 255).astype(np.uint8))


def icon() -> Image.Image:
    image = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(image).regular_polygon((64, 64, 50), 6, outline="black", width=8)
    return image


def kind(image: Image.Image | None, text: str = "", vector: bool = False) -> Kind:
    return classify(ReaderItem(None, image=image, text=text, vector=vector))


def test_no_picture_is_text() -> None:
    assert kind(None, "a note") == kind(None) == "text"


@pytest.mark.parametrize("edge", [1568, 800, 512])
@pytest.mark.parametrize("seed", range(3))
def test_pictures_without_text_at_several_sizes(seed: int, edge: int) -> None:
    for image, expected in [
        (sheet(seed), "drawing"),
        (scanned(sheet(seed), seed), "drawing"),
        (written_page(seed)[0], "page"),
        (scanned(written_page(seed)[0], seed), "page"),
        (scenery(seed), "photo"),
    ]:
        image.thumbnail((edge, edge))
        assert kind(image) == expected


def test_icons_and_dark_screens_are_drawings() -> None:
    assert kind(icon()) == "drawing"
    assert kind(Image.eval(sheet(), lambda value: 255 - value)) == "drawing"


def test_geometry_is_never_a_photo() -> None:
    assert kind(scenery(), vector=True) == "drawing"


def test_a_page_of_text_is_a_page_and_a_sheet_with_a_few_words_a_drawing() -> None:
    page, text = written_page()
    assert kind(page, text, vector=True) == "page"
    assert kind(sheet(), "FLANGE A-1023-02 1.4301 12.5 30 SECTION A-A", vector=True) == "drawing"


def test_more_lines_need_more_words() -> None:
    notes = "All dimensions in millimetres unless otherwise noted. " * 11  # a hundred words on a sheet
    assert kind(sheet(), notes, vector=True) == "drawing"
    assert kind(sheet(), notes * 10, vector=True) == "page"


def test_japanese_words_count_although_nothing_separates_them() -> None:
    page, _ = written_page()
    assert kind(page, "本図面はポンプの軸受ハウジングを示す。" * 20) == "page"


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (15, 15)])
def test_tiny_and_thin_pictures_have_a_kind_too(size: tuple[int, int]) -> None:
    for colour in ("white", "black", "tan"):
        for words in ("", "word " * 400):
            assert kind(Image.new("RGB", size, colour), words) in ("drawing", "page")


def test_shares_stay_shares() -> None:
    for image in (sheet(), scenery(), icon(), Image.new("L", (3, 3))):
        assert all(0 <= share <= 1 for share in tones(image))
        assert all(0 <= share <= 2 for share in strokes(image))


def test_long_runs_are_lines_not_letters() -> None:
    image = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(image).line((50, 20, 50, 180), fill=0)
    assert strokes(image).upright == 1.0
    assert strokes(image.rotate(90)).upright == 0.0 and strokes(image.rotate(90)).long == 1.0
    assert strokes(written_page()[0]).long < 0.02

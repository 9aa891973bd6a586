"""Pictures as the tower gets them: size rules, modes, levels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.encoders.fields import PinnedFile
from cmrcli.encoders.manifest import ImageSpec, Layout, PixelType, Resize
from cmrcli.encoders.preprocess import fit, tensor

SPEC = ImageSpec(graph=PinnedFile(Path("image.onnx"), ""), data=(), input="x", output="y", size=32)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(["letterbox", "squash", "shortest-crop"]))
def test_any_shape_becomes_the_square(width: int, height: int, resize: Resize) -> None:
    pixels = fit(PIL.Image.new("RGB", (width, height), (10, 200, 30)), replace(SPEC, resize=resize, pad=0))
    assert pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
    shown = (pixels == (10, 200, 30)).all(axis=2)
    if resize != "letterbox":
        assert shown.all()
        return
    longer = max(width, height)
    expected = max(1, round(32 * width / longer)), max(1, round(32 * height / longer))
    assert (shown.any(axis=0).sum(), shown.any(axis=1).sum()) == expected
    assert (pixels[~shown] == 0).all()
    columns = np.flatnonzero(shown.any(axis=0))
    assert columns[0] == (32 - expected[0]) // 2


def test_letterbox_pads_with_white_and_keeps_the_edges() -> None:
    picture = PIL.Image.new("L", (320, 80), 0)
    pixels = fit(picture, SPEC)
    assert (pixels[:12] == 255).all() and (pixels[20:] == 255).all() and (pixels[12:20] == 0).all()


def test_shortest_crop_takes_the_centre() -> None:
    picture = PIL.Image.new("RGB", (300, 100), "red")
    picture.paste((0, 0, 255), (100, 0, 200, 100))
    pixels = fit(picture, replace(SPEC, resize="shortest-crop"))
    assert (pixels[:, 1:-1] == (0, 0, 255)).all()


def test_reduction_in_blocks_stays_close_to_the_exact_filter() -> None:
    y, x = np.mgrid[0:1200, 0:1568]
    waves = (127 + 60 * np.sin(x / 90) + 60 * np.cos(y / 70)).astype(np.uint8)
    picture = PIL.Image.fromarray(np.stack([waves, 255 - waves, waves], axis=2))
    exact = np.asarray(picture.resize((32, 24), PIL.Image.Resampling.BILINEAR)).astype(int)
    assert abs(fit(picture, SPEC)[4:28].astype(int) - exact).max() <= 2


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 77, (77, 77, 77)),
        ("LA", (77, 255), (77, 77, 77)),
        ("LA", (77, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 0, 255), (200, 0, 0)),
        ("La", (0, 0), (255, 255, 255)),
        ("RGBa", (0, 0, 0, 0), (255, 255, 255)),
        ("CMYK", (0, 0, 0, 0), (255, 255, 255)),
        ("YCbCr", (255, 128, 128), (255, 255, 255)),
        ("HSV", (0, 0, 255), (255, 255, 255)),
        ("I;16", 65535, (255, 255, 255)),
        ("I", 100, (100, 100, 100)),
        ("I", -5, (0, 0, 0)),
        ("F", float("nan"), (0, 0, 0)),
        ("F", 255.0, (255, 255, 255)),
    ],
)
def test_every_mode_becomes_rgb(mode: str, colour: int | float | tuple[int, ...], expected: tuple[int, ...]) -> None:
    pixels = fit(PIL.Image.new(mode, (40, 40), colour), SPEC)
    assert abs(pixels.astype(int) - expected).max() <= 1


def test_a_palette_with_transparency_lies_on_white() -> None:
    picture = PIL.Image.new("P", (40, 40), 0)
    picture.putpalette([200, 0, 0, 0, 0, 200])
    assert (fit(picture, SPEC) == (200, 0, 0)).all()
    picture.info["transparency"] = 0
    assert (fit(picture, SPEC) == 255).all()


def test_the_result_is_writable_and_its_own() -> None:
    picture = PIL.Image.new("RGB", (32, 32), "red")
    pixels = fit(picture, SPEC)
    pixels[:] = 0
    assert picture.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("element", ["uint8", "float32", "float16"])
def test_tensor_is_the_formula(layout: Layout, element: PixelType) -> None:
    pixels = np.arange(2 * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(2, 32, 32, 3)
    mean, std = (0.5, 0.25, 0.1), (0.5, 0.2, 0.3)
    spec = replace(SPEC, layout=layout, input_type=element, mean=mean, std=std)
    values = tensor(pixels, spec)
    assert values.dtype == element and values.flags.c_contiguous
    if layout == "nchw":
        values = values.transpose(0, 2, 3, 1)
    expected = pixels if element == "uint8" else (pixels / 255 - np.array(mean)) / np.array(std)
    np.testing.assert_allclose(values.astype(np.float64), expected, atol=5e-3 if element == "float16" else 1e-5)

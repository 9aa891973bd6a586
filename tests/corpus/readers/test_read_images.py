"""Pictures: what comes out of the reader is upright, on white, small, and of the right colour."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import read
from cmrcli.corpus.readers.raster import average, reduced_size, to_small
from cmrcli.errors import UnreadableFile
from tests.corpus.readers.makers import encoded, png, saved


def only(path: Path, **limits: int) -> ReaderItem:
    (item,) = read(os.fsencode(path), limits=Limits(**limits)).items
    assert item.image is not None
    assert item.image.mode in ("L", "RGB")
    assert type(item.image) is Image.Image  # nothing that still needs the file
    return item


def pixel(item: ReaderItem, x: float, y: float) -> tuple[int, ...]:
    """The colour at a place given as fractions of width and height."""
    assert item.image is not None
    return item.image.convert("RGB").getpixel((int(x * item.image.width), int(y * item.image.height)))


def close(a: tuple[int, ...], b: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(p - q) <= by for p, q in zip(a, b, strict=True))


QUADRANTS = Image.new("RGB", (60, 40))
QUADRANTS.paste("red", (0, 0, 30, 20))
QUADRANTS.paste("lime", (30, 0, 60, 20))
QUADRANTS.paste("blue", (0, 20, 30, 40))
QUADRANTS.paste("yellow", (30, 20, 60, 40))


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.jpg", "jpeg"),
        ("a.png", "png"),
        ("a.webp", "webp"),
        ("a.bmp", "bmp"),
        ("a.gif", "gif"),
        ("a.tif", "tiff"),
        ("a.jp2", "jpeg2000"),
        ("a.tga", "tga"),
        ("a.ppm", "ppm"),
        ("a.sgi", "sgi"),
        ("a.pcx", "pcx"),
        ("a.ico", "ico"),
        ("a.dds", "dds"),
        ("a.avif", "avif"),
        ("a.heic", "heic"),
        ("a.qoi", "qoi"),
    ],
)
def test_every_format_gives_the_picture(name: str, format: str, tmp_path: Path) -> None:
    options = {"ico": {"sizes": [(60, 40)]}, "jpeg": {"quality": 95}}.get(format, {})
    if format == "heic":
        import pillow_heif

        pillow_heif.from_pillow(QUADRANTS).save(tmp_path / name, quality=95)
    else:
        saved(QUADRANTS, tmp_path / name, **options)
    item = only(tmp_path / name)
    assert read(os.fsencode(tmp_path / name)).format == format
    assert (item.width_px, item.height_px) == (60, 40)
    assert (item.page, item.text, item.vector) == (None, "", False)
    for x, y, colour in (
        (0.25, 0.25, (255, 0, 0)),
        (0.75, 0.25, (0, 255, 0)),
        (0.25, 0.75, (0, 0, 255)),
        (0.75, 0.75, (255, 255, 0)),
    ):
        assert close(pixel(item, x, y), colour, 25), (x, y, pixel(item, x, y))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int, tmp_path: Path) -> None:
    """Stored pixels are turned the other way first, so that the reader must give back the original."""
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4][orientation]  # the transposition that inverts each orientation
    stored = QUADRANTS if undo is None else QUADRANTS.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(stored, tmp_path / f"a.{kind.lower()}", format=kind, exif=exif)
    item = only(path)
    assert (item.width_px, item.height_px) == (60, 40)
    assert item.image is not None and item.image.size == (60, 40)
    assert close(pixel(item, 0.25, 0.25), (255, 0, 0), 40)
    assert close(pixel(item, 0.75, 0.25), (0, 255, 0), 40)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    for name in ("really-jpeg.png", "really-jpeg.pdf", "really-jpeg.txt", "really-jpeg", "really-jpeg.dxf"):
        (tmp_path / name).write_bytes(encoded(QUADRANTS, "JPEG"))
        assert read(os.fsencode(tmp_path / name)).format == "jpeg", name


def test_large_pictures_come_out_at_the_edge_wanted_and_say_their_own_size(tmp_path: Path) -> None:
    big = QUADRANTS.resize((3000, 2000), Image.Resampling.NEAREST)
    for name in ("a.jpg", "a.png", "a.bmp"):
        item = only(saved(big, tmp_path / name), longest_edge_px=300)
        assert item.image is not None and item.image.size == (300, 200)
        assert (item.width_px, item.height_px) == (3000, 2000)
        assert close(pixel(item, 0.75, 0.75), (255, 255, 0), 25)


def test_thin_black_lines_survive_the_reduction_as_grey(tmp_path: Path) -> None:
    page = Image.new("1", (4000, 3000), 1)
    page.paste(0, (1999, 0, 2000, 3000))
    item = only(saved(page, tmp_path / "a.png"), longest_edge_px=400)
    assert item.image is not None and item.image.mode == "L"
    row = np.asarray(item.image)[150]
    assert row.min() < 245 and (row < 250).sum() <= 2 and np.median(row) == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_what_is_transparent_is_white(mode: str, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 10, 20))
    kind = {"PA": "TIFF"}.get(mode, "PNG")
    if mode == "P":
        picture = Image.new("P", (20, 20), 1)
        picture.putpalette([0, 0, 0, 9, 9, 9])
        picture.paste(0, (0, 0, 10, 20))
        path = saved(picture, tmp_path / "a.png", transparency=1)
    elif mode == "PA":
        path = saved(picture, tmp_path / "a.tiff", format=kind)
    else:
        path = saved(picture.convert(mode), tmp_path / "a.png")
    item = only(path)
    assert close(pixel(item, 0.2, 0.5), (0, 0, 0))
    assert close(pixel(item, 0.8, 0.5), (255, 255, 255))


def test_sixteen_bits_scale_to_full_range_and_twelve_bits_in_them_too(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65_535, 256).astype(np.uint16).reshape(1, -1).repeat(8, 0)
    item = only(saved(Image.fromarray(ramp), tmp_path / "a.png"))
    assert np.abs(np.asarray(item.image)[0].astype(int) - np.arange(256)).max() <= 1
    item = only(saved(Image.fromarray((ramp // 16).astype(np.uint16)), tmp_path / "b.tif"))
    assert np.abs(np.asarray(item.image)[0].astype(int) - np.arange(256)).max() <= 1


def test_floats_scale_by_their_own_range_and_nan_is_no_accident(tmp_path: Path) -> None:
    ramp = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, -1).repeat(8, 0)
    ramp[3, 3] = np.nan
    item = only(saved(Image.fromarray(ramp), tmp_path / "a.tif"))
    row = np.asarray(item.image)[0]
    assert row[0] == 0 and row[-1] == 255 and (np.diff(row.astype(int)) >= 0).all()


def test_cmyk_as_photoshop_writes_it_is_not_inverted(tmp_path: Path) -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # red ink
    plain = encoded(cmyk, "JPEG", quality=95)  # Pillow writes Adobe's inverted form with its marker
    assert b"Adobe" in plain
    (tmp_path / "a.jpg").write_bytes(plain)
    assert close(pixel(only(tmp_path / "a.jpg"), 0.5, 0.5), (255, 0, 0), 30)
    assert close(pixel(only(saved(cmyk, tmp_path / "a.tif")), 0.5, 0.5), (255, 0, 0), 30)


def test_lab_keeps_its_lightness(tmp_path: Path) -> None:
    lab = Image.merge("LAB", [Image.new("L", (8, 8), value) for value in (255, 128, 128)])
    assert close(pixel(only(saved(lab, tmp_path / "a.tif")), 0.5, 0.5), (255, 255, 255))


def test_an_animation_is_one_item_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "blue", "lime")]
    for name in ("a.gif", "a.png", "a.webp"):
        path = saved(frames[0], tmp_path / name, save_all=True, append_images=frames[1:])
        assert close(pixel(only(path), 0.5, 0.5), (255, 0, 0), 20), name


def test_every_page_of_a_multi_page_fax_is_an_item(tmp_path: Path) -> None:
    page = encoded(Image.new("1", (32, 16), 1), "PCX")
    other = encoded(Image.new("1", (64, 16), 0), "PCX")
    directory = b"".join(n.to_bytes(4, "little") for n in (0x3ADE68B1, 16, 16 + len(page), 0))
    (tmp_path / "a.dcx").write_bytes(directory + page + other)
    items = read(os.fsencode(tmp_path / "a.dcx")).items
    assert [(item.page, item.width_px) for item in items] == [(1, 32), (2, 64)]


def test_bombs_are_refused_by_their_header_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(30_000, 30_000, stored_rows=9))
    with pytest.raises(UnreadableFile) as refused:
        read(os.fsencode(tmp_path / "a.png"))
    assert refused.value.cause == "too-large"
    (tmp_path / "b.png").write_bytes(png(600, 600, colour=2))
    with pytest.raises(UnreadableFile) as refused:
        only(tmp_path / "b.png", decoded_bytes=600 * 600 * 4 - 1)
    assert refused.value.cause == "too-large"
    only(tmp_path / "b.png", decoded_bytes=600 * 600 * 4)


def test_a_large_jpeg_passes_where_its_reduced_form_fits(tmp_path: Path) -> None:
    path = saved(QUADRANTS.resize((3200, 2400)), tmp_path / "a.jpg")
    limit = 3200 * 2400 * 4 // 32
    assert only(path, decoded_bytes=limit, longest_edge_px=400).width_px == 3200
    progressive = saved(QUADRANTS.resize((3200, 2400)), tmp_path / "b.jpg", progressive=True)
    with pytest.raises(UnreadableFile):
        only(progressive, decoded_bytes=limit, longest_edge_px=400)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000"])
def test_a_truncated_picture_is_damaged(kind: str, tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8))
    whole = encoded(noise, kind)
    for share in (0.05, 0.5, 0.9):
        (tmp_path / "a").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(UnreadableFile) as failure:
            read(os.fsencode(tmp_path / "a"))
        assert failure.value.cause == "damaged"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 70), st.integers(1, 9), st.data())
def test_averaging_in_bands_is_averaging(width: int, height: int, factor: int, data: st.DataObject) -> None:
    """Whatever the bands' heights, the result is Pillow's own reduction of the whole picture."""
    rng = np.random.default_rng(width * 100 + height)
    picture = Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))
    cuts = sorted({0, height, *data.draw(st.lists(st.integers(0, height), max_size=5))})
    bands = [picture.crop((0, a, width, b)) for a, b in pairwise(cuts)]
    assert list(average(bands, width, height, factor).get_flattened_data()) == list(
        picture.reduce(factor).get_flattened_data()
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 200))
def test_sizes_keep_the_shape(width: int, height: int, edge: int) -> None:
    size = reduced_size(width, height, edge)
    assert max(size) == min(edge, max(width, height)) and min(size) >= 1
    assert to_small(Image.new("L", (width, height)), edge).size == size


def test_a_picture_does_not_keep_its_file_open(tmp_path: Path) -> None:
    path = saved(QUADRANTS, tmp_path / "a.png")
    item = only(path)
    path.unlink()
    assert item.image is not None and item.image.copy().tobytes() == QUADRANTS.tobytes()

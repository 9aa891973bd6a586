"""TIFF: pages, and large pages in bands; the oracle is the same picture read as a PNG."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, TiffImagePlugin

from cmrcli.corpus.items import Limits
from cmrcli.corpus.readers import read, tiff, tiff_bands
from cmrcli.corpus.readers import tiff_tags as t
from cmrcli.corpus.readers.raster import to_small
from cmrcli.corpus.workers import WorkerPool
from cmrcli.errors import UnreadableFile
from tests.corpus.readers.makers import saved, scan

PAGE = scan(1500, 1100)
SMALL = Limits(longest_edge_px=200)


@pytest.fixture
def in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes pages of a test's size count as large, and Pillow's reading of them whole a failure."""
    monkeypatch.setattr(tiff, "BANDS_FROM_BYTES", 1_000)
    monkeypatch.setattr(tiff_bands, "_BAND_BYTES", 100_000)

    def never(*_: object) -> None:
        raise AssertionError("read whole")

    monkeypatch.setattr(tiff, "_whole", never)


def rows_a_strip(monkeypatch: pytest.MonkeyPatch, image: Image.Image, rows: int) -> None:
    bits = {"1": 1, "L": 8, "RGB": 24, "CMYK": 32, "I;16": 16, "P": 8}[image.mode]
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", rows * ((image.width * bits + 7) // 8))


def differ(path: Path, image: Image.Image, limits: Limits = SMALL) -> float:
    """Mean difference in grey levels between what the reader gives and the picture itself reduced."""
    (item,) = read(os.fsencode(path), limits=limits).items
    assert item.image is not None
    want = to_small(image, limits.longest_edge_px)
    assert (item.width_px, item.height_px) == image.size and item.image.size == want.size
    assert item.image.mode == want.mode
    return float(np.abs(np.asarray(item.image, dtype=float) - np.asarray(want, dtype=float)).mean())


@pytest.mark.usefixtures("in_bands")
@pytest.mark.parametrize("rows", [1, 7, 64, 5000])
@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_lzw", "packbits", "tiff_adobe_deflate", None])
def test_bilevel_scans_in_bands(
    compression: str | None, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_a_strip(monkeypatch, PAGE, rows)
    path = saved(PAGE, tmp_path / "a.tif", compression=compression)
    assert differ(path, PAGE) < 0.01


@pytest.mark.usefixtures("in_bands")
@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_lzw", "packbits", "tiff_adobe_deflate", None])
def test_one_strip_for_the_whole_page(compression: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 2**31)
    monkeypatch.setattr(tiff_bands, "_LARGE_BAND_BYTES", 1_000)
    path = saved(PAGE, tmp_path / "a.tif", compression=compression)
    # pdfium's filter is a little sharper; a shift by one pixel would make it 11
    assert differ(path, PAGE) < (6 if compression in ("group4", "group3") else 0.01)


@pytest.mark.usefixtures("in_bands")
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("fill_order", [1, 2])
@pytest.mark.parametrize("large_from", [1_000, 10**9])
def test_fax_of_either_polarity_and_bit_order(
    photometric: int, fill_order: int, large_from: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tags are changed in the file, and the bits with them."""
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 2**31)
    monkeypatch.setattr(tiff_bands, "_LARGE_BAND_BYTES", large_from)
    plain = saved(PAGE, tmp_path / "a.tif", compression="group4")
    with plain.open("rb") as file:
        ((page,), _) = t.read_pages(file, 9)
        file.seek(page.number(t.STRIP_OFFSETS, 0))
        data = file.read(page.number(t.STRIP_BYTES, 0))
    stored = page.number(t.PHOTOMETRIC, 9)
    if fill_order == 2:
        data = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
    tags = {**page.tags, t.FILL_ORDER: t.short_tag("<", fill_order), t.PHOTOMETRIC: t.short_tag("<", photometric)}
    path = tmp_path / "b.tif"
    path.write_bytes(t.write_single("<", tags, [data], tiled=False))
    want = PAGE if photometric == stored else ImageChops.invert(PAGE.convert("L"))
    assert differ(path, want) < 6


@pytest.mark.usefixtures("in_bands")
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "P", "I;16"])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", None])
def test_other_modes_in_bands(
    mode: str, compression: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    small = Image.fromarray(rng.integers(0, 256, (9, 13, 3), dtype=np.uint8))
    colourful = small.resize((650, 450), Image.Resampling.BICUBIC)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(colourful.convert("L")).astype(np.uint16) * 257)
    else:
        image = colourful.convert(mode)
    rows_a_strip(monkeypatch, image, 16)
    path = saved(image, tmp_path / "a.tif", compression=compression)
    assert differ(path, image) < 0.6


@pytest.mark.usefixtures("in_bands")
def test_jpeg_strips_and_one_jpeg_strip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.linear_gradient("L").resize((800, 600))
    picture = Image.merge("RGB", (picture, picture.transpose(Image.Transpose.ROTATE_180), picture))
    for name, rows, large_from in (("a.tif", 16, 10**9), ("b.tif", 5000, 1_000)):
        monkeypatch.setattr(tiff_bands, "_LARGE_BAND_BYTES", large_from)
        rows_a_strip(monkeypatch, picture, rows)
        assert differ(saved(picture, tmp_path / name, compression="jpeg", quality=90), picture) < 3, name


def tiled(image: Image.Image, size: int, order: t.Order = "<") -> bytes:
    """An uncompressed tiled TIFF of an L picture."""
    pieces = [
        image.crop((x, y, x + size, y + size)).tobytes()
        for y in range(0, image.height, size)
        for x in range(0, image.width, size)
    ]
    tags = {
        t.WIDTH: t.long_tag(order, image.width),
        t.HEIGHT: t.long_tag(order, image.height),
        t.BITS: t.short_tag(order, 8),
        t.COMPRESSION: t.short_tag(order, 1),
        t.PHOTOMETRIC: t.short_tag(order, 1),
        t.SAMPLES: t.short_tag(order, 1),
        t.TILE_WIDTH: t.short_tag(order, size),
        t.TILE_HEIGHT: t.short_tag(order, size),
    }
    return t.write_single(order, tags, pieces, tiled=True)


@pytest.mark.usefixtures("in_bands")
@pytest.mark.parametrize("order", ["<", ">"])
def test_tiles_of_either_byte_order(order: t.Order, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiled(PAGE.convert("L"), 256, order))
    assert differ(tmp_path / "a.tif", PAGE) < 0.01


@pytest.mark.parametrize("bands", [False, True])
def test_bigtiff(bands: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if bands:
        monkeypatch.setattr(tiff, "BANDS_FROM_BYTES", 1_000)
    assert differ(saved(PAGE, tmp_path / "a.tif", compression="group4", big_tiff=True), PAGE) < 0.01


@pytest.mark.parametrize("bands", [False, True])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_pages_are_upright_in_bands_as_well(
    bands: bool, orientation: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bands:
        monkeypatch.setattr(tiff, "BANDS_FROM_BYTES", 1_000)
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}
    want = PAGE.transpose(turn[orientation]) if orientation in turn else PAGE
    path = saved(PAGE, tmp_path / "a.tif", compression="group4", tiffinfo={t.ORIENTATION: orientation})
    assert differ(path, want) < 3  # turning moves the grid of the averages; a wrong turn would make it 20


def test_every_page_is_an_item_and_stretches_join(tmp_path: Path) -> None:
    pages = [scan(100 + i, 80, seed=i) for i in range(7)]
    path = os.fsencode(saved(pages[0], tmp_path / "a.tif", save_all=True, append_images=pages[1:]))
    whole = read(path)
    assert [(item.page, item.width_px) for item in whole.items] == [(i + 1, 100 + i) for i in range(7)]
    assert whole.more_from is None
    parts = []
    first: int | None = 1
    while first is not None:
        stretch = read(path, first, 3)
        parts += stretch.items
        first = stretch.more_from
    assert [item.image.tobytes() for item in parts if item.image] == [
        item.image.tobytes() for item in whole.items if item.image
    ]
    capped = read(path, limits=Limits(pages=5))
    assert len(capped.items) == 5 and capped.more_from is None and "first 5 pages" in capped.items[0].notes[0]


def test_a_single_page_has_no_number_and_previews_are_no_pages(tmp_path: Path) -> None:
    page = scan(300, 200)
    path = saved(page, tmp_path / "a.tif")
    assert [item.page for item in read(os.fsencode(path)).items] == [None]
    with TiffImagePlugin.AppendingTiffWriter(str(path), new=False) as out:
        page.resize((30, 20)).save(out, "TIFF", tiffinfo={t.SUBFILE: 1})
    assert [(item.page, item.width_px) for item in read(os.fsencode(path)).items] == [(None, 300)]


def test_a_chain_that_bites_its_tail_ends(tmp_path: Path) -> None:
    data = bytearray(saved(scan(60, 50), tmp_path / "a.tif").read_bytes())
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    struct.pack_into("<I", data, directory + 2 + 12 * count, directory)
    (tmp_path / "a.tif").write_bytes(data)
    assert len(read(os.fsencode(tmp_path / "a.tif")).items) == 1


@pytest.mark.usefixtures("in_bands")
def test_some_bad_strips_are_white_and_noted_most_bad_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_a_strip(monkeypatch, PAGE, 100)
    path = saved(PAGE.point(lambda _: 0), tmp_path / "a.tif", compression="tiff_adobe_deflate")
    data = bytearray(path.read_bytes())
    with path.open("rb") as file:
        ((page,), _) = t.read_pages(file, 9)
    strips = list(zip(page.numbers(t.STRIP_OFFSETS), page.numbers(t.STRIP_BYTES), strict=True))
    assert len(strips) == 11
    for bad, (offset, size) in enumerate(strips, 1):
        data[offset : offset + size] = b"\xaa" * size
        path.write_bytes(data)
        if bad <= 5:
            (item,) = read(os.fsencode(path), limits=SMALL).items
            assert any(f"{bad} of 11 strips" in note for note in item.notes)
            assert item.image is not None
            share = np.asarray(item.image).mean() / 255
            assert abs(share - bad * 100 / 1100) < 0.02
        else:
            with pytest.raises(UnreadableFile) as failure:
                read(os.fsencode(path), limits=SMALL)
            assert failure.value.cause == "damaged"


def test_a_bad_page_among_good_ones_is_noted(tmp_path: Path) -> None:
    pages = [Image.effect_noise((120, 90), 60) for _ in range(3)]
    path = saved(pages[0], tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    with path.open("rb") as file:
        chain, _ = t.read_pages(file, 9)
    offset, size = chain[1].number(t.STRIP_OFFSETS, 0), chain[1].number(t.STRIP_BYTES, 0)
    data[offset : offset + size] = b"\0" * size
    path.write_bytes(data)
    result = read(os.fsencode(path))
    assert [item.page for item in result.items] == [1, 3]
    assert result.items[0].notes[0].startswith("page 2 could not be read")


def test_absurd_sizes_are_refused_by_the_header(tmp_path: Path) -> None:
    data = t.write_single("<", {t.WIDTH: t.long_tag("<", 10**6), t.HEIGHT: t.long_tag("<", 10**6)}, [b"x"], False)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(UnreadableFile) as failure:
        read(os.fsencode(tmp_path / "a.tif"))
    assert failure.value.cause == "too-large"


def peak_of_reading(path: bytes) -> tuple[int, int, int]:
    """(peak resident bytes, width, height), in the worker."""
    (item,) = read(path).items
    (peak,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return int(peak) * 1024, item.width_px, item.height_px


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("one_strip", [False, True])
def test_an_a1_scan_takes_little_memory(one_strip: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """19,800 x 14,000 pixels, A1 at 600 dpi: 277 MB decoded."""
    page = Image.new("1", (19_800, 14_000), 1)
    page.paste(scan(4_000, 4_000), (8_000, 5_000))
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 2**31 if one_strip else 2**18)
    path = saved(page, tmp_path / "a.tif", compression="group4")
    read_it: Callable[[bytes], tuple[int, int, int]] = peak_of_reading
    with WorkerPool(read_it, 1, Limits()) as pool:
        pool.submit(os.fsencode(path))
        result = pool.next_done()[1]
    assert not isinstance(result, UnreadableFile), result
    assert result[1:] == (19_800, 14_000)
    assert result[0] < 200 * 2**20

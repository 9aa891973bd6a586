"""JPEGs that decode, weigh and look like photographs: soft shapes under uneven light, texture, sensor noise.

A few base pictures are made by code; each photo is one of them shifted, mirrored and marked, so that all bytes
differ. Quality 85, 4:2:0, as cameras and web shops write them. Kept under .bench/.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.bench.measure import CACHE

SEED = 40
BASES = 4
QUALITY = 85


def photos(count: int, width: int, height: int, noise: float, parent: Path = CACHE) -> Path:
    """Folder of `count` JPEGs of that size. `noise`: standard deviation of the sensor noise, in grey levels."""
    folder = parent / f"photos-{count}-{width}x{height}-{noise:g}-{SEED}"
    if folder.is_dir():
        return folder
    beside = folder.with_suffix(".unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    chance = np.random.default_rng(SEED)
    bases = [_base(chance, width, height, noise) for _ in range(min(BASES, count))]
    for number in range(count):
        base = bases[number % len(bases)]
        shift = chance.integers(0, (height, width))
        pixels = np.roll(base, tuple(shift.tolist()), axis=(0, 1))
        picture = Image.fromarray(pixels[:, ::-1] if number // len(bases) % 2 else pixels)
        _mark(ImageDraw.Draw(picture), chance, width, height)
        if number % 200 == 0:
            (beside / f"{number // 200:03}").mkdir()
        picture.save(beside / f"{number // 200:03}" / f"IMG_{number:06}.jpg", quality=QUALITY)
    beside.rename(folder)
    return folder


def _base(chance: np.random.Generator, width: int, height: int, noise: float) -> NDArray[np.uint8]:
    """(height, width, 3): colour clouds of every size, the larger the stronger, and noise."""
    picture = np.full((height, width, 3), 110, dtype=np.float32)
    for cells, strength in ((2, 60), (4, 35), (9, 22), (25, 14), (80, 9)):
        rows = max(2, cells * height // width)
        coarse = chance.normal(0, strength, (rows, cells, 3)) * (0.5, 0.45, 0.4) + chance.normal(
            0, strength, (rows, cells, 1)
        )
        for channel in range(3):
            layer = Image.fromarray(coarse[:, :, channel].astype(np.float32))
            picture[:, :, channel] += np.asarray(layer.resize((width, height), Image.Resampling.BICUBIC))
    picture += chance.standard_normal((height, width, 1), dtype=np.float32) * np.float32(noise)
    return picture.clip(0, 255).astype(np.uint8)


def _mark(draw: ImageDraw.ImageDraw, chance: np.random.Generator, width: int, height: int) -> None:
    """A few things in the picture."""
    for _ in range(4):
        x, y = chance.random(2) * (width, height)
        w, h = (0.05 + 0.2 * chance.random(2)) * (width, height)
        colour = tuple(chance.integers(30, 220, 3).tolist())
        draw.ellipse((x, y, x + w, y + h), fill=colour)

"""What lies behind and under a part in a picture: paper, bench, wood, concrete, cutting mat, a seamless studio."""

import math
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float64]


def backdrop(rng: Random, noise: np.random.Generator, size: tuple[int, int], horizon: float) -> Image.Image:
    """An RGB picture of `size` (width, height); `horizon` is the y of the horizon in pixels (may be outside)."""
    w, h = size
    kind = rng.choice(("white", "studio", "studio", "grey", "coloured", "wood", "concrete", "mat", "clutter", "steel"))
    if kind == "white":
        value = np.full((h, w, 3), rng.uniform(0.93, 1.0))
    elif kind == "studio":
        value = _gradient(w, h, rng.uniform(0, 360), rng.uniform(0.55, 0.85), rng.uniform(0.75, 1.0))[
            :, :, None
        ].repeat(3, 2)
    elif kind == "grey":
        value = _gradient(w, h, 90, rng.uniform(0.15, 0.5), rng.uniform(0.3, 0.7))[:, :, None].repeat(3, 2)
    elif kind == "coloured":
        tint = np.array([rng.uniform(0.35, 1.0) for _ in range(3)])
        value = _gradient(w, h, rng.uniform(0, 360), 0.7, 1.0)[:, :, None] * tint
    elif kind == "wood":
        value = _wood(rng, noise, w, h)
    elif kind == "concrete":
        speck = _cloud(noise, w, h, 6) * 0.12 + _cloud(noise, w, h, 24) * 0.06 + noise.normal(0, 0.03, (h, w))
        value = (rng.uniform(0.45, 0.75) + speck)[:, :, None] * [1.0, 0.99, rng.uniform(0.92, 0.99)]
    elif kind == "mat":
        value = _mat(rng, w, h)
    elif kind == "steel":
        streak = np.repeat(noise.normal(0, 0.05, (h, 1)), w, axis=1) + _cloud(noise, w, h, 3) * 0.12
        value = (rng.uniform(0.45, 0.7) + streak)[:, :, None] * [0.97, 0.99, 1.0]
    else:
        value = _clutter(rng, noise, w, h)
    if rng.random() < 0.35 and 0 < horizon < h:
        wall = np.array([rng.uniform(0.4, 0.95)] * 3) * [1, rng.uniform(0.95, 1.02), rng.uniform(0.9, 1.05)]
        rows = np.clip((horizon - np.arange(h)) / (0.02 * h) + 0.5, 0, 1)[:, None, None]
        value = value * (1 - rows) + wall * rows
    vignette = rng.uniform(0, 0.35)
    yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    value = value * (1 - vignette * (xx**2 + yy**2) / 2)[:, :, None]
    return Image.fromarray((np.clip(value, 0, 1) * 255).astype(np.uint8), "RGB")


def _gradient(w: int, h: int, angle_deg: float, low: float, high: float) -> Array:
    a = math.radians(angle_deg)
    yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    t = (xx * math.cos(a) + yy * math.sin(a)) / 2.83 + 0.5
    return np.asarray(low + (high - low) * t)


def _cloud(noise: np.random.Generator, w: int, h: int, cells: int) -> Array:
    """Smooth noise about -1..1 with roughly `cells` blobs across."""
    small = Image.fromarray(noise.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(small.resize((w, h), Image.Resampling.BICUBIC), dtype=np.float64)


def _wood(rng: Random, noise: np.random.Generator, w: int, h: int) -> Array:
    yy, xx = np.mgrid[0 : 1 : h * 1j, 0 : 1 : w * 1j]
    bend = _cloud(noise, w, h, 4) * 0.06
    rings = np.sin((yy + bend + 0.02 * np.sin(xx * 5)) * rng.uniform(40, 110)) * 0.5
    fibre = np.repeat(noise.normal(0, 0.25, (h, 1)), w, axis=1)
    value = rng.uniform(0.55, 0.8) + 0.10 * rings + 0.06 * fibre
    return np.asarray(value[:, :, None] * [1.0, rng.uniform(0.72, 0.85), rng.uniform(0.45, 0.62)])


def _mat(rng: Random, w: int, h: int) -> Array:
    """A cutting mat with a grid."""
    base = np.array(rng.choice(((0.10, 0.36, 0.28), (0.12, 0.22, 0.40), (0.2, 0.2, 0.22))))
    value = np.tile(base, (h, w, 1))
    pitch = max(6, int(w * rng.uniform(0.06, 0.14)))
    value[rng.randrange(pitch) :: pitch] += 0.22
    value[:, rng.randrange(pitch) :: pitch] += 0.22
    return value


def _clutter(rng: Random, noise: np.random.Generator, w: int, h: int) -> Array:
    """Out-of-focus things."""
    value = np.stack([_cloud(noise, w, h, rng.randint(3, 7)) for _ in range(3)], axis=2) * 0.22
    grey = _cloud(noise, w, h, 5)[:, :, None] * 0.2
    return np.asarray(rng.uniform(0.4, 0.65) + value * rng.uniform(0.2, 1) + grey)

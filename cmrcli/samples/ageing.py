"""What a photocopier and a scanner do to a drawing: skew, blur, speckle, faded toner, shadows, hard black and white."""

from random import Random

import numpy as np
from PIL import Image, ImageFilter


def aged(image: Image.Image, rng: Random, *, strength: float = 1.0) -> Image.Image:
    """An "L" image as if printed and scanned; `strength` 0..1 scales every fault."""
    noise = np.random.default_rng(rng.getrandbits(32))
    w, h = image.size
    if rng.random() < 0.7:
        angle = rng.gauss(0, 1.1) * strength
        image = image.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor=255)
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.7) * strength * max(1.0, w / 900)))
    value = np.asarray(image).astype(np.float64) / 255
    ink = 1 - (1 - value) * rng.uniform(0.65, 1.0)
    paper = rng.uniform(0.86, 1.0)
    shade = rng.uniform(0, 0.12) * strength
    ramp = np.linspace(0, shade, w if rng.random() < 0.5 else h)
    ink = ink * paper - (ramp[None, :] if len(ramp) == w else ramp[:, None])
    ink += noise.normal(0, rng.uniform(0.005, 0.05) * strength, (h, w))
    if rng.random() < 0.6:
        ink[noise.random((h, w)) < rng.uniform(0.0001, 0.004) * strength] = rng.uniform(0, 0.4)
    if rng.random() < 0.25:
        ink[:, rng.randrange(w)] -= rng.uniform(0.1, 0.5)  # a dirty spot on the glass
    if rng.random() < 0.3:
        level = np.quantile(ink, 0.5) - rng.uniform(0.12, 0.3)  # near the paper's own grey: thin lines must survive
        ink = np.where(ink < level, 0.0, 1.0)
    return Image.fromarray((np.clip(ink, 0, 1) * 255).astype(np.uint8))

"""Pictures as an image tower takes them: `fit` shapes one in a worker, `tensor` makes a batch of them.

Between the two a picture is (size, size, 3) uint8, so that workers hand on little and the floats are made
once, in the process that holds the session.

Size rules of `fit`, for a picture of w x h pixels and a square of S (rounding half to even, no side below 1):

* letterbox: both sides times S / max(w, h), rounded; put at ((S - w') // 2, (S - h') // 2).
* squash: both sides become S.
* shortest-crop: the shorter side becomes S, the longer int(S * longer / shorter); of that the centre, from
  (longer' - S) // 2. Only the part that remains is computed.

The filter widens with the reduction (antialiased). Large pictures are first reduced by averaging blocks, to
no less than `REDUCING_GAP` times the final size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

    from cmrcli.encoders.manifest import ImageSpec

REDUCING_GAP = 2.0


def fit(image: Image, spec: ImageSpec) -> NDArray[np.uint8]:
    """The picture as (size, size, 3) uint8 RGB, by the size rules above; any mode, transparency on white.

    Raises:
        ValueError: a picture without pixels.
    """
    import PIL.Image

    if min(image.size) < 1:
        raise ValueError(f"a picture of {image.width} x {image.height} pixels")
    image = _grey_or_rgb(image)
    size = spec.size
    shape, box = _target(*image.size, spec)
    if image.size != shape or box is not None:
        filters = {"bilinear": PIL.Image.Resampling.BILINEAR, "bicubic": PIL.Image.Resampling.BICUBIC}
        image = image.resize(shape, filters[spec.interpolation], box=box, reducing_gap=REDUCING_GAP)
    pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    if shape == (size, size):
        return pixels.copy()
    square = np.full((size, size, 3), spec.pad, dtype=np.uint8)
    left, top = (size - shape[0]) // 2, (size - shape[1]) // 2
    square[top : top + shape[1], left : left + shape[0]] = pixels
    return square


def tensor(pixels: NDArray[np.uint8], spec: ImageSpec) -> NDArray[np.generic]:
    """The input of the image tower: (n, size, size, 3) uint8 scaled and laid out as the spec says."""
    if spec.input_type == "uint8":
        values: NDArray[np.generic] = pixels
    else:
        std = np.asarray(spec.std, dtype=np.float32)
        factor = np.float32(spec.scale) / std
        offset = -np.asarray(spec.mean, dtype=np.float32) / std
        values = (pixels * factor + offset).astype(spec.input_type, copy=False)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if spec.layout == "nchw" else values)


def _target(
    width: int, height: int, spec: ImageSpec
) -> tuple[tuple[int, int], tuple[float, float, float, float] | None]:
    """Size after the resize, and the part of the source it shows (None: all of it)."""
    size = spec.size
    if spec.resize == "squash":
        return (size, size), None
    if spec.resize == "letterbox":
        longer = max(width, height)
        return (max(1, round(width * size / longer)), max(1, round(height * size / longer))), None
    shorter = min(width, height)
    spans = []
    for side in (width, height):
        resized = int(size * side / shorter)
        start = (resized - size) // 2
        spans.append((start * side / resized, (start + size) * side / resized))
    (left, right), (top, bottom) = spans
    whole = (left, top, right, bottom) == (0, 0, width, height)
    return (size, size), None if whole else (left, top, right, bottom)


def _grey_or_rgb(image: Image) -> Image:
    """The picture as L or RGB: 16-bit and float levels brought to 0..255, transparency put on white."""
    import PIL.Image

    if image.mode in ("L", "RGB"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I") or image.mode == "F":
        return PIL.Image.fromarray(_levels(np.asarray(image)))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        straight = image.convert("LA") if image.mode == "La" else image
        ground = PIL.Image.new("RGBA", image.size, (255, 255, 255, 255))
        return PIL.Image.alpha_composite(ground, straight.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _levels(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey levels of any range as 0..255: unchanged when they fit, else taken as 16 bit; NaN is black."""
    levels = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0)
    if levels.max() > 255:
        levels = levels / 257
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)

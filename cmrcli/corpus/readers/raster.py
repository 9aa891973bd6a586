"""From any Pillow picture to what the encoders take: small, upright, RGB or L, on white.

Colour profiles are ignored: the encoders were trained on pictures treated the same way, and a profile is one more
decoder to feed with untrusted bytes. Alpha is composited on white, because drawings are black on nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cmrcli.corpus.items import Limits
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from PIL.Image import Image

ORIENTATION_TAG = 0x0112

_BAND_BYTES = 16 * 2**20  # what one band may take after conversion
_BYTES_PER_PIXEL = {
    "1": 1,
    "L": 1,
    "P": 1,
    "I;16": 2,
    "I;16L": 2,
    "I;16B": 2,
    "I;16N": 2,
}  # as Pillow keeps them; else 4
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


def decoded_bytes(mode: str, width: int, height: int) -> int:
    """Bytes that Pillow needs for a picture of that size and mode."""
    return width * height * _BYTES_PER_PIXEL.get(mode, 4)


def refuse_bomb(estimate: int, width: int, height: int, limits: Limits) -> None:
    """Raises UnreadableFile("too-large") before anything is decoded."""
    if estimate > limits.decoded_bytes:
        most = limits.decoded_bytes >> 20
        raise UnreadableFile(
            "too-large", f"{width} x {height} pixels would take {estimate >> 20} MiB, at most {most} MiB"
        )


def reduced_size(width: int, height: int, edge: int) -> tuple[int, int]:
    """The size with its longest edge at `edge`, or as it is when it is smaller already."""
    scale = min(1.0, edge / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))


def to_small(image: Image, edge: int) -> Image:
    """The picture on white as RGB or L, longest edge at most `edge`; thin lines stay visible as grey.

    Converts and averages band by band, so that no second full-size picture exists.
    """
    if max(image.size) > edge:
        return shrink([image], *image.size, edge, image.mode)
    small = _to_8_bit(_flatten(image), image.mode)
    return image.copy() if small is image else small  # what was opened from a file would keep the file


def shrink(bands: Iterable[Image], width: int, height: int, edge: int, mode: str) -> Image:
    """The same for a picture larger than `edge` that comes in bands from top to bottom; `mode` is that of the whole.

    By a whole factor through averaging, which is fast, and the rest of the way through Pillow's antialiased filter.
    """
    from PIL.Image import Resampling

    size = reduced_size(width, height, edge)
    factor = max(1, min(width // size[0], height // size[1]))
    small = _to_8_bit(average(bands, width, height, factor), mode)
    return small.resize(size, Resampling.BILINEAR, box=(0, 0, width / factor, height / factor))


def average(bands: Iterable[Image], width: int, height: int, factor: int) -> Image:
    """Means over squares of `factor` pixels, of a picture that comes in bands from top to bottom.

    Returns RGB, L, or F for deep pictures, ceil(width / factor) x ceil(height / factor); white
    where bands are missing.
    """
    import PIL.Image

    out: Image | None = None
    carry: Image | None = None  # rows that do not fill a square yet
    top = 0
    for strip in _thin(bands, factor):
        flat = _flatten(strip)
        if carry is not None:
            joined = PIL.Image.new(flat.mode, (width, carry.height + flat.height))
            joined.paste(carry, (0, 0))
            joined.paste(flat, (0, carry.height))
            flat = joined
        if out is None:
            white = "white" if flat.mode == "RGB" else 255
            out = PIL.Image.new(flat.mode, (math.ceil(width / factor), math.ceil(height / factor)), white)
        whole = flat.height - flat.height % factor
        if whole:
            out.paste(flat.reduce(factor, (0, 0, width, whole)), (0, top))
            top += whole // factor
        carry = flat.crop((0, whole, width, flat.height)) if whole < flat.height else None
    if out is None:
        raise ValueError("a picture without rows")
    if carry is not None:
        out.paste(carry.reduce(factor), (0, top))
    return out


def upright(image: Image, orientation: object) -> Image:
    """The picture turned by an EXIF/TIFF orientation 1..8; anything else leaves it alone."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _thin(bands: Iterable[Image], factor: int) -> Iterator[Image]:
    """The bands cut so that each stays small after conversion."""
    for band in bands:
        rows = max(1, _BAND_BYTES // (band.width * 4 * factor)) * factor
        if band.height <= rows:
            yield band
            continue
        band.load()
        for top in range(0, band.height, rows):
            yield band.crop((0, top, band.width, min(top + rows, band.height)))


def _flatten(image: Image) -> Image:
    """RGB, L or F (deep pictures, scaled later) on white; `image` itself when it is RGB or L already."""
    import PIL.Image

    if image.mode in _DEEP:
        deep = image if image.mode in ("I", "F") else image.convert("I")
        return deep.convert("F")
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        if image.mode == "La":
            image = image.convert("LA")
        alpha = image.convert("RGBA")
        white = PIL.Image.new("RGB", image.size, "white")
        white.paste(alpha, mask=alpha.getchannel("A"))
        return white
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _to_8_bit(image: Image, source_mode: str) -> Image:
    """16-bit full scale to 255; pictures that use less (12-bit cameras), and floats, by their own range."""
    if image.mode != "F":
        return image
    import numpy as np
    import PIL.Image

    values = np.nan_to_num(np.asarray(image), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = 0.0, float(values.max(initial=0.0))
    if source_mode == "F" or high > 65_535 or float(values.min(initial=0.0)) < 0:
        low = float(values.min(initial=0.0))
    elif high >= 4_096:
        high = 65_535.0
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return PIL.Image.fromarray(scaled.clip(0, 255).astype(np.uint8))

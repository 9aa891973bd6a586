"""A display list as pixels: black lines on a white sheet, drawn larger and reduced, so that thin lines stay smooth."""

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cmrcli.samples.displaylist import (
    LAYERS,
    Arc,
    Circle,
    Fill,
    Hatch,
    Line,
    Point,
    Polyline,
    Primitive,
    Text,
    arc_points,
    hatch_lines,
)
from cmrcli.samples.sheet import Sheet

_CJK_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
    "/usr/share/fonts/truetype/takao-gothic/TakaoGothic.ttf",
    "/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf",
    "/System/Library/Fonts/ヒラギノ角ゴシック W3.ttc",
    "C:/Windows/Fonts/msgothic.ttc",
    "C:/Windows/Fonts/YuGothM.ttc",
)


def rasterise(
    sheet: Sheet, size_px: int, *, line_weight: float = 1.0, oversample: int = 3, japanese: bool = True
) -> Image.Image:
    """The sheet as an "L" image, its longer side `size_px` pixels; `line_weight` thickens (> 1) every line.

    `japanese` allows Japanese letters where the system has a font for them; without, `Text.latin` is drawn.
    """
    scale = size_px * oversample / max(sheet.width, sheet.height)
    w, h = (max(1, round(v * scale / oversample)) for v in (sheet.width, sheet.height))
    image = Image.new("L", (w * oversample, h * oversample), 255)
    pen = _Pen(ImageDraw.Draw(image), image, scale, sheet.height, line_weight, oversample, japanese)
    for p in sheet.primitives:
        pen.draw(p)
    return image.reduce(oversample) if oversample > 1 else image


class _Pen:
    """Draws primitives on an image; y is turned from up to down here and nowhere else."""

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        image: Image.Image,
        scale: float,
        height: float,
        weight: float,
        oversample: int,
        japanese: bool,
    ) -> None:
        self.draw_on, self.image, self.scale, self.height = draw, image, scale, height
        self.japanese = japanese
        thinnest = 0.5 * oversample * min(weight, 2.5)  # thinner than half a pixel would fade away
        self.width = {
            k: max(1, round(max(v.width * scale * weight, thinnest * (0.6 + v.width)))) for k, v in LAYERS.items()
        }
        unit = max(1.0, 0.9 * oversample / scale)  # dashes stay visible at thumbnail size
        self.dash = {k: tuple(d * unit for d in v.dash) for k, v in LAYERS.items()}

    def draw(self, p: Primitive) -> None:
        match p:
            case Line():
                self._stroke((p.start, p.end), p.layer)
            case Polyline():
                self._stroke((*p.points, p.points[0]) if p.closed else p.points, p.layer)
            case Circle():
                self._round(p.centre, p.radius, 0.0, 360.0, p.layer)
            case Arc():
                self._round(p.centre, p.radius, p.start_deg, p.end_deg, p.layer)
            case Fill():
                self.draw_on.polygon([self._at(q) for q in p.points], fill=0)
            case Hatch():
                width = self.width[p.layer]
                for a, b in hatch_lines(p):
                    self.draw_on.line([self._at((a[0], a[1])), self._at((b[0], b[1]))], fill=0, width=width)
            case Text():
                self._text(p)

    def _at(self, q: Point) -> Point:
        return q[0] * self.scale, (self.height - q[1]) * self.scale

    def _round(self, centre: Point, radius: float, start: float, end: float, layer: str) -> None:
        if self.dash[layer]:
            steps = max(8, int((end - start) / 4))
            self._stroke(arc_points(centre, radius, start, end, steps), layer)
            return
        x, y = self._at(centre)
        r = radius * self.scale + self.width[layer] / 2
        self.draw_on.arc((x - r, y - r, x + r, y + r), -end, -start, fill=0, width=self.width[layer])

    def _stroke(self, points: tuple[Point, ...], layer: str) -> None:
        width = self.width[layer]
        for run in dashed(points, self.dash[layer]) if self.dash[layer] else (points,):
            self.draw_on.line([self._at(q) for q in run], fill=0, width=width, joint="curve" if width > 3 else None)

    def _text(self, p: Text) -> None:
        text, font = p.text, None
        size = p.height * self.scale * 1.37  # the font's size is its em; capitals are 0.73 of it
        if size < 2.0:
            return
        if not text.isascii() and any(ord(c) > 0x2E80 for c in text):
            font = japanese_font(round(size)) if self.japanese else None
            text = text if font else p.latin
        if not text:
            return
        font = font or latin_font(round(size))
        x, y = self._at(p.at)
        if p.rotation_deg % 360 == 0:
            shift = {"left": 0.0, "centre": -0.5, "right": -1.0}[p.anchor] * font.getlength(text.replace("Ø", "O"))
            _write(self.draw_on, (x + shift, y), text, font, 0)
            return
        left, top, right, low = font.getbbox(text.replace("Ø", "O"), anchor="ls")
        margin = 1 + round(size * 0.1)
        tile = Image.new("L", (int(right - left) + 2 * margin, int(low - top) + 2 * margin), 0)
        _write(ImageDraw.Draw(tile), (margin - left, margin - top), text, font, 255)
        shift = {"left": 0.0, "centre": -0.5, "right": -1.0}[p.anchor] * right
        turned = tile.rotate(p.rotation_deg, expand=True, resample=Image.Resampling.BILINEAR)
        a = math.radians(p.rotation_deg)
        mid = (shift + (left + right) / 2, -(top + low) / 2)  # centre of the tile, y up, from the anchor
        cx = x + mid[0] * math.cos(a) - mid[1] * math.sin(a)
        cy = y - (mid[0] * math.sin(a) + mid[1] * math.cos(a))
        self.image.paste(0, (round(cx - turned.width / 2), round(cy - turned.height / 2)), turned)


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, font: ImageFont.FreeTypeFont, fill: int
) -> None:
    """Text from its left baseline point; the diameter sign, which the font lacks, as an O with a stroke."""
    plain = text.replace("Ø", "O").replace("×", "x")
    draw.text(at, plain, fill=fill, font=font, anchor="ls")
    for i, letter in enumerate(text):
        if letter == "Ø":
            x, size = at[0] + font.getlength(plain[:i]), font.size
            width = max(1, round(size * 0.07))
            stroke = [
                (x + 0.02 * size, at[1] + 0.06 * size),
                (x + font.getlength("O") - 0.02 * size, at[1] - 0.78 * size),
            ]
            draw.line(stroke, fill=fill, width=width)


def dashed(points: tuple[Point, ...], pattern: tuple[float, ...]) -> list[list[Point]]:
    """The pen-down pieces of a polyline under a dash pattern (down, up, down, up ...; same unit as the points)."""
    p = np.asarray(points, dtype=np.float64)
    lengths = np.hypot(*np.diff(p, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    total, period = float(along[-1]), sum(pattern)
    if total <= pattern[0]:
        return [list(points)]
    out, start = [], 0.0
    while start < total:
        at = start
        for k, step in enumerate(pattern):
            if k % 2 == 0 and at < total:
                a, b = at, min(at + step, total)
                inside = along[(along > a) & (along < b)]
                stops = np.concatenate([[a], inside, [b]])
                xs, ys = np.interp(stops, along, p[:, 0]), np.interp(stops, along, p[:, 1])
                out.append(list(zip(xs.tolist(), ys.tolist(), strict=True)))
            at += step
        start += period
    return out


@lru_cache(maxsize=64)
def latin_font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, the same on every machine."""
    font = ImageFont.load_default(size=size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType")
    return font


@lru_cache(maxsize=64)
def japanese_font(size: int) -> ImageFont.FreeTypeFont | None:
    """A Japanese font of the system, or None."""
    for name in _CJK_FONTS:
        if Path(name).exists():
            return ImageFont.truetype(name, size)
    return None

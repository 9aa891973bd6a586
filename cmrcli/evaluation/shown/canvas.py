"""Lines, markers and words on a sheet of paper, written as SVG or drawn as PNG: the same geometry in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 900, 600
MARKER = 6  # half its width
PNG_SCALE = 2  # pixels of the file for one unit
INK, FAINT, PAPER = "#222222", "#DDDDDD", "#FFFFFF"
_ABOUT = "accuracy against cost"

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """Joined points."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float


@dataclass(frozen=True, slots=True)
class Marker:
    """A point; hollow where it is not filled."""

    x: float
    y: float
    shape: str
    colour: str
    filled: bool


@dataclass(frozen=True, slots=True)
class Text:
    """Words whose middle line is at y; turned by 90 degrees where `upright`."""

    x: float
    y: float
    text: str
    size: int
    anchor: Anchor = "start"
    upright: bool = False


Shape = Line | Marker | Text


def to_svg(shapes: Sequence[Shape]) -> str:
    """A standalone SVG document."""
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" role="img" aria-label="{_ABOUT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
    ]
    for shape in shapes:
        if isinstance(shape, Line):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{shape.colour}" stroke-width="{shape.width}"/>'
            )
        elif isinstance(shape, Marker):
            fill = shape.colour if shape.filled else PAPER
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _outline(shape))
            style = f'fill="{fill}" stroke="{shape.colour}" stroke-width="2"'
            if shape.shape == "circle":
                lines.append(f'<circle cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{MARKER}" {style}/>')
            else:
                lines.append(f'<polygon points="{points}" {style}/>')
        else:
            turn = f' transform="rotate(-90 {shape.x:.1f} {shape.y:.1f})"' if shape.upright else ""
            place = f'x="{shape.x:.1f}" y="{shape.y + shape.size * 0.35:.1f}"'
            style = f'font-size="{shape.size}" text-anchor="{shape.anchor}" fill="{INK}"'
            halo = f'stroke="{PAPER}" stroke-width="3" paint-order="stroke"'
            lines.append(f"<text {place} {style} {halo}{turn}>{escape(shape.text)}</text>")
    return "\n".join([*lines, "</svg>"]) + "\n"


def to_png(shapes: Sequence[Shape]) -> bytes:
    """The same as PNG, PNG_SCALE pixels a unit."""
    import io

    from PIL import Image as Images
    from PIL import ImageDraw as Draws

    scale = 2 * PNG_SCALE  # drawn twice as large and reduced: Pillow draws without smoothing
    image = Images.new("RGB", (WIDTH * scale, HEIGHT * scale), PAPER)
    canvas = Draws.Draw(image)
    for shape in shapes:
        if isinstance(shape, Line):
            points = [(x * scale, y * scale) for x, y in shape.points]
            canvas.line(points, shape.colour, round(shape.width * scale))
        elif isinstance(shape, Marker):
            fill = shape.colour if shape.filled else PAPER
            outline = [(x * scale, y * scale) for x, y in _outline(shape)]
            if shape.shape == "circle":
                canvas.ellipse((*outline[0], *outline[2]), fill, shape.colour, 2 * scale)
            else:
                canvas.polygon(outline, fill)
                canvas.line([*outline, *outline[:2]], shape.colour, 2 * scale)
    image = image.reduce(2)
    canvas = Draws.Draw(image)
    for shape in shapes:
        if isinstance(shape, Text):
            _write(image, canvas, shape)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _outline(marker: Marker) -> list[tuple[float, float]]:
    x, y, r = marker.x, marker.y, MARKER
    if marker.shape == "triangle":
        return [(x, y - r), (x + r, y + r), (x - r, y + r)]
    if marker.shape == "diamond":
        return [(x, y - r - 1), (x + r + 1, y), (x, y + r + 1), (x - r - 1, y)]
    return [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]


def _write(image: Image, canvas: ImageDraw, text: Text) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(text.size * PNG_SCALE)
    x, y = text.x * PNG_SCALE, text.y * PNG_SCALE
    if not text.upright:
        anchor = {"start": "lm", "middle": "mm", "end": "rm"}[text.anchor]
        canvas.text((x, y), text.text, INK, font, anchor=anchor, stroke_width=PNG_SCALE, stroke_fill=PAPER)
        return
    # Pillow writes from left to right only.
    from PIL import Image as Images
    from PIL import ImageDraw as Draws

    band = Images.new("RGB", (HEIGHT * PNG_SCALE, 2 * text.size * PNG_SCALE), PAPER)
    Draws.Draw(band).text((band.width / 2, band.height / 2), text.text, INK, font, anchor="mm")
    turned = band.transpose(Images.Transpose.ROTATE_90)
    image.paste(turned, (round(x - turned.width / 2), round(y - turned.height / 2)))

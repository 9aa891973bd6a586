"""Dimensions, leaders and centre lines: notes in model millimetres that become primitives once the scale is known."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from cmrcli.samples.displaylist import (
    Box,
    Circle,
    Fill,
    Line,
    Point,
    Polyline,
    Primitive,
    Text,
    bounds,
    placed,
    text_width,
)

Side = Literal["above", "below", "left", "right"]


@dataclass(frozen=True, slots=True)
class Size:
    """A linear dimension between two points, its line outside the view on `side`; `level` 0 is nearest."""

    a: Point
    b: Point
    side: Side
    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Leader:
    """A text with an arrow to a point, pulled out at an angle (degrees) by `reach` mm on paper."""

    at: Point
    angle_deg: float
    text: str
    reach: float = 12.0


@dataclass(frozen=True, slots=True)
class Axis:
    """A centre line that overshoots its two points a little."""

    a: Point
    b: Point


@dataclass(frozen=True, slots=True)
class Cut:
    """A vertical cutting plane from `a` up to `b`, marked with a letter at its thick ends; arrows look to `towards`."""

    a: Point
    b: Point
    letter: str = "A"
    towards: Side = "left"


@dataclass(frozen=True, slots=True)
class Ring:
    """A pitch circle around the origin: a chain line through the centres of holes or teeth."""

    radius: float


Note = Size | Leader | Axis | Cut | Ring


@dataclass(frozen=True)
class View:
    """One view of a part in its own millimetres; views of one part share their origin, so that they align."""

    name: str
    primitives: tuple[Primitive, ...]
    notes: tuple[Note, ...] = ()
    label: str = ""
    diagram: bool = False  # symbols and lettering grow together, and no scale is stated


@dataclass(frozen=True)
class Style:
    """How notes look; millimetres on paper."""

    text: float = 3.5
    arrow: float = 3.0
    head: Literal["filled", "open", "tick", "dot"] = "filled"
    gap: float = 8.0  # between dimension lines
    dimensions: bool = True
    centre_lines: bool = True


def cross_axes(x: float, y: float, r: float) -> list[Note]:
    """The two centre lines of a circle."""
    return [Axis((x - r, y), (x + r, y)), Axis((x, y - r), (x, y + r))]


def on_paper(view: View, scale: float, style: Style) -> list[Primitive]:
    """The view at a scale with its notes, in mm on paper around the view's origin."""
    out: list[Primitive] = [placed(p, scale, 0.0, 0.0) for p in view.primitives]
    if view.diagram:
        out = [replace(p, height=p.height * scale) if isinstance(p, Text) else p for p in out]
    box = bounds(out)
    for note in view.notes:
        match note:
            case Axis():
                if style.centre_lines:
                    out.append(_axis(note, scale))
            case Size():
                if style.dimensions:
                    out += _size(note, scale, style, box)
            case Leader():
                if style.dimensions:
                    out += _leader(note, scale, style)
            case Ring():
                if style.centre_lines:
                    out.append(Circle((0.0, 0.0), note.radius * scale, "CENTER"))
            case Cut():
                out += _cut(note, scale, style)
    if view.label:
        x = (box[0] + box[2]) / 2
        y = bounds(out)[1] - 3.0 * style.text
        out.append(Text((x, y), view.label, style.text * 1.3, "TEXT", 0.0, "centre"))
    return out


def _axis(note: Axis, scale: float) -> Line:
    (x0, y0), (x1, y1) = note.a, note.b
    length = math.hypot(x1 - x0, y1 - y0) * scale or 1.0
    over = 3.0 / length
    dx, dy = (x1 - x0) * scale * over, (y1 - y0) * scale * over
    return Line((x0 * scale - dx, y0 * scale - dy), (x1 * scale + dx, y1 * scale + dy), "CENTER")


def _size(note: Size, scale: float, style: Style, box: Box) -> list[Primitive]:
    """Extension lines, dimension line, heads and text of a horizontal or vertical dimension."""
    ax, ay, bx, by = note.a[0] * scale, note.a[1] * scale, note.b[0] * scale, note.b[1] * scale
    out = style.gap * (note.level + 1) + 1.0
    upright = note.side in ("left", "right")
    if upright:  # swap to a horizontal dimension and back at the end
        ax, ay, bx, by = ay, ax, by, bx
    level = {"above": box[3] + out, "below": box[1] - out, "right": box[2] + out, "left": box[0] - out}[note.side]
    away = 1.0 if note.side in ("above", "right") else -1.0
    lo, hi = min(ax, bx), max(ax, bx)
    flat: list[Primitive] = []
    for x, y in ((ax, ay), (bx, by)):
        if abs(level - y) > 2.0:
            flat.append(Line((x, y + 1.0 * away), (x, level + 1.5 * away), "DIM"))
    inside = hi - lo > 2.6 * style.arrow
    reach = 0.0 if inside else 2.0 * style.arrow
    flat.append(Line((lo - reach, level), (hi + reach, level), "DIM"))
    flat += _head((lo, level), (-1.0, 0.0) if inside else (1.0, 0.0), style)
    flat += _head((hi, level), (1.0, 0.0) if inside else (-1.0, 0.0), style)
    width = text_width(note.text, style.text)
    fits = hi - lo > width + 1.0
    x = (lo + hi) / 2 if fits else hi + reach + width / 2 + 1.0
    if upright:
        flat = [_swapped(p) for p in flat]
        flat.append(Text((level - 0.35 * style.text, x), note.text, style.text, "DIM", 90.0, "centre"))
    else:
        flat.append(Text((x, level + 0.35 * style.text), note.text, style.text, "DIM", 0.0, "centre"))
    return flat


def _swapped(p: Primitive) -> Primitive:
    def s(q: Point) -> Point:
        return q[1], q[0]

    match p:
        case Line():
            return Line(s(p.start), s(p.end), p.layer)
        case Fill():
            return Fill(tuple(s(q) for q in p.points), p.layer)
        case Circle():
            return Circle(s(p.centre), p.radius, p.layer)
        case Polyline():
            return Polyline(tuple(s(q) for q in p.points), p.closed, p.layer)
        case _:
            return p


def _head(tip: Point, along: Point, style: Style) -> list[Primitive]:
    """An arrow head whose tip lies at `tip` and which points along a unit vector."""
    (x, y), (u, v), n = tip, along, style.arrow
    back = (x - n * u, y - n * v)
    wings = ((back[0] - n * v * 0.17, back[1] + n * u * 0.17), (back[0] + n * v * 0.17, back[1] - n * u * 0.17))
    match style.head:
        case "filled":
            return [Fill((tip, *wings), "DIM")]
        case "open":
            return [Polyline((wings[0], tip, wings[1]), False, "DIM")]
        case "tick":
            d = n * 0.35
            return [Line((x - d, y - d), (x + d, y + d), "DIM")]
        case "dot":
            points = tuple((x + 0.22 * n * math.cos(a), y + 0.22 * n * math.sin(a)) for a in _EIGHT)
            return [Fill(points, "DIM")]


def _cut(note: Cut, scale: float, style: Style) -> list[Primitive]:
    (x, low), (_, high) = ((q[0] * scale, q[1] * scale) for q in (note.a, note.b))
    n, side = style.arrow, -1.0 if note.towards == "left" else 1.0
    low, high = low - 4.0, high + 4.0
    out: list[Primitive] = [Line((x, low), (x, high), "CENTER")]
    for y, inwards in ((low, 1.0), (high, -1.0)):
        out += [Line((x, y), (x, y + 4.0 * inwards)), Line((x, y), (x + side * 2.2 * n, y), "DIM")]
        out += _head((x + side * 2.2 * n, y), (side, 0.0), style)
        out.append(
            Text(
                (x - side * 1.2 * style.text, y - 0.5 * style.text),
                note.letter,
                style.text * 1.2,
                "TEXT",
                0.0,
                "centre",
            )
        )
    return out


_EIGHT = [i * math.pi / 4 for i in range(8)]


def _leader(note: Leader, scale: float, style: Style) -> list[Primitive]:
    x, y = note.at[0] * scale, note.at[1] * scale
    a = math.radians(note.angle_deg)
    u, v = math.cos(a), math.sin(a)
    bend = (x + u * note.reach, y + v * note.reach)
    right = 1.0 if u >= 0 else -1.0
    width = text_width(note.text, style.text) + 1.0
    end = (bend[0] + right * width, bend[1])
    out: list[Primitive] = [Polyline(((x, y), bend, end), False, "DIM")]
    out += _head((x, y), (-u, -v), style)
    middle = (bend[0] + end[0]) / 2
    out.append(Text((middle, bend[1] + 0.3 * style.text), note.text, style.text, "DIM", 0.0, "centre"))
    return out


def number(value: float) -> str:
    """A dimension's text: no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def projection_symbol(at: Point, size: float, *, third: bool) -> list[Primitive]:
    """The truncated cone that says which projection a sheet uses; `at` is its centre, `size` its width in mm.

    The cone's small end is on its left; what is seen from there stands left of it in third angle, right in first.
    """
    (x, y), s = at, size / 10.0
    rings, cone = (x - 2.5 * s, x + 2.5 * s) if third else (x + 2.5 * s, x - 2.5 * s)
    small, big = 0.9 * s, 1.8 * s
    corners = ((-1.8 * s, -small), (-1.8 * s, small), (1.8 * s, big), (1.8 * s, -big))
    return [
        Circle((rings, y), big, "THIN"),
        Circle((rings, y), small, "THIN"),
        Polyline(tuple((cone + u, y + v) for u, v in corners), True, "THIN"),
        Line((rings - 2.4 * s, y), (rings + 2.4 * s, y), "CENTER"),
        Line((rings, y - 2.4 * s), (rings, y + 2.4 * s), "CENTER"),
        Line((cone - 2.4 * s, y), (cone + 2.4 * s, y), "CENTER"),
    ]

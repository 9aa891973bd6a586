"""A neutral display list for 2-D drawings: the primitives every back-end (raster, SVG, PDF, DXF) understands.

Coordinates are millimetres, x to the right, y up. Layers carry the meaning of a line (outline, hidden, centre ...);
their widths, dashes and colours are in `LAYERS`, so that a primitive never names a pen.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # x0, y0, x1, y1
Anchor = Literal["left", "centre", "right"]


@dataclass(frozen=True, slots=True)
class Layer:
    """How a layer is drawn: `width` in mm on paper, `dash` in mm on paper (pen down, up, ...), `aci` a DXF colour."""

    width: float
    dash: tuple[float, ...]
    aci: int
    linetype: str


LAYERS: dict[str, Layer] = {
    "OUTLINE": Layer(0.50, (), 7, "CONTINUOUS"),
    "THIN": Layer(0.25, (), 8, "CONTINUOUS"),
    "HIDDEN": Layer(0.25, (3.0, 1.5), 3, "HIDDEN"),
    "CENTER": Layer(0.18, (9.0, 1.5, 1.5, 1.5), 1, "CENTER"),
    "PHANTOM": Layer(0.18, (9.0, 1.5, 1.5, 1.5, 1.5, 1.5), 6, "PHANTOM"),
    "DIM": Layer(0.18, (), 4, "CONTINUOUS"),
    "HATCH": Layer(0.13, (), 8, "CONTINUOUS"),
    "TEXT": Layer(0.25, (), 2, "CONTINUOUS"),
    "BORDER": Layer(0.70, (), 5, "CONTINUOUS"),
    "WIRE": Layer(0.35, (), 3, "CONTINUOUS"),
    "WALL": Layer(0.60, (), 7, "CONTINUOUS"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    start: Point
    end: Point
    layer: str = "OUTLINE"


@dataclass(frozen=True, slots=True)
class Circle:
    """A full circle."""

    centre: Point
    radius: float
    layer: str = "OUTLINE"


@dataclass(frozen=True, slots=True)
class Arc:
    """A circular arc, counter-clockwise from `start_deg` to `end_deg` (end > start, at most a full turn)."""

    centre: Point
    radius: float
    start_deg: float
    end_deg: float
    layer: str = "OUTLINE"


@dataclass(frozen=True, slots=True)
class Polyline:
    """Connected straight lines; `closed` joins the last point to the first."""

    points: tuple[Point, ...]
    closed: bool = False
    layer: str = "OUTLINE"


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `at` is the baseline point that `anchor` names, `height` the capital height in mm on paper.

    `latin` is drawn instead where a back-end has no glyphs for Japanese (raster without a system font).
    """

    at: Point
    text: str
    height: float = 3.5
    layer: str = "TEXT"
    rotation_deg: float = 0.0
    anchor: Anchor = "left"
    latin: str = ""


@dataclass(frozen=True, slots=True)
class Hatch:
    """Parallel lines that fill closed loops by the even-odd rule; `spacing` is in mm on paper."""

    loops: tuple[tuple[Point, ...], ...]
    angle_deg: float = 45.0
    spacing: float = 2.5
    layer: str = "HATCH"


@dataclass(frozen=True, slots=True)
class Fill:
    """A filled polygon: an arrow head, a solder joint, a wall."""

    points: tuple[Point, ...]
    layer: str = "DIM"


Primitive = Line | Circle | Arc | Polyline | Text | Hatch | Fill


def arc_points(centre: Point, radius: float, start_deg: float, end_deg: float, steps: int = 0) -> tuple[Point, ...]:
    """Points along an arc, both ends included; about one each 7 degrees unless `steps` says otherwise."""
    n = steps or max(2, math.ceil(abs(end_deg - start_deg) / 7.0))
    angles = np.radians(np.linspace(start_deg, end_deg, n + 1))
    xs, ys = centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)
    return tuple(zip(xs.tolist(), ys.tolist(), strict=True))


def text_width(text: str, height: float) -> float:
    """Approximate width of a line of text in mm: 0.95 of the height a capital, 0.76 a small letter, 1.35 a wide one."""
    return sum(1.35 if ord(c) > 0x2E80 else 0.95 if c.isupper() else 0.76 for c in text) * height


def bounds(primitives: Iterable[Primitive], layers: frozenset[str] | None = None) -> Box:
    """Bounding box of the primitives (of the given layers); zeros when there are none."""
    xs: list[float] = []
    ys: list[float] = []
    for p in primitives:
        if layers is not None and p.layer not in layers:
            continue
        for x, y in _extent(p):
            xs.append(x)
            ys.append(y)
    return (min(xs), min(ys), max(xs), max(ys)) if xs else (0.0, 0.0, 0.0, 0.0)


def _extent(p: Primitive) -> tuple[Point, ...]:
    match p:
        case Line():
            return p.start, p.end
        case Circle():
            (x, y), r = p.centre, p.radius
            return (x - r, y - r), (x + r, y + r)
        case Arc():
            return arc_points(p.centre, p.radius, p.start_deg, p.end_deg)
        case Polyline() | Fill():
            return p.points
        case Hatch():
            return tuple(q for loop in p.loops for q in loop)
        case Text():
            w, (x, y) = text_width(p.text, p.height), p.at
            left = {"left": 0.0, "centre": -w / 2, "right": -w}[p.anchor]
            c, s = math.cos(math.radians(p.rotation_deg)), math.sin(math.radians(p.rotation_deg))
            corners = [(left, -0.2 * p.height), (left + w, p.height)]
            corners += [(left, p.height), (left + w, -0.2 * p.height)]
            return tuple((x + c * u - s * v, y + s * u + c * v) for u, v in corners)


def placed(p: Primitive, scale: float, dx: float, dy: float) -> Primitive:
    """The primitive scaled and then moved; text heights and hatch spacings stay as they are on paper."""

    def at(q: Point) -> Point:
        return q[0] * scale + dx, q[1] * scale + dy

    match p:
        case Line():
            return Line(at(p.start), at(p.end), p.layer)
        case Circle():
            return Circle(at(p.centre), p.radius * scale, p.layer)
        case Arc():
            return Arc(at(p.centre), p.radius * scale, p.start_deg, p.end_deg, p.layer)
        case Polyline():
            return Polyline(tuple(at(q) for q in p.points), p.closed, p.layer)
        case Fill():
            return Fill(tuple(at(q) for q in p.points), p.layer)
        case Text():
            return replace(p, at=at(p.at))
        case Hatch():
            return replace(p, loops=tuple(tuple(at(q) for q in loop) for loop in p.loops))


def hatch_lines(hatch: Hatch) -> NDArray[np.float64]:
    """The straight lines of a hatch, cut at its loops by the even-odd rule: (n, 2, 2) start and end points."""
    a = math.radians(hatch.angle_deg)
    c, s = math.cos(a), math.sin(a)
    turn = np.array([[c, -s], [s, c]])  # row vectors times this: coordinates in which the hatch lines are horizontal
    starts = [np.asarray(loop, dtype=np.float64) @ turn for loop in hatch.loops if len(loop) > 2]
    if not starts:
        return np.zeros((0, 2, 2))
    p = np.concatenate(starts)
    q = np.concatenate([np.roll(loop, -1, axis=0) for loop in starts])
    first = math.floor(p[:, 1].min() / hatch.spacing) + 0.5
    levels = np.arange(first, p[:, 1].max() / hatch.spacing) * hatch.spacing
    y = levels[:, None]
    crosses = (p[:, 1] <= y) != (q[:, 1] <= y)
    row, edge = np.nonzero(crosses)
    slope = (q[edge, 0] - p[edge, 0]) / (q[edge, 1] - p[edge, 1])
    x = p[edge, 0] + (levels[row] - p[edge, 1]) * slope
    order = np.lexsort((x, row))
    ends = np.stack([x[order], levels[row[order]]], axis=1) @ turn.T
    return np.asarray(ends.reshape(-1, 2, 2))  # an even number of crossings on each level: pairs never straddle levels

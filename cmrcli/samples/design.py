"""What a part family is, and the small words its files are written in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from cmrcli.samples.annotate import Note, number
from cmrcli.samples.displaylist import Hatch, Line, Point, Polyline, Primitive
from cmrcli.samples.solid import Array, Solid, rotation

Params = dict[str, float]
Fact = tuple[str, str]  # the same statement in English and Japanese
Profile = Sequence[tuple[float, float]]  # (x, radius) points, material to the right of the direction

TO_X: Array = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])  # extruded along z: now along x, seen true from the right
TO_FRONT: Array = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # extruded along z: now seen true from the front
UP: Array = rotation("y", -90)  # the x axis: now upwards


@dataclass(frozen=True)
class Design:
    """A part with its parameters put in.

    Attributes:
        solid: the body, or None for diagrams, which have no picture.
        arrangements: which views a sheet may show together.
        notes: dimensions and centre lines for each view, in the view's millimetres.
        sections: what replaces a view when the sheet shows a section.
        diagram: the whole drawing of a family without a solid, in mm.
        poses: how the part may lie when it is photographed (names in `render.POSES`).
        facts: statements for captions.
        tone: a finish that overrides the material's (a PCB is green whatever its laminate is called).
    """

    solid: Solid | None
    facts: tuple[Fact, ...]
    arrangements: tuple[tuple[str, ...], ...] = (("front",),)
    notes: dict[str, list[Note]] = field(default_factory=dict)
    sections: dict[str, list[Primitive]] = field(default_factory=dict)
    diagram: tuple[Primitive, ...] = ()
    poses: tuple[str, ...] = ("as_drawn",)
    hidden: bool = True


@dataclass(frozen=True)
class Family:
    """A kind of part: names (the first is the usual one), materials (none: a diagram), and how parameters make it."""

    name: str
    en: tuple[str, ...]
    ja: tuple[str, ...]
    materials: tuple[str, ...]
    prefix: str
    params: Callable[[Random], Params]
    design: Callable[[Params], Design]


def mm(en: str, ja: str, value: float) -> Fact:
    """A length: ("outer diameter 120 mm", "外径120mm")."""
    return f"{en} {number(value)} mm", f"{ja}{number(value)}mm"


def count(en: str, ja: str, n: float, plural: str = "") -> Fact:
    """A number of things: ("6 bolt holes", "ボルト穴6個")."""
    k = int(n)
    return f"{k} {en if k == 1 else plural or en + 's'}", f"{ja}{k}個"


def drilled(n: float, diameter: float) -> str:
    """The call-out of equal holes: "Ø9", "4-Ø9"."""
    return f"{int(n)}-Ø{number(diameter)}" if n > 1 else f"Ø{number(diameter)}"


def profile_section(profile: Profile, holes: Sequence[tuple[float, float]] = ()) -> list[Primitive]:
    """A hatched section through the axis of a turned part, in the front view (x, z).

    `holes` are (radius of the centre, diameter) of holes along the axis that the cut goes through, above and below.
    """
    pieces: list[list[Point]] = [[(float(x), float(r)) for x, r in profile]]
    x0, x1 = min(p[0] for p in pieces[0]), max(p[0] for p in pieces[0])
    out: list[Primitive] = []
    for radius, diameter in holes:
        low, high = radius - diameter / 2, radius + diameter / 2
        cut = [
            loop for p in pieces for loop in (_clipped(p, low, keep_above=False), _clipped(p, high, keep_above=True))
        ]
        walls = [q for p in pieces for q in _clipped(_clipped(p, low, keep_above=True), high, keep_above=False)]
        a, b = min((q[0] for q in walls), default=x0), max((q[0] for q in walls), default=x1)
        for side in (1.0, -1.0):
            out += [Line((end, side * low), (end, side * high)) for end in (a, b)]
        pieces = [loop for loop in cut if len(loop) > 2]
    for piece in pieces:
        for side in (1.0, -1.0):
            face = tuple((x, side * r) for x, r in piece)
            out += [Polyline(face, True), Hatch((face,))]
    n = len(profile)
    for i, (x, r) in enumerate(profile):  # edges behind the cut: where the profile runs back along the bore
        if r > 0 and (x < profile[i - 1][0] or profile[(i + 1) % n][0] < x):
            low = _floor_below(profile, x, r)
            out += [Line((x, -r), (x, r))] if low == 0 else [Line((x, s * low), (x, s * r)) for s in (1, -1)]
    return out


def _floor_below(profile: Profile, x: float, radius: float) -> float:
    """How far inwards an edge at (x, radius) is seen: the outermost cut material below it on either side of x, or 0."""
    nudge = 1e-6 * (1 + max(p[0] for p in profile) - min(p[0] for p in profile))
    low = 0.0
    for at in (x - nudge, x + nudge):
        for i, (bx, br) in enumerate(profile):
            ax, ar = profile[i - 1]
            if (ax <= at) != (bx <= at):
                crossing = ar + (br - ar) * (at - ax) / (bx - ax)
                if crossing < radius - 1e-3:
                    low = max(low, crossing)
    return low


def _clipped(loop: list[Point], level: float, *, keep_above: bool) -> list[Point]:
    """The part of a polygon above or below a horizontal line (Sutherland and Hodgman)."""
    sign = 1.0 if keep_above else -1.0
    out: list[Point] = []
    for i, (bx, by) in enumerate(loop):
        ax, ay = loop[i - 1]
        da, db = sign * (ay - level), sign * (by - level)
        if (da > 0) != (db > 0):
            t = da / (da - db)
            out.append((ax + t * (bx - ax), level))
        if db > 0:
            out.append((bx, by))
    return out


def loop_section(loops: Sequence[Sequence[Point]], angle_deg: float = 45.0) -> list[Primitive]:
    """A hatched cut face: outer loop and holes, even-odd."""
    closed: list[tuple[Point, ...]] = [tuple((float(x), float(y)) for x, y in loop) for loop in loops]
    return [*(Polyline(loop, True) for loop in closed), Hatch(tuple(closed), angle_deg)]

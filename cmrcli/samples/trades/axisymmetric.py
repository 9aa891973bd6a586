"""What round parts share: centre lines, drilled discs, wheels, the views and poses they are shown in."""

import math

import numpy as np

from cmrcli.samples.annotate import Axis, Note
from cmrcli.samples.design import (
    TO_X,
    Profile,
)
from cmrcli.samples.displaylist import arc_points
from cmrcli.samples.outline import Outline, pitch_circle
from cmrcli.samples.solid import Solid, extrude, revolve, sweep

SIDE_ROUND = (
    *(("front", "right"),) * 5,
    *(("front", "right", "iso"),) * 2,
    *(("front", "left"), ("right",)),
)


ROUND = ("as_drawn", "x_up", "x_down", "x_up")


def bore_flags(profile: Profile) -> list[bool]:
    """Dashed where covered: the segments that run back along the bore."""
    n = len(profile)
    inner = min(r for _, r in profile)
    back = [profile[(i + 1) % n][0] < profile[i][0] or profile[i][1] <= inner for i in range(n)]
    return [back[i] or (back[i - 1] and back[(i + 1) % n]) for i in range(n)]


def along_axis(x0: float, x1: float) -> list[Note]:
    """The centre line of a turned part in its front view."""
    return [Axis((x0, 0), (x1, 0))]


def disc_with_holes(x0: float, x1: float, radius: float, bore: float, holes: list[Outline]) -> Solid:
    """A round plate across the x axis, with a bore (0: none) and further holes."""
    inner = [Outline.disc(0, 0, bore)] if bore > 0 else []
    return extrude(Outline.disc(0, 0, radius, 48), x0, x1, [*inner, *holes]).moved(turn=TO_X)


def bolt_circle(count_: int, radius: float, hole: float) -> list[Outline]:
    """Holes evenly around the axis, one at the top."""
    return [Outline.disc(x, y, hole / 2, 16) for x, y in pitch_circle(count_, radius, 90)]


def wheel(radius: float, bar: float, spokes: int, hub: float) -> Solid:
    """A handwheel about the x axis: rim, spokes, hub."""
    a = np.linspace(0, 2 * math.pi, 45)[:-1]
    rim = np.stack([np.zeros(44), radius * np.cos(a), radius * np.sin(a)], axis=1)
    solid = sweep(rim, bar, closed=True, segments=12)
    for y, z in pitch_circle(spokes, 1.0, 90):
        path = np.array(
            [
                [-bar * 0.2, y * hub * 0.5, z * hub * 0.5],
                [-bar * 0.1, y * radius * 0.5, z * radius * 0.5],
                [0, y * radius, z * radius],
            ]
        )
        solid += sweep(path, bar * 0.62, segments=8)
    return solid


def ball(r: float, segments: int = 18) -> Solid:
    """A sphere about the origin."""
    return revolve([(x, y) for x, y in reversed(arc_points((0, 0), r, 0, 180, 10))], segments=segments)

"""Flat closed outlines: how they are made, where they have corners, and how they are cut into triangles."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmrcli.samples.displaylist import Point, arc_points

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outline:
    """A closed loop of points (n, 2); `circle` is (x, y, radius) where the loop is one full circle."""

    points: Array
    circle: tuple[float, float, float] | None = None

    @staticmethod
    def of(points: Sequence[Point]) -> "Outline":
        """An outline through the points; a repeated neighbour is dropped."""
        p = np.asarray(points, dtype=np.float64)
        keep = np.abs(p - np.roll(p, 1, axis=0)).max(axis=1) > 1e-9
        return Outline(p[keep])

    @staticmethod
    def disc(x: float, y: float, radius: float, segments: int = 36) -> "Outline":
        """A circle."""
        return Outline(np.asarray(arc_points((x, y), radius, 0, 360, segments)[:-1]), (x, y, radius))

    @staticmethod
    def rect(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> "Outline":
        """A rectangle, its corners rounded by `radius`."""
        if radius <= 0:
            return Outline.of([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        corners = [(x1 - radius, y0 + radius, -90), (x1 - radius, y1 - radius, 0)]
        corners += [(x0 + radius, y1 - radius, 90), (x0 + radius, y0 + radius, 180)]
        return Outline.of([p for x, y, a in corners for p in arc_points((x, y), radius, a, a + 90, 6)])

    @staticmethod
    def slot(x: float, y: float, length: float, width: float, angle_deg: float = 0.0) -> "Outline":
        """A long hole: `length` between the centres of its round ends."""
        r, h = width / 2, length / 2
        pts = [*arc_points((h, 0), r, -90, 90, 10), *arc_points((-h, 0), r, 90, 270, 10)]
        c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        return Outline.of([(x + c * u - s * v, y + s * u + c * v) for u, v in pts])

    @staticmethod
    def regular(x: float, y: float, sides: int, across_flats: float, turn_deg: float = 0.0) -> "Outline":
        """A regular polygon by its width across flats."""
        r = across_flats / 2 / math.cos(math.pi / sides)
        angles = np.radians(turn_deg) + 2 * math.pi * np.arange(sides) / sides
        return Outline(np.stack([x + r * np.cos(angles), y + r * np.sin(angles)], axis=1))

    def counter_clockwise(self) -> "Outline":
        """The same loop with its inside to the left."""
        x, y = self.points.T
        return self if float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) > 0 else self.reversed()

    def reversed(self) -> "Outline":
        """The loop the other way round."""
        return Outline(self.points[::-1], self.circle)

    def creases(self, limit_deg: float) -> NDArray[np.bool_]:
        """Which points turn by more than the limit, (n,)."""
        after = np.roll(self.points, -1, axis=0) - self.points
        before = np.roll(after, 1, axis=0)
        cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        return np.asarray(np.degrees(np.abs(np.arctan2(cross, (before * after).sum(axis=1)))) > limit_deg)

    def tuple(self) -> tuple[Point, ...]:
        """The points as plain tuples, for a display list."""
        return tuple((float(x), float(y)) for x, y in self.points)


def pitch_circle(count: int, radius: float, start_deg: float = 0.0) -> list[Point]:
    """`count` points evenly around the origin."""
    angles = [math.radians(start_deg + 360.0 * i / count) for i in range(count)]
    return [(radius * math.cos(a), radius * math.sin(a)) for a in angles]


def trapezoids(loops: Sequence[Array]) -> Array:
    """The even-odd inside of the loops as triangles (n, 3, 2), counter-clockwise: cut into slabs at every corner's y.

    Robust for any number of holes and without any search for ears or bridges; slabs share their edges exactly.
    """
    p = np.concatenate(loops)
    q = np.concatenate([np.roll(loop, -1, axis=0) for loop in loops])
    levels = np.unique(np.round(p[:, 1], 9))
    low, high = levels[:-1], levels[1:]
    middle = (low + high) / 2
    crosses = (p[:, 1] < middle[:, None]) != (q[:, 1] < middle[:, None])
    slab, edge = np.nonzero(crosses)
    slope = (q[edge, 0] - p[edge, 0]) / (q[edge, 1] - p[edge, 1])

    def x_at(y: Array) -> Array:
        out: Array = p[edge, 0] + (y[slab] - p[edge, 1]) * slope
        return out

    order = np.lexsort((x_at(middle), slab))
    slab_sorted = slab[order][::2]
    lo, hi = x_at(low)[order], x_at(high)[order]
    a = np.stack([lo[::2], low[slab_sorted]], axis=1)
    b = np.stack([lo[1::2], low[slab_sorted]], axis=1)
    c = np.stack([hi[1::2], high[slab_sorted]], axis=1)
    d = np.stack([hi[::2], high[slab_sorted]], axis=1)
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])

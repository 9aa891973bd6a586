"""Solids for pictures and projected views: smooth patches, flat facets and the curves where faces meet.

A solid is a plain union of closed bodies (no boolean operations: what lies inside another body is never seen).
Axes: x to the right, y away from the viewer of the front view, z up; millimetres.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cmrcli.samples.outline import Outline, trapezoids

Array = NDArray[np.float64]
TURN_SEGMENTS = 40  # facets around a full turn: smooth at thumbnail size
CREASE_DEG = 32.0  # a sharper turn between two faces is an edge that is drawn


@dataclass(frozen=True)
class Patch:
    """A smooth surface as a grid: `points` and outward unit `normals`, both (m, n, 3)."""

    points: Array
    normals: Array
    tone: str = "main"
    hidden: bool = False  # its contour is drawn dashed where it is covered (bores and holes)
    contour: Literal["full", "thin", "none"] = "full"  # thin: a thread's root, drawn through whatever covers it
    picture: bool = True  # False: for drawings alone


@dataclass(frozen=True)
class Facets:
    """Flat triangles (n, 3, 3) with one outward unit normal each (n, 3)."""

    triangles: Array
    normals: Array
    tone: str = "main"


@dataclass(frozen=True)
class Curve:
    """An edge of the solid: points (k, 3); `circle` holds (centre, axis, radius) where it is a full circle."""

    points: Array
    hidden: bool = False
    thin: bool = False  # a thin line, drawn whatever covers it
    circle: tuple[Array, Array, float] | None = None


@dataclass(frozen=True)
class Solid:
    """Patches, facets and curves of a union of bodies."""

    patches: tuple[Patch, ...] = ()
    facets: tuple[Facets, ...] = ()
    curves: tuple[Curve, ...] = field(default=())

    def __add__(self, other: "Solid") -> "Solid":
        return Solid(self.patches + other.patches, self.facets + other.facets, self.curves + other.curves)

    def moved(self, by: Sequence[float] = (0, 0, 0), turn: Array | None = None) -> "Solid":
        """The solid turned by a rotation matrix about the origin, then moved."""
        m = np.eye(3) if turn is None else turn
        d = np.asarray(by, dtype=np.float64)

        def circle(c: tuple[Array, Array, float] | None) -> tuple[Array, Array, float] | None:
            return None if c is None else (c[0] @ m.T + d, c[1] @ m.T, c[2])

        return Solid(
            tuple(replace(p, points=p.points @ m.T + d, normals=p.normals @ m.T) for p in self.patches),
            tuple(Facets(f.triangles @ m.T + d, f.normals @ m.T, f.tone) for f in self.facets),
            tuple(replace(c, points=c.points @ m.T + d, circle=circle(c.circle)) for c in self.curves),
        )

    def toned(self, tone: str) -> "Solid":
        """The same solid in another tone (a key of the renderer's table; "main" is the part's own material)."""
        return Solid(
            tuple(replace(p, tone=tone) for p in self.patches),
            tuple(Facets(f.triangles, f.normals, tone) for f in self.facets),
            self.curves,
        )

    def vertices(self) -> Array:
        """All surface points, (n, 3)."""
        parts = [p.points.reshape(-1, 3) for p in self.patches if p.picture] + [
            f.triangles.reshape(-1, 3) for f in self.facets
        ]
        return np.concatenate(parts)

    def mesh(self) -> tuple[Array, Array, list[str], NDArray[np.int64]]:
        """Triangle soup, counter-clockwise from outside: corners (n, 3, 3), corner normals (n, 3, 3), the tones, and
        each triangle's tone index (n,)."""
        tones = sorted({p.tone for p in self.patches} | {f.tone for f in self.facets})
        corners, normals, index = [], [], []
        for p in self.patches:
            if not p.picture:
                continue
            corners.append(_grid_triangles(p.points))
            normals.append(_grid_triangles(p.normals))
            index.append(np.full(len(corners[-1]), tones.index(p.tone)))
        for f in self.facets:
            corners.append(f.triangles)
            normals.append(np.repeat(f.normals[:, None, :], 3, axis=1))
            index.append(np.full(len(f.triangles), tones.index(f.tone)))
        tri, nrm = np.concatenate(corners), np.concatenate(normals)
        wound = np.cross(tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0])
        wrong = (wound * nrm.sum(axis=1)).sum(axis=1) < 0  # builders give normals; the winding follows from them
        tri[wrong] = tri[wrong][:, ::-1]
        nrm[wrong] = nrm[wrong][:, ::-1]
        return tri, nrm, tones, np.concatenate(index)


def _grid_triangles(grid: Array) -> Array:
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    return np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(-1, 3, 3)


def rotation(axis: str, degrees: float) -> Array:
    """Rotation matrix about the x, y or z axis (right-handed)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    m = np.eye(3)
    m[i, i], m[j, j], m[i, j], m[j, i] = c, c, -s, s
    return m


def revolve(
    profile: Sequence[tuple[float, float]], *, hidden: Sequence[bool] | bool = False, segments: int = TURN_SEGMENTS
) -> Solid:
    """A closed profile of (x, radius) points turned about the x axis.

    The profile runs so that material lies to the right of its direction: along the outside towards +x, back along
    the bore. `hidden` says, for the segment after each point, whether it is drawn dashed where it is covered.
    """
    pts = np.asarray(profile, dtype=np.float64)
    n = len(pts)
    flags = [hidden] * n if isinstance(hidden, bool) else list(hidden)
    step = np.roll(pts, -1, axis=0) - pts
    length = np.hypot(step[:, 0], step[:, 1])
    direction = step / np.maximum(length, 1e-12)[:, None]
    before = np.roll(direction, 1, axis=0)
    turn = np.abs(np.degrees(np.arctan2(_cross(before, direction), (before * direction).sum(axis=1))))
    crease = turn > CREASE_DEG  # at point i, between segment i-1 and segment i
    outward = np.stack([-direction[:, 1], direction[:, 0]], axis=1)  # left of the direction
    angles = np.linspace(0, 2 * math.pi, segments + 1)
    ring = np.stack([np.zeros_like(angles), np.cos(angles), np.sin(angles)], axis=1)
    starts = [i for i in range(n) if crease[i]] or [0]
    patches, curves = [], []
    for s, e in zip(starts, [*starts[1:], starts[0] + n], strict=True):
        idx = np.arange(s, e + 1) % n
        segs = np.arange(s, e) % n
        if length[segs].sum() < 1e-9 or pts[idx, 1].max() < 1e-9:
            continue
        normal = np.empty((len(idx), 2))
        normal[0], normal[-1] = outward[segs[0]], outward[segs[-1]]
        normal[1:-1] = outward[segs[:-1]] + outward[segs[1:]]
        normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-12)[:, None]
        grid = pts[idx, 1][:, None, None] * ring[None]
        grid[:, :, 0] += pts[idx, 0][:, None]
        normals = normal[:, 1][:, None, None] * ring[None]
        normals[:, :, 0] += normal[:, 0][:, None]
        patches.append(Patch(grid, normals, "main", flags[segs[0]]))
    for i in range(n):
        if crease[i] and pts[i, 1] > 1e-9:
            centre = np.array([pts[i, 0], 0.0, 0.0])
            circle = (centre, np.array([1.0, 0.0, 0.0]), float(pts[i, 1]))
            curves.append(Curve(centre + pts[i, 1] * ring, flags[i] and flags[i - 1], circle=circle))
    return Solid(tuple(patches), (), tuple(curves))


def _cross(a: Array, b: Array) -> Array:
    out: Array = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return out


def extrude(outer: Outline, z0: float, z1: float, holes: Sequence[Outline] = (), *, hidden: bool = False) -> Solid:
    """A flat outline in x, y with holes, from z0 up to z1; covered edges of holes, or all if `hidden`, are dashed."""
    loops = [outer.counter_clockwise()] + [h.counter_clockwise().reversed() for h in holes]
    flat = trapezoids([loop.points for loop in loops])
    top = np.concatenate([flat, np.full((*flat.shape[:2], 1), z1)], axis=2)
    low = np.concatenate([flat[:, ::-1], np.full((*flat.shape[:2], 1), z0)], axis=2)
    up = np.tile([0.0, 0.0, 1.0], (len(flat), 1))
    facets = (Facets(np.concatenate([top, low]), np.concatenate([up, -up])),)
    patches: list[Patch] = []
    curves: list[Curve] = []
    for k, loop in enumerate(loops):
        dashed = hidden or k > 0
        patches += _walls(loop, z0, z1, dashed)
        for z in (z0, z1):
            ring = np.concatenate([loop.points, loop.points[:1]])
            ring = np.concatenate([ring, np.full((len(ring), 1), z)], axis=1)
            circle = None
            if loop.circle is not None:
                cx, cy, r = loop.circle
                circle = (np.array([cx, cy, z]), np.array([0.0, 0.0, 1.0]), r)
            curves.append(Curve(ring, dashed, circle=circle))
        for i in np.nonzero(loop.creases(CREASE_DEG))[0]:
            x, y = loop.points[i]
            curves.append(Curve(np.array([[x, y, z0], [x, y, z1]]), dashed))
    return Solid(tuple(patches), facets, tuple(curves))


def _walls(loop: Outline, z0: float, z1: float, hidden: bool) -> list[Patch]:
    """The side walls of a loop, split at its creases; outward is right of the loop's direction."""
    pts = loop.points
    n = len(pts)
    step = np.roll(pts, -1, axis=0) - pts
    step = step / np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-12)[:, None]
    outward = np.stack([step[:, 1], -step[:, 0]], axis=1)
    crease = loop.creases(CREASE_DEG)
    starts = [int(i) for i in np.nonzero(crease)[0]] or [0]
    smooth = not crease.any()
    patches = []
    for s, e in zip(starts, [*starts[1:], starts[0] + n], strict=True):
        idx = np.arange(s, e + 1) % n
        before, after = outward[(idx - 1) % n], outward[idx]
        normal = before + after
        if not smooth:
            normal[0], normal[-1] = after[0], before[-1]
        normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-12)[:, None]
        grid = np.empty((2, len(idx), 3))
        grid[:, :, :2] = pts[idx]
        grid[0, :, 2], grid[1, :, 2] = z1, z0
        normals = np.zeros_like(grid)
        normals[:, :, :2] = normal
        patches.append(Patch(grid, normals, "main", hidden))
    return patches


def sweep(path: Array, radius: float, *, segments: int = 14, closed: bool = False, hidden: bool = False) -> Solid:
    """A round bar or wire along a smooth path (k, 3), with flat ends unless `closed`; frames by parallel transport."""
    p = np.asarray(path, dtype=np.float64)
    tangent = (np.roll(p, -1, 0) - np.roll(p, 1, 0)) if closed else np.gradient(p, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1)[:, None]
    seed = np.eye(3)[int(np.argmin(np.abs(tangent[0])))]
    u = np.empty_like(p)
    last = seed
    for i, t in enumerate(tangent):
        last = last - t * float(last @ t)
        last = last / np.linalg.norm(last)
        u[i] = last
    v = np.cross(tangent, u)
    angles = np.linspace(0, 2 * math.pi, segments + 1)
    normals = np.cos(angles)[None, :, None] * u[:, None] - np.sin(angles)[None, :, None] * v[:, None]
    grid = p[:, None] + radius * normals
    if closed:
        grid, normals = np.concatenate([grid, grid[:1]]), np.concatenate([normals, normals[:1]])
        return Solid((Patch(grid, normals, "main", hidden),))
    facets, curves = [], []
    for end, sign in ((0, -1.0), (-1, 1.0)):
        ring = grid[end]
        fan = np.stack([np.broadcast_to(p[end], ring[:-1].shape), ring[1:], ring[:-1]], axis=1)
        facets.append(Facets(fan, np.tile(sign * tangent[end], (segments, 1))))
        curves.append(Curve(ring, hidden, circle=(p[end], tangent[end], radius)))
    return Solid((Patch(grid, normals, "main", hidden),), tuple(facets), tuple(curves))


def tube(path: Array, outer: float, inner: float, *, segments: int = 24) -> Solid:
    """A pipe along a path: outside, bore (dashed where covered) and ring ends."""
    outside = sweep(path, outer, segments=segments)
    inside = sweep(path, inner, segments=segments)
    wall, bore = outside.patches[0], inside.patches[0]
    flipped = Patch(bore.points, -bore.normals, "main", True)
    facets = []
    for end, towards in ((0, 1), (-1, -2)):
        a, b = wall.points[end], bore.points[end]
        ring = np.concatenate([np.stack([a[:-1], a[1:], b[1:]], 1), np.stack([a[:-1], b[1:], b[:-1]], 1)])
        normal = _unit(np.asarray(path[end], dtype=np.float64) - np.asarray(path[towards], dtype=np.float64))
        facets.append(Facets(ring, np.tile(normal, (len(ring), 1))))
    curves = tuple(Curve(c.points, True, circle=c.circle) for c in inside.curves)
    return Solid((wall, flipped), tuple(facets), outside.curves + curves)


def _unit(v: Array) -> Array:
    out: Array = v / np.linalg.norm(v)
    return out


def box(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float) -> Solid:
    """An upright block."""
    return extrude(Outline.of([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]), z0, z1)

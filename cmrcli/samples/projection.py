"""Line views of a solid: visible edges and contours drawn full, covered edges of holes dashed.

Edges and the contours of smooth surfaces are sampled and tested against a depth buffer; a circle seen face on stays a
circle. Which way each view looks: third-angle names, `VIEWS`.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cmrcli.samples.displaylist import Arc, Circle, Line, Point, Polyline, Primitive
from cmrcli.samples.solid import Array, Curve, Patch, Solid
from cmrcli.samples.zbuffer import nearest_triangles

_S2, _S3, _S6 = math.sqrt(2), math.sqrt(3), math.sqrt(6)
# right and up of the sheet in model axes; the eye looks along right x up reversed
VIEWS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "front": ((1, 0, 0), (0, 0, 1)),
    "top": ((1, 0, 0), (0, 1, 0)),
    "bottom": ((1, 0, 0), (0, -1, 0)),
    "right": ((0, 1, 0), (0, 0, 1)),
    "left": ((0, -1, 0), (0, 0, 1)),
    "iso": ((1 / _S2, 1 / _S2, 0), (-1 / _S6, 1 / _S6, 2 / _S6)),
    "iso_left": ((1 / _S2, -1 / _S2, 0), (1 / _S6, 1 / _S6, 2 / _S6)),
}
BUFFER = 220  # pixels along the longer side of the depth buffer: finer than a thumbnail shows


def line_view(solid: Solid, view: str, *, hidden: bool = True) -> list[Primitive]:
    """The outlines of the solid in a view's own millimetres (x right, y up); covered hole edges if `hidden`."""
    right, up = (np.asarray(v, dtype=np.float64) for v in VIEWS[view])
    towards = np.cross(right, up)  # from the solid to the eye
    axes = np.stack([right, up, towards])
    test = _Depth.of(solid, axes)
    seen: set[tuple[int, ...]] = set()
    out: list[Primitive] = []
    curves = list(solid.curves)
    for patch in solid.patches:
        if patch.contour == "full" or (patch.contour == "thin" and not view.startswith("iso")):
            curves += _contours(patch, towards)
    flat = [c.points @ axes.T for c in curves]
    for curve, line, visible in zip(curves, *_tested(flat, test), strict=True):
        out += _pieces(curve, line, visible, axes, hidden, seen, test.size)
    out.sort(key=lambda p: p.layer != "HIDDEN")  # dashes below, so that a full line on top of them wins
    return out


@dataclass
class _Depth:
    """A depth buffer of the solid seen along a direction, tolerant by one pixel and one percent."""

    origin: Array
    scale: float
    farthest: Array = field(repr=False)  # (h, w): the farthest depth among a pixel and its neighbours
    size: float = 1.0

    @staticmethod
    def of(solid: Solid, axes: Array) -> "_Depth":
        corners = solid.mesh()[0] @ axes.T
        low, high = corners.reshape(-1, 3).min(axis=0), corners.reshape(-1, 3).max(axis=0)
        size = float((high - low)[:2].max())
        scale = BUFFER / max(size, 1e-9)
        origin = np.array([low[0] - 3 / scale, low[1] - 3 / scale, 0.0])
        w, h = (int(v) + 7 for v in (high - low)[:2] * scale)
        screen = (corners - origin) * [scale, scale, 1.0]
        screen[:, :, 1] = h - screen[:, :, 1]
        depth = nearest_triangles(screen, w, h)[1][::-1]
        return _Depth(origin, scale, _neighbour_minimum(depth), size)

    def visible(self, points: Array) -> NDArray[np.bool_]:
        """Which of the points (n, 3) in view axes nothing covers."""
        at = ((points[:, :2] - self.origin[:2]) * self.scale).astype(np.int64)
        h, w = self.farthest.shape
        limit = self.farthest[np.clip(at[:, 1], 0, h - 1), np.clip(at[:, 0], 0, w - 1)]
        return np.asarray(points[:, 2] >= limit - 0.008 * self.size)


def _neighbour_minimum(depth: Array) -> Array:
    padded = np.pad(depth, 1, constant_values=-np.inf)
    rows = np.minimum(np.minimum(padded[:-2], padded[1:-1]), padded[2:])
    out: Array = np.minimum(np.minimum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
    return out


def _contours(patch: Patch, towards: Array) -> list[Curve]:
    """Where a smooth surface turns away from the eye: short lines across the cells of its grid."""
    side = patch.normals @ towards
    side[np.abs(side) < 1e-9] = 1e-9  # exactly edge-on counts as facing, so that the line lies on the grid line
    m, n = side.shape
    p = patch.points
    across = [((0, 0), (1, 0)), ((1, 0), (1, 1)), ((1, 1), (0, 1)), ((0, 1), (0, 0))]
    crossings = np.full((4, m - 1, n - 1, 3), np.nan)
    for k, (a, b) in enumerate(across):
        sa, sb = side[a[0] : m - 1 + a[0], a[1] : n - 1 + a[1]], side[b[0] : m - 1 + b[0], b[1] : n - 1 + b[1]]
        pa, pb = p[a[0] : m - 1 + a[0], a[1] : n - 1 + a[1]], p[b[0] : m - 1 + b[0], b[1] : n - 1 + b[1]]
        changes = (sa > 0) != (sb > 0)
        if changes.any():
            t = sa[changes] / (sa[changes] - sb[changes])
            crossings[k][changes] = pa[changes] + t[:, None] * (pb[changes] - pa[changes])
    found = ~np.isnan(crossings[..., 0])
    cells = np.argwhere(found.sum(axis=0) == 2)
    segments = [crossings[:, i, j][found[:, i, j]] for i, j in cells]
    return [Curve(c, patch.hidden, patch.contour == "thin") for c in _chained(segments)]


def _chained(segments: list[Array]) -> list[Array]:
    """Joins segments that share an end point into longer curves."""
    if not segments:
        return []
    scale = 1e6 / max(float(np.abs(np.asarray(segments)).max()), 1e-9)
    ends: dict[tuple[int, ...], list[int]] = {}
    keys = [tuple(tuple(int(v) for v in np.rint(end * scale)) for end in s) for s in segments]
    for i, pair in enumerate(keys):
        for key in pair:
            ends.setdefault(key, []).append(i)
    used: set[int] = set()
    chains = []
    starts = sorted(range(len(segments)), key=lambda i: min(len(ends[k]) for k in keys[i]))  # open ends first
    for i in starts:
        if i in used:
            continue
        used.add(i)
        head = 0 if len(ends[keys[i][0]]) == 1 else 1
        chain, tip = [segments[i][head], segments[i][1 - head]], keys[i][1 - head]
        while following := [j for j in ends[tip] if j not in used]:
            j = following[0]
            used.add(j)
            far = 1 if keys[j][0] == tip else 0
            chain.append(segments[j][far])
            tip = keys[j][far]
        chains.append(np.asarray(chain))
    return chains


def _tested(curves: list[Array], test: _Depth) -> tuple[list[Array], list[NDArray[np.bool_]]]:
    """The curves resampled about every pixel and a half of the buffer, and whether each sample is visible."""
    step = 1.5 / test.scale
    lines = []
    for c in curves:
        lengths = np.linalg.norm(np.diff(c[:, :2], axis=0), axis=1)
        pieces = np.maximum(np.ceil(lengths / step), 1).astype(np.int64)
        seg = np.repeat(np.arange(len(pieces)), pieces)
        t = (np.arange(len(seg)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[seg]
        inner = c[seg] + t[:, None] * (c[seg + 1] - c[seg])
        lines.append(np.concatenate([inner, c[-1:]]))
    if not lines:
        return [], []
    flags = test.visible(np.concatenate(lines))
    return lines, np.split(flags, np.cumsum([len(line) for line in lines])[:-1])


def _pieces(
    curve: Curve,
    line: Array,
    visible: NDArray[np.bool_],
    axes: Array,
    hidden: bool,
    seen: set[tuple[int, ...]],
    size: float,
) -> list[Primitive]:
    """The primitives of one tested curve: runs of visible and covered samples."""
    extent = np.ptp(line[:, :2], axis=0).max()
    if extent < 0.004 * size:
        return []
    visible = np.ones(len(line), dtype=bool) if curve.thin else _without_specks(visible)
    out: list[Primitive] = []
    cuts = [0, *(np.nonzero(np.diff(visible))[0] + 1).tolist(), len(line)]
    face_on = curve.circle is not None and abs(float(axes[2] @ curve.circle[1])) > 0.9999
    for a, b in pairwise(cuts):
        layer = "THIN" if curve.thin else "OUTLINE" if visible[a] else "HIDDEN"
        if layer == "HIDDEN" and not (hidden and curve.hidden):
            continue
        run = line[max(a - (not visible[a]), 0) : min(b + (not visible[a]), len(line)), :2]
        if len(run) < 2:
            continue
        middle = run[len(run) // 2]
        name = np.rint(np.concatenate([np.sort(run[[0, -1]], axis=0).ravel(), middle]) * (500 / size))
        key = (int(layer == "HIDDEN"), len(run), *(int(v) for v in name))
        if key in seen:
            continue
        seen.add(key)
        if face_on and curve.circle is not None:
            out.append(_round(curve.circle, run, axes, layer, whole=len(cuts) == 2))
        else:
            out.append(_straightened(run, layer, size))
    return out


def _without_specks(visible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A lone sample that differs from both neighbours follows them."""
    if len(visible) < 4:
        return visible
    v = visible.copy()
    lone = (v[1:-1] != v[:-2]) & (v[1:-1] != v[2:])
    v[1:-1][lone] = v[:-2][lone]
    if v[1] == v[2]:
        v[0] = v[1]
    if v[-2] == v[-3]:
        v[-1] = v[-2]
    return v


def _round(circle: tuple[Array, Array, float], run: Array, axes: Array, layer: str, *, whole: bool) -> Primitive:
    x, y = (float(v) for v in axes[:2] @ circle[0])
    if whole:
        return Circle((x, y), circle[2], layer)
    angle = np.degrees(np.unwrap(np.arctan2(run[:, 1] - y, run[:, 0] - x)))
    return Arc((x, y), circle[2], float(min(angle[0], angle[-1])), float(max(angle[0], angle[-1])), layer)


def _straightened(run: Array, layer: str, size: float) -> Primitive:
    """A polyline without the samples that lie on a straight line."""
    moves = np.abs(np.diff(run, axis=0)).max(axis=1) > 1e-6 * size  # an edge along the line of sight stands still
    run = run[np.concatenate([[True], moves])]
    before, after = np.diff(run[:-1], axis=0), np.diff(run[1:], axis=0)
    bend = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    turns = (bend > 1e-7 * size * size) | ((before * after).sum(axis=1) < 0)  # an edge-on circle runs back on itself
    keep = np.concatenate([[True], turns, [True]])[: len(run)]
    points: tuple[Point, ...] = tuple((float(x), float(y)) for x, y in run[keep])
    return Line(points[0], points[1], layer) if len(points) == 2 else Polyline(points, False, layer)

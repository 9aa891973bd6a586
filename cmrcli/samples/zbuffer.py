"""A software rasteriser in NumPy: which triangle is in front at every pixel.

Triangles are cut into spans (one a pixel row) and spans into pixels, all by array arithmetic, so that the cost follows
the pixels covered and not the number of triangles or the size of their bounding boxes.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def nearest_triangles(corners: Array, width: int, height: int) -> tuple[Index, Array]:
    """For each pixel the nearest triangle's row (-1: none) and its depth value, (height, width) each.

    Args:
        corners: (n, 3, 3) screen x (right), y (down) in pixels and a depth value that is linear on the screen and
            larger nearer to the eye. Triangles that turn their back (clockwise on screen, y down) are skipped.
    """
    nearest = np.full(width * height, -1, dtype=np.int64)
    depth = np.full(width * height, -np.inf)
    tri, where, value = _pixels(corners, width, height)
    np.maximum.at(depth, where, value)
    front = value == depth[where]
    nearest[where[front]] = tri[front]
    return nearest.reshape(height, width), depth.reshape(height, width)


def coverage(corners: Array, width: int, height: int) -> NDArray[np.bool_]:
    """Which pixels any triangle covers, whichever way it faces; `corners` as in `nearest_triangles`."""
    area = _doubled_area(corners)
    turned = corners.copy()
    turned[area > 0] = turned[area > 0][:, ::-1]
    mask = np.zeros(width * height, dtype=bool)
    mask[_pixels(turned, width, height)[1]] = True
    return mask.reshape(height, width)


def _doubled_area(c: Array) -> Array:
    a, b = c[:, 1, :2] - c[:, 0, :2], c[:, 2, :2] - c[:, 0, :2]
    out: Array = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return out


def _pixels(corners: Array, width: int, height: int) -> tuple[Index, Index, Array]:
    """Triangle row, flat pixel index and depth value of every covered pixel of the front faces."""
    rows = np.nonzero(_doubled_area(corners) < -1e-9)[0]
    c = corners[rows]
    x, y, z = c[:, :, 0], c[:, :, 1], c[:, :, 2]
    top = np.maximum(np.ceil(y.min(axis=1) - 0.5), 0).astype(np.int64)
    bottom = np.minimum(np.floor(y.max(axis=1) - 0.5), height - 1).astype(np.int64)
    tri, line = _expand(top, bottom)
    centre_y = line + 0.5
    left = np.full(len(tri), 0.0)
    right = np.full(len(tri), float(width))
    for k in range(3):  # clockwise on screen: inside is where a * x + b * y + d <= 0
        m = (k + 1) % 3
        a, b = y[:, k] - y[:, m], x[:, m] - x[:, k]
        d = -(a * x[:, k] + b * y[:, k])
        at, bt, dt = a[tri], b[tri], d[tri]
        rest = bt * centre_y + dt
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            bound = -rest / at
        right = np.where(at > 0, np.minimum(right, bound), right)
        left = np.where(at < 0, np.maximum(left, bound), left)
    first = np.ceil(left - 0.5).astype(np.int64)
    last = np.minimum(np.floor(right - 0.5), width - 1).astype(np.int64)
    span, column = _expand(first, last)
    t = tri[span]
    dx1, dy1, dz1 = x[:, 1] - x[:, 0], y[:, 1] - y[:, 0], z[:, 1] - z[:, 0]
    dx2, dy2, dz2 = x[:, 2] - x[:, 0], y[:, 2] - y[:, 0], z[:, 2] - z[:, 0]
    det = dx1 * dy2 - dx2 * dy1
    zx, zy = (dz1 * dy2 - dz2 * dy1) / det, (dx1 * dz2 - dx2 * dz1) / det
    base = z[:, 0] + zx * (0.5 - x[:, 0]) + zy * (0.5 - y[:, 0])
    value = (base[tri] + zy[tri] * line)[span] + zx[t] * column
    value = np.minimum(value, z.max(axis=1)[t])  # slivers: never nearer than the nearest corner
    return rows[t], line[span] * width + column, value


def _expand(first: Index, last: Index) -> tuple[Index, Index]:
    """All integers of the ranges first..last: the row of the range and the integer."""
    count = np.maximum(last - first + 1, 0)
    row = np.repeat(np.arange(len(first)), count)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, first[row] + offset

"""A plot of accuracy against cost, as SVG or PNG by the file's extension. Both have the same geometry.

Each row is a point with the interval of its measure; points that no other of their part beats in both are filled and
joined. Colours are Okabe and Ito's, which people with any colour vision tell apart; shapes tell parts apart too. SVG
needs no font but the viewer's; PNG is drawn with Pillow's own, in which characters that it lacks come out as boxes.
"""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.shown.axes import Axis, axis_of, tick_text
from cmrcli.evaluation.shown.canvas import (
    FAINT,
    HEIGHT,
    INK,
    MARKER,
    WIDTH,
    Anchor,
    Line,
    Marker,
    Shape,
    Text,
    to_png,
    to_svg,
)
from cmrcli.evaluation.shown.files import write_whole
from cmrcli.evaluation.verdicts.recommend import ParetoPoint
from cmrcli.evaluation.verdicts.values import COSTS, configuration_name, is_rank, same_configuration

LEFT, RIGHT, TOP, BOTTOM = 90, 40, 60, 80  # margins around the plot itself
MAX_LABEL = 48  # characters
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SHAPES = ("circle", "square", "triangle", "diamond")

Box = tuple[float, float, float, float]


def save_plot(path: str | os.PathLike[str], points: Sequence[ParetoPoint], cost: str, measure: str) -> None:
    """Writes the plot of the points (recommend.pareto) to FILE.svg or FILE.png.

    Args:
        cost: name in values.COSTS that the points were made with.
        measure: what their accuracy is.

    Raises:
        UsageError: another extension, no point, or the file cannot be written.
    """
    extension = Path(path).suffix.lower()
    if extension not in (".svg", ".png"):
        raise UsageError(f"{display_path(path)}: cannot plot to that format", "name a file that ends in .svg or .png")
    if not points:
        raise UsageError("there is nothing to plot", "evaluate at least one mode")
    shapes = draw(points, cost, measure)
    write_whole(path, to_svg(shapes).encode("utf-8") if extension == ".svg" else to_png(shapes))


def draw(points: Sequence[ParetoPoint], cost: str, measure: str) -> list[Shape]:
    """What the plot shows, in units of WIDTH x HEIGHT, origin top left."""
    x_axis = axis_of([point.cost for point in points])
    y_axis = axis_of(
        [bound for point in points for bound in (point.accuracy.low, point.accuracy.value, point.accuracy.high)],
        may_be_log=is_rank(measure),
        most=math.inf if is_rank(measure) else 1.0,
    )
    shapes = _axes(x_axis, y_axis, COSTS[cost].label, measure)
    parts = list(dict.fromkeys(point.row.part for point in points))
    markers: list[Marker] = []
    drawn: list[Line] = []
    for number, part in enumerate(parts):
        colour, shape = COLOURS[number % len(COLOURS)], SHAPES[number % len(SHAPES)]
        of_part = [point for point in points if point.row.part == part]
        front = [_place(x_axis, y_axis, point.cost, point.accuracy.value) for point in of_part if point.front]
        if len(front) > 1:
            drawn.append(Line(tuple(front), colour, 1.5))
        for point in of_part:
            x, y = _place(x_axis, y_axis, point.cost, point.accuracy.value)
            low, high = (
                _place(x_axis, y_axis, point.cost, end)[1] for end in (point.accuracy.low, point.accuracy.high)
            )
            drawn.append(Line(((x, low), (x, high)), colour, 1.0))
            drawn += [Line(((x - 4, end), (x + 4, end)), colour, 1.0) for end in (low, high)]
            markers.append(Marker(x, y, shape, colour, point.front))
    shapes += [*drawn, *markers]
    taken: list[Box] = [(one.x - MARKER, one.y - MARKER, one.x + MARKER, one.y + MARKER) for one in markers]
    taken += [box for line in drawn for box in _along(line)]
    ordered = [point for part in parts for point in points if point.row.part == part]
    for point, marker in zip(ordered, markers, strict=True):
        shapes.append(_label(configuration_name(same_configuration(point.row)), marker, taken))
    if parts != [""]:
        shapes += _legend(parts)
    return shapes


def _place(x_axis: Axis, y_axis: Axis, x: float, y: float) -> tuple[float, float]:
    return (
        LEFT + x_axis.place(x) * (WIDTH - LEFT - RIGHT),
        HEIGHT - BOTTOM - y_axis.place(y) * (HEIGHT - TOP - BOTTOM),
    )


def _axes(x_axis: Axis, y_axis: Axis, x_label: str, measure: str) -> list[Shape]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    shapes: list[Shape] = []
    for tick in x_axis.ticks:
        x, _ = _place(x_axis, y_axis, tick, y_axis.low)
        shapes += [Line(((x, TOP), (x, bottom)), FAINT, 1.0), Line(((x, bottom), (x, bottom + 5)), INK, 1.0)]
        shapes.append(Text(x, bottom + 18, tick_text(tick), 13, "middle"))
    for tick in y_axis.ticks:
        _, y = _place(x_axis, y_axis, x_axis.low, tick)
        shapes += [Line(((LEFT, y), (right, y)), FAINT, 1.0), Line(((LEFT - 5, y), (LEFT, y)), INK, 1.0)]
        shapes.append(Text(LEFT - 10, y, tick_text(tick), 13, "end"))
    shapes.append(Line(((LEFT, TOP), (LEFT, bottom), (right, bottom)), INK, 1.0))
    scale = " (logarithmic)" if x_axis.log else ""
    shapes.append(Text((LEFT + right) / 2, HEIGHT - 28, x_label + scale, 15, "middle"))
    direction = "lower is better" if is_rank(measure) else "95 % intervals"
    shapes.append(Text(24, (TOP + bottom) / 2, _clean(f"{measure} ({direction})"), 15, "middle", upright=True))
    return shapes


def _legend(parts: Sequence[str]) -> list[Shape]:
    shapes: list[Shape] = []
    x, y = float(LEFT), 18.0
    for number, part in enumerate(parts):
        text = _clean(part)
        width = 2 * MARKER + 10 + _width(text, 13) + 24
        if x + width > WIDTH - RIGHT and x > LEFT:
            x, y = float(LEFT), y + 18
        shape, colour = SHAPES[number % len(SHAPES)], COLOURS[number % len(COLOURS)]
        shapes += [Marker(x + MARKER, y, shape, colour, True), Text(x + 2 * MARKER + 8, y, text, 13)]
        x += width
    return shapes


def _label(name: str, marker: Marker, taken: list[Box]) -> Text:
    """The name where it hides least of what is there; its own place is taken from then on."""
    text = _clean(name)
    size = 13
    width, half = _width(text, size), size * 0.65
    best: tuple[float, Text, Box] | None = None
    for cost, (dx, dy, anchor) in enumerate(_AROUND):
        x, y = marker.x + dx, marker.y + dy
        left = x if anchor == "start" else x - width if anchor == "end" else x - width / 2
        box = (left, y - half, left + width, y + half)
        hidden = sum(_overlap(box, other) for other in taken)
        outside = max(0.0, LEFT - box[0]) + max(0.0, box[2] - WIDTH + 4) + max(0.0, TOP - 12 - box[1])
        outside += max(0.0, box[3] - HEIGHT + BOTTOM)
        badness = hidden + 100 * outside + cost
        if best is None or badness < best[0]:
            best = badness, Text(x, y, text, size, anchor), box
    assert best is not None
    taken.append(best[2])
    return best[1]


_AROUND: tuple[tuple[float, float, Anchor], ...] = (
    (10, -10, "start"),
    (10, 11, "start"),
    (-10, -10, "end"),
    (-10, 11, "end"),
    (12, 0, "start"),
    (-12, 0, "end"),
    (10, -27, "start"),
    (10, 28, "start"),
    (-10, -27, "end"),
    (-10, 28, "end"),
    (10, -44, "start"),
    (10, 45, "start"),
    (-10, -44, "end"),
    (-10, 45, "end"),
)


def _along(line: Line) -> list[Box]:
    """Small boxes along a line, for labels to keep off it."""
    boxes = []
    for (x0, y0), (x1, y1) in pairwise(line.points):
        steps = max(1, round(math.hypot(x1 - x0, y1 - y0) / 5))
        for step in range(steps + 1):
            x, y = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
            boxes.append((x - 1, y - 1, x + 1, y + 1))
    return boxes


def _overlap(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _clean(text: str) -> str:
    """Printable, on one line, not too long; XML allows no other control characters either."""
    text = display_path(text)
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"


def _width(text: str, size: int) -> float:
    return sum(size if unicodedata.east_asian_width(one) in "WF" else size * 0.58 for one in text)

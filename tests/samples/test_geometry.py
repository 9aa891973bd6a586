"""The pieces below the parts: outlines, solids, the rasteriser, hidden lines, hatching, dashes, sheets."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.samples.annotate import Axis, Size, Style, View, number, on_paper
from cmrcli.samples.design import profile_section
from cmrcli.samples.displaylist import Circle, Hatch, Line, Polyline, Text, bounds, hatch_lines
from cmrcli.samples.outline import Outline, trapezoids
from cmrcli.samples.projection import line_view
from cmrcli.samples.raster import dashed, rasterise
from cmrcli.samples.sheet import Sheet, SheetStyle, Title, compose
from cmrcli.samples.solid import Solid, box, extrude, revolve, sweep, tube
from cmrcli.samples.zbuffer import coverage, nearest_triangles

TITLE = Title(("FLANGE", "フランジ"), "FL-0001", ("SS400", "SS400"), "K.M.", "2020-01-01", "0")


def volume(solid: Solid) -> float:
    """By the divergence theorem: right only if every triangle of a closed body faces outwards."""
    c = solid.mesh()[0]
    return float(np.einsum("ij,ij->i", c[:, 0], np.cross(c[:, 1], c[:, 2])).sum() / 6)


def shoelace(points: np.ndarray) -> float:
    x, y = points.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 9), st.floats(0.1, 40), st.floats(0, 60), st.integers(0, 3))
def test_triangles_cover_an_outline_with_holes_exactly(sides: int, size: float, turn: float, holes: int) -> None:
    outer = Outline.regular(1.0, -2.0, sides, size, turn)
    inner = [
        Outline.disc(1.0 + 0.1 * size * math.cos(2 * k), -2.0 + 0.1 * size * math.sin(2 * k), 0.04 * size, 12)
        for k in range(holes)
    ]
    triangles = trapezoids([outer.points, *(h.points for h in inner)])
    a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    areas = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    assert (areas >= -1e-7 * max(size, 1)).all(), "all the same way round"
    want = shoelace(outer.points) - sum(shoelace(h.points) for h in inner)
    assert areas.sum() == pytest.approx(want, rel=1e-6)


def test_bodies_are_closed_and_face_outwards() -> None:
    assert volume(box(0, 0, 0, 2, 3, 4)) == pytest.approx(24)
    ring = revolve([(0, 1), (0, 2), (3, 2), (3, 1)], segments=200)
    assert volume(ring) == pytest.approx(math.pi * 3 * 3, rel=1e-3)
    drilled = extrude(Outline.rect(0, 0, 4, 4), 0, 1, [Outline.disc(2, 2, 1, 120)])
    assert volume(drilled) == pytest.approx(16 - math.pi, rel=1e-3)
    path = np.array([[0, 0, 0], [5, 0, 0], [10.0, 0, 0]])
    assert volume(sweep(path, 1, segments=100)) == pytest.approx(math.pi * 10, rel=1e-2)
    assert volume(tube(path, 2, 1, segments=100)) == pytest.approx(math.pi * 30, rel=1e-2)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-5, 25)] * 6), min_size=1, max_size=4))
def test_the_rasteriser_agrees_with_a_test_of_every_pixel(flat: list[tuple[float, ...]]) -> None:
    corners = np.zeros((len(flat), 3, 3))
    corners[:, :, :2] = np.array(flat).reshape(-1, 3, 2)
    corners[:, :, 2] = np.arange(len(flat))[:, None]
    width, height = 20, 18
    want = np.zeros((height, width), dtype=bool)
    sure = np.ones((height, width), dtype=bool)
    px, py = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    for c in corners:
        side = [
            (c[(k + 1) % 3, 0] - c[k, 0]) * (py - c[k, 1]) - (c[(k + 1) % 3, 1] - c[k, 1]) * (px - c[k, 0])
            for k in range(3)
        ]
        want |= np.all([s > 0 for s in side], axis=0) | np.all([s < 0 for s in side], axis=0)
        sure &= np.min(np.abs(side), axis=0) > 1e-3
    np.testing.assert_array_equal(coverage(corners, width, height)[sure], want[sure])


def test_the_nearer_triangle_wins_and_backs_are_skipped() -> None:
    back = [[0, 0, 0.1], [0, 20, 0.1], [20, 0, 0.1]]
    near = [[0, 0, 0.9], [0, 10, 0.9], [10, 0, 0.9]]
    turned = [[0, 0, 2.0], [20, 0, 2.0], [0, 20, 2.0]]
    nearest, depth = nearest_triangles(np.array([back, near, turned], dtype=float), 20, 20)
    assert nearest[2, 2] == 1
    assert nearest[12, 2] == 0
    assert nearest[19, 19] == -1
    assert depth[2, 2] == pytest.approx(0.9)


def test_a_covered_bore_is_dashed_and_a_face_on_circle_stays_a_circle() -> None:
    bush = revolve([(0, 5), (0, 10), (30, 10), (30, 5)], hidden=[False, False, True, True])
    front = line_view(bush, "front")
    dashes = {round(p.start[1], 3) for p in front if isinstance(p, Line) and p.layer == "HIDDEN"}
    assert dashes == {5.0, -5.0}
    assert not [p for p in line_view(bush, "front", hidden=False) if p.layer == "HIDDEN"]
    circles = sorted(p.radius for p in line_view(bush, "right") if isinstance(p, Circle))
    assert circles == pytest.approx([5, 10])


def test_a_body_in_front_hides_the_one_behind() -> None:
    behind = box(-1, 5, -1, 1, 6, 1)
    alone = [p for p in line_view(behind, "front") if p.layer == "OUTLINE"]
    both = [p for p in line_view(behind + box(-5, 0, -5, 5, 1, 5), "front") if p.layer == "OUTLINE"]
    wall = [p for p in line_view(box(-5, 0, -5, 5, 1, 5), "front") if p.layer == "OUTLINE"]
    assert alone
    assert bounds(both) == pytest.approx(bounds(wall))
    assert len(both) == len(wall)


def test_hatch_lines_run_at_their_angle_inside_the_loop_and_not_in_its_hole() -> None:
    outer, hole = ((0, 0), (20, 0), (20, 20), (0, 20)), ((5, 5), (15, 5), (15, 15), (5, 15))
    lines = hatch_lines(Hatch((outer, hole), 45.0, 2.0))
    step = lines[:, 1] - lines[:, 0]
    np.testing.assert_allclose(np.degrees(np.arctan2(step[:, 1], step[:, 0])) % 180, 45, atol=1e-6)
    length = np.hypot(*step.T).sum()
    assert length * 2.0 == pytest.approx(400 - 100, rel=0.05)
    middle = lines.mean(axis=1)
    assert not ((middle > 5.01) & (middle < 14.99)).all(axis=1).any()


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 200), st.floats(0.5, 9), st.floats(0.5, 4))
def test_dashes_cover_their_share_and_turn_with_the_line(length: float, down: float, up: float) -> None:
    runs = dashed(((0, 0), (length / 2, 0), (length / 2, length / 2)), (down, up))
    drawn = sum(abs(b[0] - a[0]) + abs(b[1] - a[1]) for run in runs for a, b in pairwise(run))
    whole = length if length <= down else (length // (down + up)) * down + min(down, length % (down + up))
    assert drawn == pytest.approx(whole, rel=1e-6, abs=1e-6)


def test_a_section_leaves_holes_open() -> None:
    plain = [(0.0, 10.0), (0.0, 50.0), (8.0, 50.0), (8.0, 10.0)]
    hatched = [p for p in profile_section(plain, [(30.0, 6.0)]) if isinstance(p, Hatch)]
    assert len(hatched) == 4, "two pieces above the axis, two below"
    assert sum(shoelace(np.array(h.loops[0])) for h in hatched) == pytest.approx(2 * 8 * (40 - 6))


def test_views_line_up_and_the_title_block_is_low_on_the_right() -> None:
    front = View(
        "front", (Polyline(((0, 0), (60, 0), (60, 30), (0, 30)), True),), (Size((0, 0), (60, 0), "below", "60"),)
    )
    right = View("right", (Polyline(((0, 0), (20, 0), (20, 30), (0, 30)), True),))
    top = View("top", (Polyline(((0, 0), (60, 0), (60, 20), (0, 20)), True),), (Axis((0, 10), (60, 10)),))
    for third in (True, False):
        sheet = compose([front, right, top], SheetStyle(third_angle=third), TITLE)
        frames = [
            bounds([p]) for p in sheet.primitives if isinstance(p, Polyline) and p.closed and p.layer == "OUTLINE"
        ]
        a, b, c = frames[:3]
        assert (a[1], a[3]) == pytest.approx((b[1], b[3])), "front and side share heights"
        assert (a[0], a[2]) == pytest.approx((c[0], c[2])), "front and top share widths"
        assert (b[0] > a[2]) == third
        assert (c[1] > a[3]) == third
        texts = {p.text: p for p in sheet.primitives if isinstance(p, Text)}
        assert "60" in texts, "the dimension"
        x, y = texts["FL-0001"].at
        assert x > sheet.width / 2
        assert y < sheet.height / 4
        ends = bounds(sheet.primitives)
        assert ends[0] >= 0
        assert ends[1] >= 0
        assert ends[2] <= sheet.width
        assert ends[3] <= sheet.height


def test_a_dimension_too_tight_for_its_text_puts_it_outside() -> None:
    view = View("front", (Line((0, 0), (3, 0)),), (Size((0, 0), (3, 0), "below", "1234"),))
    text = next(p for p in on_paper(view, 1.0, Style()) if isinstance(p, Text))
    assert text.at[0] > 3


def test_numbers_are_written_without_trailing_zeros() -> None:
    assert [number(v) for v in (12.0, 12.50, 0.25, 100)] == ["12", "12.5", "0.25", "100"]


def test_japanese_without_a_font_is_drawn_in_latin() -> None:
    both = Sheet(40, 10, (Text((2, 3), "材質", 4, latin="MATERIAL"),), "1:1")
    latin = Sheet(40, 10, (Text((2, 3), "MATERIAL", 4),), "1:1")
    assert rasterise(both, 120, japanese=False).tobytes() == rasterise(latin, 120).tobytes()

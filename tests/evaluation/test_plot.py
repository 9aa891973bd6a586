"""The plot: valid SVG whatever the names, the same points in PNG, axes that hold all values."""

from __future__ import annotations

import io
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cmrcli.errors import UsageError
from cmrcli.evaluation.report import Row
from cmrcli.evaluation.shown.axes import axis_of, tick_text
from cmrcli.evaluation.shown.canvas import HEIGHT, PNG_SCALE, WIDTH, Line, Marker, Text, to_png, to_svg
from cmrcli.evaluation.shown.plot import COLOURS, LEFT, RIGHT, draw, save_plot
from cmrcli.evaluation.verdicts.recommend import pareto
from tests.evaluation.made_reports import row

SVG = "{http://www.w3.org/2000/svg}"
ROWS = [
    row("exact", 0.84, p95_ms=40, bytes_per_item=1_100),
    row("codes", 0.82, p95_ms=12, bytes_per_item=1_200),
    row("auto", 0.88, p95_ms=2_000, bytes_per_item=1_250),
    row("words", 0.55, p95_ms=20, bytes_per_item=300),
]


def drawn(rows: list[Row], cost: str = "p95_ms", measure: str = "success@10") -> list[Line | Marker | Text]:
    return draw(pareto(rows, cost), cost, measure)


def test_svg_has_every_point_its_name_and_axes_with_units() -> None:
    root = ET.fromstring(to_svg(drawn(ROWS)))
    assert root.tag == SVG + "svg"
    words = [text.text for text in root.iter(SVG + "text")]
    assert {"exact", "codes", "auto", "words", "p95 ms (logarithmic)"} <= set(words)
    assert "success@10 (95 % intervals)" in words and "10" in words and "1,000" in words
    circles = list(root.iter(SVG + "circle"))
    assert len(circles) == 4
    assert sum(circle.get("fill") == "#FFFFFF" for circle in circles) == 1  # words is beaten by codes


def test_points_stand_in_order_and_the_front_is_joined_through_them() -> None:
    shapes = drawn(ROWS)
    places = [shape for shape in shapes if isinstance(shape, Marker)]
    markers = dict(zip(["codes", "words", "exact", "auto"], places, strict=True))
    assert markers["codes"].x < markers["words"].x < markers["exact"].x < markers["auto"].x
    assert markers["words"].y > markers["codes"].y > markers["exact"].y > markers["auto"].y  # y grows downwards
    front = tuple((markers[name].x, markers[name].y) for name in ("codes", "exact", "auto"))
    assert any(isinstance(shape, Line) and shape.points == front for shape in shapes)
    # logarithmic: the same factor is the same way
    assert (markers["auto"].x - markers["exact"].x) / (markers["exact"].x - markers["codes"].x) == pytest.approx(
        math.log(2_000 / 40) / math.log(40 / 12)
    )


def test_error_bars_span_the_intervals() -> None:
    shapes = drawn([row("exact", 0.5, p95_ms=5, width=0.1), row("codes", 0.7, p95_ms=6, width=0.1)])
    first, second = (shape for shape in shapes if isinstance(shape, Marker))
    per_unit = (first.y - second.y) / 0.2
    bar = next(
        shape
        for shape in shapes
        if isinstance(shape, Line) and shape.colour == first.colour and {x for x, _ in shape.points} == {first.x}
    )
    assert abs(bar.points[0][1] - bar.points[1][1]) == pytest.approx(0.2 * per_unit)


def test_parts_have_colours_and_shapes_of_their_own_and_a_legend() -> None:
    rows = [row("exact", 0.8, part=part, p95_ms=5 + n) for n, part in enumerate(["text -> image", "image -> text"])]
    shapes = drawn(rows)
    markers = [shape for shape in shapes if isinstance(shape, Marker)]
    assert len({(one.shape, one.colour) for one in markers}) == 2 and len(markers) == 4
    assert {"text -> image", "image -> text"} <= {shape.text for shape in shapes if isinstance(shape, Text)}


def test_labels_of_near_points_do_not_cover_each_other() -> None:
    rows = [row(f"mode{n}", 0.8 + n / 1_000, p95_ms=10 + n / 10) for n in range(5)] + [row("far", 0.2, p95_ms=90)]
    texts = [s for s in drawn(rows) if isinstance(s, Text) and s.text.startswith("mode")]
    assert len(texts) == 5
    assert len({(round(one.y / 12), one.anchor) for one in texts}) == 5


HOSTILE = [
    "<script>alert(1)</script>",
    'a" onload="x',
    "部品図面",
    "\x00\x1b[31m",
    "caf\udce9.run",
    "\u202eevil",
    "]]>&",
]


@pytest.mark.parametrize("name", [*HOSTILE, "x" * 500])
def test_hostile_names_are_only_names(name: str, tmp_path: Path) -> None:
    rows = [row("run", 0.5, p95_ms=5, system=name), row("exact", 0.6, p95_ms=7, part=name)]
    root = ET.fromstring(to_svg(drawn(rows)))
    assert {element.tag for element in root.iter()} <= {
        SVG + tag for tag in ("svg", "rect", "polyline", "circle", "polygon", "text")
    }
    assert all("onload" not in element.attrib for element in root.iter())
    save_plot(tmp_path / "plot.PNG", pareto(rows, "p95_ms"), "p95_ms", "success@10")
    assert Image.open(io.BytesIO((tmp_path / "plot.PNG").read_bytes())).size == (WIDTH * PNG_SCALE, HEIGHT * PNG_SCALE)


def test_png_has_the_points_where_svg_has_them() -> None:
    shapes = drawn(ROWS)
    image = Image.open(io.BytesIO(to_png(shapes))).convert("RGB")
    ink = tuple(int(COLOURS[0][n : n + 2], 16) for n in (1, 3, 5))
    for shape in shapes:
        if isinstance(shape, Marker):
            middle = image.getpixel((round(shape.x * PNG_SCALE), round(shape.y * PNG_SCALE)))
            assert shape.filled == (middle == ink)


def test_by_the_extension_and_no_other(tmp_path: Path) -> None:
    points = pareto(ROWS, "p95_ms")
    save_plot(tmp_path / "plot.svg", points, "p95_ms", "success@10")
    assert (tmp_path / "plot.svg").read_text().startswith("<svg ")
    for name in ("plot.pdf", "plot", "svg", ".png"):
        with pytest.raises(UsageError, match="cannot plot to that format"):
            save_plot(tmp_path / name, points, "p95_ms", "success@10")
    with pytest.raises(UsageError, match="nothing to plot"):
        save_plot(tmp_path / "plot.svg", [], "p95_ms", "success@10")
    with pytest.raises(UsageError, match="cannot write"):
        save_plot(tmp_path / "none" / "plot.svg", points, "p95_ms", "success@10")
    assert [file.name for file in tmp_path.iterdir()] == ["plot.svg"]


def test_of_ranks_it_says_which_way_is_better() -> None:
    rows = [row("exact", 3, p95_ms=5, measure="median-rank")]
    assert any(isinstance(s, Text) and "lower is better" in s.text for s in drawn(rows, measure="median-rank"))


@given(st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=1, max_size=6), st.booleans())
@settings(deadline=None)
def test_axes_hold_all_values_and_ticks_are_few(values: list[float], may_be_log: bool) -> None:
    axis = axis_of(values, may_be_log)
    assert all(axis.low <= value <= axis.high for value in values)
    assert axis.log == (may_be_log and min(values) > 0 and max(values) / min(values) >= 10)
    rounding = 1e-6 * (axis.high - axis.low)
    assert 1 <= len(axis.ticks) <= 20
    assert all(axis.low - rounding <= tick <= axis.high + rounding for tick in axis.ticks)
    places = [axis.place(value) for value in sorted(values)]
    assert places == sorted(places) and all(0 <= place <= 1 for place in places)


def test_nothing_is_more_accurate_than_one() -> None:
    texts = {s.text for s in drawn([row("exact", 0.96, p95_ms=5, width=0.04)]) if isinstance(s, Text)}
    assert "1" in texts and not any(text.startswith("1.0") for text in texts)
    assert axis_of([1.0, 1.0], most=1.0).high == 1.0


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.25, "0.25"), (20.0, "20"), (1_500, "1,500"), (2e7, "2e+07"), (1e-5, "1e-05")]
)
def test_ticks_are_short(value: float, text: str) -> None:
    assert tick_text(value) == text


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1e5), st.sampled_from(["", "a", "b"])), min_size=1, max_size=9)
)
@settings(deadline=None, max_examples=25)
def test_everything_stands_on_the_paper(made: list[tuple[float, float, str]]) -> None:
    rows = [row(f"m{n}", value, p95_ms=cost, part=part) for n, (value, cost, part) in enumerate(made)]
    for shape in drawn(rows):
        if isinstance(shape, Marker):
            assert LEFT - 1 <= shape.x <= WIDTH - RIGHT + 1 and 0 < shape.y < HEIGHT
        elif isinstance(shape, Text):
            assert 0 <= shape.x <= WIDTH and 0 <= shape.y <= HEIGHT

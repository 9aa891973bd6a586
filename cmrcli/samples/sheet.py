"""A drawing sheet: views aligned by projection, at a standard scale, inside a border with a title block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from cmrcli.samples.annotate import Style, View, on_paper, projection_symbol
from cmrcli.samples.displaylist import Box, Line, Polyline, Primitive, Text, bounds, placed, text_width

SCALE_NAMES = (
    *("10:1", "5:1", "4:1", "3:1", "2:1", "1.5:1", "1:1", "1:1.5", "1:2", "1:2.5", "1:3", "1:4", "1:5", "1:7.5"),
    *("1:10", "1:15", "1:20", "1:25", "1:30", "1:40", "1:50", "1:75", "1:100", "1:150", "1:200"),
)
SCALES = tuple(float(a) / float(b) for a, b in (name.split(":") for name in SCALE_NAMES))
PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0), "A4 upright": (210.0, 297.0)}
SPACE = 14.0  # between views, mm on paper


@dataclass(frozen=True)
class Title:
    """What the title block says; pairs are (Latin text, Japanese text)."""

    title: tuple[str, str]
    part_number: str
    material: tuple[str, str]
    drawn: str
    date: str
    revision: str
    company: tuple[str, str] = ("SAMPLE WORKS LTD.", "サンプル製作所株式会社")


@dataclass(frozen=True)
class SheetStyle:
    """How a sheet is laid out."""

    paper: str = "A4"
    third_angle: bool = True
    border: bool = True
    title_block: bool = True
    japanese: bool = False
    notes: tuple[tuple[str, str], ...] = ()
    style: Style = Style()
    standard_scale: bool = True
    origin_cell: tuple[float, float] = (0.5, 0.5)


@dataclass(frozen=True)
class Sheet:
    """A finished drawing: its primitives in mm on paper, origin at the lower left corner."""

    width: float
    height: float
    primitives: tuple[Primitive, ...]
    scale: str
    title: Title | None = None


def random_style(rng: Random) -> SheetStyle:
    """A sheet as one office or another would lay it out."""
    bare = rng.random() < 0.3
    height = rng.choice((2.5, 3.0, 3.5, 3.5, 4.5, 6.0))
    style = Style(
        text=height,
        arrow=height * rng.uniform(0.7, 1.1),
        head=rng.choice(("filled", "filled", "filled", "open", "tick", "dot")),
        gap=height * rng.uniform(2.0, 2.6),
        dimensions=rng.random() < 0.72,
        centre_lines=rng.random() < 0.92,
    )
    return SheetStyle(
        paper=rng.choice(("A4", "A4", "A3", "A4 upright")),
        third_angle=rng.random() < 0.75,
        border=not bare,
        title_block=not bare and rng.random() < 0.9,
        japanese=rng.random() < 0.5,
        style=style,
        standard_scale=not bare,
    )


def compose(views: Sequence[View], look: SheetStyle, title: Title) -> Sheet:
    """The views on a sheet: 'front' in the middle, the others where the projection puts them, 'iso' in a corner."""
    width, height = PAPERS[look.paper]
    margin = 10.0 if look.border else 4.0
    foot = 34.0 if look.title_block else 0.0
    area: Box = (margin + 6, margin + 6 + foot, width - margin - 6, height - margin - 6)
    scale, name = _fitting_scale(views, look, area)
    if any(v.diagram for v in views):
        name = "NTS"
    cells = {v.name: on_paper(v, scale, look.style) for v in views}
    origin, size = _arranged({k: bounds(c) for k, c in cells.items()}, look.third_angle)
    dx = area[0] + (area[2] - area[0] - size[0]) * look.origin_cell[0]
    dy = area[1] + (area[3] - area[1] - size[1]) * look.origin_cell[1]
    out = [placed(p, 1.0, origin[k][0] + dx, origin[k][1] + dy) for k, cell in cells.items() for p in cell]
    if not look.border and not look.title_block:  # a cut-out: the paper follows the drawing
        x0, y0, x1, y1 = bounds(out)
        pad = 0.05 * max(x1 - x0, y1 - y0)
        moved = tuple(placed(p, 1.0, pad - x0, pad - y0) for p in out)
        return Sheet(x1 - x0 + 2 * pad, y1 - y0 + 2 * pad, moved, name)
    if look.border:
        m = margin
        corners = ((m, m), (width - m, m), (width - m, height - m), (m, height - m))
        out.append(Polyline(corners, True, "BORDER"))
        for x in (width / 2,):
            out += [Line((x, 0.4 * m), (x, m + 3), "THIN"), Line((x, height - 0.4 * m), (x, height - m - 3), "THIN")]
        out += [Line((0.4 * m, height / 2), (m + 3, height / 2), "THIN")]
        out += [Line((width - 0.4 * m, height / 2), (width - m - 3, height / 2), "THIN")]
    if look.title_block:
        out += _title_block(title, look, name, width - margin, margin)
    y = margin + 6.0
    for latin, japanese in look.notes if look.title_block else ():
        text = japanese if look.japanese else latin
        out.append(Text((margin + 6, y), text, 3.0, latin=latin))
        y += 5.5
    return Sheet(width, height, tuple(out), name, title)


def _fitting_scale(views: Sequence[View], look: SheetStyle, area: Box) -> tuple[float, str]:
    """The largest scale at which the arranged views fit the area."""
    for scale, name in zip(SCALES, SCALE_NAMES, strict=True):
        boxes = {v.name: _grown(v, scale, look.style) for v in views}
        _, (w, h) = _arranged(boxes, look.third_angle)
        room = min((area[2] - area[0]) / w, (area[3] - area[1]) / h)
        if room >= 1.0:
            return (scale, name) if look.standard_scale else (scale * min(1.0 + 0.85 * (room - 1.0), 1.9), "NTS")
    return SCALES[-1], SCALE_NAMES[-1]


def _grown(view: View, scale: float, style: Style) -> Box:
    """A view's box on paper with room for its notes."""
    return bounds(on_paper(replace(view, primitives=_corners(view)), scale, style))


def _corners(view: View) -> tuple[Primitive, ...]:
    x0, y0, x1, y1 = bounds(view.primitives)
    return (Line((x0, y0), (x1, y1)),)


def _arranged(boxes: Mapping[str, Box], third: bool) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
    """Where each view's origin goes, and the size of the whole; 'front' and its neighbours share axes."""
    above, right = ("top", "right") if third else ("bottom", "left")
    slot = {"front": (1, 1), above: (1, 2), right: (2, 1), "iso": (2, 2), "iso_left": (2, 2)}
    slot |= {"bottom": (1, 0), "left": (0, 1)} if third else {"top": (1, 0), "right": (0, 1)}
    slot = {name: slot.get(name, (1, 1)) for name in boxes}
    if len(boxes) == 2 and {"iso", "iso_left"} & set(boxes):  # one view and a picture: side by side
        slot = {k: ((2, 1) if k.startswith("iso") else (1, 1)) for k in boxes}
    xs = _tracks(
        {k: (s[0], boxes[k][0], boxes[k][2]) for k, s in slot.items()}, free={k for k in slot if k[:3] == "iso"}
    )
    ys = _tracks(
        {k: (s[1], boxes[k][1], boxes[k][3]) for k, s in slot.items()}, free={k for k in slot if k[:3] == "iso"}
    )
    return {k: (xs[0][k], ys[0][k]) for k in boxes}, (xs[1], ys[1])


def _tracks(cells: Mapping[str, tuple[int, float, float]], free: set[str]) -> tuple[dict[str, float], float]:
    """Origins along one direction: cells of a track share their origin, free ones are centred in it."""
    at: dict[str, float] = {}
    end = 0.0
    for track in sorted({c[0] for c in cells.values()}):
        members = {k: c for k, c in cells.items() if c[0] == track}
        fixed = [c for k, c in members.items() if k not in free]
        low = min((c[1] for c in fixed), default=0.0)
        high = max((c[2] for c in fixed), default=0.0)
        length = max([high - low, *(c[2] - c[1] for k, c in members.items() if k in free)])
        start = end + (SPACE if at else 0.0)
        for k, c in members.items():
            inset = (length - (high - low)) / 2
            at[k] = start + (length - (c[2] - c[1])) / 2 - c[1] if k in free else start + inset - low
        end = start + length
    return at, end


def _title_block(t: Title, look: SheetStyle, scale: str, right: float, low: float) -> list[Primitive]:
    """The block in the lower right corner: company, title, number, material, scale, projection."""
    w, rows = 120.0, (8.0, 8.0, 12.0)
    x0, x1 = right - w, right
    y = [low, low + rows[0], low + rows[0] + rows[1], low + sum(rows)]
    ja = look.japanese
    out: list[Primitive] = [Polyline(((x0, y[0]), (x1, y[0]), (x1, y[3]), (x0, y[3])), True, "OUTLINE")]
    out += [Line((x0, v), (x1, v), "THIN") for v in y[1:3]]

    def cell(x: float, row: int, label: tuple[str, str], value: tuple[str, str], size: float, width: float) -> None:
        out.append(Text((x + 1.2, y[row + 1] - 2.6), label[ja], 1.7, latin=label[0]))
        text = value[ja] or value[0]
        fit = min(size, size * (width - 3) / max(text_width(text, size), 1e-6))
        out.append(Text((x + 2.0, y[row] + 1.4), text, fit, latin=value[0]))
        if x > x0:
            out.append(Line((x, y[row]), (x, y[row + 1]), "THIN"))

    cell(x0, 2, ("TITLE", "品名"), t.title, 5.0, 78)
    cell(x0 + 78, 2, ("COMPANY", "社名"), t.company, 2.6, 42)
    cell(x0, 1, ("PART No.", "図番"), (t.part_number, t.part_number), 3.5, 46)
    cell(x0 + 46, 1, ("MATERIAL", "材質"), t.material, 2.8, 44)
    cell(x0 + 90, 1, ("REV.", "改訂"), (t.revision, t.revision), 3.0, 12)
    cell(x0 + 102, 1, ("SHEET", "葉番"), ("1/1", "1/1"), 2.8, 18)
    cell(x0, 0, ("DRAWN", "製図"), (t.drawn, t.drawn), 2.8, 24)
    cell(x0 + 24, 0, ("DATE", "日付"), (t.date, t.date), 2.8, 30)
    cell(x0 + 54, 0, ("SCALE", "尺度"), (scale, scale), 3.0, 22)
    cell(x0 + 76, 0, ("UNIT", "単位"), ("mm", "mm"), 2.8, 14)
    cell(x0 + 90, 0, ("PROJECTION", "投影法"), ("", ""), 2.0, 30)
    out += projection_symbol((x0 + 111, y[0] + 2.9), 11.0, third=look.third_angle)
    return out

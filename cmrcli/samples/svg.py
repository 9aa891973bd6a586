"""A sheet as SVG: one group a layer, millimetre units, text as text."""

from pathlib import Path
from xml.sax.saxutils import escape

from cmrcli.samples.displaylist import (
    LAYERS,
    Arc,
    Circle,
    Fill,
    Hatch,
    Line,
    Point,
    Polyline,
    Primitive,
    Text,
    arc_points,
    hatch_lines,
)
from cmrcli.samples.sheet import Sheet

_FONTS = "'Helvetica','Arial','Noto Sans CJK JP','Yu Gothic','Meiryo',sans-serif"


def write_svg(sheet: Sheet, path: Path) -> None:
    """Writes the sheet; the file's title and description carry the title block's words."""
    title = sheet.title
    size = f'width="{_n(sheet.width)}mm" height="{_n(sheet.height)}mm"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_n(sheet.width)} {_n(sheet.height)}">',
    ]
    if title is not None:
        lines.append(f"<title>{escape(f'{title.part_number} {title.title[0]} {title.title[1]}')}</title>")
        lines.append(f"<desc>{escape(f'{title.material[0]}; scale {sheet.scale}')}</desc>")
    lines.append('<rect width="100%" height="100%" fill="white"/>')
    for layer, look in LAYERS.items():
        members = [p for p in sheet.primitives if p.layer == layer]
        if not members:
            continue
        dash = f' stroke-dasharray="{" ".join(_n(d) for d in look.dash)}"' if look.dash else ""
        lines.append(f'<g id="{layer}" fill="none" stroke="black" stroke-width="{_n(look.width)}"{dash}>')
        lines += [line for p in members for line in _element(p, sheet.height)]
        lines.append("</g>")
    lines.append("</svg>\n")
    path.write_text("\n".join(lines), encoding="utf-8")


def _n(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") or "0"


def _points(points: tuple[Point, ...], height: float) -> str:
    return " ".join(f"{_n(x)},{_n(height - y)}" for x, y in points)


def _element(p: Primitive, height: float) -> list[str]:
    match p:
        case Line():
            (x0, y0), (x1, y1) = p.start, p.end
            return [f'<line x1="{_n(x0)}" y1="{_n(height - y0)}" x2="{_n(x1)}" y2="{_n(height - y1)}"/>']
        case Circle():
            return [f'<circle cx="{_n(p.centre[0])}" cy="{_n(height - p.centre[1])}" r="{_n(p.radius)}"/>']
        case Arc():
            if p.end_deg - p.start_deg >= 359.9:
                return _element(Circle(p.centre, p.radius, p.layer), height)
            (x0, y0), *_, (x1, y1) = arc_points(p.centre, p.radius, p.start_deg, p.end_deg)
            large, r = int(p.end_deg - p.start_deg > 180), _n(p.radius)
            return [f'<path d="M{_n(x0)} {_n(height - y0)}A{r} {r} 0 {large} 0 {_n(x1)} {_n(height - y1)}"/>']
        case Polyline():
            return [f'<{"polygon" if p.closed else "polyline"} points="{_points(p.points, height)}"/>']
        case Fill():
            return [f'<polygon points="{_points(p.points, height)}" fill="black" stroke="none"/>']
        case Hatch():
            moves = (f"M{_n(a[0])} {_n(height - a[1])}L{_n(b[0])} {_n(height - b[1])}" for a, b in hatch_lines(p))
            return [f'<path d="{"".join(moves)}"/>']
        case Text():
            anchor = {"left": "start", "centre": "middle", "right": "end"}[p.anchor]
            x, y = _n(p.at[0]), _n(height - p.at[1])
            turn = f' transform="rotate({_n(-p.rotation_deg)} {x} {y})"' if p.rotation_deg else ""
            font = f'font-family="{_FONTS}" font-size="{_n(p.height / 0.72)}" text-anchor="{anchor}"'
            return [f'<text x="{x}" y="{y}" {font} fill="black" stroke="none"{turn}>{escape(p.text)}</text>']

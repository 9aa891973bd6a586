"""A sheet as DXF: layers with line types, the frame and each title block as blocks, hatches as hatches."""

from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.samples.displaylist import LAYERS, Arc, Circle, Fill, Hatch, Line, Polyline, Primitive, Text
from cmrcli.samples.sheet import Sheet

if TYPE_CHECKING:
    from ezdxf.layouts.base import BaseLayout


def write_dxf(sheet: Sheet, path: Path, *, block: str = "PART", layout: bool = False) -> None:
    """Writes the sheet in mm, model space; the views are in a block named `block`, the frame in block `SHEET`.

    `layout` adds a paper layout with a note and a viewport, as some offices print from.
    """
    from ezdxf import units
    from ezdxf._options import options
    from ezdxf.enums import TextEntityAlignment
    from ezdxf.filemanagement import new
    from ezdxf.layouts.layout import Paperspace

    before = options.write_fixed_meta_data_for_testing
    options.write_fixed_meta_data_for_testing = True  # no clock and no random identifiers in the file
    try:
        document = new("R2010", setup=["linetypes"])
        document.units = units.MM
        for name, look in LAYERS.items():
            linetype = look.linetype if look.linetype in document.linetypes else "CONTINUOUS"
            document.layers.add(name, color=look.aci, linetype=linetype, lineweight=round(look.width * 100))
        document.styles.add("JAPANESE", font="msgothic.ttc")
        views, frame = document.blocks.new(block), document.blocks.new("SHEET")
        space = document.modelspace()
        for p in sheet.primitives:
            if p.layer in ("BORDER", "TEXT"):
                _add(frame if p.layer == "BORDER" else space, p)
            else:
                _add(views, p)
        space.add_blockref(block, (0, 0))
        space.add_blockref("SHEET", (0, 0))
        if layout:
            paper = document.layout("Layout1")
            assert isinstance(paper, Paperspace)
            paper.page_setup(size=(sheet.width, sheet.height), margins=(0, 0, 0, 0), units="mm")
            paper.add_viewport(
                center=(sheet.width / 2, sheet.height / 2),
                size=(sheet.width, sheet.height),
                view_center_point=(sheet.width / 2, sheet.height / 2),
                view_height=sheet.height,
            )
            note = paper.add_text("PRINTED COPY - NOT CONTROLLED", height=3.0, dxfattribs={"layer": "TEXT"})
            note.set_placement((sheet.width / 2, 4.0), align=TextEntityAlignment.CENTER)
        document.saveas(path)
    finally:
        options.write_fixed_meta_data_for_testing = before


def _add(space: "BaseLayout", p: Primitive) -> None:
    from ezdxf.enums import TextEntityAlignment

    look = {"layer": p.layer}
    match p:
        case Line():
            space.add_line(p.start, p.end, look)
        case Circle():
            space.add_circle(p.centre, p.radius, look)
        case Arc():
            space.add_arc(p.centre, p.radius, p.start_deg, p.end_deg, dxfattribs=look)
        case Polyline():
            space.add_lwpolyline(p.points, close=p.closed, dxfattribs=look)
        case Fill():
            space.add_hatch(color=256, dxfattribs=look).paths.add_polyline_path(p.points, is_closed=True)
        case Hatch():
            hatch = space.add_hatch(color=256, dxfattribs=look)
            hatch.set_pattern_fill("ANSI31", scale=p.spacing / 3.175, angle=p.angle_deg - 45)
            for k, loop in enumerate(p.loops):
                hatch.paths.add_polyline_path(loop, is_closed=True, flags=1 if k == 0 else 16)
        case Text():
            style = "STANDARD" if p.text.isascii() else "JAPANESE"
            text = space.add_text(p.text, height=p.height, rotation=p.rotation_deg, dxfattribs=look | {"style": style})
            align = {"left": "LEFT", "centre": "CENTER", "right": "RIGHT"}[p.anchor]
            text.set_placement(p.at, align=TextEntityAlignment[align])

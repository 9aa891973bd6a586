"""ezdxf's drawing primitives onto a Pillow picture: black on white, smoothed by drawing at twice the size.

For 1,000 short lines at 1,568 pixels this takes 30 ms where resvg takes 800 ms, most of it for its canvas of
4 bytes a pixel and its PNG (both measured on one core); ezdxf's own raster backends need matplotlib, Qt or
MuPDF.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import PIL.Image
import PIL.ImageChops
import PIL.ImageDraw
from ezdxf.addons.drawing.backend import BackendInterface, BkPath2d, BkPoints2d, ImageData
from ezdxf.math import Vec2

if TYPE_CHECKING:
    from ezdxf.addons.drawing.config import Configuration
    from ezdxf.addons.drawing.properties import BackendProperties, Properties
    from ezdxf.entities.dxfgfx import DXFGraphic

OVERSAMPLING = 2

_THINNEST = 0.0011  # line widths as a share of the longest edge: 1.7 pixels at 1,568 ...
_THICKEST = 0.0032  # ... to 5 for the widest line that DXF knows
_WIDEST_MM = 2.11
_SAGITTA_PX = 0.4  # how far a curve's polygon may stay away from the curve

Point = tuple[float, float]


class Painter(BackendInterface):
    """Takes coordinates in pixels of the enlarged canvas, y downwards. `picture()` gives the result."""

    def __init__(self, size: tuple[int, int]) -> None:
        """size: (width, height) of the picture in pixels."""
        self._canvas = PIL.Image.new("L", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), 255)
        self._draw = PIL.ImageDraw.Draw(self._canvas)
        self._edge = max(self._canvas.size)

    def picture(self) -> PIL.Image.Image:
        return self._canvas.reduce(OVERSAMPLING)

    def draw_point(self, pos: Vec2, properties: BackendProperties) -> None:
        radius = self._width(properties) / 2
        box = (pos.x - radius, pos.y - radius, pos.x + radius, pos.y + radius)
        self._draw.ellipse(box, fill=_ink(properties))

    def draw_line(self, start: Vec2, end: Vec2, properties: BackendProperties) -> None:
        self._line([(start.x, start.y), (end.x, end.y)], properties)

    def draw_solid_lines(self, lines: Iterable[tuple[Vec2, Vec2]], properties: BackendProperties) -> None:
        for start, end in lines:
            self.draw_line(start, end, properties)

    def draw_path(self, path: BkPath2d, properties: BackendProperties) -> None:
        for part in path.sub_paths() if path.has_sub_paths else [path]:
            self._line(_points(part), properties)

    def draw_filled_polygon(self, points: BkPoints2d, properties: BackendProperties) -> None:
        self._fill([[(point.x, point.y) for point in points.vertices()]], properties)

    def draw_filled_paths(self, paths: Iterable[BkPath2d], properties: BackendProperties) -> None:
        parts = [part for path in paths for part in (path.sub_paths() if path.has_sub_paths else [path])]
        self._fill([_points(part) for part in parts], properties)

    def draw_image(self, image_data: ImageData, properties: BackendProperties) -> None:
        """Nothing: pictures of other files are not opened."""

    def configure(self, config: Configuration) -> None:
        """Nothing to take over."""

    def set_background(self, color: str) -> None:
        """Always white."""

    def enter_entity(self, entity: DXFGraphic, properties: Properties) -> None:
        """Not needed."""

    def exit_entity(self, entity: DXFGraphic) -> None:
        """Not needed."""

    def clear(self) -> None:
        """Not needed."""

    def finalize(self) -> None:
        """Not needed."""

    def _width(self, properties: BackendProperties) -> int:
        share = min(max(properties.lineweight, 0.0), _WIDEST_MM) / _WIDEST_MM
        return max(OVERSAMPLING, round(self._edge * (_THINNEST + (_THICKEST - _THINNEST) * share)))

    def _line(self, points: list[Point], properties: BackendProperties) -> None:
        if len(points) > 1 and self._visible(points):
            self._draw.line(points, fill=_ink(properties), width=self._width(properties))

    def _fill(self, rings: list[list[Point]], properties: BackendProperties) -> None:
        """Even-odd: a ring within a ring is a hole."""
        rings = [ring for ring in rings if len(ring) > 2 and self._visible(ring)]
        if len(rings) == 1:
            self._draw.polygon(rings[0], fill=_ink(properties))
        if len(rings) < 2:
            return
        left = int(max(0, min(x for ring in rings for x, _ in ring)))
        top = int(max(0, min(y for ring in rings for _, y in ring)))
        right = int(min(self._canvas.width, max(x for ring in rings for x, _ in ring) + 1))
        bottom = int(min(self._canvas.height, max(y for ring in rings for _, y in ring) + 1))
        if right <= left or bottom <= top:
            return
        mask = PIL.Image.new("1", (right - left, bottom - top))
        for ring in rings:
            one = PIL.Image.new("1", mask.size)
            PIL.ImageDraw.Draw(one).polygon([(x - left, y - top) for x, y in ring], fill=1)
            mask = PIL.ImageChops.logical_xor(mask, one)
        self._canvas.paste(_ink(properties), (left, top), mask)

    def _visible(self, points: list[Point]) -> bool:
        """Whether the points lie near the canvas; Pillow's integers overflow far away (NaN is nowhere)."""
        return all(-self._edge < x < 2 * self._edge and -self._edge < y < 2 * self._edge for x, y in points)


def _points(path: BkPath2d) -> list[Point]:
    if len(path) == 0:
        return []
    if not path.has_curves:
        return [(point.x, point.y) for point in path.control_vertices()]
    return [(point.x, point.y) for point in path.flattening(_SAGITTA_PX)]


def _ink(properties: BackendProperties) -> int:
    """White for what the drawing paints in its background's colour (wipeouts), else black."""
    return 255 if properties.color[:7].lower() == "#ffffff" else 0

"""A DXF layout to pixels: ezdxf takes the entities apart and records them, dxf_paint draws the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmrcli.corpus.readers import raster
from cmrcli.corpus.readers.guard import TooSlow, cpu_limit

if TYPE_CHECKING:
    from ezdxf.addons.drawing.recorder import Player
    from ezdxf.document import Drawing
    from ezdxf.layouts.layout import Layout
    from PIL.Image import Image

MOST_ENTITIES = 60_000  # drawn of one layout, blocks taken apart; ezdxf takes a third of a millisecond each
CPU_S = 20.0  # for one layout; what is recorded by then is the picture
LONGEST_SHAPE = 20.0  # a single line gets a picture of this ratio, not of no height

_MARGIN = 0.015  # of the longest edge, on each side
_STRAY_FROM = 50  # entities from which a few far away count as strays
_STRAY_SPAN = 20.0  # how many times larger than its middle 98 % a drawing must be for that

Extents = tuple[float, float, float, float]


def draw(document: Drawing, layout: Layout, edge: int, notes: list[str]) -> Image | None:
    """L picture of the layout, longest edge `edge` pixels; None when nothing of it can be drawn."""
    player = _record(document, layout, notes)
    extents = _extents(player, notes)
    if extents is None:
        return None
    return _paint(player, extents, edge)


def _record(document: Drawing, layout: Layout, notes: list[str]) -> Player:
    """The layout as primitives, as far as the limits allow."""
    from ezdxf.addons.drawing import config
    from ezdxf.addons.drawing.frontend import Frontend
    from ezdxf.addons.drawing.properties import Properties, RenderContext
    from ezdxf.addons.drawing.recorder import Recorder
    from ezdxf.entities.dxfgfx import DXFGraphic

    class TooManyError(Exception):
        """The limit of entities is reached."""

    class Bounded(Frontend):
        drawn = 0

        def draw_entity(self, entity: DXFGraphic, properties: Properties) -> None:
            self.drawn += 1
            if self.drawn > MOST_ENTITIES:
                raise TooManyError
            super().draw_entity(entity, properties)

    recorder = Recorder()
    how = config.Configuration(
        background_policy=config.BackgroundPolicy.WHITE,
        color_policy=config.ColorPolicy.BLACK,
        image_policy=config.ImagePolicy.RECT,
        hatching_timeout=5.0,
    )
    try:
        with cpu_limit(CPU_S):
            Bounded(RenderContext(document), recorder, config=how).draw_layout(layout)
    except TooManyError:
        notes.append(f"drawn up to {MOST_ENTITIES} entities")
    except TooSlow:
        notes.append(f"drawn as far as {CPU_S:g} s allowed")
    except MemoryError:
        raise
    except Exception as error:
        notes.append(f"drawn up to an entity that cannot be: {type(error).__name__}: {error}")
    return recorder.player()


def _extents(player: Player, notes: list[str]) -> Extents | None:
    """Where the drawing is; a few entities far away from all others (a slip of the mouse) do not count."""
    import numpy as np

    found = [box for record, _ in player.recordings() if (box := record.bbox()).has_data]
    boxes = np.array([(*box.extmin, *box.extmax) for box in found], dtype=np.float64).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1) & (np.abs(boxes) < 1e12).all(axis=1)]
    if len(boxes) < len(found):
        notes.append(f"{len(found) - len(boxes)} entities out of range")
    if not len(boxes):
        return None
    if len(boxes) >= _STRAY_FROM:
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        low, high = np.percentile(centres, (1, 99), axis=0)
        span = (high - low).max()
        near = ((centres >= low - span) & (centres <= high + span)).all(axis=1)
        whole = (boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)).max()
        if span > 0 and whole > _STRAY_SPAN * span and near.mean() >= 0.98:
            notes.append(f"{int((~near).sum())} entities far from all others left out")
            boxes = boxes[near]
    x0, y0 = boxes[:, :2].min(axis=0).tolist()
    x1, y1 = boxes[:, 2:].max(axis=0).tolist()
    return (x0, y0, x1, y1) if max(x1 - x0, y1 - y0) > 0 else None


def _paint(player: Player, extents: Extents, edge: int) -> Image:
    from ezdxf.math import Matrix44

    from cmrcli.corpus.readers.dxf_paint import OVERSAMPLING, Painter

    x0, y0, x1, y1 = extents
    longest = max(x1 - x0, y1 - y0)
    width, height = max(x1 - x0, longest / LONGEST_SHAPE), max(y1 - y0, longest / LONGEST_SHAPE)
    inner = edge * (1 - 2 * _MARGIN)
    scale = inner / longest
    margin = edge * _MARGIN
    size = (round(width * scale + 2 * margin), round(height * scale + 2 * margin))
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2
    zoom = scale * OVERSAMPLING
    player.transform(
        Matrix44.translate(-centre_x, -centre_y, 0)
        @ Matrix44.scale(zoom, -zoom, 1)
        @ Matrix44.translate(size[0] * OVERSAMPLING / 2, size[1] * OVERSAMPLING / 2, 0)
    )
    painter = Painter(size)
    player.replay(painter)
    picture = painter.picture()
    exact = raster.reduced_size(*picture.size, edge)
    return picture if picture.size == exact else picture.resize(exact)

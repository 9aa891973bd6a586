"""What an item looks like: `drawing`, `photo`, `page` or `text`, by a rule on cheap statistics.

1. No picture: `text`.
2. Drawn or taken? Four shares of the picture reduced to about 256 px (see Tones), equally weighted after
   scaling: a drawing has few colours that fill most of it (dominance), on light paper, with hard edges
   instead of slopes (crispness), and leaves most grey levels unused; a photo is the opposite. A picture made
   from geometry is never a photo, one with many words neither.
3. Drawing or page? What is not a photo is a `page` when writing makes most of it (see Strokes): writing has
   no upright line longer than a letter, and its rows alternate with gaps. The more upright lines there are (a
   grid, a view), the more words it takes to call it a page.

A page that is mostly table or form is a page; a sheet with views and a block of notes is a drawing; icons and
emoji are drawings; scans count as what was scanned. Weights and thresholds were chosen on one half of the
development pictures; tests/bench/kinds.py prints the confusion table on either half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cmrcli.corpus.items import Kind, ReaderItem
from cmrcli.corpus.passages import width

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

_TONES_EDGE_PX = 256
_DRAWN = 0.66  # of dominance + paper + crispness - 2 * levels

_STROKES_EDGE_PX = 784
_LONG_SHARE = 0.03  # of the longer edge: taller than any letter of running text on a page, ...
_LONG_PX = 20  # ... and longer than blurred letters that have run together
_PAGE_EDGE_PX = 400  # nobody scans a page smaller than this
_INK_CONTRAST = 40

_WORD_WIDTH = 6  # characters of a word with its share of spaces; wide characters count twice
_PAGE_WORDS = 60  # make a page without upright lines; ...
_UPRIGHT_SHARE = 0.08  # ... as many more for each such share of upright lines in the ink


def classify(item: ReaderItem) -> Kind:
    """The kind of an item, by the rule above. Costs about 2 ms for a photo, 10 ms for other pictures."""
    if item.image is None:
        return "text"
    words = width("".join(item.text.split())) / _WORD_WIDTH
    if not item.vector and words < _PAGE_WORDS and not looks_drawn(tones(item.image)):
        return "photo"
    return "page" if looks_written(strokes(item.image), words, max(item.image.size)) else "drawing"


class Tones(NamedTuple):
    """Shares 0..1 of a picture reduced to about _TONES_EDGE_PX.

    Attributes:
        dominance: pixels of the four most frequent colours, of 4,096.
        levels: grey levels in use (by more than 0.2 % of the pixels), of 64.
        paper: lightness of the most frequent grey.
        crispness: hard steps between neighbours (more than 48 greys) among hard and gentle ones (5 to 24).
    """

    dominance: float
    levels: float
    paper: float
    crispness: float


def looks_drawn(tones: Tones) -> bool:
    """True for drawings, diagrams, icons, pages and scans of them; False for photos."""
    return tones.dominance + tones.paper + tones.crispness - 2 * tones.levels > _DRAWN


def tones(image: Image) -> Tones:
    image = _reduced(image, _TONES_EDGE_PX).convert("RGB")
    bins = np.asarray(image, dtype=np.uint16) >> 4
    colours = (bins[..., 0] << 8) | (bins[..., 1] << 4) | bins[..., 2]
    grey = np.asarray(image.convert("L"), dtype=np.int16)
    counts = np.bincount(colours.ravel(), minlength=4096)
    greys = np.bincount(grey.ravel(), minlength=256)
    steps = np.abs(np.concatenate([np.diff(grey, axis=1).ravel(), np.diff(grey, axis=0).ravel()]))
    hard, gentle = _count(steps > 48), _count((steps > 4) & (steps <= 24))
    return Tones(
        dominance=float(np.partition(counts, -4)[-4:].sum() / grey.size),
        levels=float((greys.reshape(64, 4).sum(axis=1) > 0.002 * grey.size).mean()),
        paper=float(np.convolve(greys, np.ones(9), "same").argmax() / 255),
        crispness=hard / max(hard + gentle, 1),
    )


class Strokes(NamedTuple):
    """Shares of the ink of a picture reduced to about _STROKES_EDGE_PX; ink differs from the paper's grey.

    Attributes:
        long: ink in straight runs of at least _LONG_SHARE of the longer edge, level or upright.
        upright: ink in upright runs that long which is not in level ones: lines, not fillings.
        rhythm: how much the ink of neighbouring rows differs, 0..2; taken in eight narrow columns, so that a
            scan that is a little askew keeps it.
        cover: squares of 16 px with some ink in them, among all.
    """

    long: float
    upright: float
    rhythm: float
    cover: float


def looks_written(strokes: Strokes, words: float, longest_edge_px: int) -> bool:
    """True when writing makes most of the picture; `words` is how much text is known to be in it."""
    if words >= _PAGE_WORDS * (1 + strokes.upright / _UPRIGHT_SHARE):
        return True
    if strokes.cover == 0:  # blank: the back of a sheet rather than a drawing of nothing
        return True
    lettered = strokes.rhythm >= 0.3 and strokes.upright < 0.05
    if words >= 1:  # a cover sheet, a short letter
        return (lettered and strokes.long < 0.35) or (strokes.rhythm >= 0.2 and strokes.long < 0.02)
    return lettered and strokes.long < 0.15 and strokes.cover >= 0.12 and longest_edge_px >= _PAGE_EDGE_PX


def strokes(image: Image) -> Strokes:
    image = _reduced(image, _STROKES_EDGE_PX).convert("L")
    paper = int(np.reshape(image.histogram(), (32, 8)).sum(axis=1).argmax()) * 8 + 4
    ink = np.abs(np.asarray(image, dtype=np.int16) - paper) > _INK_CONTRAST
    total = max(_count(ink), 1)
    long_px = max(_LONG_PX, round(_LONG_SHARE * max(ink.shape)))
    level = _long_runs(ink, long_px)
    upright = np.ascontiguousarray(_long_runs(np.ascontiguousarray(ink.T), long_px).T)
    profiles = [column.sum(axis=1, dtype=np.int64) for column in np.array_split(ink, 8, axis=1)]
    rows, columns = ink.shape[0] // 16, ink.shape[1] // 16
    bands = ink[: rows * 16, : columns * 16].reshape(rows, 16, columns * 16).sum(axis=1, dtype=np.int16)
    squares = bands.reshape(rows, columns, 16).sum(axis=2)
    return Strokes(
        long=_count(level | upright) / total,
        upright=_count(upright & ~level) / total,
        rhythm=sum(int(np.abs(np.diff(profile)).sum()) for profile in profiles) / total,
        cover=float((squares > 0.02 * 256).mean()) if squares.size else 0.0,
    )


def _long_runs(ink: NDArray[np.bool_], long_px: int) -> NDArray[np.bool_]:
    """The ink in runs of at least `long_px` along the rows."""
    runs = np.zeros(ink.shape, dtype=np.bool_)
    if ink.shape[1] < long_px:
        return runs
    filled = np.pad(np.cumsum(ink, axis=1, dtype=np.uint16), ((0, 0), (1, 0)))
    starts = filled[:, long_px:] - filled[:, :-long_px] == long_px  # a run of that length begins here
    runs[:, : starts.shape[1]] = starts
    length = 1
    while length < long_px:  # stretch each start to the right, by doubling
        step = min(length, long_px - length)
        runs[:, step:] |= runs[:, :-step]
        length += step
    return runs


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _reduced(image: Image, edge_px: int) -> Image:
    """The picture box-averaged by the whole factor that brings its longer edge nearest to `edge_px`."""
    factor = round(max(image.size) / edge_px)
    return image.reduce(factor) if factor > 1 else image

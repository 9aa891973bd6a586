"""The plain data that readers hand on: what one file holds, page by page, before any encoder sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

Kind = Literal["drawing", "photo", "page", "text"]
KINDS: tuple[Kind, ...] = ("drawing", "photo", "page", "text")

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) as fractions 0..1 of the upright picture, origin top left."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost a worker.

    Attributes:
        time_s: wall time for one task (a file, or one stretch of a long file's pages).
        memory_bytes: address space that a worker may add to what it needs to start.
        decoded_bytes: estimated bytes of the decoded picture; more is refused before decoding.
        longest_edge_px: pictures come out of a reader no larger than this (reduced while decoding where possible).
        text_chars: text kept of one item; the rest is dropped and noted.
        pages: items read of one file; the rest is dropped and noted.
    """

    time_s: float = 60.0
    memory_bytes: int = 640 * 2**20
    decoded_bytes: int = 400 * 2**20
    longest_edge_px: int = 1568
    text_chars: int = 200_000
    pages: int = 5_000


@dataclass(slots=True)
class ReaderItem:
    """One item of a file as its reader saw it.

    Attributes:
        page: 1-based page, frame or layout number; None when the file can only hold one item.
        label: layout name or outline title of the page, "" when there is none.
        title: what the file calls itself (PDF title, Markdown heading), "" when it does not.
        image: upright RGB or L picture on white, at most Limits.longest_edge_px; None for text-only items.
        width_px, height_px: size of the source picture before reduction (PDF pages and vector drawings: of the
            rendered picture); 0 for text-only items.
        text: all words in the item, in reading order as far as the format tells; "" when there are none.
        vector: the picture was drawn from geometry (DXF, SVG, a PDF page without a scan): a hint for the kind.
        notes: what was left out ("text cut at 200000 characters"), for the report.
    """

    page: int | None
    label: str = ""
    title: str = ""
    image: Image | None = None
    width_px: int = 0
    height_px: int = 0
    text: str = ""
    vector: bool = False
    notes: list[str] = field(default_factory=list)

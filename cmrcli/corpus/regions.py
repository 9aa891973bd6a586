"""One region of one item as an image file: what a worker does so that a person can look at a match."""

from __future__ import annotations

import io
from dataclasses import dataclass

from cmrcli.corpus.items import Box, Limits
from cmrcli.errors import UnreadableFile

REGION_LIMITS = Limits(longest_edge_px=4_000)  # of the whole page: a tenth of it is still worth looking at


@dataclass(frozen=True, slots=True)
class RegionTask:
    """What a worker is asked.

    Attributes:
        path: the file, as the file system has it.
        page: 1-based; None for the first item.
        box: None for the whole.
    """

    path: bytes
    page: int | None
    box: Box | None


@dataclass(frozen=True, slots=True)
class Region:
    """A worker's answer: a PNG; b"" where the item has no picture. `found`: there is such a page."""

    png: bytes
    found: bool = True


def read_region(task: RegionTask) -> Region:
    """Runs in a worker.

    Raises:
        UnreadableFile: with its cause.
    """
    from cmrcli.corpus.readers import read
    from cmrcli.corpus.tiles import crop

    result = read(task.path, first=task.page or 1, count=1, limits=REGION_LIMITS)
    for item in result.items:
        if task.page in (None, item.page) or (item.page is None and task.page == 1):
            if item.image is None:
                return Region(b"")
            picture = item.image if task.box is None else crop(item.image, task.box)
            file = io.BytesIO()
            try:
                picture.save(file, "PNG")
            except (OSError, ValueError) as error:
                raise UnreadableFile("damaged", str(error)) from None
            return Region(file.getvalue())
    return Region(b"", found=False)

"""Small pictures of documents for a sheet. Files are untrusted: they are decoded in a worker process, within limits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cmrcli.corpus.items import Limits
from cmrcli.errors import UnreadableFile
from cmrcli.searching.query import parse_example

EDGE_PX = 160
QUALITY = 75
LIMITS = Limits(time_s=20.0, longest_edge_px=4 * EDGE_PX)


@dataclass(frozen=True, slots=True)
class ThumbnailTask:
    """What the worker is asked: the file, and its 1-based page."""

    path: bytes
    page: int


class Thumbnails:
    """Documents (`path` or `path#page`) to JPEG bytes, one worker process for all. Close it, or use it in a `with`.

    Args:
        roots: folders; only files below one of them are read, and relative names are looked for in each. A run file
            may name anything, and a sheet may be handed on.
    """

    def __init__(self, roots: Sequence[str | os.PathLike[str]]) -> None:
        from cmrcli.corpus.workers import WorkerPool

        self._roots = [os.path.abspath(root) for root in roots]
        self._pool = WorkerPool(thumbnail_of, workers=1, limits=LIMITS)
        self._made: dict[str, bytes | None] = {}

    def __call__(self, document: str) -> bytes | None:
        """A JPEG of at most EDGE_PX a side; None where the document has no picture or cannot be read."""
        if document not in self._made:
            self._made[document] = self._make(document)
        return self._made[document]

    def __enter__(self) -> Thumbnails:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.__exit__(None, None, None)

    def _make(self, document: str) -> bytes | None:
        for root in self._roots:
            example = parse_example(os.path.normpath(os.path.join(root, document)))
            if os.path.commonpath([root, example.path]) == root and os.path.isfile(example.path):
                self._pool.submit(ThumbnailTask(os.fsencode(example.path), example.page or 1))
                _, answer = self._pool.next_done()
                return None if isinstance(answer, UnreadableFile) else answer
        return None


def thumbnail_of(task: ThumbnailTask) -> bytes | None:
    """Runs in a worker. UnreadableFile with its cause."""
    import io

    from cmrcli.corpus.readers import read

    result = read(task.path, first=task.page, count=1, limits=LIMITS)
    image = next((item.image for item in result.items if item.image is not None), None)
    if image is None:
        return None
    small = image.convert("RGB")
    small.thumbnail((EDGE_PX, EDGE_PX))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()

"""The vectors of example files: the query side of search by drawing or photo."""

from __future__ import annotations

import functools
import os
import stat
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.corpus.items import Box, Limits
from cmrcli.errors import UnreadableFile, UsageError, display_path
from cmrcli.searching.query import Example

if TYPE_CHECKING:
    from cmrcli.corpus.fragments import ReadItem
    from cmrcli.encoders.dual import DualEncoder


class ExampleReader:
    """Turns example files into vectors, in one worker process that lives as long as this object.

    The file is read under the same limits as when indexing: an example can be hostile too.
    """

    def __init__(self, encoder: DualEncoder) -> None:
        from cmrcli.corpus.fragments import read_fragments
        from cmrcli.corpus.workers import WorkerPool

        self._encoder = encoder
        self._pool = WorkerPool(read_fragments, workers=1, limits=Limits())

    def close(self) -> None:
        """Ends the worker."""
        self._pool.__exit__(None, None, None)

    def vector(self, example: Example) -> NDArray[np.float32]:
        """(dim,) float32, L2-normalised: the example's whole picture, or its first passage when it has none.

        Raises:
            UsageError: it cannot be read, or has no such page.
        """
        shown = display_path(example.path)
        _require_file(example.path, shown)
        item = self._read(example, shown)
        if item.pictures:
            vectors = self._encoder.encode_images(item.pictures[0].pixels[None])
        elif item.passages:
            vectors = self._encoder.encode_texts(item.passages[:1])
        else:
            raise UsageError(f"{shown} holds nothing to search by", "give a picture, or words")
        vector: NDArray[np.float32] = vectors[0]
        return vector

    def parts(self, example: Example) -> tuple[list[Box | None], NDArray[np.float32]]:
        """The example's tiles and views with their vectors (p, dim) float32; [None] and the whole where it has none.

        Raises:
            UsageError: as for `vector`.
        """
        shown = display_path(example.path)
        _require_file(example.path, shown)
        item = self._read(example, shown)
        pictures = item.pictures[1:] or item.pictures
        if not pictures:
            return [None], self.vector(example)[None]
        pixels = np.stack([picture.pixels for picture in pictures])
        return [picture.box for picture in pictures], self._encoder.encode_images(pixels)

    def _read(self, example: Example, shown: str) -> ReadItem:
        from cmrcli.corpus.fragments import ReadTask
        from cmrcli.encoders.preprocess import fit

        path = os.fsencode(os.path.abspath(example.path))
        shape = functools.partial(fit, spec=self._encoder.manifest.image)
        self._pool.submit(ReadTask(path, shape, first=example.page or 1, count=1))
        _, answer = self._pool.next_done()
        if isinstance(answer, UnreadableFile):
            raise UsageError(f"cannot search by {shown}: {answer}", "give a file that can be read")
        for item in answer.items:
            if example.page in (None, item.page) or (item.page is None and example.page == 1):
                return item
        raise UsageError(f"{shown} has no page {example.page}", "count pages from 1")


def _require_file(path: str, shown: str) -> None:
    """Raise unless there is something that a reader could open."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
        raise UsageError(f"there is no file {shown}", "check the path of the example") from None
    except OSError as error:
        raise UsageError(f"cannot search by {shown}: {error.strerror}", "give a file that can be read") from None
    if stat.S_ISDIR(mode):
        raise UsageError(f"{shown} is a folder", "give one file as the example")

"""The vector of an example file: the query side of search by drawing or photo."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.corpus.items import Limits
from cmrcli.errors import UnreadableFile, UsageError, display_path
from cmrcli.searching.query import Example

if TYPE_CHECKING:
    from cmrcli.encoders.dual import DualEncoder


def example_vector(example: Example, encoder: DualEncoder) -> NDArray[np.float32]:
    """(dim,) float32, L2-normalised: the example's whole picture, or its first passage when it has none.

    The file is read in a worker with the same limits as when indexing: an example can be hostile too.

    Raises:
        UsageError: it cannot be read, or has no such page.
    """
    from cmrcli.corpus.fragments import ReadTask, read_fragments
    from cmrcli.corpus.workers import WorkerPool
    from cmrcli.encoders.preprocess import fit

    shown = display_path(example.path)
    if os.path.isdir(example.path):
        raise UsageError(f"{shown} is a folder", "give one file as the example")
    task = ReadTask(
        os.fsencode(os.path.abspath(example.path)),
        functools.partial(fit, spec=encoder.manifest.image),
        first=example.page or 1,
        count=1,
    )
    with WorkerPool(read_fragments, workers=1, limits=Limits()) as pool:
        pool.submit(task)
        _, answer = pool.next_done()
    if isinstance(answer, UnreadableFile):
        raise UsageError(f"cannot search by {shown}: {answer}", "give a file that can be read")
    wanted = [item for item in answer.items if example.page in (None, item.page) or item.page is None]
    if not wanted:
        raise UsageError(f"{shown} has no page {example.page}", "count pages from 1")
    item = wanted[0]
    if item.pictures:
        vectors = encoder.encode_images(item.pictures[0].pixels[None])
    elif item.passages:
        vectors = encoder.encode_texts(item.passages[:1])
    else:
        raise UsageError(f"{shown} holds nothing to search by", "give a picture, or words")
    vector: NDArray[np.float32] = vectors[0]
    return vector

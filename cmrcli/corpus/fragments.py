"""One file to fragments: what a worker does with a path before any vector is made.

The worker hashes the file, reads its items, decides each one's kind, cuts tiles and passages, and hands back
pictures already fitted to the encoder's input: the parent never decodes anything and holds little.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.corpus.items import Box, Kind, Limits, ReaderItem
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from PIL.Image import Image

PAGES_PER_TASK = 4  # bounds what one answer carries: 4 pages of at most 25 pictures, about 15 MB at 224 px
PHOTO_EDGE_PX = 500  # enough for a photo's one vector; a 4,000 px JPEG decodes to just this at an eighth of its size
DIGEST_BYTES = 16
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ReadTask:
    """What a worker is asked.

    Attributes:
        path: the file, as the file system has it.
        fit: picture -> (size, size, 3) uint8, the encoder's letterbox; picklable.
        first: 1-based first item.
        count: items at most in this answer.
        digest: the file's digest is wanted.
        known: digests of files of this size that the index holds; one of them ends the task early.
        stamp: (size in bytes, modification time in ns) that the file was met with; one that has changed since
            ends the task. None does not look.
    """

    path: bytes
    fit: Callable[[Image], NDArray[np.uint8]]
    first: int = 1
    count: int = PAGES_PER_TASK
    limits: Limits = Limits()
    digest: bool = False
    known: frozenset[bytes] = frozenset()
    stamp: tuple[int, int] | None = None


@dataclass(slots=True)
class Picture:
    """A fragment to encode as an image: pixels (size, size, 3) uint8; `box` None for the whole item."""

    pixels: NDArray[np.uint8]
    box: Box | None = None


@dataclass(slots=True)
class ReadItem:
    """One item, ready for the encoder: its pictures (the whole first), its passages and its words."""

    page: int | None
    kind: Kind
    label: str
    title: str
    width_px: int
    height_px: int
    text: str
    pictures: list[Picture] = field(default_factory=list)
    passages: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ReadFile:
    """A worker's answer: a stretch of a file's items; `more_from` is the next item's number, None at the end.

    `digest` is set when it was asked for. When it was known to the index, there are no items.
    """

    digest: bytes | None
    format: str
    items: list[ReadItem] = field(default_factory=list)
    more_from: int | None = None
    known: bool = False


def read_fragments(task: ReadTask) -> ReadFile:
    """Runs in a worker.

    Raises:
        UnreadableFile: with its cause; nothing else on purpose.
    """
    digest = digest_of(task.path) if task.digest else None
    if digest in task.known:
        return ReadFile(digest, "", known=True)
    answer = _read(task)
    answer.digest = digest
    if task.stamp is not None and _stamp(task.path) != task.stamp:
        raise UnreadableFile("io", "changed while it was read; the next run reads it again")
    return answer


def _read(task: ReadTask) -> ReadFile:
    from cmrcli.corpus.readers import read

    if task.first == 1 and _is_jpeg(task.path):
        small = read(task.path, limits=replace(task.limits, longest_edge_px=PHOTO_EDGE_PX))
        items = [_fragments(item, small.format, task) for item in small.items]
        if all(item.kind == "photo" and len(item.pictures) == 1 for item in items):
            return ReadFile(None, small.format, items)
    result = read(task.path, first=task.first, count=task.count, limits=task.limits)
    items = [_fragments(item, result.format, task) for item in result.items]
    return ReadFile(None, result.format, items, result.more_from)


def _stamp(path: bytes) -> tuple[int, int] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


def digest_of(path: bytes) -> bytes:
    """BLAKE2b of the whole file, 16 bytes. UnreadableFile when it cannot be read, is empty or no regular file."""
    from cmrcli.corpus.readers.source import open_source

    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with open_source(path) as source:
        while block := source.file.read(_READ_BYTES):
            hasher.update(block)
    return hasher.digest()


def _is_jpeg(path: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(3) == b"\xff\xd8\xff"
    except OSError:
        return False  # the reader says what is wrong


def _fragments(item: ReaderItem, format: str, task: ReadTask) -> ReadItem:
    from cmrcli.corpus.kinds import classify
    from cmrcli.corpus.passages import split_passages
    from cmrcli.corpus.tiles import crop
    from cmrcli.corpus.views import part_boxes

    # A DXF is a drawing however many notes are on it; of the others the pixels tell.
    kind: Kind = "drawing" if format == "dxf" and item.image is not None else classify(item)
    pictures = []
    if item.image is not None:
        pictures.append(Picture(task.fit(item.image)))
        for box in part_boxes(item.image, kind):
            pictures.append(Picture(task.fit(crop(item.image, box)), box))
    passages = split_passages(item.text)
    return ReadItem(
        item.page,
        kind,
        item.label,
        item.title,
        item.width_px,
        item.height_px,
        item.text,
        pictures,
        passages,
        item.notes,
    )

"""Pictures as somebody else may have them: a cut-out, or a smaller copy saved again as JPEG. Made in worker processes.

The originals are files of the corpus, read under the limits that indexing has; of their pixels only a new JPEG leaves
the worker.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from cmrcli.corpus.items import Limits
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from PIL.Image import Image

Alteration = Literal["crop", "copy"]

CROP_SHARE = (0.4, 0.8)  # of each side
CROP_SCALE = (0.8, 1.25)
COPY_SCALE = (0.5, 0.9)
QUALITY = (60, 85)  # of the JPEG
SMALLEST_PX = 32  # shorter side of what is made: with less it is an icon, and a part of one says nothing
WINDOWS = 12  # tried for one with something in it
DETAIL = 0.5  # of the whole picture's detail: with less, a crop shows the paper rather than what is on it


@dataclass(frozen=True, slots=True)
class AlterTask:
    """What a worker is asked.

    Attributes:
        number: names the task in its answer.
        path: the file; `page`: its item, None for the only one.
        seed: of everything random in it.
    """

    number: int
    path: bytes
    page: int | None
    alteration: Alteration
    seed: tuple[int, ...]


def alter(task: AlterTask) -> bytes:
    """A JPEG made of the item's picture. Runs in a worker.

    Raises:
        UnreadableFile: the file cannot be read (any more), or holds no picture that could be altered.
    """
    from cmrcli.corpus.readers import read

    result = read(task.path, first=task.page or 1, count=1, limits=Limits())
    image = next((item.image for item in result.items if item.page in (None, task.page or 1)), None)
    if image is None:
        raise UnreadableFile("no-content", "it has no picture")
    rng = np.random.default_rng(task.seed)
    made = _cropped(image.convert("RGB"), rng) if task.alteration == "crop" else image.convert("RGB")
    made = _scaled(made, float(rng.uniform(*(CROP_SCALE if task.alteration == "crop" else COPY_SCALE))))
    if min(made.size) < SMALLEST_PX:
        raise UnreadableFile("no-content", f"{image.width} x {image.height} pixels are too few")
    stream = io.BytesIO()
    made.save(stream, "JPEG", quality=int(rng.integers(*QUALITY)))
    return stream.getvalue()


class Workshop:
    """The worker processes. Use as a context manager; none is started before there is work."""

    def __init__(self, workers: int) -> None:
        from cmrcli.corpus.workers import WorkerPool

        self._workers = workers
        self._pool = WorkerPool(alter, workers, Limits())

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.__exit__(None, None, None)

    def altered(self, tasks: Sequence[AlterTask]) -> Iterator[tuple[AlterTask, bytes | UnreadableFile]]:
        """Every task with its JPEG or why there is none, as they are done."""
        ahead = 2 * self._workers
        for task in tasks[:ahead]:
            self._pool.submit(task)
        for number in range(len(tasks)):
            yield self._pool.next_done()
            if number + ahead < len(tasks):
                self._pool.submit(tasks[number + ahead])


def _cropped(image: Image, rng: np.random.Generator) -> Image:
    """A random window with enough in it; of those tried the fullest where none has.

    Detail is how much neighbouring pixels differ in the mean. The window is never the whole.
    """
    grey = np.asarray(image.convert("L"), dtype=np.int16)
    steps = np.abs(np.diff(grey, axis=1))[:-1] + np.abs(np.diff(grey, axis=0))[:, :-1]
    wanted = DETAIL * float(steps.mean()) if steps.size else 0.0
    best, most = (0, 0, image.width, image.height), -1.0
    for _ in range(WINDOWS):
        width, height = (max(1, round(side * rng.uniform(*CROP_SHARE))) for side in image.size)
        left, top = (int(rng.integers(0, room + 1)) for room in (image.width - width, image.height - height))
        inside = steps[top : top + height, left : left + width]
        detail = float(inside.mean()) if inside.size else 0.0
        if detail > most:
            best, most = (left, top, left + width, top + height), detail
        if detail >= wanted:
            break
    return image.crop(best)


def _scaled(image: Image, scale: float) -> Image:
    import PIL.Image

    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, PIL.Image.Resampling.BILINEAR)

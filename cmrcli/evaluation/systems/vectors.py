"""Vectors of what a truth names: pictures by `image:PATH[#PAGE]`, texts, classes by the mean of their prompts.

Pictures are read by worker processes under the limits of indexing, the whole picture as `cmrcli index` fits it, so that
a vector here is that of the item there. Every line is encoded once and kept in memory, never on disk: 4 bytes a
dimension and line.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.corpus.items import Limits
from cmrcli.errors import EmbeddingError, UnreadableFile, UsageError, display_path
from cmrcli.evaluation.costs.environment import cores
from cmrcli.searching.query import IMAGE_PREFIX, example_name, parse_example

if TYPE_CHECKING:
    from cmrcli.corpus.fragments import ReadFile
    from cmrcli.encoders.dual import DualEncoder

Vectors = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Progress = Callable[[str, int, int], None]

PICTURES = 64  # encoded at a time: 10 MB of pixels at 224 px
TEXTS = 2_048
TASKS_PER_WORKER = 16  # read ahead, at most 150 kB of pixels each at 224 px, and 13 times that for large drawings
SHOWN = 3  # unreadable files that an error names


class LineVectors:
    """Encodes lines with one encoder; see the module."""

    def __init__(self, encoder: DualEncoder, limits: Limits | None = None) -> None:
        self._encoder = encoder
        self._limits = limits or Limits()
        self._known: dict[str, Vectors] = {}

    def of_lines(self, lines: Sequence[str], progress: Progress | None = None) -> Vectors:
        """(n, dim) float32, L2-normalised, in the order of the lines.

        Raises:
            UsageError: pictures that cannot be read, all counted and the first ones named.
            EncoderError, EmbeddingError: of the encoder.
        """
        new = [line for line in dict.fromkeys(lines) if line not in self._known]
        self._encode_texts([line for line in new if not line.startswith(IMAGE_PREFIX)], progress)
        self._encode_pictures([line for line in new if line.startswith(IMAGE_PREFIX)], progress)
        vectors = np.empty((len(lines), self._encoder.dim), dtype=np.float32)
        for row, line in enumerate(lines):
            vectors[row] = self._known[line]
        return vectors

    def of_groups(self, groups: Sequence[Sequence[str]], progress: Progress | None = None) -> Vectors:
        """(n, dim) float32, L2-normalised: of each group its one line, or the mean of its texts' unit vectors."""
        if all(len(lines) == 1 for lines in groups):
            return self.of_lines([lines[0] for lines in groups], progress)
        texts = [text for lines in groups for text in lines]
        owner = np.repeat(np.arange(len(groups)), [len(lines) for lines in groups])
        sums = np.zeros((len(groups), self._encoder.dim), dtype=np.float64)
        for start in range(0, len(texts), TEXTS):
            block = texts[start : start + TEXTS]
            np.add.at(sums, owner[start : start + len(block)], self._encoder.encode_texts(block))
            if progress is not None:
                progress("texts", start + len(block), len(texts))
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        if not lengths.all():
            raise EmbeddingError(f"the prompts of {groups[int(np.argmin(lengths))][0]!r} cancel each other out")
        means: Vectors = (sums / lengths).astype(np.float32)
        return means

    def read(self, lines: Sequence[str]) -> Iterator[tuple[str, Pixels | str]]:
        """(line, pixels or the text that stands for them) of `image:` lines, in their order.

        In their order, so that batches are the same in every run: what shares a batch moves a vector's last bits.

        Raises:
            UsageError: after the others, when some could not be read.
        """
        from cmrcli.corpus.fragments import ReadTask, read_fragments
        from cmrcli.corpus.workers import WorkerPool
        from cmrcli.encoders.preprocess import fit

        shape = functools.partial(fit, spec=self._encoder.manifest.image)
        workers = max(1, min(cores(), len(lines)))
        number_of: dict[int, tuple[int, ReadTask]] = {}  # by identity: equal tasks may belong to different lines
        arrived: dict[int, ReadFile | UnreadableFile] = {}
        failed: dict[str, str] = {}
        submitted = 0
        with WorkerPool(read_fragments, workers, self._limits) as pool:
            for number, line in enumerate(lines):
                while submitted < min(len(lines), number + workers * TASKS_PER_WORKER):
                    example = parse_example(lines[submitted][len(IMAGE_PREFIX) :])
                    path = os.fsencode(os.path.abspath(example.path))
                    task = ReadTask(path, shape, first=example.page or 1, count=1, limits=self._limits)
                    number_of[id(task)] = submitted, task
                    pool.submit(task)
                    submitted += 1
                while number not in arrived:
                    task, answer = pool.next_done()
                    arrived[number_of.pop(id(task))[0]] = answer
                file = arrived.pop(number)
                if isinstance(file, UnreadableFile):
                    failed[line] = str(file)
                elif (content := _content(line, file)) is None:
                    failed[line] = "holds no such page, or nothing to see on it"
                else:
                    yield line, content
        if failed:
            raise _unreadable(failed)

    def _encode_texts(self, texts: list[str], progress: Progress | None) -> None:
        for start in range(0, len(texts), TEXTS):
            block = texts[start : start + TEXTS]
            self._known.update(zip(block, self._encoder.encode_texts(block), strict=True))
            if progress is not None:
                progress("texts", start + len(block), len(texts))

    def _encode_pictures(self, lines: list[str], progress: Progress | None) -> None:
        if not lines:
            return
        batch: list[tuple[str, Pixels]] = []
        done = 0
        for line, content in self.read(lines):
            if isinstance(content, str):
                self._known[line] = self._encoder.encode_texts([content])[0]
            else:
                batch.append((line, content))
            done += 1
            if len(batch) == PICTURES:
                self._encode_batch(batch)
            if progress is not None and not batch:
                progress("pictures", done, len(lines))
        self._encode_batch(batch)
        if progress is not None:
            progress("pictures", done, len(lines))

    def _encode_batch(self, batch: list[tuple[str, Pixels]]) -> None:
        """Encodes and empties the batch."""
        if batch:
            vectors = self._encoder.encode_images(np.stack([pixels for _, pixels in batch]))
            self._known.update(zip((line for line, _ in batch), vectors, strict=True))
            batch.clear()


def _content(line: str, file: ReadFile) -> Pixels | str | None:
    """The whole picture of the page that the line names, else its first passage; None when it has neither."""
    page = parse_example(line[len(IMAGE_PREFIX) :]).page
    for item in file.items:
        if page in (None, item.page) or (item.page is None and page == 1):
            return item.pictures[0].pixels if item.pictures else next(iter(item.passages), None)
    return None


def _unreadable(causes: dict[str, str]) -> UsageError:
    def shown(line: str) -> str:
        return f"{display_path(example_name(parse_example(line[len(IMAGE_PREFIX) :])))} ({causes[line]})"

    names = ", ".join(map(shown, list(causes)[:SHOWN])) + (" ..." if len(causes) > SHOWN else "")
    what = f"{len(causes):,} pictures of the ground truth cannot be read: {names}"
    return UsageError(what, "get them again, or remove them from the ground truth")

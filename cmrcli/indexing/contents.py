"""Contents being put together: stretches of items come from the workers, vectors from the encoder.

Pictures and passages wait in two queues until a batch is full, across files, so that the encoder always runs
on full batches; a content is finished when its last stretch has come and no fragment of it waits any more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.preprocess import fit
from cmrcli.errors import EmbeddingError
from cmrcli.store.batches import NewContent, NewFragment, NewItem

if TYPE_CHECKING:
    from cmrcli.corpus.fragments import ReadItem
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.indexing.changes import FileJob

IMAGE_BATCH = 16
TEXT_BATCH = 64

_NO_VECTOR: NDArray[np.float32] = np.empty(0, np.float32)


@dataclass(slots=True)
class OpenContent:
    """A content with what is still missing.

    Attributes:
        jobs: the files that hold it, to commit together with it; the first is the one it was read from.
        waiting: fragments without a vector yet.
        complete: the last stretch has come.
        without_vector: fragments that the encoder had no usable vector for.
    """

    content: NewContent
    jobs: list[FileJob]
    waiting: int = 0
    complete: bool = False
    without_vector: int = 0

    @property
    def finished(self) -> bool:
        return self.complete and self.waiting == 0


class Encoding:
    """The two queues in front of the encoder.

    Attributes:
        fit: picture -> (size, size, 3) uint8; what the workers apply so that the encoder takes it.
    """

    def __init__(self, encoder: DualEncoder) -> None:
        self._encoder = encoder
        self.fit = functools.partial(fit, spec=encoder.manifest.image)
        self._pictures: list[tuple[OpenContent, NewFragment, NDArray[np.uint8]]] = []
        self._passages: list[tuple[OpenContent, NewFragment]] = []

    def add(self, content: OpenContent, items: Iterable[ReadItem]) -> None:
        """Takes the items into the content and queues their fragments; encodes when a batch is full."""
        for item in items:
            new = NewItem(item.page, item.kind, item.label, item.title, item.width_px, item.height_px, item.text)
            for picture in item.pictures:
                role = "whole" if picture.box is None else "tile"
                fragment = NewFragment(role, _NO_VECTOR, picture.box)
                new.fragments.append(fragment)
                self._pictures.append((content, fragment, picture.pixels))
            for passage in item.passages:
                fragment = NewFragment("passage", _NO_VECTOR, None, passage)
                new.fragments.append(fragment)
                self._passages.append((content, fragment))
            content.waiting += len(new.fragments)
            content.content.items.append(new)
        while len(self._pictures) >= IMAGE_BATCH:
            self._encode_pictures(IMAGE_BATCH)
        while len(self._passages) >= TEXT_BATCH:
            self._encode_passages(TEXT_BATCH)

    def flush(self) -> None:
        """Encodes what waits."""
        while self._pictures:
            self._encode_pictures(IMAGE_BATCH)
        while self._passages:
            self._encode_passages(TEXT_BATCH)

    def _encode_pictures(self, count: int) -> None:
        batch, self._pictures = self._pictures[:count], self._pictures[count:]

        def encode(chosen: list[int]) -> NDArray[np.float32]:
            return self._encoder.encode_images(np.stack([batch[n][2] for n in chosen]))

        _assign([(content, fragment) for content, fragment, _ in batch], encode)

    def _encode_passages(self, count: int) -> None:
        batch, self._passages = self._passages[:count], self._passages[count:]

        def encode(chosen: list[int]) -> NDArray[np.float32]:
            return self._encoder.encode_texts([batch[n][1].text for n in chosen])

        _assign(batch, encode)


def _assign(batch: list[tuple[OpenContent, NewFragment]], encode: Callable[[list[int]], NDArray[np.float32]]) -> None:
    """Gives every fragment its vector; one without a usable vector leaves its item, and the others stay."""
    vectors: list[NDArray[np.float32] | None]
    try:
        vectors = list(encode(list(range(len(batch)))))
    except EmbeddingError:
        vectors = [_alone(encode, n) for n in range(len(batch))]
    for (content, fragment), vector in zip(batch, vectors, strict=True):
        content.waiting -= 1
        if vector is not None:
            fragment.vector = vector
            continue
        content.without_vector += 1
        for item in content.content.items:
            item.fragments = [kept for kept in item.fragments if kept is not fragment]


def _alone(encode: Callable[[list[int]], NDArray[np.float32]], number: int) -> NDArray[np.float32] | None:
    try:
        vector: NDArray[np.float32] = encode([number])[0]
    except EmbeddingError:
        return None
    return vector

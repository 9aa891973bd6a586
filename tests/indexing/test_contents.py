"""The queues in front of the encoder: order, full batches, fragments that get no vector."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from cmrcli.corpus.fragments import Picture, ReadItem
from cmrcli.errors import EmbeddingError
from cmrcli.indexing.contents import IMAGE_BATCH, Encoding, OpenContent
from cmrcli.store.batches import NewContent


class Encoder:
    """A picture's vector is its first pixel; black pictures have none, and spoil their whole batch."""

    def __init__(self) -> None:
        self.manifest = SimpleNamespace(image=SimpleNamespace(size=2))
        self.batches: list[int] = []

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(pixels))
        if (pixels[:, 0, 0] == 0).all(axis=1).any():
            raise EmbeddingError("a vector is all zero")
        return pixels[:, 0, 0].astype(np.float32)

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        return np.array([[len(text), 0, 0] for text in texts], dtype=np.float32)


def item(*levels: int, passages: tuple[str, ...] = ()) -> ReadItem:
    pictures = [Picture(np.full((2, 2, 3), level, dtype=np.uint8)) for level in levels]
    return ReadItem(None, "photo", "", "", 2, 2, "", pictures, list(passages))


def content() -> OpenContent:
    return OpenContent(NewContent(b"0" * 16, "png"), [])


def test_every_fragment_gets_its_own_vector_across_full_batches() -> None:
    encoder = Encoder()
    encoding = Encoding(encoder)  # type: ignore[arg-type]
    contents = [content() for _ in range(IMAGE_BATCH + 3)]
    for number, one in enumerate(contents):
        encoding.add(one, [item(number + 1, passages=("x" * number,))])
        one.complete = True
    assert encoder.batches == [IMAGE_BATCH], "pictures of several files share a batch"
    encoding.flush()
    for number, one in enumerate(contents):
        picture, passage = one.content.items[0].fragments
        assert one.finished
        assert (picture.vector[0], passage.vector[0]) == (number + 1, number)


@pytest.mark.parametrize("levels", [(5, 0, 7), (0,), (0, 0)])
def test_a_picture_without_a_usable_vector_leaves_the_others_alone(levels: tuple[int, ...]) -> None:
    encoding = Encoding(Encoder())  # type: ignore[arg-type]
    one = content()
    encoding.add(one, [item(*levels)])
    encoding.flush()
    kept = [level for level in levels if level]
    assert [fragment.vector[0] for fragment in one.content.items[0].fragments] == kept
    assert (one.waiting, one.without_vector) == (0, len(levels) - len(kept))

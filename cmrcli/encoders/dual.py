"""A dual encoder at work: texts and pictures to unit vectors of one space.

Each tower is loaded when first used: a query by words never touches the image tower, and nothing here imports
Pillow.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.image_tower import ImageTower
from cmrcli.encoders.manifest import EncoderManifest
from cmrcli.encoders.text_tower import TextTower
from cmrcli.errors import EmbeddingError


class DualEncoder:
    """Texts and pictures as vectors whose dot product is their similarity. Safe to share between threads."""

    def __init__(self, manifest: EncoderManifest, threads: int = 0) -> None:
        """Loads nothing yet.

        Args:
            manifest: what to load.
            threads: of one run of a tower; 0: every CPU that this process may use.
        """
        self.manifest = manifest
        self._threads = threads
        self._text: TextTower | None = None
        self._image: ImageTower | None = None
        self._text_lock = threading.Lock()
        self._image_lock = threading.Lock()

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self.manifest.dim

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        """(n, dim) float32, finite, length 1, in the order of the texts; any text, the empty one too.

        Raises:
            EncoderError: the tower cannot be loaded or run.
            EmbeddingError: it gives NaN, infinite, zero or wrongly shaped vectors.
        """
        return self._text_tower().encode(texts)

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, dim) float32, finite, length 1, of (n, size, size, 3) uint8 as `preprocess.fit` makes them.

        Raises:
            EncoderError: the tower cannot be loaded or run.
            EmbeddingError: pictures of another shape, or NaN, infinite, zero or wrongly shaped vectors.
        """
        size = self.manifest.image.size
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (size, size, 3):
            raise EmbeddingError(
                f"pictures of {pixels.dtype} {list(pixels.shape)}, not uint8 [n, {size}, {size}, 3]",
                "shape them with cmrcli.encoders.preprocess.fit",
            )
        return self._image_tower().encode(pixels)

    def prepare_text(self) -> None:
        """Loads the text tower now, for a caller that has something else to do meanwhile in another thread.

        Raises:
            EncoderError: it cannot be loaded.
        """
        self._text_tower()

    def _text_tower(self) -> TextTower:
        with self._text_lock:
            if self._text is None:
                self._text = TextTower(self.manifest.text, self.dim, self._threads)
            return self._text

    def _image_tower(self) -> ImageTower:
        with self._image_lock:
            if self._image is None:
                self._image = ImageTower(self.manifest.image, self.dim, self._threads)
            return self._image

"""The image tower: pictures that `preprocess.fit` has shaped, as unit vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.manifest import ImageSpec
from cmrcli.encoders.preprocess import tensor
from cmrcli.encoders.session import Graph, batches, unit_rows
from cmrcli.errors import EncoderError, display_path

PICTURES_PER_RUN = 2
"""Larger runs of a convolutional tower leave the processor's caches: with the bundled one, a picture takes 16 ms of
processor time in runs of 1 or 2, 21 ms in runs of 8 and 27 ms in runs of 16, and the memory grows from 200 to 580 MB.
"""

_ELEMENTS = {"uint8": "tensor(uint8)", "float32": "tensor(float)", "float16": "tensor(float16)"}


class ImageTower:
    """Pictures to unit vectors."""

    def __init__(self, spec: ImageSpec, dim: int, threads: int) -> None:
        """Loads the graph.

        Raises:
            EncoderError: a file that cannot be loaded, or that does not fit the spec.
        """
        self._spec = spec
        self._dim = dim
        self._graph = Graph(spec.graph.path, "image", threads)
        self._graph.require({spec.input: _ELEMENTS[spec.input_type]}, spec.output, dim)
        wanted = (3, spec.size, spec.size) if spec.layout == "nchw" else (spec.size, spec.size, 3)
        stated = tuple(self._graph.axis(spec.input, axis) for axis in (1, 2, 3))
        if any(length not in (None, want) for length, want in zip(stated, wanted, strict=True)):
            raise EncoderError(
                f"{display_path(spec.graph.path)} takes pictures of {stated}, model.toml makes {wanted}",
                "correct size and layout under [image] of model.toml",
            )
        self._stated_batch = 1 if spec.fixed_batch else self._graph.axis(spec.input, 0)
        self._batch = self._stated_batch or PICTURES_PER_RUN

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, dim) unit vectors of (n, size, size, 3) uint8 pictures.

        Raises:
            EncoderError: the graph refuses its inputs.
            EmbeddingError: it gives something else than finite vectors of that dimension.
        """
        vectors = np.empty((len(pixels), self._dim), dtype=np.float32)
        parts = batches(len(pixels), self._batch)
        self._graph.expect(len(parts))
        for part in parts:
            vectors[part] = self._run(pixels[part])
        return vectors

    def _run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        spec, n = self._spec, len(pixels)
        missing = (self._stated_batch or n) - n
        if missing:
            pixels = np.concatenate([pixels, np.repeat(pixels[-1:], missing, axis=0)])
        values = self._graph.run({spec.input: tensor(pixels, spec)}, spec.output)
        if values.ndim == 3 and spec.pooling != "none":
            values = values[:, 0] if spec.pooling == "first" else values.mean(axis=1)
        return unit_rows(values[:n], self._dim, spec.graph.path)

"""Vectors as they lie on disk, in half precision or in bytes, and the one way to read them: as float32.

In bytes a vector is `values * scale`: its components rounded to whole multiples of its own scale, which is its largest
component / 127. So each component is off by at most half a scale, and the largest by nothing but float32's rounding.

Source: Jacob et al. 2018, arXiv:1712.05877, section 2.1, with the zero point 0 and one scale a vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cmrcli.store.layout import F16, I8

BLOCK_ROWS = 8192  # of vectors held in memory at once: 16 MiB at dim 512
LARGEST = 127  # of a value: -128 has no counterpart


@dataclass(frozen=True, eq=False, slots=True)
class StoredVectors:
    """Vectors of one form; looks like an (n, dim) array that is read a few rows at a time.

    Attributes:
        values: (n, dim) float16, or int8 from -127 to 127; memory maps welcome.
        scales: (n,) float32, what 1 is worth in each row of int8 values; None with float16.
    """

    values: NDArray[np.float16 | np.int8]
    scales: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: int | slice | NDArray[np.intp]) -> NDArray[np.float32]:
        """(m, dim) float32; of a single row (dim,)."""
        vectors: NDArray[np.float32] = self.values[rows].astype(np.float32)
        if self.scales is not None:
            with np.errstate(invalid="ignore"):  # of a damaged scale: `sound` tells
                vectors *= self.scales[rows][..., np.newaxis]
        return vectors

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        return self[:].astype(np.float32 if dtype is None else dtype, copy=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dimension."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def ndim(self) -> int:
        return self.values.ndim

    @property
    def nbytes(self) -> int:
        """Bytes on disk."""
        return self.values.nbytes + (0 if self.scales is None else self.scales.nbytes)

    def part(self, rows: slice | NDArray[np.intp]) -> StoredVectors:
        """These rows, in the form that they have."""
        return StoredVectors(self.values[rows], None if self.scales is None else self.scales[rows])

    def blocks(self) -> Iterator[StoredVectors]:
        """All rows in order, at most BLOCK_ROWS at a time."""
        for start in range(0, len(self), BLOCK_ROWS):
            yield self.part(slice(start, start + BLOCK_ROWS))

    def products(self, rows: slice | NDArray[np.intp], query: NDArray[np.float32]) -> NDArray[np.float32]:
        """(m,) float32: the inner products of these rows with a query (dim,)."""
        products: NDArray[np.float32] = self.values[rows].astype(np.float32) @ query
        if self.scales is not None:
            products *= self.scales[rows]
        return products

    def sound(self) -> bool:
        """Whether nothing is in them that the form does not have: a NaN, an infinite value, -128, a negative scale."""
        if self.scales is None:
            return bool(np.isfinite(self.values).all())
        fitting = (self.values >= -LARGEST).all() and (self.scales >= 0).all()
        return bool(fitting and np.isfinite(self.scales).all())


def pack(vectors: NDArray[np.float32], form: str) -> StoredVectors:
    """The vectors, (n, dim) float32 and finite, in the form F16 or I8.

    >>> packed = pack(np.float32([[0.5, -1.0, 0.004]]), "i8")
    >>> packed.values.tolist(), packed[:].round(3).tolist()
    ([[64, -127, 1]], [[0.504, -1.0, 0.008]])
    """
    if form == F16:
        return StoredVectors(vectors.astype(np.float16))
    if form != I8:
        raise ValueError(f"no form of vectors is called {form!r}")
    scales: NDArray[np.float32] = np.abs(vectors).max(axis=1) / np.float32(LARGEST)
    # Below the smallest normal number a quotient may be anything: such a vector is nothing but zeros.
    scales[scales < np.finfo(np.float32).tiny] = 0
    steps = np.divide(vectors, scales[:, np.newaxis], out=np.zeros_like(vectors), where=scales[:, np.newaxis] > 0)
    return StoredVectors(np.rint(steps).clip(-LARGEST, LARGEST).astype(np.int8), scales)

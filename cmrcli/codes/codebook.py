"""The rule that turns vectors into codes: bit `i` says on which side of a plane the vector lies.

Bit `i` of a code is 1 where component `i` of `(vector - centre) @ projection` is above zero; without a projection
the components are those of the vector itself. It is bit `i % 64` (0 is the lowest) of 64-bit word `i // 64`; bits
past the last component are zero. How the planes are chosen: fitting.py. The bytes in the catalog: codebook_bytes.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import EmbeddingError, IndexFormatError


class VectorRows(Protocol):
    """Vectors (n, dim) that lie somewhere in some form, and are float32 where rows of them are read."""

    @property
    def ndim(self) -> int: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice | NDArray[np.intp], /) -> NDArray[np.float32]: ...


Vectors = NDArray[np.float16] | NDArray[np.float32] | VectorRows  # (n, dim)
Codes = NDArray[np.uint64]  # (n, words)
Factors = NDArray[np.float16]  # (n, FACTORS)

METHODS = ("sign", "itq", "rotation", "projections")
WIDEST = 4  # rotations and projections have at most so many bits a dimension
FACTORS = 2  # of a rotation, for each row: see `Codebook.factors`
BLOCK_BYTES = 4 << 20  # of float32; bounds the temporaries of one block to a few times this
ROUNDING = 1e-4  # of a component: so near to zero, another processor's sums may give the other bit


@dataclass(frozen=True, slots=True)
class Oversampling:
    """Candidates for each result wanted: taken by Hamming distance, and of these rescored with their vectors."""

    hamming: int
    rescored: int

    def __post_init__(self) -> None:
        if not 1 <= self.rescored <= self.hamming:
            raise EmbeddingError(f"an oversampling of {self.hamming} with {self.rescored} rescored makes no sense")


# One bit a dimension then finds 0.99 of the exact ten nearest; tests/bench/codes.py measures it.
DEFAULT_OVERSAMPLING = Oversampling(32, 8)


@dataclass(frozen=True, eq=False)
class Codebook:
    """How vectors of one encoder become codes, and how a query that is no code is compared with them.

    Attributes:
        method: one of METHODS.
        bits: meaning bits of a code.
        centre: (dim,) float32, the mean of the vectors that the codebook was fitted to. Without it a cone of
            vectors, which is what dual encoders give, would share most of its bits.
        scale: what a bit of a code is worth of a cosine, on the average of the vectors it was fitted to.
        projection: (dim, bits) float16, the normals of the planes; None for "sign", one bit a dimension.
        oversampling: what a search takes unless told otherwise.

    Raises:
        IndexFormatError: a method that this version does not know.
        EmbeddingError: arrays that do not belong together, or a NaN or infinite value among them.
    """

    method: str
    bits: int
    centre: NDArray[np.float32]
    scale: float = 1.0
    projection: NDArray[np.float16] | None = None
    oversampling: Oversampling = field(default=DEFAULT_OVERSAMPLING)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise IndexFormatError(
                f"codes of the unknown method {self.method!r}",
                "use the version of cmrcli that made them, or run: cmrcli binarize",
            )
        if self.centre.ndim != 1 or self.centre.dtype != np.float32 or self.bits < 1:
            raise EmbeddingError(f"a codebook's centre is float32 (dim,), not {self.centre.dtype} {self.centre.shape}")
        shape = None if self.projection is None else self.projection.shape
        expected = None if self.method == "sign" else (self.dim, self.bits)
        if shape != expected or (self.method == "sign" and self.bits != self.dim):
            raise EmbeddingError(
                f"a codebook ({self.method}) of {self.bits} bits for {self.dim} dimensions with a projection {shape}"
            )
        if self.projection is not None and self.projection.dtype != np.float16:
            raise EmbeddingError(f"a codebook's projection is float16, not {self.projection.dtype}")
        sound = np.isfinite(self.centre).all() and np.isfinite(self.scale)
        if not sound or not (self.projection is None or np.isfinite(self.projection).all()):
            raise EmbeddingError("a codebook holds a NaN or infinite value")

    @property
    def dim(self) -> int:
        """Length of the vectors it takes."""
        return len(self.centre)

    @property
    def words(self) -> int:
        """64-bit words of one code."""
        return words_for(self.bits)

    @property
    def factors_per_row(self) -> int:
        """Numbers kept beside each code."""
        return FACTORS if self.method == "rotation" else 0

    @property
    def row_bytes(self) -> int:
        """Bytes on disk of one code with what is kept beside it."""
        return 8 * self.words + 2 * self.factors_per_row

    def encode(self, vectors: Vectors) -> Codes:
        """Codes of the vectors, made in blocks: beside the result, memory stays at a few ten MiB.

        Args:
            vectors: (n, dim) float16 or float32, finite; a memory map is read block by block.

        Returns:
            (n, words) uint64.

        Raises:
            EmbeddingError: another dimension, or a NaN or infinite value (it would silently become a bit).
        """
        codes = np.zeros((len(vectors), self.words), dtype="<u8")
        octets = codes.view(np.uint8)  # (n, words * 8); the last octets of a row stay zero padding
        used = (self.bits + 7) // 8
        for start, components in self._components(vectors):
            packed = np.packbits(components > 0, axis=1, bitorder="little")
            octets[start : start + len(packed), :used] = packed
        return codes.astype(np.uint64, copy=False)  # a copy on big-endian machines only

    def factors(self, vectors: Vectors) -> Factors:
        """What a rotation keeps of each vector beside its code, so that the comparison with a query is unbiased.

        With r = vector - centre, rotated: column 0 is |r|² / sum |r_i|, what each bit is worth of this vector;
        column 1 is the product of vector and centre, which the code need not tell then.

        Returns:
            (n, factors_per_row) float16; without columns for the other methods.

        Source: Gao & Long 2024, arXiv:2405.12497 (RaBitQ), the factors of its estimator for vectors of length 1.
        """
        kept = np.zeros((len(vectors), self.factors_per_row), dtype=np.float16)
        if self.factors_per_row:
            for start, components in self._components(vectors):
                rows = slice(start, start + len(components))
                kept[rows, 0] = worth(components)
                kept[rows, 1] = np.asarray(vectors[rows], dtype=np.float32) @ self.centre
        return kept

    def fits(self, vectors: Vectors, codes: Codes, factors: Factors | None = None) -> NDArray[np.bool_]:
        """(n,) whether each code, with its factors, is that of its vector, up to what sums in another order change."""
        matching = np.ones(len(vectors), dtype=np.bool_)
        margin = np.float32(0 if self.projection is None else ROUNDING)
        octets = codes.astype("<u8", copy=False).view(np.uint8)
        padding = np.unpackbits(octets, axis=1, bitorder="little")[:, self.bits :]
        matching &= ~padding.any(axis=1)
        for start, components in self._components(vectors):
            rows = slice(start, start + len(components))
            bits = np.unpackbits(octets[rows], axis=1, count=self.bits, bitorder="little").view(np.bool_)
            matching[rows] &= ((bits == (components > 0)) | (np.abs(components) <= margin)).all(axis=1)
        if factors is not None:
            matching &= np.isclose(factors, self.factors(vectors), rtol=2e-3, atol=ROUNDING).all(axis=1)
        return matching

    def _components(self, vectors: Vectors) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """(first row, (m, bits) float32) block by block: what the bits are the signs of."""
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise EmbeddingError(
                f"the codebook takes vectors of {self.dim} dimensions, got the shape {vectors.shape}",
                "they are another encoder's",
            )
        planes = None if self.projection is None else self.projection.astype(np.float32)
        for start, block in blocks(vectors):
            components: NDArray[np.float32] = block - self.centre
            if planes is not None:
                components = np.matmul(components, planes)
            yield start, components


def worth(components: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,) what each bit of a code is worth of its vector: |r|² / sum |r_i|, with r (n, bits)."""
    squares = np.square(components).sum(axis=1)
    worths: NDArray[np.float32] = squares / np.maximum(np.abs(components).sum(axis=1), np.finfo(np.float32).tiny)
    return worths


def words_for(bits: int) -> int:
    """64-bit words that hold so many bits."""
    return (bits + 63) // 64


def blocks(vectors: Vectors) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first row, block as float32), each checked to be finite.

    Raises:
        EmbeddingError: a NaN or infinite value.
    """
    rows = max(1, BLOCK_BYTES // (4 * vectors.shape[1]))
    for start in range(0, len(vectors), rows):
        block = np.asarray(vectors[start : start + rows], dtype=np.float32)
        if not np.isfinite(block).all():
            row = start + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise EmbeddingError(f"the vector in row {row} holds a NaN or infinite value")
        yield start, block

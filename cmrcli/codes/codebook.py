"""The rule that turns vectors into codes, and the bytes in which the catalog keeps it.

Bit `i` of a code says whether component `i` of the vector exceeds component `i` of the centre; it is bit
`i % 64` (0 is the lowest) of 64-bit word `i // 64`. Bits past the last component are zero. store/FORMAT.md
describes both the codes and the bytes of the codebook.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import EmbeddingError, IndexDamaged, IndexFormatError

Vectors = NDArray[np.float16] | NDArray[np.float32]  # (n, dim)
Codes = NDArray[np.uint64]  # (n, words)

MAGIC = b"CMRCODEB"
VERSION = 1
METHODS = ("sign",)
BLOCK_BYTES = 4 << 20  # of float32; bounds the temporaries of one block to about twice this

_HEAD = struct.Struct("<8sII")  # magic, version, bytes of the JSON header that follows


@dataclass(frozen=True, eq=False)
class Codebook:
    """How vectors of one encoder become codes.

    Attributes:
        method: "sign": one bit a dimension, set where the vector exceeds the centre.
        bits: meaning bits of a code; for "sign" the dimension of the vectors.
        centre: (dim,) float32, the mean of the vectors that the codebook was fitted to. Without it a cone of
            vectors, which is what dual encoders give, would share most of its bits.

    Source: Yamada et al. 2021, arXiv:2106.00882 (sign codes, then rescoring).
    """

    method: str
    bits: int
    centre: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise IndexFormatError(
                f"codes of the unknown method {self.method!r}",
                "use the version of cmrcli that made them, or run: cmrcli binarize",
            )
        if self.bits < 1 or self.centre.dtype != np.float32 or self.centre.shape != (self.bits,):
            raise EmbeddingError(
                f"a sign codebook of {self.bits} bits needs as many float32 centre values, "
                f"not {self.centre.dtype} {self.centre.shape}"
            )
        if not np.isfinite(self.centre).all():
            raise EmbeddingError("the centre of a codebook holds a NaN or infinite value")

    @property
    def dim(self) -> int:
        """Length of the vectors it takes."""
        return len(self.centre)

    @property
    def words(self) -> int:
        """64-bit words of one code."""
        return words_for(self.bits)

    def encode(self, vectors: Vectors) -> Codes:
        """Codes of the vectors, made in blocks: beside the result, memory stays at about 10 MiB.

        Args:
            vectors: (n, dim) float16 or float32, finite; a memory map is read block by block.

        Returns:
            (n, words) uint64.

        Raises:
            EmbeddingError: another dimension, or a NaN or infinite value (it would silently become a bit).
        """
        _check_shape(vectors, self.dim)
        codes = np.zeros((len(vectors), self.words), dtype="<u8")
        octets = codes.view(np.uint8)  # (n, words * 8); the last octets of a row stay zero padding
        used = (self.bits + 7) // 8
        for start, block in _blocks(vectors):
            packed = np.packbits(block > self.centre, axis=1, bitorder="little")
            octets[start : start + len(block), :used] = packed
        return codes.astype(np.uint64, copy=False)  # a copy on big-endian machines only

    def to_bytes(self) -> bytes:
        """The codebook as the catalog keeps it: head, JSON header, little-endian arrays, CRC-32."""
        header = json.dumps(
            {
                "method": self.method,
                "bits": self.bits,
                "arrays": [{"name": "centre", "dtype": "<f4", "shape": [self.dim]}],
            },
            separators=(",", ":"),
        ).encode("ascii")
        body = _HEAD.pack(MAGIC, VERSION, len(header)) + header + self.centre.astype("<f4").tobytes()
        return body + struct.pack("<I", zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Codebook:
        """What `to_bytes` wrote.

        Raises:
            IndexFormatError: a version or method that this cmrcli does not know.
            IndexDamaged: anything else than what `to_bytes` writes.
        """
        if len(data) < _HEAD.size + 4:
            raise IndexDamaged(f"the codebook is truncated: {len(data)} bytes", _REMEDY)
        magic, version, header_bytes = _HEAD.unpack_from(data)
        if magic != MAGIC:
            raise IndexDamaged("the codebook does not begin with its magic bytes", _REMEDY)
        if version != VERSION:
            raise IndexFormatError(
                f"a codebook of format {version}; this version reads {VERSION}",
                "update cmrcli, or run: cmrcli binarize",
            )
        if zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
            raise IndexDamaged("the codebook fails its checksum", _REMEDY)
        try:
            header = json.loads(data[_HEAD.size : _HEAD.size + header_bytes])
            method, bits, arrays = str(header["method"]), int(header["bits"]), header["arrays"]
        except (ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(f"the header of the codebook is unreadable: {error}", _REMEDY) from None
        payload = data[_HEAD.size + header_bytes : -4]
        if arrays != [{"name": "centre", "dtype": "<f4", "shape": [bits]}] or len(payload) != 4 * bits:
            raise IndexDamaged("the arrays of the codebook are not those of its method", _REMEDY)
        return cls(method, bits, np.frombuffer(payload, dtype="<f4").astype(np.float32))


_REMEDY = "run: cmrcli binarize"


def fit_sign(vectors: Vectors) -> Codebook:
    """The sign codebook centred on the mean of the vectors, read in blocks.

    Args:
        vectors: (n, dim) float16 or float32, n >= 1, finite. A few ten thousand rows are enough
            (`codes.sampling.sample_rows` takes them from an index).

    Raises:
        EmbeddingError: no vectors, or a NaN or infinite value among them.
    """
    if vectors.ndim != 2 or len(vectors) == 0 or vectors.shape[1] == 0:
        raise EmbeddingError(f"a codebook needs at least one vector to be fitted to, got {vectors.shape}")
    total = np.zeros(vectors.shape[1], dtype=np.float64)
    for _, block in _blocks(vectors):
        total += block.sum(axis=0, dtype=np.float64)
    return Codebook("sign", vectors.shape[1], (total / len(vectors)).astype(np.float32))


def words_for(bits: int) -> int:
    """64-bit words that hold so many bits."""
    return (bits + 63) // 64


def _check_shape(vectors: Vectors, dim: int) -> None:
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise EmbeddingError(f"the codebook takes vectors of {dim} dimensions, got the shape {vectors.shape}")


def _blocks(vectors: Vectors) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first row, block as float32), each checked to be finite."""
    rows = max(1, BLOCK_BYTES // (4 * vectors.shape[1]))
    for start in range(0, len(vectors), rows):
        block = np.asarray(vectors[start : start + rows], dtype=np.float32)
        if not np.isfinite(block).all():
            row = start + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise EmbeddingError(f"the vector in row {row} holds a NaN or infinite value")
        yield start, block

"""Codebooks fitted to a sample of vectors, one function a method, each as its paper has it.

A sample of a few ten thousand rows is enough (`codes.sampling.sample_rows` takes one from an index). The same
sample and seed give the same codebook on the same machine.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes.codebook import METHODS, WIDEST, Codebook, Vectors, blocks, worth
from cmrcli.errors import EmbeddingError, UsageError

ITQ_ROWS = 16_384  # vectors that the rotation of ITQ is learned from
ITQ_ROUNDS = 50  # the paper's number
SCALE_ROWS = 16_384  # vectors that `scale` is the average of


def fit(method: str, vectors: Vectors, bits: int = 0, seed: int = 0) -> Codebook:
    """The codebook of a method.

    Args:
        method: one of METHODS.
        vectors: (n, dim) float16 or float32, n >= 1, finite.
        bits: of a code; 0 takes one bit a dimension. `sign` has no other width, `itq` none above it, rotations and
            projections up to WIDEST bits a dimension.
        seed: of the random planes.

    Raises:
        UsageError: a width that the method does not have, or no such method.
        EmbeddingError: no vectors, or a NaN or infinite value among them.
    """
    if vectors.ndim != 2 or len(vectors) == 0 or vectors.shape[1] == 0:
        raise EmbeddingError(f"a codebook needs at least one vector to be fitted to, got {vectors.shape}")
    if method not in METHODS:
        raise UsageError(f"no method {method!r} makes codes", "methods: " + ", ".join(METHODS))
    dim = vectors.shape[1]
    bits = bits or dim
    least, most = widths(method, dim)
    if not least <= bits <= most:
        allowed = f"exactly {most}" if least == most else f"{least} to {most}"
        raise UsageError(
            f"codes of {bits} bits by the method {method} do not exist for vectors of {dim} dimensions",
            f"--bits takes {allowed}, or choose another --method",
        )
    centre = _mean(vectors)
    sample = _spread(vectors, SCALE_ROWS) - centre
    projection: NDArray[np.float16] | None = None
    if method == "itq":
        projection = _itq(vectors, centre, bits, seed).astype(np.float16)
    elif method != "sign":
        planes = _rotation(dim, bits, seed) if method == "rotation" else _projections(dim, bits, seed)
        projection = planes.astype(np.float16)
    components = sample if projection is None else sample @ projection.astype(np.float32)
    return Codebook(method, bits, centre, float(worth(components).mean()), projection)


def fit_sign(vectors: Vectors) -> Codebook:
    """One bit a dimension, set where the vector exceeds the mean.

    Source: Yamada et al. 2021, arXiv:2106.00882 (sign codes, then rescoring).
    """
    return fit("sign", vectors)


def widths(method: str, dim: int) -> tuple[int, int]:
    """The fewest and the most bits of a method's codes for vectors of so many dimensions."""
    if method == "sign":
        return dim, dim
    return 1, dim if method == "itq" else WIDEST * dim


def _itq(vectors: Vectors, centre: NDArray[np.float32], bits: int, seed: int) -> NDArray[np.float64]:
    """(dim, bits): the leading principal components, rotated so that the bits lose least.

    Source: Gong & Lazebnik 2011, "Iterative Quantization: A Procrustean Approach to Learning Binary Codes",
    CVPR, sections 2.1 and 2.2: B = sign(VR), then R from the singular vectors of B'V, in turns.
    """
    dim = vectors.shape[1]
    covariance = np.zeros((dim, dim), dtype=np.float64)
    for _, block in blocks(vectors):
        centred = block - centre
        covariance += centred.T @ centred
    principal = np.linalg.eigh(covariance)[1][:, ::-1][:, :bits]
    reduced = (_spread(vectors, ITQ_ROWS) - centre) @ principal.astype(np.float32)
    rotation = _orthogonal(bits, seed)
    for _ in range(ITQ_ROUNDS):
        signs = np.where(reduced @ rotation.astype(np.float32) > 0, np.float32(1), np.float32(-1))
        left, _, right = np.linalg.svd((signs.T @ reduced).astype(np.float64))
        rotation = (left @ right).T
    planes: NDArray[np.float64] = principal @ rotation
    return planes


def _rotation(dim: int, bits: int, seed: int) -> NDArray[np.float64]:
    """(dim, bits): the part of a random rotation of max(dim, bits) dimensions that meets the vectors.

    With more bits than dimensions the vectors are padded with zeros, with fewer only so many components are kept.

    Source: Gao & Long 2024, arXiv:2405.12497 (RaBitQ), section 3.1.2; its correction: `Codebook.factors`.
    """
    size = max(dim, bits)
    return _orthogonal(size, seed)[:dim, :bits] * math.sqrt(size / bits)


def _projections(dim: int, bits: int, seed: int) -> NDArray[np.float64]:
    """(dim, bits): independent random planes.

    Source: Charikar 2002, "Similarity Estimation Techniques from Rounding Algorithms", STOC, section 3.
    """
    return np.random.default_rng(seed).standard_normal((dim, bits)) / math.sqrt(bits)


def _orthogonal(size: int, seed: int) -> NDArray[np.float64]:
    """A rotation drawn evenly from all of them: QR of a normal matrix, signs made unique (Mezzadri 2007)."""
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))
    rotation: NDArray[np.float64] = q * np.sign(np.diagonal(r))
    return rotation


def _mean(vectors: Vectors) -> NDArray[np.float32]:
    total = np.zeros(vectors.shape[1], dtype=np.float64)
    for _, block in blocks(vectors):
        total += block.sum(axis=0, dtype=np.float64)
    mean: NDArray[np.float32] = (total / len(vectors)).astype(np.float32)
    return mean


def _spread(vectors: Vectors, limit: int) -> NDArray[np.float32]:
    """At most `limit` of the rows, evenly spread."""
    step = max(1, -(-len(vectors) // limit))
    return np.asarray(vectors[::step], dtype=np.float32)

"""A float query against codes: the cosine of query and vector, estimated from what the code kept of the vector.

The query is not quantised, so one bit a dimension tells much more than two codes do of each other. With s the signs
(+1, -1) of a code, and a = (query - centre) @ projection, the cosine is about

    query . centre + scale * (a . s)                                       for a vector of which the code alone is kept
    query . centre - centre . centre + (vector . centre) + worth * (a . s) with its factors (`Codebook.factors`)

Sources: Dong, Charikar & Li 2008, "Asymmetric Distance Estimation with Sketches for Similarity Search in
High-Dimensional Spaces", SIGIR; Gao & Long 2024, arXiv:2405.12497, for the second line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes.codebook import Codebook, Codes, Factors
from cmrcli.errors import EmbeddingError

BLOCK_BITS = 1 << 20  # unpacked at once; as float32 they take 4 MiB


class FloatQuery:
    """One query, ready to be compared with any number of codes of one codebook."""

    def __init__(self, codebook: Codebook, query: NDArray[np.float32]) -> None:
        """Takes a query (dim,) float32 of length 1.

        Raises:
            EmbeddingError: another dimension.
        """
        if query.shape != (codebook.dim,):
            raise EmbeddingError(f"a query of shape {query.shape} against codes of {codebook.dim} dimensions")
        self._bits = codebook.bits
        self._scale = np.float32(codebook.scale)
        centre = codebook.centre
        rest = query - centre
        self._weights = rest if codebook.projection is None else rest @ codebook.projection.astype(np.float32)
        self._sum = self._weights.sum()
        self._along = query @ centre
        self._centre_square = centre @ centre

    def cosines(self, codes: Codes, factors: Factors | None = None) -> NDArray[np.float32]:
        """(n,) float32, the estimated cosine of the query with the vector behind each code.

        Args:
            codes: (n, words) uint64.
            factors: (n, FACTORS) float16 where the codebook's method keeps them.
        """
        products = np.empty(len(codes), dtype=np.float32)
        octets = codes.astype("<u8", copy=False).view(np.uint8)
        rows = max(1, BLOCK_BITS // self._bits)
        for start in range(0, len(codes), rows):
            bits = np.unpackbits(octets[start : start + rows], axis=1, count=self._bits, bitorder="little")
            # a . s with s = 2 bits - 1
            products[start : start + rows] = 2 * (bits.astype(np.float32) @ self._weights) - self._sum
        if factors is None:
            cosines: NDArray[np.float32] = self._along + self._scale * products
        else:
            kept = factors.astype(np.float32)
            cosines = (self._along - self._centre_square) + kept[:, 1] + kept[:, 0] * products
        return cosines

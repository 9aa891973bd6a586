"""The null distribution of similarities: what queries and fragments that do not belong together score.

A similarity s of a query and a fragment becomes the mean of two z-scores, as speaker verification normalises its
scores (S-norm: Shum et al. 2010; Z- and T-norm: Auckenthaler et al. 2000): against what this query scores with sampled
fragments of the same modality, and against what generic queries score with this fragment. The second one takes from
fragments that match everything what they match with anything: the query bank of QB-Norm (Bogolin et al. 2022,
arXiv:2112.12777) without its temperature. How often such a score comes by chance is read from the pairs themselves.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

SAMPLE = 256  # fragments of each modality, and queries in the bank: 3 % error of a standard deviation
FEWEST = 16  # vectors of a modality that make a distribution
TAIL = 0.02  # share of the null pairs that the tail is fitted to
MODALITIES = ("picture", "passage")  # 0 and 1 wherever a fragment's modality is a number
LEAST_SPREAD = 1e-4  # of similarities: below it is nothing but rounding


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of one index and one encoder.

    Attributes:
        bank: (b, dim) float32, unit vectors of generic texts; (0, dim) when there were none.
        samples: of each modality (n, dim) float32 unit vectors of fragments; fewer than FEWEST are no distribution.
        tails: (2, 2) float32: for each modality the z-score that a share of TAIL of the null pairs exceeds, and the
            mean excess of those beyond it.
    """

    bank: Vectors
    samples: tuple[Vectors, Vectors]
    tails: NDArray[np.float32]

    def to_bytes(self) -> bytes:
        """The arrays as FORMAT.md describes them; vectors in half precision, as segments keep them."""
        file = io.BytesIO()
        counts = np.array([len(self.bank), *map(len, self.samples), self.bank.shape[1]], dtype="<u4")
        file.write(counts.tobytes() + self.tails.astype("<f4").tobytes())
        for vectors in (self.bank, *self.samples):
            file.write(vectors.astype("<f2").tobytes())
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Calibration:
        """The inverse.

        Raises:
            ValueError: these are not its bytes.
        """
        banked, pictures, passages, dim = np.frombuffer(data, "<u4", 4).tolist()
        tails = np.frombuffer(data, "<f4", 4, 16).reshape(2, 2).astype(np.float32)
        rows = np.frombuffer(data, "<f2", offset=32).reshape(-1, dim).astype(np.float32)
        if len(rows) != banked + pictures + passages:
            raise ValueError("a calibration has as many rows as it says")
        return cls(rows[:banked], (rows[banked : banked + pictures], rows[banked + pictures :]), tails)

    def knows(self, modality: int) -> bool:
        """Whether similarities with this modality can be told from chance."""
        return len(self.samples[modality]) >= FEWEST

    def z_scores(
        self, query: NDArray[np.float32], similarities: NDArray[np.float32], modality: int, fragments: Vectors | None
    ) -> NDArray[np.float32]:
        """(n,) float32: how far above chance each similarity is, in standard deviations.

        Args:
            query: (dim,) float32.
            similarities: (n,) float32, of the query with fragments of one modality that `knows`.
            fragments: (n, dim) float32, their vectors; None to leave out what generic queries score with them.
        """
        z = _standardised(similarities, self.samples[modality] @ query)
        if fragments is None or len(self.bank) < FEWEST:
            return z
        generic = fragments @ self.bank.T
        spread = np.maximum(generic.std(axis=1), LEAST_SPREAD)
        return np.asarray((z + (similarities - generic.mean(axis=1)) / spread) / 2)

    def log_tail(self, z: NDArray[np.float32], modality: int) -> NDArray[np.float32]:
        """(n,) float32: natural logarithm of the share of null pairs that score as high or higher; at most log TAIL.

        Exponential beyond TAIL, where pairs are too few to be counted: heavier than normal, so it exaggerates less.
        """
        start, excess = self.tails[modality]
        return np.asarray(np.log(np.float32(TAIL)) - np.maximum(z - start, 0) / max(excess, LEAST_SPREAD), np.float32)


def calibrate(bank: Vectors, pictures: Vectors, passages: Vectors) -> Calibration:
    """The calibration of (b, dim) bank vectors and (n, dim) sampled vectors of each modality, all of length 1.

    Some pairs do belong together: a bank text may be what the index is about. They make chance look better than it
    is, and confidences lower.
    """
    made = Calibration(bank, (pictures, passages), np.zeros((2, 2), np.float32))
    for modality, sample in enumerate(made.samples):
        if not made.knows(modality) or len(bank) < FEWEST:
            made.tails[modality] = 3.0, 0.3  # of a normal distribution, roughly
            continue
        null = np.concatenate([made.z_scores(query, sample @ query, modality, sample) for query in bank])
        start = np.quantile(null, 1 - TAIL)
        made.tails[modality] = start, (null[null > start] - start).mean() if (null > start).any() else 0.3
    return made


def _standardised(values: NDArray[np.float32], null: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((values - null.mean()) / max(float(null.std()), LEAST_SPREAD), np.float32)

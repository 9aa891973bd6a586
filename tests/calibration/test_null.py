"""What similarities of things that do not belong together become: plain numbers, the same on every scale."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmrcli.calibration.null import FEWEST, TAIL, Calibration, calibrate

DIM = 32


def unit(rng: np.random.Generator, count: int, around: float = 0.0) -> NDArray[np.float32]:
    """Unit vectors; `around` puts them into a cone, as encoders do."""
    vectors = rng.normal(size=(count, DIM)).astype(np.float32)
    vectors[:, 0] += around
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.fixture
def calibration() -> Calibration:
    """Pictures in a narrow cone of their own, passages where the bank is."""
    rng = np.random.default_rng(0)
    return calibrate(unit(rng, 200, 2), unit(rng, 200, -8), unit(rng, 200, 2))


def test_bytes_bring_the_same_back(calibration: Calibration) -> None:
    again = Calibration.from_bytes(calibration.to_bytes())
    assert np.array_equal(again.tails, calibration.tails)
    assert np.allclose(again.bank, calibration.bank, atol=1e-3)
    assert [sample.shape for sample in again.samples] == [(200, DIM), (200, DIM)]
    with pytest.raises(ValueError):
        Calibration.from_bytes(calibration.to_bytes()[: -2 * DIM])


@pytest.mark.parametrize("modality", [0, 1])
def test_chance_is_told_as_often_as_it_comes(calibration: Calibration, modality: int) -> None:
    """Held-back pairs of the same two distributions exceed a tail of 1 % about once in a hundred."""
    rng = np.random.default_rng(1)
    fragments = unit(rng, 300, (-8, 2)[modality])
    shares = []
    for query in unit(rng, 300, 2):
        z = calibration.z_scores(query, fragments @ query, modality, fragments)
        shares.append((calibration.log_tail(z, modality) < np.log(0.01)).mean())
    assert 0.003 < np.mean(shares) < 0.03


def test_two_modalities_come_to_one_scale(calibration: Calibration) -> None:
    query = unit(np.random.default_rng(2), 1, 2)[0]
    means = [float((sample @ query).mean()) for sample in calibration.samples]
    assert abs(means[0] - means[1]) > 0.2, "they live in different cones"
    z = [calibration.z_scores(query, s @ query, m, None) for m, s in enumerate(calibration.samples)]
    assert [float(one.mean()) for one in z] == pytest.approx([0, 0], abs=1e-4)
    assert [float(one.std()) for one in z] == pytest.approx([1, 1], abs=1e-3)


def test_what_matches_everything_counts_for_less(calibration: Calibration) -> None:
    """Of two fragments equally similar to the query, the one that is like any text is worth less."""
    rng = np.random.default_rng(3)
    query = unit(rng, 1, 2)[0]
    hub = calibration.bank.mean(axis=0)
    hub /= np.linalg.norm(hub)
    other = 2 * (query @ hub) * query - hub  # its mirror image: as similar to the query, but not to the bank
    fragments = np.stack([hub, other]).astype(np.float32)
    similarities = fragments @ query
    assert similarities[0] == pytest.approx(similarities[1], abs=1e-4)
    plain = calibration.z_scores(query, similarities, 1, None)
    corrected = calibration.z_scores(query, similarities, 1, fragments)
    assert plain[0] == pytest.approx(plain[1], abs=1e-2) and corrected[0] < corrected[1]


def test_the_tail_falls_and_never_says_more_than_was_counted(calibration: Calibration) -> None:
    tails = calibration.log_tail(np.linspace(-3, 12, 50).astype(np.float32), 0)
    assert tails[0] == pytest.approx(np.log(TAIL)) and (np.diff(tails) <= 0).all() and tails[-1] < np.log(1e-4)


def test_few_vectors_are_no_distribution() -> None:
    rng = np.random.default_rng(4)
    made = calibrate(unit(rng, 100), unit(rng, FEWEST), unit(rng, FEWEST - 1))
    assert made.knows(0) and not made.knows(1)
    assert np.isfinite(made.tails).all()
    same = np.repeat(unit(rng, 1), 100, axis=0)
    assert np.isfinite(calibrate(same, same, same).tails).all()

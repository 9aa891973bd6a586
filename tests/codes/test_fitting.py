"""What each method promises of its planes."""

import numpy as np
import pytest

from cmrcli.codes import fit
from cmrcli.codes.fitting import widths
from cmrcli.errors import EmbeddingError, UsageError


def skewed(n: int, dim: int, seed: int) -> np.ndarray:
    """Vectors with a few strong directions, away from the origin."""
    rng = np.random.default_rng(seed)
    mixing = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    spread = 1.0 / np.arange(1, dim + 1) ** 0.7
    return (rng.normal(size=(n, dim)) * spread @ mixing + 0.5).astype(np.float32)


def test_planes_of_itq_are_orthonormal_and_span_the_principal_components() -> None:
    vectors = skewed(3_000, 32, 0)
    planes = fit("itq", vectors, 8).projection.astype(np.float64)
    assert np.allclose(planes.T @ planes, np.eye(8), atol=5e-3)
    principal = np.linalg.eigh(np.cov(vectors.T))[1][:, -8:]
    inside = principal @ (principal.T @ planes)
    assert np.allclose(inside, planes, atol=5e-3)


def test_itq_loses_less_than_the_principal_components_themselves() -> None:
    vectors = skewed(4_000, 32, 1)
    book = fit("itq", vectors)
    centred = vectors - vectors.mean(axis=0)

    def loss(planes: np.ndarray) -> float:
        """The paper's quantisation loss, per vector of length 1."""
        reduced = centred @ planes
        reduced /= np.linalg.norm(reduced, axis=1, keepdims=True)
        return float(np.square(np.sign(reduced) / np.sqrt(32) - reduced).sum(axis=1).mean())

    assert loss(book.projection.astype(np.float32)) < 0.8 * loss(np.linalg.eigh(np.cov(vectors.T))[1])


@pytest.mark.parametrize("bits", [16, 48, 128])
def test_a_rotation_keeps_products(bits: int) -> None:
    vectors = skewed(500, 32, 2)
    planes = fit("rotation", vectors, bits).projection.astype(np.float64)
    if bits >= 32:
        assert np.allclose(planes @ planes.T, np.eye(32), atol=5e-3)
    else:
        assert np.allclose(planes.T @ planes, np.eye(bits) * 32 / bits, atol=5e-3)


def test_projections_keep_products_on_the_average() -> None:
    planes = fit("projections", skewed(500, 32, 3), 128).projection.astype(np.float64)
    gram = planes @ planes.T
    assert np.diag(gram).mean() == pytest.approx(1, abs=0.05)
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 0.4


@pytest.mark.parametrize("method", ["sign", "itq", "rotation", "projections"])
def test_the_seed_decides_everything(method: str) -> None:
    vectors = skewed(300, 24, 4)
    first, again, other = fit(method, vectors, seed=1), fit(method, vectors, seed=1), fit(method, vectors, seed=2)
    assert np.array_equal(first.encode(vectors), again.encode(vectors))
    assert np.array_equal(first.encode(vectors), other.encode(vectors)) == (method == "sign")


def test_the_scale_makes_cosines_of_codes() -> None:
    vectors = skewed(2_000, 32, 5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for method, bits in (("sign", 32), ("itq", 32), ("rotation", 128), ("projections", 128)):
        book = fit(method, vectors, bits)
        planes = np.eye(32, dtype=np.float32) if book.projection is None else book.projection.astype(np.float32)
        signs = np.where((vectors - book.centre) @ planes > 0, 1, -1)
        estimated = vectors @ book.centre + book.scale * (((vectors - book.centre) @ planes) * signs).sum(axis=1)
        assert np.abs(estimated - 1).mean() < 0.1, method  # the cosine of each vector with itself


def test_widths_and_methods_that_do_not_exist_are_refused() -> None:
    vectors = skewed(50, 16, 6)
    assert widths("sign", 16) == (16, 16) and widths("itq", 16) == (1, 16) and widths("rotation", 16) == (1, 64)
    for method, bits in (("sign", 15), ("itq", 17), ("rotation", 65), ("projections", 65)):
        with pytest.raises(UsageError, match="do not exist") as refused:
            fit(method, vectors, bits)
        assert "--bits" in refused.value.remedy
    with pytest.raises(UsageError, match="'pq'"):
        fit("pq", vectors)
    with pytest.raises(EmbeddingError, match="at least one"):
        fit("itq", vectors[:0])


@pytest.mark.parametrize("method", ["sign", "itq", "rotation", "projections"])
def test_one_vector_and_equal_vectors_make_a_codebook(method: str) -> None:
    for vectors in (skewed(1, 16, 7), np.repeat(skewed(1, 16, 7), 9, axis=0)):
        book = fit(method, vectors)
        assert book.encode(vectors).shape == (len(vectors), 1) and np.isfinite(book.scale)

"""Codes against a naive packer, what is kept beside them against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.codes import Codebook, codebook, fit, fit_sign
from cmrcli.errors import EmbeddingError


def naive_codes(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """One Python integer a word, bit by bit: the definition, slowly."""
    words = -(-len(centre) // 64)
    codes = np.zeros((len(vectors), words), dtype=np.uint64)
    for row, vector in enumerate(vectors):
        for i, (value, middle) in enumerate(zip(vector, centre, strict=True)):
            if np.float32(value) > middle:
                codes[row, i // 64] |= np.uint64(1) << np.uint64(i % 64)
    return codes


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 150), st.integers(0, 9), st.sampled_from([np.float16, np.float32]), st.integers(0, 999))
def test_encode_is_the_bit_by_bit_definition(dim: int, n: int, dtype: type, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, dim)).astype(dtype)
    book = Codebook("sign", dim, rng.normal(size=dim).astype(np.float32))
    codes = book.encode(vectors)
    assert codes.dtype == np.uint64 and codes.shape == (n, book.words)
    assert np.array_equal(codes, naive_codes(vectors, book.centre))


def test_bit_order_and_padding_are_those_of_the_format() -> None:
    vector = -np.ones((1, 70), dtype=np.float32)
    vector[0, [0, 63, 64]] = 1
    codes = Codebook("sign", 70, np.zeros(70, dtype=np.float32)).encode(vector)
    assert codes.tolist() == [[1 | 1 << 63, 1]]


def test_a_value_equal_to_the_centre_gives_no_bit() -> None:
    centre = np.float32([0.5, 0.5])
    assert Codebook("sign", 2, centre).encode(np.float32([[0.5, 0.75]])).tolist() == [[0b10]]


def test_encode_in_many_blocks_equals_one(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    vectors = np.random.default_rng(0).normal(size=(103, 96)).astype(np.float16)
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    book = fit_sign(vectors)
    whole = book.encode(vectors)
    monkeypatch.setattr(codebook, "BLOCK_BYTES", 7 * 4 * 96)
    assert np.array_equal(book.encode(mapped), whole)
    assert np.array_equal(fit_sign(mapped).centre, book.centre)
    mapped._mmap.close()


def test_the_centre_is_the_mean() -> None:
    vectors = np.random.default_rng(1).normal(loc=3, size=(500, 12)).astype(np.float32)
    assert np.allclose(fit_sign(vectors).centre, vectors.mean(axis=0), atol=1e-5)


def test_centring_halves_every_bit_of_a_cone() -> None:
    cone = np.random.default_rng(2).normal(loc=2, size=(1001, 64)).astype(np.float32)
    ones = np.bitwise_count(fit_sign(cone).encode(cone)).mean() / 64
    plain = np.bitwise_count(Codebook("sign", 64, np.zeros(64, np.float32)).encode(cone)).mean() / 64
    assert 0.45 < ones < 0.55 and plain > 0.95


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_without_a_sign_are_refused_by_row(bad: float) -> None:
    vectors = np.ones((5, 8), dtype=np.float32)
    vectors[3, 2] = bad
    with pytest.raises(EmbeddingError, match="row 3"):
        Codebook("sign", 8, np.zeros(8, np.float32)).encode(vectors)
    with pytest.raises(EmbeddingError, match="row 3"):
        fit_sign(vectors)


def test_shapes_that_do_not_fit_are_refused() -> None:
    book = Codebook("sign", 8, np.zeros(8, np.float32))
    for vectors in (np.ones((2, 9), np.float32), np.ones(8, np.float32)):
        with pytest.raises(EmbeddingError, match="8 dimensions"):
            book.encode(vectors)
    with pytest.raises(EmbeddingError, match="at least one"):
        fit_sign(np.zeros((0, 8), np.float32))
    with pytest.raises(EmbeddingError, match="9 bits"):
        Codebook("sign", 9, np.zeros(8, np.float32))
    with pytest.raises(EmbeddingError, match=r"projection \(8, 3\)"):
        Codebook("itq", 4, np.zeros(8, np.float32), 1.0, np.zeros((8, 3), np.float16))
    with pytest.raises(EmbeddingError, match="float32"):
        Codebook("itq", 3, np.zeros(8, np.float32), 1.0, np.zeros((8, 3), np.float32))
    with pytest.raises(EmbeddingError, match="NaN"):
        Codebook("sign", 8, np.full(8, np.nan, np.float32))


@pytest.mark.parametrize(("method", "bits"), [("itq", 40), ("rotation", 96), ("rotation", 24), ("projections", 130)])
def test_bits_are_the_signs_of_the_projected_components(method: str, bits: int) -> None:
    vectors = np.random.default_rng(5).normal(loc=0.3, size=(400, 48)).astype(np.float32)
    book = fit(method, vectors, bits, seed=1)
    assert book.bits == bits and book.projection is not None
    components = (vectors - book.centre) @ book.projection.astype(np.float32)
    clear = np.abs(components) > codebook.ROUNDING
    assert clear.mean() > 0.99
    bits_of = np.unpackbits(book.encode(vectors).view(np.uint8), axis=1, bitorder="little")
    assert np.array_equal(bits_of[:, :bits][clear], (components > 0)[clear])
    assert not bits_of[:, bits:].any()


def test_factors_are_those_of_the_definition() -> None:
    vectors = np.random.default_rng(6).normal(loc=0.2, size=(50, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    book = fit("rotation", vectors, 64)
    factors = book.factors(vectors)
    assert factors.shape == (50, book.factors_per_row) and factors.dtype == np.float16
    for vector, kept in zip(vectors, factors, strict=True):
        rest = (vector - book.centre) @ book.projection.astype(np.float32)
        assert kept[0] == pytest.approx(rest @ rest / np.abs(rest).sum(), rel=2e-3)
        assert kept[1] == pytest.approx(vector @ book.centre, abs=2e-3)
    assert fit("itq", vectors).factors(vectors).shape == (50, 0)


@pytest.mark.parametrize("method", ["sign", "itq", "rotation", "projections"])
def test_codes_of_other_vectors_do_not_fit(method: str) -> None:
    vectors = np.random.default_rng(7).normal(size=(30, 70)).astype(np.float16)
    book = fit(method, vectors)
    codes, factors = book.encode(vectors), book.factors(vectors)
    assert book.fits(vectors, codes, factors).all()
    swapped = codes.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    assert np.flatnonzero(~book.fits(vectors, swapped, factors)).tolist() == [3, 4]
    padded = codes.copy()
    padded[9, -1] |= np.uint64(1) << np.uint64(63)
    assert np.flatnonzero(~book.fits(vectors, padded)).tolist() == [9]
    if book.factors_per_row:
        factors[5, 1] += 0.5
        assert np.flatnonzero(~book.fits(vectors, codes, factors)).tolist() == [5]


def test_a_bit_that_another_processor_may_see_differently_still_fits() -> None:
    vectors = np.random.default_rng(8).normal(size=(20, 16)).astype(np.float32)
    book = fit("rotation", vectors, 16)
    plane = book.projection.astype(np.float32)[:, 3]
    vectors[0] -= plane * ((vectors[0] - book.centre) @ plane - 1e-7) / (plane @ plane)
    codes = book.encode(vectors)
    codes[0] ^= np.uint64(1 << 3)
    assert book.fits(vectors, codes).all()
    codes[1] ^= np.uint64(1 << 3)
    assert np.flatnonzero(~book.fits(vectors, codes)).tolist() == [1]

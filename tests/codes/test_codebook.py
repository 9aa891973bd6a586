"""Codes against a naive packer, the catalog's bytes against damage."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.codes import Codebook, codebook, fit_sign
from cmrcli.errors import EmbeddingError, IndexDamaged, IndexFormatError


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


def test_bytes_give_the_codebook_back() -> None:
    book = fit_sign(np.random.default_rng(3).normal(size=(20, 70)).astype(np.float32))
    again = Codebook.from_bytes(book.to_bytes())
    assert (again.method, again.bits, again.words) == ("sign", 70, 2)
    assert np.array_equal(again.centre, book.centre) and again.centre.dtype == np.float32
    assert again.to_bytes() == book.to_bytes()


def test_any_flipped_or_missing_byte_is_noticed() -> None:
    data = fit_sign(np.random.default_rng(4).normal(size=(20, 5)).astype(np.float32)).to_bytes()
    for i in range(len(data)):
        flipped = data[:i] + bytes([data[i] ^ 0x40]) + data[i + 1 :]
        with pytest.raises((IndexDamaged, IndexFormatError)):
            Codebook.from_bytes(flipped)
        with pytest.raises(IndexDamaged):
            Codebook.from_bytes(data[:i])


def test_a_newer_version_is_refused_politely() -> None:
    data = bytearray(Codebook("sign", 4, np.zeros(4, np.float32)).to_bytes())
    struct.pack_into("<I", data, 8, 2)
    with pytest.raises(IndexFormatError, match="format 2") as refused:
        Codebook.from_bytes(bytes(data))
    assert "binarize" in refused.value.remedy
    with pytest.raises(IndexFormatError, match="'rotation'"):
        Codebook("rotation", 4, np.zeros(4, np.float32))

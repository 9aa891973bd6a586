"""The catalog's bytes of a codebook: what is written is read, earlier versions are, damage and newer ones are not."""

import json
import struct
import zlib

import numpy as np
import pytest

from cmrcli.codes import Codebook, fit, fit_sign
from cmrcli.codes.codebook import DEFAULT_OVERSAMPLING, Oversampling
from cmrcli.codes.codebook_bytes import from_bytes, to_bytes
from cmrcli.errors import IndexDamaged, IndexFormatError


def version_1(centre: np.ndarray) -> bytes:
    """The bytes as 0.1.0 wrote them before methods had arrays of their own."""
    arrays = [{"name": "centre", "dtype": "<f4", "shape": [len(centre)]}]
    header = json.dumps({"method": "sign", "bits": len(centre), "arrays": arrays}, separators=(",", ":")).encode()
    body = struct.pack("<8sII", b"CMRCODEB", 1, len(header)) + header + centre.astype("<f4").tobytes()
    return body + struct.pack("<I", zlib.crc32(body))


@pytest.mark.parametrize(("method", "bits"), [("sign", 70), ("itq", 33), ("rotation", 140), ("projections", 64)])
def test_bytes_give_the_codebook_back(method: str, bits: int) -> None:
    vectors = np.random.default_rng(3).normal(size=(200, 70)).astype(np.float32)
    fitted = fit(method, vectors, bits)
    book = Codebook(method, bits, fitted.centre, fitted.scale, fitted.projection, Oversampling(24, 3))
    again = from_bytes(to_bytes(book))
    assert (again.method, again.bits, again.words) == (method, bits, -(-bits // 64))
    assert again.oversampling == Oversampling(24, 3)
    assert np.array_equal(again.centre, book.centre) and again.centre.dtype == np.float32
    assert again.scale == pytest.approx(book.scale, rel=1e-6)
    assert np.array_equal(again.encode(vectors), book.encode(vectors))
    assert np.array_equal(again.factors(vectors), book.factors(vectors))
    assert to_bytes(again) == to_bytes(book)


def test_version_1_is_read() -> None:
    vectors = np.random.default_rng(4).normal(loc=0.2, size=(500, 48)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    new = fit_sign(vectors)
    old = from_bytes(version_1(new.centre))
    assert np.array_equal(old.encode(vectors), new.encode(vectors)) and old.oversampling == DEFAULT_OVERSAMPLING
    assert old.scale == pytest.approx(new.scale, rel=0.05)


@pytest.mark.parametrize("method", ["sign", "rotation"])
def test_any_flipped_or_missing_byte_is_noticed(method: str) -> None:
    data = to_bytes(fit(method, np.random.default_rng(4).normal(size=(20, 5)).astype(np.float32)))
    for i in range(len(data)):
        flipped = data[:i] + bytes([data[i] ^ 0x40]) + data[i + 1 :]
        with pytest.raises((IndexDamaged, IndexFormatError)):
            from_bytes(flipped)
        with pytest.raises(IndexDamaged):
            from_bytes(data[:i])


@pytest.mark.parametrize(
    "change",
    [
        {"arrays": []},
        {"arrays": [{"name": "centre", "dtype": "<f8", "shape": [4]}]},
        {"arrays": [{"name": "centre", "dtype": "<f4", "shape": [-4]}]},
        {"arrays": [{"name": "centre", "dtype": "<f4", "shape": [4]}]},
        {"oversampling": {"hamming": 2, "rescored": 3}},
        {"bits": 5},
    ],
)
def test_a_header_that_contradicts_itself_is_damage(change: dict[str, object]) -> None:
    data = to_bytes(Codebook("sign", 4, np.zeros(4, np.float32)))
    size = struct.unpack_from("<I", data, 12)[0]
    header = json.dumps(json.loads(data[16 : 16 + size]) | change).encode()
    body = data[:12] + struct.pack("<I", len(header)) + header + data[16 + size : -4]
    with pytest.raises(IndexDamaged, match="contradicts"):
        from_bytes(body + struct.pack("<I", zlib.crc32(body)))


def test_a_newer_version_is_refused_politely() -> None:
    data = bytearray(to_bytes(Codebook("sign", 4, np.zeros(4, np.float32))))
    struct.pack_into("<I", data, 8, 3)
    with pytest.raises(IndexFormatError, match="format 3") as refused:
        from_bytes(bytes(data))
    assert "binarize" in refused.value.remedy
    with pytest.raises(IndexFormatError, match="'pq'"):
        Codebook("pq", 4, np.zeros(4, np.float32))

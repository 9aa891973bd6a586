"""The bytes in which the catalog keeps a codebook (store/FORMAT.md): head, JSON header, arrays, CRC-32.

Version 2 lists its arrays in the header; version 1, which is still read, had a centre and nothing else.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes.codebook import Codebook, Oversampling
from cmrcli.errors import EmbeddingError, IndexDamaged, IndexFormatError

MAGIC = b"CMRCODEB"
VERSION = 2
READABLE = (1, 2)
DTYPES = {"centre": "<f4", "scale": "<f4", "projection": "<f2"}

_HEAD = struct.Struct("<8sII")  # magic, version, bytes of the JSON header that follows
_REMEDY = "run: cmrcli binarize"


def to_bytes(codebook: Codebook) -> bytes:
    """The codebook in the newest version."""
    arrays: dict[str, NDArray[np.generic]] = {
        "centre": codebook.centre,
        "scale": np.array([codebook.scale], dtype=np.float32),
    }
    if codebook.projection is not None:
        arrays["projection"] = codebook.projection
    header = {
        "method": codebook.method,
        "bits": codebook.bits,
        "oversampling": {
            "hamming": codebook.oversampling.hamming,
            "rescored": codebook.oversampling.rescored,
        },
        "arrays": [{"name": name, "dtype": DTYPES[name], "shape": list(array.shape)} for name, array in arrays.items()],
    }
    told = json.dumps(header, separators=(",", ":")).encode("ascii")
    body = _HEAD.pack(MAGIC, VERSION, len(told)) + told
    body += b"".join(array.astype(DTYPES[name]).tobytes() for name, array in arrays.items())
    return body + struct.pack("<I", zlib.crc32(body))


def from_bytes(data: bytes) -> Codebook:
    """What `to_bytes` wrote, in this version or an earlier one.

    Raises:
        IndexFormatError: a version or method that this cmrcli does not know.
        IndexDamaged: anything else than what `to_bytes` writes.
    """
    if len(data) < _HEAD.size + 4:
        raise IndexDamaged(f"the codebook is truncated: {len(data)} bytes", _REMEDY)
    magic, version, header_bytes = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise IndexDamaged("the codebook does not begin with its magic bytes", _REMEDY)
    if version not in READABLE:
        raise IndexFormatError(
            f"a codebook of format {version}; this version reads up to {VERSION}",
            "update cmrcli, or run: cmrcli binarize",
        )
    if zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise IndexDamaged("the codebook fails its checksum", _REMEDY)
    try:
        header = json.loads(data[_HEAD.size : _HEAD.size + header_bytes])
        method, bits = str(header["method"]), int(header["bits"])
        arrays = _arrays(header["arrays"], data[_HEAD.size + header_bytes : -4])
        centre = arrays["centre"].astype(np.float32)
        if version == 1:
            return Codebook(method, bits, centre, _typical_scale(centre))
        oversampling = Oversampling(int(header["oversampling"]["hamming"]), int(header["oversampling"]["rescored"]))
        projection = arrays["projection"].astype(np.float16) if "projection" in arrays else None
        return Codebook(method, bits, centre, float(arrays["scale"][0]), projection, oversampling)
    except (ValueError, KeyError, TypeError, IndexError, EmbeddingError) as error:
        raise IndexDamaged(f"the codebook contradicts itself: {error}", _REMEDY) from None


def _arrays(listed: list[dict[str, Any]], payload: bytes) -> dict[str, NDArray[np.generic]]:
    """Name -> array, one after another in the payload. Raises ValueError when they are not all of it."""
    arrays: dict[str, NDArray[np.generic]] = {}
    start = 0
    for entry in listed:
        name, dtype, shape = entry["name"], np.dtype(DTYPES[entry["name"]]), tuple(int(n) for n in entry["shape"])
        if entry["dtype"] != DTYPES[name] or min(shape, default=1) < 0:
            raise ValueError(f"the array {name} is {entry['dtype']} {entry['shape']}")
        count = math.prod(shape)
        arrays[name] = np.frombuffer(payload, dtype, count, start).reshape(shape)
        start += count * dtype.itemsize
    if start != len(payload):
        raise ValueError(f"the arrays have {start} bytes of {len(payload)}")
    return arrays


def _typical_scale(centre: NDArray[np.float32]) -> float:
    """`Codebook.scale` where it was not kept: that of normally distributed components of vectors of length 1."""
    rest = max(0.0, 1.0 - float(centre @ centre))
    return math.sqrt(rest * math.pi / 2 / len(centre))

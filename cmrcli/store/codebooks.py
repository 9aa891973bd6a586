"""The codebooks of an index: the newest one is the one in use, and every segment has codes of it."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Codebook
    from cmrcli.store.vectors import StoredVectors

FIT_ROWS = 50_000  # vectors that a fit looks at; more change the centre by less than one bit in a hundred
GROWTH_FOR_REFIT = 4  # an automatic codebook is fitted again when the index is so many times larger


@dataclass(frozen=True, slots=True)
class StoredCodebook:
    """A codebook and what the catalog says of it. `automatic`: fitted here, not chosen by the user."""

    id: int
    codebook: Codebook
    sha256: str
    fitted_rows: int
    automatic: bool


def current(connection: sqlite3.Connection) -> StoredCodebook | None:
    """The codebook in use; None before the first vectors."""
    from cmrcli.codes.codebook_bytes import from_bytes

    row = connection.execute(
        "SELECT id, data, sha256, fitted_rows, automatic FROM codebook ORDER BY id DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    return StoredCodebook(row[0], from_bytes(row[1]), row[2], row[3], bool(row[4]))


def fit(codebook_id: int, vectors: NDArray[np.float32] | StoredVectors) -> StoredCodebook:
    """A new automatic codebook for (n, dim) vectors, n >= 1."""
    from cmrcli.codes.fitting import fit_sign

    return wrap(codebook_id, fit_sign(vectors), len(vectors), True)


def wrap(codebook_id: int, codebook: Codebook, fitted_rows: int, automatic: bool) -> StoredCodebook:
    """The codebook with a number, not yet in the catalog."""
    import hashlib

    from cmrcli.codes.codebook_bytes import to_bytes

    digest = hashlib.sha256(to_bytes(codebook)).hexdigest()
    return StoredCodebook(codebook_id, codebook, digest, fitted_rows, automatic)


def insert(connection: sqlite3.Connection, stored: StoredCodebook) -> None:
    """Put it into the catalog, within the caller's transaction."""
    from cmrcli.codes.codebook_bytes import to_bytes

    connection.execute(
        "INSERT INTO codebook VALUES (?, ?, ?, ?, ?, ?)",
        (
            stored.id,
            to_bytes(stored.codebook),
            stored.sha256,
            stored.fitted_rows,
            stored.automatic,
            time.time_ns(),
        ),
    )

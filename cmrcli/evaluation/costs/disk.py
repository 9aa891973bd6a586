"""Which bytes of an index each mode reads."""

from __future__ import annotations

from collections.abc import Mapping

# By the parts that the store's statistics name. The catalog is always read: results are rows of it.
_READ_BY = {
    "exact": {"vectors", "rows", "catalog"},
    "codes": {"codes", "vectors", "rows", "catalog"},
    "hamming": {"codes", "rows", "catalog"},
    "graph": {"graphs", "codes", "vectors", "rows", "catalog"},  # codes and vectors where there is no graph
    "words": {"catalog"},
}


def bytes_read_by(mode: str, bytes_by_part: Mapping[str, int]) -> int:
    """Bytes of the parts that a mode may read; of all parts for a mode that chooses among them."""
    parts = _READ_BY.get(mode, bytes_by_part.keys())
    return sum(size for part, size in bytes_by_part.items() if part in parts)

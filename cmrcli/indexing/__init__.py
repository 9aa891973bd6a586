"""The verbs that write: walk, read, encode, commit; deletions, maintenance, codes."""

from __future__ import annotations

from cmrcli.indexing.index import IndexOptions, index_paths

__all__ = ["IndexOptions", "index_paths"]

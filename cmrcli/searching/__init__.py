"""The verb: a query, its plan, candidates, rescoring, words, fusion, results."""

from __future__ import annotations

from pathlib import Path

from cmrcli.searching.answer import Answer, Explanation
from cmrcli.searching.index import Index
from cmrcli.searching.query import Example, Query, parse_example, parse_line
from cmrcli.searching.results import Result, Signal

__all__ = [
    "Answer",
    "Example",
    "Explanation",
    "Index",
    "Query",
    "Result",
    "Signal",
    "open_index",
    "parse_example",
    "parse_line",
]


def open_index(
    folder: str | Path | None = None, encoder: str | Path | None = None, threads: int = 0, expect_text: bool = False
) -> Index:
    """The index in `folder`, open for searching.

    Args:
        folder: None for CMRCLI_INDEX, or else the user's default index.
        encoder: folder or name of the encoder; None finds the one the index was made with.
        threads: of the encoder; 0 for all processors of this process.
        expect_text: a query with words comes next: the text tower starts loading beside the index.

    Raises:
        IndexMissing, IndexFormatError, IndexDamaged; EncoderError at the first query that needs the encoder.
    """
    from cmrcli.places import default_index

    return Index(Path(folder) if folder is not None else default_index(), encoder, threads, expect_text)

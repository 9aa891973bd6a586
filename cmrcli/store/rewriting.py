"""Writing every segment anew, with other codes or vectors of another form, and switching over in one transaction.

Killed at any moment it leaves the old or the new state; what was written for a state that never came is a leftover.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.store import codebooks, commit, durable, schema
from cmrcli.store.layout import CODES_ONLY, I8, INT8_VECTORS, new_segment_id, segment_folder
from cmrcli.store.reader import segment_rows
from cmrcli.store.segments import SegmentRow, open_segment, write_segment
from cmrcli.store.vectors import StoredVectors, pack

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Codebook
    from cmrcli.store.codebooks import StoredCodebook
    from cmrcli.store.writer import Writer


def rewrite_codes(writer: Writer, codebook: Codebook, automatic: bool, drop_vectors: bool = False) -> None:
    """New codes for every segment; the vectors are shared with the segments they replace, or dropped for good."""
    old = segment_rows(writer.connection)
    free = commit.numbers(writer.connection)
    live = sum(row.rows - row.dead_rows for row in old)
    stored = codebooks.wrap(free["codebook"], codebook, live, automatic)
    free["codebook"] += 1

    def kept(row: SegmentRow, vectors: StoredVectors) -> Path | None:
        return None if drop_vectors else segment_folder(writer.folder, row.id)

    new = _write_anew(writer, old, free, stored, _blocks, kept)
    switch(writer, old, new, free, stored, CODES_ONLY if drop_vectors else "")


def convert_vectors(writer: Writer) -> bool:
    """Whether there were vectors: of int8 in the place of float16 now, in every segment, with codes of these.

    The codebook stays. The graphs, which are of the vectors as they were, are not kept: maintain() builds new ones.
    """
    old = segment_rows(writer.connection)
    free = commit.numbers(writer.connection)
    stored = codebooks.current(writer.connection)

    def kept(row: SegmentRow, vectors: StoredVectors) -> Iterable[StoredVectors]:
        return _rounded(vectors)

    new = [] if stored is None else _write_anew(writer, old, free, stored, _rounded, kept)
    switch(writer, old, new, free, None, INT8_VECTORS)
    return bool(new)


def switch(
    writer: Writer, old: list[SegmentRow], new: list[SegmentRow], free: dict[str, int],
    stored: StoredCodebook | None = None, feature: str = "",
) -> None:  # fmt: skip
    """Let the new segments take the place of the old ones, then remove the files of the old ones.

    Args:
        free: the next numbers of everything.
        stored: a codebook that takes the place of all others; None leaves the one there is.
        feature: what a program must know from now on to read the index.
    """
    free["generation"] += 1
    connection = writer.connection
    with writer.transaction():
        if stored is not None:
            codebooks.insert(connection, stored)
        connection.executemany("DELETE FROM segment WHERE id = ?", [(row.id,) for row in old])
        connection.executemany(
            "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?)",
            [(r.id, r.rows, r.dead_rows, r.dead, r.codebook_id, r.manifest_sha256) for r in new],
        )
        if stored is not None:
            connection.execute("DELETE FROM codebook WHERE id < ?", (stored.id,))
        if feature:
            schema.add_reader_feature(connection, feature)
        connection.executemany("UPDATE counter SET next = ? WHERE name = ?", [(v, k) for k, v in free.items()])
    _remove(writer, old)


def _write_anew(
    writer: Writer,
    old: list[SegmentRow],
    free: dict[str, int],
    stored: StoredCodebook,
    blocks: Callable[[StoredVectors], Iterable[StoredVectors]],
    kept: Callable[[SegmentRow, StoredVectors], Iterable[StoredVectors] | Path | None],
) -> list[SegmentRow]:
    """A new segment beside each old one, codes made of `blocks` of its vectors; its vectors: see write_segment."""
    book = stored.codebook
    new: list[SegmentRow] = []
    try:
        for row in old:
            segment = open_segment(writer.folder, row, writer.encoder)
            segment_id = new_segment_id(free["segment"])
            free["segment"] += 1
            digest = write_segment(
                writer.folder, segment_id, writer.encoder, stored.sha256, segment.rows, kept(row, segment.vectors),
                map(book.encode, blocks(segment.vectors)), book.words,
                map(book.factors, blocks(segment.vectors)), book.factors_per_row,
            )  # fmt: skip
            new.append(SegmentRow(segment_id, row.rows, row.dead_rows, row.dead, stored.id, digest))
    except BaseException:
        _remove(writer, new)
        raise
    return new


def _remove(writer: Writer, rows: list[SegmentRow]) -> None:
    for row in rows:
        durable.remove_folder(segment_folder(writer.folder, row.id))


def _blocks(vectors: StoredVectors) -> Iterable[StoredVectors]:
    return vectors.blocks()


def _rounded(vectors: StoredVectors) -> Iterable[StoredVectors]:
    return (pack(block[:], I8) for block in vectors.blocks())

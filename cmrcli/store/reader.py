"""Opening an index for searching: a view of one committed state, never blocked by a writer."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.errors import IndexDamaged
from cmrcli.store import codebooks, schema
from cmrcli.store.accounts import IndexStatistics
from cmrcli.store.failures import told_plainly
from cmrcli.store.lookups import Lookups
from cmrcli.store.records import EncoderIdentity
from cmrcli.store.segments import Segment, SegmentRow, open_segment

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Codebook

OPEN_ATTEMPTS = 20  # a compaction may remove a segment between the catalog's answer and the opening of its files


class Reader(Lookups):
    """An index as it was when it was opened.

    The segments stay readable whatever writers do meanwhile. Look-ups ask the catalog of the moment: what was removed
    since then is missing from their answers. Open again to see what was added.

    Attributes:
        encoder: whose vectors these are.
        generation: number of the commit that the segments belong to.
        codebook: how a query becomes a code; None while the index has no vectors.
        segments: all of them, opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with told_plainly(folder, "read"):
            self._connection = schema.connect_for_reading(folder)
            try:
                self._load()
            except BaseException:
                self.close()
                raise

    def statistics(self) -> IndexStatistics:
        """What the index holds now; counts every table, so it takes a while on a large one."""
        from cmrcli.store.statistics import statistics

        return statistics(self._connection, self.folder)

    def calibration(self) -> bytes | None:
        """What `cmrcli.calibration` knows of this index; None where nothing is known."""
        from cmrcli.store import calibrations

        with told_plainly(self.folder, "read"):
            return calibrations.current(self._connection, self.encoder.digest)

    def close(self) -> None:
        """Give the catalog back. The segments' arrays stay valid as long as somebody holds them."""
        self._connection.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self) -> None:
        for attempt in range(OPEN_ATTEMPTS):
            self._connection.execute("BEGIN")
            try:
                self.encoder: EncoderIdentity = schema.stored_encoder(self._connection)
                self.generation: int = schema.generation(self._connection)
                stored = codebooks.current(self._connection)
                rows = segment_rows(self._connection)
            finally:
                self._connection.execute("ROLLBACK")
            self.codebook: Codebook | None = stored.codebook if stored else None
            try:
                self.segments: list[Segment] = [open_segment(self.folder, row, self.encoder) for row in rows]
                return
            except FileNotFoundError as error:
                if attempt + 1 == OPEN_ATTEMPTS or schema.generation(self._connection) == self.generation:
                    raise IndexDamaged(
                        f"a file of the index is missing: {error.filename}",
                        f"cmrcli check --index {self.folder}",
                    ) from error


def open_reader(folder: Path) -> Reader:
    """The index in the folder, opened for reading; a context manager.

    Raises:
        IndexMissing, IndexFormatError, IndexDamaged: see cmrcli/errors.py.
    """
    return Reader(Path(folder))


def segment_rows(connection: sqlite3.Connection) -> list[SegmentRow]:
    """The segments that exist, oldest first."""
    rows = connection.execute("SELECT id, rows, dead_rows, dead, codebook_id, manifest_sha256 FROM segment ORDER BY id")
    return [SegmentRow(*row) for row in rows]

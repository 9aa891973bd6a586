"""Opening an index for writing: one writer at a time, every change one transaction."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import EncoderError, UsageError, display_path
from cmrcli.store import calibrations, codebooks, commit, durable, graph_settings, schema
from cmrcli.store.accounts import MaintenanceReport, RunRecord
from cmrcli.store.batches import Batch
from cmrcli.store.failures import told_plainly
from cmrcli.store.layout import (
    CATALOG,
    CODES_ONLY,
    F16,
    FORMS,
    I8,
    INT8_VECTORS,
    OWN_NAMES,
    SEGMENTS,
    new_segment_id,
    segment_folder,
)
from cmrcli.store.lock import WriterLock
from cmrcli.store.lookups import Lookups
from cmrcli.store.reader import segment_rows
from cmrcli.store.records import EncoderIdentity, Root
from cmrcli.store.segments import open_segment, write_segment

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Codebook
    from cmrcli.store.graph_settings import GraphMode, GraphSettings
    from cmrcli.store.maintenance import Progress

FORGET_FILES = 5_000  # files that one transaction of forget_root() removes


class Writer(Lookups):
    """The one process that may change the index, until it is closed. A context manager.

    Every method that changes something has done so for good when it returns, or has changed nothing when it raises.
    """

    def __init__(self, folder: Path, encoder: EncoderIdentity | None, lock_wait_s: float) -> None:
        self.folder = folder
        with told_plainly(folder):
            if encoder is not None:
                _make_index_folder(folder)
            elif not (folder / CATALOG).is_file():
                raise schema.missing(folder)
            self._lock = WriterLock(folder, lock_wait_s)
        try:
            with told_plainly(self.folder):
                self._connection = schema.connect_for_writing(folder, encoder)
                self.encoder: EncoderIdentity = schema.stored_encoder(self._connection)
                if encoder is not None and encoder.digest != self.encoder.digest:
                    raise EncoderError(
                        f"the index {display_path(folder)} was made with the encoder {self.encoder.name}"
                        f" ({self.encoder.digest[:12]}), not with {encoder.name} ({encoder.digest[:12]})",
                        "give that encoder with --encoder, or another folder with --index",
                    )
        except BaseException:
            self.close()
            raise

    def commit(self, batch: Batch) -> None:
        """Add, change and remove what the batch says, all or nothing.

        Raises:
            EmbeddingError: a vector that does not fit. ValueError: a batch that contradicts itself.
            IndexInaccessible: the disk is full and the like; the index is as it was.
        """
        with told_plainly(self.folder):
            prepared = commit.prepare(self._connection, batch, self.encoder.dim, self.vector_form)
            written: Path | None = None
            try:
                segment_row, codebook = None, None
                vectors = prepared.vectors
                if vectors is not None:
                    free = prepared.next_numbers
                    stored = codebooks.current(self._connection)
                    if stored is None:
                        stored = codebook = codebooks.fit(free["codebook"], vectors)
                        free["codebook"] += 1
                    segment_id = new_segment_id(free["segment"])
                    free["segment"] += 1
                    book = stored.codebook
                    digest = write_segment(
                        self.folder, segment_id, self.encoder, stored.sha256, _fragment_numbers(prepared),
                        None if self.codes_only else [vectors], [book.encode(vectors)], book.words,
                        [book.factors(vectors)], book.factors_per_row,
                    )  # fmt: skip
                    written = segment_folder(self.folder, segment_id)
                    segment_row = (segment_id, len(vectors), 0, None, stored.id, digest)
                with self.transaction():
                    if codebook is not None:
                        codebooks.insert(self._connection, codebook)
                    if segment_row is not None:
                        self._connection.execute("INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?)", segment_row)
                    commit.write(self._connection, self.folder, batch, prepared)
                    written = None  # once COMMIT is asked for, only the catalog knows: then maintain() decides
            except BaseException:
                if written is not None:
                    durable.remove_folder(written)
                raise

    def add_root(self, path: bytes, single_file: bool = False) -> Root:
        """The root with this absolute path, new or known."""
        with told_plainly(self.folder), self.transaction():
            self._connection.execute(
                "INSERT INTO root (path, single_file) VALUES (?, ?)"
                " ON CONFLICT (path) DO UPDATE SET single_file = excluded.single_file",
                (path, single_file),
            )
            row = self._connection.execute("SELECT id, path, single_file FROM root WHERE path = ?", (path,)).fetchone()
        return Root(row[0], row[1], bool(row[2]))

    def forget_root(self, root_id: int) -> int:
        """Files that went: the root and everything below it leave the index. Goes on where a killed call stopped."""
        removed = 0
        while True:
            rows = self._connection.execute(
                "SELECT f.id FROM file f JOIN directory d ON d.id = f.directory_id WHERE d.root_id = ? LIMIT ?",
                (root_id, FORGET_FILES),
            ).fetchall()
            if not rows:
                break
            self.commit(Batch(removed_file_ids=[row[0] for row in rows]))
            removed += len(rows)
        with told_plainly(self.folder), self.transaction():
            self._connection.execute("DELETE FROM directory WHERE root_id = ?", (root_id,))
            self._connection.execute("DELETE FROM root WHERE id = ?", (root_id,))
        return removed

    def begin_run(self, arguments: str) -> int:
        """Number of a new line in the run journal: who started what, and when."""
        with told_plainly(self.folder), self.transaction():
            cursor = self._connection.execute(
                "INSERT INTO run (started_ns, ended_ns, user, process, arguments, summary)"
                " VALUES (?, NULL, ?, ?, ?, '{}')",
                (time.time_ns(), commit.user_name(), os.getpid(), commit.storable(arguments)),
            )
        return int(cursor.lastrowid or 0)

    def end_run(self, run_id: int, summary: Mapping[str, object]) -> None:
        """Note that the run has ended, with its counts (anything JSON can hold)."""
        with told_plainly(self.folder), self.transaction():
            self._connection.execute(
                "UPDATE run SET ended_ns = ?, summary = ? WHERE id = ?",
                (time.time_ns(), json.dumps(dict(summary)), run_id),
            )

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """The newest lines of the run journal, newest first."""
        rows = self._connection.execute(
            "SELECT id, started_ns, ended_ns, user, arguments, summary FROM run ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [
            RunRecord(number, started_ns, ended_ns, user, arguments, json.loads(summary))
            for number, started_ns, ended_ns, user, arguments, summary in rows
        ]

    def maintain(self, progress: Progress | None = None, graphs: bool = True) -> MaintenanceReport:
        """Remove what killed runs left, merge small segments, drop dead rows, refit codes, build missing graphs."""
        from cmrcli.store.maintenance import maintain

        with told_plainly(self.folder):
            return maintain(self, progress, graphs)

    @property
    def graph_settings(self) -> GraphSettings:
        """Which segments get a graph, and how good it must be."""
        return graph_settings.stored(self._connection)

    def set_graphs(self, mode: GraphMode | None = None, target_recall: float | None = None) -> None:
        """Keep what is not None of the settings; the next `maintain` acts on them.

        Raises:
            UsageError: a mode or a recall that does not exist.
        """
        with told_plainly(self.folder), self.transaction():
            graph_settings.put(self._connection, mode, target_recall)

    def rewrite_codes(self, codebook: Codebook, automatic: bool = False, drop_vectors: bool = False) -> None:
        """Make every segment's codes anew, switched in one transaction. A chosen codebook is not refitted later.

        Args:
            drop_vectors: keep the codes alone. There is no way back but indexing the folders again.

        Raises:
            UsageError: the vectors were dropped before.
        """
        from cmrcli.store.rewriting import rewrite_codes

        with told_plainly(self.folder):
            rewrite_codes(self, codebook, automatic, drop_vectors)

    def keep_vectors_as(self, form: str) -> bool:
        """Whether there were vectors to be written anew, which is done then, switched in one transaction.

        What is committed from now on has the form, too.

        Args:
            form: one of FORMS.

        Raises:
            UsageError: vectors of this form cannot be made from what the index keeps.
        """
        if not self.must_convert(form):
            return False
        from cmrcli.store.rewriting import convert_vectors

        with told_plainly(self.folder):
            return convert_vectors(self)

    def must_convert(self, form: str) -> bool:
        """Whether the index keeps its vectors in another form, from which this one can be made.

        Raises:
            UsageError: vectors of this form cannot be made from what the index keeps.
        """
        if form not in FORMS:
            raise UsageError(f"vectors are not kept as {form!r}", "forms: " + ", ".join(FORMS))
        kept = schema.kept_form(self._connection)
        if kept == form:
            return False
        if kept != F16:
            what = "codes alone: its vectors were dropped" if kept is None else f"its vectors as {kept}"
            raise UsageError(
                f"the index {display_path(self.folder)} keeps {what}; {form} cannot be made from that",
                f"index the folders again into another --index with --vectors {form}",
            )
        return True

    def calibration_due(self) -> bool:
        """Whether a calibration should be made: there is none, or the index has changed too much since."""
        return calibrations.is_due(self._connection, self.encoder.digest)

    def put_calibration(self, data: bytes) -> None:
        """Keep a calibration made with the index's encoder, in the place of an earlier one."""
        with told_plainly(self.folder), self.transaction():
            calibrations.put(self._connection, self.encoder.digest, data)

    def sample_vectors(self, limit: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """At most `limit` living fragments in random order, (n,) int64, and their vectors, (n, dim) float32.

        Segments of codes alone have none to give.
        """
        opened = [open_segment(self.folder, row, self.encoder) for row in segment_rows(self._connection)]
        segments = [segment for segment in opened if segment.kept_vectors is not None]
        alive = [np.arange(len(s.rows)) if s.dead is None else np.flatnonzero(~s.dead) for s in segments]
        starts = np.cumsum([0, *map(len, alive)])
        chosen = np.sort(np.random.default_rng(seed).permutation(int(starts[-1]))[:limit])
        ids, vectors = [np.empty(0, np.int64)], [np.empty((0, self.encoder.dim), np.float32)]
        for segment, rows, start, end in zip(segments, alive, starts, starts[1:], strict=False):
            own = rows[chosen[(chosen >= start) & (chosen < end)] - start]
            ids.append(segment.rows[own])
            vectors.append(segment.vectors[own])
        order = np.random.default_rng(seed).permutation(len(chosen))
        return np.concatenate(ids)[order], np.concatenate(vectors)[order]

    def close(self) -> None:
        """Let go of the catalog and the lock. Safe to call twice."""
        if hasattr(self, "_connection"):
            self._connection.close()
        self._lock.release()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def codes_only(self) -> bool:
        """Whether the vectors were dropped: what comes now gets codes alone, too."""
        return CODES_ONLY in schema.reader_features(self._connection)

    @property
    def vector_form(self) -> str:
        """One of FORMS: what the vectors of a commit are kept as, or rounded to before codes are made of them."""
        return I8 if INT8_VECTORS in schema.reader_features(self._connection) else F16

    @property
    def connection(self) -> sqlite3.Connection:
        """The catalog, for the store's own modules."""
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK when the body raises."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")  # may fail and yet have begun
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def open_writer(folder: Path, encoder: EncoderIdentity | None, lock_wait_s: float = 10) -> Writer:
    """The index in the folder, opened for writing and locked; made when it is not there and an encoder is given.

    Raises:
        IndexLocked: another process writes. EncoderError: the index has another encoder's vectors.
        IndexMissing, IndexFormatError, IndexDamaged: see cmrcli/errors.py.
        UsageError: the folder holds other things than an index.
    """
    return Writer(Path(folder), encoder, lock_wait_s)


def _make_index_folder(folder: Path) -> None:
    foreign = folder.is_dir() and not set(os.listdir(folder)) <= OWN_NAMES
    if foreign and not (folder / SEGMENTS).is_dir():
        raise UsageError(f"{display_path(folder)} is no index and not empty", "name a new folder with --index")
    durable.make_folder(folder)
    durable.make_folder(folder / SEGMENTS)


def _fragment_numbers(prepared: commit.Prepared) -> NDArray[np.int64]:
    return np.array([row[0] for row in prepared.fragments], dtype=np.int64)

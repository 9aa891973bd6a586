"""One run of `index`: walk, read in workers, encode, commit in batches, delete what is gone, maintain.

What is committed stands, whatever happens later: an interrupted run goes on where it was at the next one,
because finished files are then unchanged files.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cmrcli.corpus.fragments import PAGES_PER_TASK, ReadFile, ReadTask, read_fragments
from cmrcli.corpus.items import Limits
from cmrcli.corpus.walk import WalkRules
from cmrcli.corpus.workers import WorkerPool
from cmrcli.errors import UnreadableFile
from cmrcli.indexing.changes import FileJob, Scan
from cmrcli.indexing.contents import Encoding, OpenContent
from cmrcli.indexing.report import Failure, RunReport, extension_of
from cmrcli.store.batches import Batch, FileUpdate, NewContent
from cmrcli.store.records import Root

if TYPE_CHECKING:
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.store import Writer

COMMIT_FRAGMENTS = 2_048  # a kill loses at most this much encoding, or ...
COMMIT_SECONDS = 30.0  # ... this much time
PAGE_FAILURES = 3  # pages in a row that fail end a file: its later pages are given up
PAGED = frozenset({"pdf", "tif", "tiff"})
TASKS_PER_WORKER = 3  # answers waiting in pipes; bounds memory


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What one run does differently from the default.

    Attributes:
        accept_deletions: deletions are meant, however many.
        retry: read the files again that failed before.
        workers: reader processes; 0 for one a processor, at most 4.
    """

    rules: WalkRules = WalkRules()
    accept_deletions: bool = False
    retry: bool = False
    workers: int = 0
    limits: Limits = Limits()


@dataclass(slots=True)
class _Reading:
    """A file on its way through the workers: which stretch comes next, and what became of the others."""

    job: FileJob
    content: OpenContent | None = None
    failures_in_a_row: int = 0
    failed_pages: int = 0


@dataclass(slots=True)
class Run:
    """State of one run. Call `go` once.

    Attributes:
        progress: called after every file with the report so far.
    """

    writer: Writer
    make_encoder: Callable[[], DualEncoder]
    options: RunOptions
    report: RunReport = field(default_factory=RunReport)
    progress: Callable[[RunReport], None] = lambda report: None
    _ready: list[OpenContent] = field(default_factory=list)
    _open: dict[bytes, OpenContent] = field(default_factory=dict)
    _batch: Batch = field(default_factory=Batch)
    _in_batch: set[bytes] = field(default_factory=set)
    _batch_fragments: int = 0
    _committed_at: float = 0.0
    _encoding: Encoding | None = None
    _readings: dict[int, _Reading] = field(default_factory=dict)

    def go(self, targets: Sequence[tuple[Root, bytes]]) -> RunReport:
        """Indexes the targets: (root, folder below it or b"" for all of it).

        Raises:
            KeyboardInterrupt after committing what was finished; errors of the store and the encoder.
        """
        started = self._committed_at = time.monotonic()
        # Other roots keep their files, and the index does not index itself.
        roots = {root.path for root in self.writer.roots()} | {os.path.abspath(os.fsencode(self.writer.folder))}
        scans = [
            Scan(root, below, self.options.rules, self.writer, self.report, _inside(roots, root), self.options.retry)
            for root, below in targets
        ]
        try:
            self._read_all(scans)
            if not self.report.dry_run:
                self._commit()
            for scan in scans:
                gone = scan.deletions(self.options.accept_deletions)
                self.report.removed += len(gone)
                self._batch.removed_file_ids.extend(gone)
            if not self.report.dry_run:
                self._commit()
        except KeyboardInterrupt:
            self.report.interrupted = True
            if not self.report.dry_run:
                self._commit()
            raise
        finally:
            self.report.elapsed_s = time.monotonic() - started
        return self.report

    # -- reading ---------------------------------------------------------------------------------------------

    def _read_all(self, scans: Sequence[Scan]) -> None:
        jobs = (job for scan in scans for job in scan.jobs())
        if self.report.dry_run:
            for job in jobs:
                self._count(job)
                self.progress(self.report)
            return
        first = next(jobs, None)
        if first is None:
            self.progress(self.report)
            return
        self._encoding = Encoding(self.make_encoder())
        workers = self.options.workers or min(4, usable_cpus())
        with WorkerPool(read_fragments, workers, self.options.limits) as pool:
            self._drive(pool, first, jobs, workers * TASKS_PER_WORKER)

    def _drive(
        self, pool: WorkerPool[ReadTask, ReadFile], first: FileJob, jobs: Iterator[FileJob], in_flight: int
    ) -> None:
        """Keeps the workers busy: later stretches of open files before new files."""
        assert self._encoding is not None
        waiting: deque[ReadTask] = deque([self._first_task(first)])
        more = True
        while more or waiting or pool.in_flight:
            while pool.in_flight < in_flight and (waiting or more):
                if not waiting:
                    job = next(jobs, None)
                    if job is None:
                        more = False
                        break
                    waiting.append(self._first_task(job))
                pool.submit(waiting.popleft())
            if not pool.in_flight:
                continue
            task, answer = pool.next_done()
            follow_up = self._take(task, answer)
            if follow_up is not None:
                waiting.append(follow_up)
            self._collect_finished()
            if self._batch_fragments >= COMMIT_FRAGMENTS:
                self._commit()
            elif time.monotonic() - self._committed_at >= COMMIT_SECONDS:
                self._encoding.flush()  # half a batch must not keep a finished file waiting for a slow one
                self._collect_finished()
                self._commit()
            self.progress(self.report)
        self._encoding.flush()
        self._collect_finished()

    def _first_task(self, job: FileJob) -> ReadTask:
        known = frozenset(self.writer.digests_of_size(job.size_bytes))
        return self._task(_Reading(job), 1, PAGES_PER_TASK, known)

    def _task(self, reading: _Reading, first: int, count: int, known: frozenset[bytes] = frozenset()) -> ReadTask:
        assert self._encoding is not None
        task = ReadTask(reading.job.path, self._encoding.fit, first, count, self.options.limits, known)
        self._readings[id(task)] = reading  # the pool hands the very same object back
        return task

    def _take(self, task: ReadTask, answer: ReadFile | UnreadableFile) -> ReadTask | None:
        """Takes one answer in; the file's next stretch, or None when the file is done with."""
        reading = self._readings.pop(id(task))
        if isinstance(answer, UnreadableFile):
            return self._take_failure(reading, task, answer)
        job = reading.job
        reading.failures_in_a_row = 0
        if reading.content is None:
            assert answer.digest is not None
            self._count(job)
            if answer.known or self._same_bytes(answer.digest):
                self.report.recognised += 1
                self._add_file(job, answer.digest)
                return None
            self.report.bytes_read += job.size_bytes
            reading.content = OpenContent(job, NewContent(answer.digest, answer.format))
            reading.content.files.append(_update(job, answer.digest))
            self._open[answer.digest] = reading.content
            self._ready.append(reading.content)
        assert self._encoding is not None
        self._encoding.add(reading.content, answer.items)
        self.report.items += len(answer.items)
        self.report.notes += [(job.path, note) for item in answer.items for note in item.notes]
        if answer.more_from is None:
            self._last_stretch(reading)
            return None
        return self._task(reading, answer.more_from, task.count)

    def _take_failure(self, reading: _Reading, task: ReadTask, failure: UnreadableFile) -> ReadTask | None:
        """A file that cannot be read at all, or pages of one that otherwise can: those are tried one by one."""
        if reading.content is None and not _may_have_other_pages(reading.job, failure):
            self._fail(reading.job, failure)
            return None
        if task.count > 1:
            return self._task(reading, task.first, 1)
        if reading.content is None:
            self._fail(reading.job, failure)
            return None
        reading.failures_in_a_row += 1
        reading.failed_pages += 1
        detail = f"page {task.first}: {failure.detail}"
        self.report.failures.append(Failure(reading.job.path, failure.cause, detail))
        if reading.failures_in_a_row >= PAGE_FAILURES:
            self._last_stretch(reading)
            return None
        return self._task(reading, task.first + 1, 1)

    def _last_stretch(self, reading: _Reading) -> None:
        assert reading.content is not None
        reading.content.complete = True

    def _give_up(self, content: OpenContent) -> None:
        """A file that was read but holds nothing to search by: no picture, no text, or no usable vector."""
        del self._open[content.content.digest]
        nothing = UnreadableFile("no-content")
        self.report.added -= content.job.is_new
        self.report.changed -= not content.job.is_new
        self.report.items -= len(content.content.items)
        self._fail(content.job, nothing)
        self._batch.files += [_failed(update, nothing) for update in content.files[1:]]

    def _same_bytes(self, digest: bytes) -> bool:
        return digest in self._open or digest in self._in_batch or bool(self.writer.known_digests([digest]))

    def _add_file(self, job: FileJob, digest: bytes) -> None:
        """A path whose bytes are known: committed with the content when that is still open."""
        update = _update(job, digest)
        if digest in self._open:
            self._open[digest].files.append(update)
        else:
            self._batch.files.append(update)

    def _fail(self, job: FileJob, failure: UnreadableFile) -> None:
        known = job.earlier_cause == failure.cause
        if known:
            self.report.known_failed += 1
        else:
            self.report.failures.append(Failure(job.path, failure.cause, failure.detail))
        self._batch.files.append(_failed(_update(job, b""), failure))

    def _count(self, job: FileJob) -> None:
        if job.is_new:
            self.report.added += 1
        else:
            self.report.changed += 1

    # -- committing ------------------------------------------------------------------------------------------

    def _collect_finished(self) -> None:
        still_open = []
        for content in self._ready:
            if content.finished:
                if not any(item.fragments for item in content.content.items):
                    self._give_up(content)
                    continue
                if content.without_vector:
                    note = f"{content.without_vector} fragments without a usable vector"
                    self.report.notes.append((content.job.path, note))
                self._batch.contents.append(content.content)
                self._batch.files += content.files
                fragments = sum(len(item.fragments) for item in content.content.items)
                self._batch_fragments += fragments
                self.report.fragments += fragments
                del self._open[content.content.digest]
                self._in_batch.add(content.content.digest)
            else:
                still_open.append(content)
        self._ready = still_open

    def _commit(self) -> None:
        if self._batch.files or self._batch.removed_file_ids:
            self.writer.commit(self._batch)
        self._batch = Batch()
        self._in_batch.clear()
        self._batch_fragments = 0
        self._committed_at = time.monotonic()


def usable_cpus() -> int:
    """Processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _inside(roots: set[bytes], root: Root) -> frozenset[bytes]:
    """Those of the roots that lie below this one."""
    return frozenset(path for path in roots if path != root.path and path.startswith(root.path.rstrip(b"/") + b"/"))


def _may_have_other_pages(job: FileJob, failure: UnreadableFile) -> bool:
    """Whether the file may still have pages that can be read: its worker died of one of them."""
    return failure.cause in ("crash", "timeout", "memory") and extension_of(job.name) in PAGED


def _update(job: FileJob, digest: bytes) -> FileUpdate:
    return FileUpdate(job.root_id, job.dir, job.name, job.size_bytes, job.mtime_ns, digest)


def _failed(update: FileUpdate, failure: UnreadableFile) -> FileUpdate:
    return FileUpdate(
        update.root_id,
        update.dir,
        update.name,
        update.size_bytes,
        update.mtime_ns,
        None,
        failure.cause,
        failure.detail,
    )

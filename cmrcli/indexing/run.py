"""One run of `index`: walk, read in workers, encode, commit in batches, delete what is gone, maintain.

What is committed stands, whatever happens later: an interrupted run goes on where it was at the next one,
because finished files are then unchanged files.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cmrcli.corpus.fragments import PAGES_PER_TASK, ReadFile, ReadTask, read_fragments
from cmrcli.corpus.items import Limits
from cmrcli.corpus.walk import WalkRules
from cmrcli.corpus.workers import WorkerPool
from cmrcli.errors import UnreadableFile
from cmrcli.indexing.changes import TRANSIENT_CAUSES, FileJob, Scan
from cmrcli.indexing.contents import Encoding, OpenContent
from cmrcli.indexing.deletions import deletions
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
TASKS_PER_WORKER = 8  # keeps the workers busy while a batch is encoded; at most 16 MB of pictures wait for each


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
    """A file on its way through the workers.

    Attributes:
        content: what has come of it so far; None until its first stretch has.
        failures: page failures so far, for the report once the file stands without those pages.
        failures_in_a_row: of the last pages.
        one_by_one_until: pages before this one are asked for singly, because their stretch failed as a whole.
    """

    job: FileJob
    content: OpenContent | None = None
    failures: list[Failure] = field(default_factory=list)
    failures_in_a_row: int = 0
    one_by_one_until: int = 0


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
        owners = {root.path for root in self.writer.roots()} | {root.path for root, _ in targets}
        owners.add(os.path.abspath(os.fsencode(self.writer.folder)))
        new_sizes: Counter[int] = Counter()
        scans = [
            Scan(
                root,
                below,
                self.options.rules,
                self.writer,
                self.report,
                _inside(owners, root),
                self.options.retry,
                new_sizes,
            )
            for root, below in targets
        ]
        try:
            self._read_all(scans)
            if not self.report.dry_run:
                self._commit()
            for scan in scans:
                gone = deletions(scan, self.options.accept_deletions)
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
        self.progress(self.report)
        jobs = (job for scan in scans for job in scan.jobs())
        if self.report.dry_run:
            for job in jobs:
                self._count(job, 1)
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
        job = reading.job
        task = ReadTask(
            job.path,
            self._encoding.fit,
            first,
            count,
            self.options.limits,
            digest=reading.content is None,
            known=known,
            stamp=(job.size_bytes, job.mtime_ns),
        )
        self._readings[id(task)] = reading  # the pool hands the very same object back
        return task

    def _take(self, task: ReadTask, answer: ReadFile | UnreadableFile) -> ReadTask | None:
        """Takes one answer in; the file's next stretch, or None when the file is done with."""
        reading = self._readings.pop(id(task))
        if isinstance(answer, UnreadableFile):
            return self._take_failure(reading, task, answer)
        job = reading.job
        if reading.content is None:
            assert answer.digest is not None
            same = self._same_bytes(answer.digest)
            if answer.known and not same:  # a commit meanwhile has taken those bytes out of the index
                return self._task(reading, task.first, task.count)
            self._count(job, 1)
            if same:
                self.report.recognised += 1
                self._add_copy(job, answer.digest)
                return None
            self.report.bytes_read += job.size_bytes
            reading.content = OpenContent(NewContent(answer.digest, answer.format), [job])
            self._open[answer.digest] = reading.content
        assert self._encoding is not None
        reading.failures_in_a_row = 0
        self._encoding.add(reading.content, answer.items)
        self.report.notes += [(job.path, note) for item in answer.items for note in item.notes]
        if answer.more_from is None:
            self._last_stretch(reading)
            return None
        count = 1 if answer.more_from < reading.one_by_one_until else PAGES_PER_TASK
        return self._task(reading, answer.more_from, count)

    def _take_failure(self, reading: _Reading, task: ReadTask, failure: UnreadableFile) -> ReadTask | None:
        """A file that cannot be read at all, or pages of one that otherwise can: those are tried one by one."""
        if failure.cause in TRANSIENT_CAUSES or not _may_have_other_pages(reading, failure):
            self._give_up(reading, failure)
            return None
        if task.count > 1:
            reading.one_by_one_until = task.first + task.count
            return self._task(reading, task.first, 1)
        reading.failures.append(Failure(reading.job.path, failure.cause, failure.detail, task.first))
        reading.failures_in_a_row += 1
        if reading.failures_in_a_row < PAGE_FAILURES:
            return self._task(reading, task.first + 1, 1)
        if reading.content is None:
            self._give_up(reading, failure)
            return None
        given_up = f"given up with all later pages: {PAGE_FAILURES} in a row could not be read"
        reading.failures.append(Failure(reading.job.path, failure.cause, given_up, task.first + 1))
        self._last_stretch(reading)
        return None

    def _last_stretch(self, reading: _Reading) -> None:
        content = reading.content
        assert content is not None
        content.complete = True
        if reading.failures and not content.content.items:
            last = reading.failures[-1]
            self._drop(content, UnreadableFile(last.cause, last.detail))
        else:
            self.report.page_failures += reading.failures

    def _give_up(self, reading: _Reading, failure: UnreadableFile) -> None:
        """The file leaves the run: nothing of it is kept, whatever of it has been read."""
        if reading.content is None:
            self._fail(reading.job, failure)
        else:
            self._drop(reading.content, failure)

    def _drop(self, content: OpenContent, failure: UnreadableFile) -> None:
        """None of the files that hold the content can be indexed."""
        del self._open[content.content.digest]
        self.report.recognised -= len(content.jobs) - 1
        for job in content.jobs:
            self._count(job, -1)
            self._fail(job, failure)

    def _same_bytes(self, digest: bytes) -> bool:
        return digest in self._open or digest in self._in_batch or bool(self.writer.known_digests([digest]))

    def _add_copy(self, job: FileJob, digest: bytes) -> None:
        """A path whose bytes are known: committed with the content when that is still open."""
        if digest in self._open:
            self._open[digest].jobs.append(job)
        else:
            self._batch.files.append(_update(job, digest))

    def _fail(self, job: FileJob, failure: UnreadableFile) -> None:
        if job.earlier_cause == failure.cause:
            self.report.known_failed += 1
        else:
            self.report.failures.append(Failure(job.path, failure.cause, failure.detail))
        if job.is_new or job.earlier_cause is not None or failure.cause not in TRANSIENT_CAUSES:
            self._batch.files.append(_failed(job, failure))
        # Otherwise what was known of the file stays until it can be read again: it may only be locked tonight.

    def _count(self, job: FileJob, by: int) -> None:
        if job.is_new:
            self.report.added += by
        else:
            self.report.changed += by

    # -- committing ------------------------------------------------------------------------------------------

    def _collect_finished(self) -> None:
        """Moves finished contents into the batch, with the files that hold them."""
        for content in [one for one in self._open.values() if one.finished]:
            new = content.content
            without = [item for item in new.items if not item.fragments]
            new.items = [item for item in new.items if item.fragments]
            if not new.items:
                self._drop(content, UnreadableFile("no-content"))
                continue
            path = content.jobs[0].path
            if without:
                self.report.notes.append((path, f"{len(without)} items hold nothing that can be searched"))
            if content.without_vector:
                self.report.notes.append((path, f"{content.without_vector} fragments have no usable vector"))
            del self._open[new.digest]
            self._in_batch.add(new.digest)
            self._batch.contents.append(new)
            self._batch.files += [_update(job, new.digest) for job in content.jobs]
            fragments = sum(len(item.fragments) for item in new.items)
            self._batch_fragments += fragments
            self.report.items += len(new.items)
            self.report.fragments += fragments

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


def _may_have_other_pages(reading: _Reading, failure: UnreadableFile) -> bool:
    """Whether the file may still have pages that can be read: its worker died of one of them."""
    if reading.content is not None:
        return True
    return failure.cause in ("crash", "timeout", "memory") and extension_of(reading.job.name) in PAGED


def _update(job: FileJob, digest: bytes) -> FileUpdate:
    return FileUpdate(job.root_id, job.dir, job.name, job.size_bytes, job.mtime_ns, digest)


def _failed(job: FileJob, failure: UnreadableFile) -> FileUpdate:
    return FileUpdate(job.root_id, job.dir, job.name, job.size_bytes, job.mtime_ns, None, failure.cause, failure.detail)

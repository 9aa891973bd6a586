"""What changed under a root since the index last looked: new and changed files as they are met, then the missing.

The walk streams folder by folder against the catalog: memory grows with the folders, not with the files. A file
counts as unchanged when its size and modification time (nanoseconds) are those the catalog has.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cmrcli.corpus.readers import FORMATS
from cmrcli.corpus.walk import WalkedDirectory, WalkedFile, WalkRules, walk
from cmrcli.indexing.report import RunReport, extension_of

if TYPE_CHECKING:
    from cmrcli.store import FileState, Root, Writer

# What may be different at the next run though the file is the same.
TRANSIENT_CAUSES = frozenset({"permission", "io", "vanished"})


@dataclass(frozen=True, slots=True)
class FileJob:
    """A file to read. `earlier_cause` is set when the last run already failed on it."""

    root_id: int
    path: bytes
    dir: bytes
    name: bytes
    size_bytes: int
    mtime_ns: int
    is_new: bool
    earlier_cause: str | None = None


@dataclass(slots=True)
class Scan:
    """One root (or a part of it) being walked. Iterate `jobs()` to the end, then `unmet()` says what is missing.

    Attributes:
        below: folder or file below the root that was asked for, b"" for all of it.
        elsewhere: absolute paths inside the root whose files are not this root's.
        retry: files that failed before are worth another try.
        new_sizes: sizes of the files that are new, in a dry run, which reads none of them.
        complete: the walk has come to its end.
        empty_folders: folders that are there and hold nothing the walk would list.
    """

    root: Root
    below: bytes
    rules: WalkRules
    writer: Writer
    report: RunReport
    elsewhere: frozenset[bytes]
    retry: bool = False
    new_sizes: Counter[int] = field(default_factory=Counter)
    complete: bool = False
    empty_folders: set[bytes] = field(default_factory=set)
    _gone: list[FileState] = field(default_factory=list)
    _met: set[bytes] = field(default_factory=set)
    _unlistable: list[bytes] = field(default_factory=list)

    @property
    def start(self) -> bytes:
        """Absolute path of what is walked."""
        return join(self.root.path, self.below)

    def path_of(self, state: FileState) -> bytes:
        """Absolute path of a file that the catalog knows."""
        return self.root.path if self.root.single_file else join(join(self.root.path, state.dir), state.name)

    def jobs(self) -> Iterator[FileJob]:
        """Files that are new, changed or worth another try. Counts all the others into the report."""
        if os.path.lexists(self.start):
            for directory in walk(self.root.path, self.rules, self.below):
                if not self._belongs_elsewhere(join(self.root.path, directory.dir)):
                    yield from self._jobs_of(directory)
        parents = {os.path.dirname(dir) for dir in self._met if dir}
        self.empty_folders -= parents
        self.complete = True

    def _jobs_of(self, directory: WalkedDirectory) -> Iterator[FileJob]:
        dir = directory.dir
        lone = bool(self.below) and self.below != dir and not _is_within(dir, self.below)  # one file was asked for
        states = self.writer.files_in(self.root.id, dir)
        if directory.error is not None:
            self._unlistable.append(dir)
            self.report.note_unlistable(join(self.root.path, dir), directory.error)
        if not lone:
            self._met.add(dir)
            if not directory.files and directory.error is None:
                self.empty_folders.add(dir)
        for file in directory.files:
            path = self.root.path if self.root.single_file else join(join(self.root.path, dir), file.name)
            if path in self.elsewhere:
                continue
            job = self._compare(path, dir, file, states.pop(file.name, None))
            if job is not None:
                if self.report.dry_run and job.is_new:
                    self.new_sizes[job.size_bytes] += 1
                yield job
        if directory.error is None and not lone:
            self._gone += states.values()

    def _compare(self, path: bytes, dir: bytes, file: WalkedFile, state: FileState | None) -> FileJob | None:
        report = self.report
        report.seen += 1
        if state is not None and state.mtime_ns == file.mtime_ns and state.size_bytes == file.size_bytes:
            if state.cause is None:
                report.unchanged += 1
                return None
            if not self.retry and state.cause not in TRANSIENT_CAUSES:
                report.known_failed += 1
                return None
        extension = extension_of(file.name)
        if extension not in FORMATS:
            report.unsupported[extension] += 1
            if state is not None:  # its name could be read by an earlier version: let it go
                self._gone.append(state)
            return None
        cause = None if state is None else state.cause
        return FileJob(self.root.id, path, dir, file.name, file.size_bytes, file.mtime_ns, state is None, cause)

    def unmet(self) -> Iterator[FileState]:
        """Files that the catalog has and the walk did not meet, where the walk saw all there is to see."""
        yield from self._gone
        for dir in self.writer.directories(self.root.id):
            if not _is_within(dir, self.below) or dir in self._met:
                continue
            if any(_is_within(dir, unlistable) for unlistable in self._unlistable):
                continue
            if self._belongs_elsewhere(join(self.root.path, dir)) or self._behind_a_broken_link(dir):
                continue
            yield from self.writer.files_in(self.root.id, dir).values()

    def _belongs_elsewhere(self, path: bytes) -> bool:
        return any(_is_within(path, other) for other in self.elsewhere)

    def _behind_a_broken_link(self, dir: bytes) -> bool:
        """Whether the folder was reached through a link whose target is not there now: a share, most likely."""
        parts = dir.split(b"/") if dir else []
        for end in range(1, len(parts) + 1):
            path = join(self.root.path, b"/".join(parts[:end]))
            if os.path.islink(path) and not os.path.exists(path):
                self.report.note_unlistable(path, "a link to nothing")
                return True
        return False


def join(folder: bytes, name: bytes) -> bytes:
    """os.path.join, but the folder itself for an empty name."""
    return os.path.join(folder, name) if name else folder


def _is_within(dir: bytes, ancestor: bytes) -> bool:
    return not ancestor or dir == ancestor or dir.startswith(ancestor.rstrip(b"/") + b"/")

"""What changed under a root since the index last looked: new and changed files as they are met, then deletions.

The walk streams directory by directory against the catalog, so memory does not grow with the tree. A file
counts as unchanged when its size and modification time (nanoseconds) are those the catalog has. What a
`.cmrignore` leaves out leaves the index; what only this run's include and exclude leave out stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cmrcli.corpus.readers import FORMATS
from cmrcli.corpus.walk import WalkedFile, WalkRules, walk
from cmrcli.indexing.report import HeldBack, RunReport, extension_of

if TYPE_CHECKING:
    from cmrcli.store import FileState, Root, Writer

# What may be different at the next run though the file is the same.
TRANSIENT_CAUSES = frozenset({"permission", "io", "vanished"})
SUSPICIOUS_SHARE = 0.5  # of a root's files: more than this gone at once looks like a share that is not mounted
SUSPICIOUS_FILES = 20  # fewer than this are always taken at their word
EMPTY_MOUNT_FILES = 10  # a folder that still exists, is empty now and had this many looks like a mount point


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
    """One root (or a folder below it) being walked. Iterate `jobs()`, then ask for `deletions()`.

    Attributes:
        below: folder below the root that was asked for, b"" for all of it.
        elsewhere: absolute paths inside the root whose files are not this root's.
        retry: files that failed before are worth another try.
        complete: the walk has come to its end.
    """

    root: Root
    below: bytes
    rules: WalkRules
    writer: Writer
    report: RunReport
    elsewhere: frozenset[bytes]
    retry: bool = False
    complete: bool = False
    _gone: list[int] = field(default_factory=list)
    _met_dirs: set[bytes] = field(default_factory=set)
    _unlistable: list[bytes] = field(default_factory=list)
    _without_files: list[bytes] = field(default_factory=list)
    _files_met: int = 0

    def jobs(self) -> Iterator[FileJob]:
        """Files that are new, changed or worth another try. Counts all the others into the report."""
        start = _join(self.root.path, self.below)
        for directory in walk(start, self.rules):
            dir = _below(self.below, directory.dir)
            if self._belongs_elsewhere(dir):
                continue
            self._met_dirs.add(dir)
            if directory.error is not None:
                self._unlistable.append(dir)
                self.report.unlistable.append((_join(self.root.path, dir), directory.error))
                continue
            states = self.writer.files_in(self.root.id, dir)
            if not directory.files:
                self._without_files.append(dir)
            self._files_met += len(directory.files)
            for file in directory.files:
                job = self._compare(dir, file, states.pop(file.name, None))
                if job is not None:
                    yield job
            self._gone.extend(state.id for state in states.values() if not self._left_out(state))
        self.complete = True

    def _compare(self, dir: bytes, file: WalkedFile, state: FileState | None) -> FileJob | None:
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
                self._gone.append(state.id)
            return None
        path = self.root.path if self.root.single_file else _join(_join(self.root.path, dir), file.name)
        cause = None if state is None else state.cause
        return FileJob(self.root.id, path, dir, file.name, file.size_bytes, file.mtime_ns, state is None, cause)

    def _left_out(self, state: FileState) -> bool:
        """Whether a file is missing from the walk only because this run was told to look at less."""
        if not self.rules.include and not self.rules.exclude:
            return False
        return os.path.lexists(_join(_join(self.root.path, state.dir), state.name))

    def _belongs_elsewhere(self, dir: bytes) -> bool:
        path = _join(self.root.path, dir)
        return any(_is_within(path, other) for other in self.elsewhere)

    def deletions(self, accept: bool) -> list[int]:
        """Ids of files that are gone. What looks like an unmounted share is held back and reported instead.

        Args:
            accept: the user said that the deletions are meant.
        """
        if not self.complete:
            return []
        gone = list(self._gone)
        by_directory: dict[bytes, list[int]] = {}
        known = self.writer.file_count(self.root.id)
        for dir in self.writer.directories(self.root.id):
            if not _is_within(dir, self.below) or dir in self._met_dirs:
                continue
            if any(_is_within(dir, unlistable) for unlistable in self._unlistable):
                continue
            if self._behind_a_broken_link(dir):
                continue
            if self._belongs_elsewhere(dir):
                continue
            states = self.writer.files_in(self.root.id, dir).values()
            by_directory[dir] = [state.id for state in states if not self._left_out(state)]
        if accept:
            return gone + [id for ids in by_directory.values() for id in ids]
        parents = {dir[: dir.rfind(b"/") + 1].rstrip(b"/") for dir in self._met_dirs if dir}
        for empty in (dir for dir in self._without_files if dir and dir not in parents):
            lost = [dir for dir in by_directory if _is_within(dir, empty)]
            files = sum(len(by_directory[dir]) for dir in lost)
            here = [state.id for state in self.writer.files_in(self.root.id, empty).values()]
            if files + len(here) >= EMPTY_MOUNT_FILES:
                for dir in lost:
                    del by_directory[dir]
                gone = [id for id in gone if id not in set(here)]
                self._hold(empty, "the folder is suddenly empty", files + len(here), files + len(here))
        gone += [id for ids in by_directory.values() for id in ids]
        if self._files_met == 0 and gone:
            self._hold(self.below, "the folder is suddenly empty", len(gone), known)
            return []
        if len(gone) >= SUSPICIOUS_FILES and len(gone) > SUSPICIOUS_SHARE * known:
            # Files that only moved have given their content a new name by now.
            alone = self.writer.last_holders(gone)
            if alone >= SUSPICIOUS_FILES and alone > SUSPICIOUS_SHARE * known:
                self._hold(self.below, f"more than {SUSPICIOUS_SHARE:.0%} of its files are gone", alone, known)
                return []
        return gone

    def _behind_a_broken_link(self, dir: bytes) -> bool:
        """Whether the folder was reached through a link whose target is not there now: a share, most likely."""
        parts = dir.split(b"/")
        for end in range(1, len(parts) + 1):
            path = _join(self.root.path, b"/".join(parts[:end]))
            if os.path.islink(path) and not os.path.exists(path):
                if (path, "a link to nothing") not in self.report.unlistable:
                    self.report.unlistable.append((path, "a link to nothing"))
                return True
        return False

    def _hold(self, dir: bytes, reason: str, files: int, known: int) -> None:
        self.report.held_back.append(HeldBack(_join(self.root.path, dir), reason, files, known))


def _join(folder: bytes, name: bytes) -> bytes:
    return os.path.join(folder, name) if name else folder


def _below(prefix: bytes, dir: bytes) -> bytes:
    return b"/".join(part for part in (prefix, dir) if part)


def _is_within(dir: bytes, ancestor: bytes) -> bool:
    return not ancestor or dir == ancestor or dir.startswith(ancestor.rstrip(b"/") + b"/")

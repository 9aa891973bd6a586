"""The files below a root, folder by folder, without reading any of them.

Order: depth first, names sorted as bytes, a folder's own files before its subfolders; the same tree gives the
same walk. Memory is bounded by one folder's entries plus one number pair for each folder seen.

Links: with `follow_symlinks` a link to a file is a file, a link to a folder is walked. Every real folder is
walked once, recognised by device and inode, so loops end and nothing is listed twice; links come after all
real folders, so that a file keeps its real path when a link to its folder appears. Broken links are passed
over. Sockets, pipes and devices are never listed.

What a walk could not see is never silent: `WalkedDirectory.error` says that its files are not all there,
which must not be mistaken for their deletion.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from cmrcli.corpus.ignore import (
    IGNORE_NAME,
    IgnoreFile,
    Patterns,
    has_hidden_attribute,
    is_hidden_name,
    pattern_path,
    read_ignore_file,
)

# What a link's target says when the link is of no use; any other answer is a fault of the disk or the share.
_LINK_BROKEN = frozenset([errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EACCES])
_name = attrgetter("name")
# Only these systems have flags that hide; elsewhere each file is spared the question.
_FLAGS = hasattr(os.stat_result, "st_file_attributes") or hasattr(os.stat_result, "st_flags")


@dataclass(frozen=True, slots=True)
class WalkRules:
    """What a walk lists.

    Attributes:
        include: gitignore patterns relative to the root; when there are any, only files that match one.
        exclude: gitignore patterns relative to the root; files and folders that match are left out.
        hidden: list hidden and system names too (see ignore.py).
        follow_symlinks: see above; False passes over every link.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    follow_symlinks: bool = True


@dataclass(frozen=True, slots=True)
class WalkedFile:
    """One file. `dir` is relative to the root (b"" for the root itself), parts joined by "/"."""

    dir: bytes
    name: bytes
    size_bytes: int
    mtime_ns: int


@dataclass(slots=True)
class WalkedDirectory:
    """One folder with the files of it that the rules let through, sorted by name.

    `error` is None when all was seen. Otherwise one line on why not: `files` is incomplete (mostly empty),
    and the subfolders may be missing from the walk.
    """

    dir: bytes
    files: list[WalkedFile] = field(default_factory=list)
    error: str | None = None


def walk(root: bytes, rules: WalkRules = WalkRules(), below: bytes = b"") -> Iterator[WalkedDirectory]:
    """Every folder below `root` (absolute) in turn, the root first. Never raises for what the disk holds.

    A root that is a file gives one folder b"" with that file; rules do not apply to what was named itself. A
    root that is missing or cannot be listed gives one folder b"" with an error.

    With `below` only that part of the root is walked, a folder or a file; the rules of the folders above it hold
    all the same, and what they leave out gives nothing.
    """
    path = os.path.join(root, below) if below else root
    try:
        state = os.stat(path)
    except OSError as error:
        yield WalkedDirectory(below, error=_reason(error))
        return
    if stat.S_ISREG(state.st_mode):
        file = WalkedFile(os.path.dirname(below), os.path.basename(path), state.st_size, state.st_mtime_ns)
        if not below or _Walk(root, rules).starts_at(below, is_folder=False):
            yield WalkedDirectory(file.dir, [file])
    elif stat.S_ISDIR(state.st_mode):
        walking = _Walk(root, rules)
        if walking.starts_at(below, is_folder=True):
            yield from walking.folders()
    else:
        yield WalkedDirectory(below, error="neither a folder nor a file")


@dataclass(slots=True)
class _Folder:
    """A folder still to be walked; `ignore` is the `.cmrignore` in force in the folder above it."""

    dir: bytes
    ignore: IgnoreFile | None


class _Walk:
    """The state of one walk: folders to come, links kept for last, folders seen."""

    def __init__(self, root: bytes, rules: WalkRules) -> None:
        self._root = root
        self._hidden = rules.hidden
        self._follow = rules.follow_symlinks
        self._patterns = Patterns(rules.include, rules.exclude)
        self._seen: set[tuple[int, int]] = set()
        self._stack = [_Folder(b"", None)]
        self._links: list[_Folder] = []

    def starts_at(self, below: bytes, is_folder: bool) -> bool:
        """Begins further down, with the `.cmrignore`s above in force; False when they or the rules leave it out.

        One of them that cannot be read counts as leaving it out: see `_listed`.
        """
        ignore: IgnoreFile | None = None
        parts = below.split(b"/") if below else []
        for number, name in enumerate(parts):
            dir = b"/".join(parts[:number])
            try:
                with os.scandir(self._path(dir)) as listing:
                    ignore = self._ignore_file(_Folder(dir, ignore), list(listing))
            except OSError:
                return False
            folder = is_folder or number + 1 < len(parts)
            if self._left_out(pattern_path(dir + b"/" if dir else b""), name, folder, ignore):
                return False
        self._stack = [_Folder(below, ignore)]
        return True

    def folders(self) -> Iterator[WalkedDirectory]:
        while self._stack or self._links:
            if not self._stack:
                self._stack.append(self._links.pop(0))
            folder = self._stack.pop()
            path = self._path(folder.dir)
            try:
                state = os.stat(path)
                if (state.st_dev, state.st_ino) in self._seen:
                    continue
                self._seen.add((state.st_dev, state.st_ino))
                with os.scandir(path) as listing:
                    entries = sorted(listing, key=_name)
            except OSError as error:
                yield WalkedDirectory(folder.dir, error=_reason(error))
                continue
            if folder.dir and not self._hidden and has_hidden_attribute(state):
                continue
            yield self._listed(folder, entries)

    def _listed(self, folder: _Folder, entries: list[os.DirEntry[bytes]]) -> WalkedDirectory:
        """The folder with its files; its subfolders are put on the stack."""
        walked = WalkedDirectory(folder.dir)
        try:
            ignore = self._ignore_file(folder, entries)
        except OSError as error:
            # Without its rules this folder could give away what its owner left out: it is not walked.
            walked.error = f".cmrignore: {_reason(error)}"
            return walked
        if not self._hidden:
            entries = [entry for entry in entries if not is_hidden_name(entry.name)]
        subfolders: list[_Folder] = []
        links: list[_Folder] = []
        files, dir = walked.files, folder.dir
        ruled = ignore is not None or bool(self._patterns)
        prefix = pattern_path(dir + b"/" if dir else b"") if ruled else ""
        for entry in entries:
            linked = False
            try:
                if entry.is_file(follow_symlinks=False):
                    is_folder = False
                elif entry.is_dir(follow_symlinks=False):
                    is_folder = True
                elif not self._follow or not entry.is_symlink():
                    continue
                else:
                    linked = True
                    is_folder = entry.is_dir()
                if ruled and self._left_out(prefix, entry.name, is_folder, ignore):
                    continue
                if is_folder:
                    below = _Folder(dir + b"/" + entry.name if dir else entry.name, ignore)
                    (links if linked else subfolders).append(below)
                    continue
                state = entry.stat(follow_symlinks=linked)
            except OSError as error:
                if error.errno not in (_LINK_BROKEN if linked else (errno.ENOENT,)):
                    walked.error = f"{os.fsdecode(entry.name)}: {_reason(error)}"
                continue
            if (linked and not stat.S_ISREG(state.st_mode)) or (_FLAGS and self._hides(state)):
                continue
            if entry.name != IGNORE_NAME:
                files.append(WalkedFile(dir, entry.name, state.st_size, state.st_mtime_ns))
        self._stack += reversed(subfolders)
        self._links += links
        return walked

    def _ignore_file(self, folder: _Folder, entries: list[os.DirEntry[bytes]]) -> IgnoreFile | None:
        """The `.cmrignore` in force inside the folder. Raises OSError when its own cannot be read."""
        if any(entry.name == IGNORE_NAME and entry.is_file() for entry in entries):
            path = os.path.join(self._path(folder.dir), IGNORE_NAME)
            inside = pattern_path(folder.dir + b"/") if folder.dir else ""
            return read_ignore_file(path, inside, folder.ignore)
        return folder.ignore

    def _left_out(self, prefix: str, name: bytes, is_folder: bool, ignore: IgnoreFile | None) -> bool:
        path = prefix + pattern_path(name) + ("/" if is_folder else "")
        if ignore is not None and ignore.ignores(path):
            return True
        if is_folder:
            return self._patterns.leaves_out_folder(path)
        return self._patterns.leaves_out_file(path)

    def _hides(self, state: os.stat_result) -> bool:
        return not self._hidden and has_hidden_attribute(state)

    def _path(self, dir: bytes) -> bytes:
        return os.path.join(self._root, dir) if dir else self._root


def _reason(error: OSError) -> str:
    """What the system says, without the path (which its caller knows)."""
    return error.strerror or type(error).__name__

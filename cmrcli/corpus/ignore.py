"""Which names a walk leaves out: hidden and system names, `.cmrignore` files, include and exclude patterns.

All patterns are gitignore patterns and see paths relative to the folder they belong to (a `.cmrignore`: the
folder it lies in; include and exclude: the root), with "/" between the parts on every system. As in git, the
last matching line of the deepest `.cmrignore` decides, and nothing below an ignored folder can be taken back
in. Names are matched in NFC, so a pattern typed on one system finds names written on another (macOS: NFD).
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from unicodedata import normalize

IGNORE_NAME = b".cmrignore"
_IGNORE_BYTES = 1 << 20  # of an ignore file that are read; a longer one is no list that a person keeps

# Never documents, and not marked hidden by a leading dot. Lower case: these systems ignore case.
SYSTEM_NAMES = frozenset(
    [
        b"thumbs.db",  # Windows Explorer's previews
        b"ehthumbs.db",
        b"desktop.ini",
        b"$recycle.bin",
        b"system volume information",
        b"@eadir",  # previews on Synology shares
        b"#recycle",
        b"#snapshot",
        b"@recycle",  # QNAP's
        b"@recently-snapshot",
        b"lost+found",
        b"__macosx",  # resource forks out of ZIP archives
    ]
)
_LOCK_PREFIX = b"~$"  # Office's owner file beside an open document


def is_hidden_name(name: bytes) -> bool:
    """True for dot names, the names that systems leave in shares, and Office's lock files."""
    return name.startswith((b".", _LOCK_PREFIX)) or name.lower() in SYSTEM_NAMES


def has_hidden_attribute(state: os.stat_result) -> bool:
    """True for files and folders that Windows or macOS hides by a flag; always False elsewhere."""
    windows = stat.FILE_ATTRIBUTE_HIDDEN | stat.FILE_ATTRIBUTE_SYSTEM
    return bool(getattr(state, "st_file_attributes", 0) & windows or getattr(state, "st_flags", 0) & stat.UF_HIDDEN)


class PatternList:
    """Gitignore patterns in their order, the last that matches decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        """A line that is no pattern (a lone "!") is passed over, as git does."""
        from pathspec import GitIgnoreSpec
        from pathspec.patterns.gitignore import GitIgnorePatternError
        from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

        patterns = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # re's, about odd but sound sets such as "[[]"
            for line in lines:
                with contextlib.suppress(GitIgnorePatternError, re.error):
                    pattern = GitIgnoreSpecPattern(normalize("NFC", line))
                    if pattern.regex is not None and line.count("**") <= _MOST_DOUBLE_STARS:
                        tame = re.compile(_without_backtracking(pattern.regex.pattern))
                        patterns.append(GitIgnoreSpecPattern(tame, pattern.include))
            self._patterns = GitIgnoreSpec(patterns, backend="simple")
            # Nearly all paths match nothing at all, and one expression for all patterns says so at once.
            sources = [_NAMED_GROUP.sub("(?:", p.regex.pattern) for p in patterns if p.regex is not None]
            self._any = re.compile("|".join(f"(?:{source})" for source in sources)) if sources else None

    def verdict(self, path: str) -> bool | None:
        """True: matched; False: matched by a pattern with "!"; None: not mentioned. Folders end in "/"."""
        if self._any is None or self._any.match(path) is None:
            return None
        return self._patterns.check_file(path).include


_NAMED_GROUP = re.compile(r"\(\?P<\w+>")
_STAR = "[^/]*"  # how pathspec writes a single star
_MOST_DOUBLE_STARS = 4  # each can multiply the time for a deep path by its depth


def _without_backtracking(source: str) -> str:
    """The expression with every star but the last of a stretch matched once, at the first place that fits.

    An ignore file is as untrusted as any: `*a*a*a*a*a*b` would take years to fail on a long name. What stands
    between two stars may be taken where it first occurs, as in any glob matcher.
    """
    head, *parts = source.split(_STAR)
    tame = head
    for part in filter(None, parts[:-1]):  # stars side by side are one
        plain = "(" not in re.sub(r"\\.", "", part)
        tame += f"(?>{_STAR}?{part})" if plain else _STAR + part
    return tame + "".join(_STAR + part for part in parts[-1:])


@dataclass(frozen=True)
class Patterns:
    """Include and exclude patterns of one walk: exclude leaves out, include keeps only what it names."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

    @cached_property
    def _including(self) -> PatternList:
        return PatternList(self.include)

    @cached_property
    def _excluding(self) -> PatternList:
        return PatternList(self.exclude)

    def leaves_out_folder(self, path: str) -> bool:
        """For the path of a folder, with its final "/". Include patterns speak of files only."""
        return bool(self.exclude) and bool(self._excluding.verdict(path))

    def leaves_out_file(self, path: str) -> bool:
        if self.exclude and self._excluding.verdict(path):
            return True
        return bool(self.include) and not self._including.verdict(path)


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """One `.cmrignore` in force: its patterns, its folder ("" or ending in "/"), the one further up."""

    folder: str
    patterns: PatternList
    above: IgnoreFile | None

    def ignores(self, path: str) -> bool:
        """For a path below the root, folders with their final "/"."""
        deepest: IgnoreFile | None = self
        while deepest is not None:
            verdict = deepest.patterns.verdict(path[len(deepest.folder) :])
            if verdict is not None:
                return verdict
            deepest = deepest.above
        return False


def read_ignore_file(path: bytes, folder: str, above: IgnoreFile | None) -> IgnoreFile:
    """The `.cmrignore` at `path`, which lies in `folder` below the root. Raises OSError."""
    with open(path, "rb") as file:
        text = file.read(_IGNORE_BYTES).decode("utf-8-sig", "surrogateescape")
    return IgnoreFile(folder, PatternList(text.replace("\r\n", "\n").split("\n")), above)


def pattern_path(path: bytes) -> str:
    """A relative path as patterns see it: NFC; bytes that are not UTF-8 stay distinct as lone surrogates."""
    if path.isascii() and b"\n" not in path:
        return path.decode("ascii")
    # pathspec's "." and "$" would stop at a line break, which is a legal character in a name.
    return normalize("NFC", os.fsdecode(path)).replace("\n", "\N{SYMBOL FOR NEWLINE}")

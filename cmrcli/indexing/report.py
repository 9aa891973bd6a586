"""What a run did: counted as it goes, printed once at the end, kept in the run journal."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cmrcli.errors import CAUSES
from cmrcli.paths import display_path, path_fields

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read; or, with `page`, a page of one that otherwise could."""

    path: bytes
    cause: str
    detail: str
    page: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "error",
            **path_fields("path", self.path),
            "cause": self.cause,
            "message": CAUSES[self.cause],
            "detail": self.detail,
            "page": self.page,
        }


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Deletions that a run refused: `files` of `known` under `path` are gone, for a suspicious `reason`."""

    path: bytes
    reason: str
    files: int
    known: int
    is_root: bool

    @property
    def remedy(self) -> str:
        """What to do next, as a person would type it."""
        check = "check that the share is mounted, or run again with --accept-deletions"
        return f"{check}, or: cmrcli forget {shlex.quote(display_path(self.path))}" if self.is_root else check


@dataclass(slots=True)
class RunReport:
    """Counters of one run of `index`.

    Failures are files that could not be read, page failures pages of files that stand in the index without them.
    Folders that could not be listed either are news or were so in the last run (`known_unlistable`).

    `seen` = unchanged + added + changed + failed + known_failed + unsupported; a file that reappeared elsewhere
    with the same bytes counts as added and in `recognised` (its content was not encoded again). `converted`: vectors
    that the index had were written anew in another form.
    """

    dry_run: bool = False
    seen: int = 0
    unchanged: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    recognised: int = 0
    known_failed: int = 0
    items: int = 0
    fragments: int = 0
    bytes_read: int = 0
    unsupported: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    page_failures: list[Failure] = field(default_factory=list)
    notes: list[tuple[bytes, str]] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    unlistable: list[tuple[bytes, str]] = field(default_factory=list)
    still_unlistable: list[tuple[bytes, str]] = field(default_factory=list)
    known_unlistable: frozenset[str] = frozenset()
    converted: bool = False
    interrupted: bool = False
    elapsed_s: float = 0.0
    index_bytes: int = 0

    @property
    def failed(self) -> int:
        return len(self.failures)

    @property
    def exit_code(self) -> int:
        """4 when deletions were refused, 3 when something new could not be read, else 0."""
        if self.held_back:
            return 4
        return 3 if self.failures or self.page_failures or self.unlistable else 0

    def note_unlistable(self, path: bytes, detail: str) -> None:
        """A folder whose files are not all there to be seen; what is known of it stays. Counted once."""
        known = self.still_unlistable if path_fields("path", path)["path"] in self.known_unlistable else self.unlistable
        if (path, detail) not in known:
            known.append((path, detail))

    def skipped(self) -> dict[str, int]:
        """Files left out in this run, by cause."""
        return dict(Counter(failure.cause for failure in self.failures))

    def to_json(self) -> dict[str, Any]:
        """The documented summary; the last line of `--format jsonl`."""
        return {
            "schema": SCHEMA,
            "type": "summary",
            "dry_run": self.dry_run,
            "files": {
                "seen": self.seen,
                "unchanged": self.unchanged,
                "added": self.added,
                "changed": self.changed,
                "removed": self.removed,
                "recognised": self.recognised,
                "failed": self.failed,
                "known_failed": self.known_failed,
            },
            "pages_failed": len(self.page_failures),
            "items": self.items,
            "fragments": self.fragments,
            "skipped": self.skipped(),
            "unsupported": dict(sorted(self.unsupported.items())),
            "refused_deletions": [
                {**path_fields("path", h.path), "reason": h.reason, "files": h.files, "known": h.known}
                for h in self.held_back
            ],
            "unlistable": [
                {**path_fields("path", path), "detail": detail}
                for path, detail in (*self.unlistable, *self.still_unlistable)
            ],
            "notes": len(self.notes),
            "converted": self.converted,
            "bytes_read": self.bytes_read,
            "index_bytes": self.index_bytes,
            "elapsed_s": round(self.elapsed_s, 3),
            "interrupted": self.interrupted,
            "exit_code": self.exit_code,
        }


def extension_of(name: bytes) -> str:
    """Lower-case extension without the dot, "" when there is none."""
    return os.fsdecode(os.path.splitext(name)[1][1:]).lower()

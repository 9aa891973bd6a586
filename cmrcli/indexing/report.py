"""What a run did: counted as it goes, printed once at the end, kept in the run journal."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cmrcli.errors import CAUSES, display_path

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """A file (or some pages of it) that could not be read. `known` when an earlier run said so already."""

    path: bytes
    cause: str
    detail: str
    known: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "error",
            "path": display_path(self.path),
            "cause": self.cause,
            "message": CAUSES[self.cause],
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Deletions that a run refused: `files` of `known` under `path` are gone, for a suspicious `reason`."""

    path: bytes
    reason: str
    files: int
    known: int


@dataclass(slots=True)
class RunReport:
    """Counters of one run of `index`.

    `seen` = unchanged + added + changed + failed + known_failed + unsupported; a file that reappeared elsewhere
    with the same bytes counts as added and in `recognised` (its content was not encoded again).
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
    notes: list[tuple[bytes, str]] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    unlistable: list[tuple[bytes, str]] = field(default_factory=list)
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
        return 3 if self.failures or self.unlistable else 0

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
            "items": self.items,
            "fragments": self.fragments,
            "skipped": self.skipped(),
            "unsupported": dict(sorted(self.unsupported.items())),
            "refused_deletions": [
                {"path": display_path(h.path), "reason": h.reason, "files": h.files, "known": h.known}
                for h in self.held_back
            ],
            "unlistable": [{"path": display_path(path), "detail": detail} for path, detail in self.unlistable],
            "notes": len(self.notes),
            "bytes_read": self.bytes_read,
            "index_bytes": self.index_bytes,
            "elapsed_s": round(self.elapsed_s, 3),
            "interrupted": self.interrupted,
            "exit_code": self.exit_code,
        }


def extension_of(name: bytes) -> str:
    """Lower-case extension without the dot, "" when there is none."""
    return os.fsdecode(os.path.splitext(name)[1][1:]).lower()

"""Which of the files that a walk did not meet leave the index, and which deletions are held back.

What a `.cmrignore` leaves out leaves the index; what only this run's options leave out stays as it is. What is not
there any more leaves too, unless it looks like a share that is not mounted: then nothing is deleted and the run says
so. Files that only moved are no loss: their content has a new name by then.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cmrcli.corpus.ignore import is_hidden_name
from cmrcli.indexing.changes import Scan, join
from cmrcli.indexing.report import HeldBack

if TYPE_CHECKING:
    from cmrcli.store import FileState

SUSPICIOUS_SHARE = 0.5  # of a root's files: more than this gone at once looks like a share that is not mounted
SUSPICIOUS_FILES = 20  # fewer than this are always taken at their word
EMPTY_MOUNT_FILES = 10  # a folder that still exists, is empty now and had this many looks like a mount point


def deletions(scan: Scan, accept: bool) -> list[int]:
    """Ids of the files to take out of the index after a complete walk; what is held back goes into the report.

    Args:
        accept: the user said that deletions are meant, however many.
    """
    if not scan.complete:
        return []
    left_out: list[int] = []
    lost: list[FileState] = []
    for state in scan.unmet():
        if not os.path.lexists(scan.path_of(state)):
            lost.append(state)
        elif not _only_this_run_left_out(scan, state):
            left_out.append(state.id)
    if not accept:
        lost = _without_empty_mount_points(scan, lost)
        lost = [] if _looks_unmounted(scan, lost) else lost
    return left_out + [state.id for state in lost]


def _only_this_run_left_out(scan: Scan, state: FileState) -> bool:
    if scan.rules.include or scan.rules.exclude:
        return True
    return not scan.rules.hidden and any(is_hidden_name(part) for part in (*state.dir.split(b"/"), state.name) if part)


def _without_empty_mount_points(scan: Scan, lost: Sequence[FileState]) -> list[FileState]:
    """The lost files less those below a folder that is still there, is empty now and had many."""
    by_mount: dict[bytes, list[FileState]] = {}
    for state in lost:
        mount = next((dir for dir in _upwards(state.dir) if dir in scan.empty_folders and dir), None)
        if mount is not None:
            by_mount.setdefault(mount, []).append(state)
    held: set[int] = set()
    for mount, states in by_mount.items():
        files = _losses(scan, states) if len(states) >= EMPTY_MOUNT_FILES else 0
        if files >= EMPTY_MOUNT_FILES:
            held |= {state.id for state in states}
            path = join(scan.root.path, mount)
            scan.report.held_back.append(HeldBack(path, "the folder is suddenly empty", files, len(states), False))
    return [state for state in lost if state.id not in held]


def _looks_unmounted(scan: Scan, lost: Sequence[FileState]) -> bool:
    """Whether what is lost is so much of the root that all of it is held back."""
    known = scan.writer.file_count(scan.root.id)
    gone = not os.path.lexists(scan.start)
    empty = gone or _is_empty(scan.start)
    suspicious = len(lost) >= SUSPICIOUS_FILES and len(lost) > SUSPICIOUS_SHARE * known
    if not lost or not (empty or suspicious):
        return False
    files = _losses(scan, lost)
    if gone:
        reason = "it is missing"
    elif empty and files:
        reason = "the folder is suddenly empty"
    elif files >= SUSPICIOUS_FILES and files > SUSPICIOUS_SHARE * known:
        reason = f"more than {SUSPICIOUS_SHARE:.0%} of its files are gone"
    else:
        return False
    scan.report.held_back.append(HeldBack(scan.start, reason, files or len(lost), known, not scan.below))
    return True


def _losses(scan: Scan, states: Sequence[FileState]) -> int:
    """How many contents would be lost. A dry run has read nothing: there, new files of equal size count as moved."""
    if not scan.report.dry_run:
        return scan.writer.last_holders([state.id for state in states])
    sizes = Counter(state.size_bytes for state in states)
    return sum((sizes - scan.new_sizes).values())


def _is_empty(folder: bytes) -> bool:
    """Whether nothing that a walk would list lies in the folder; False when that cannot be told."""
    try:
        with os.scandir(folder) as entries:
            return not any(not is_hidden_name(entry.name) for entry in entries)
    except OSError:
        return False


def _upwards(dir: bytes) -> list[bytes]:
    """The folder, the one above it, ... up to but without the root."""
    parts = dir.split(b"/") if dir else []
    return [b"/".join(parts[:end]) for end in range(len(parts), 0, -1)]

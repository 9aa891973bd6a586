"""One writer at a time: an advisory lock on a file that also says who holds it.

The system drops the lock when the process ends, however it ends: a killed run leaves nothing to clean up.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from cmrcli.errors import IndexLocked, display_path
from cmrcli.store.layout import FILE_MODE, LOCK

POLL_S = 0.05


class WriterLock:
    """The right to write to one index, held from construction to release().

    Raises:
        IndexLocked: another process (or another writer in this one) kept the lock for the whole wait.
    """

    def __init__(self, index: Path, wait_s: float) -> None:
        self._descriptor = os.open(index / LOCK, os.O_RDWR | os.O_CREAT, FILE_MODE)
        deadline = time.monotonic() + wait_s
        try:
            while not _try_lock(self._descriptor):
                if time.monotonic() >= deadline:
                    raise IndexLocked(
                        f"the index {display_path(index)} is being written to by {self._holder()}",
                        "wait until that run has finished, or end it; what it has committed stands",
                    )
                time.sleep(POLL_S)
            started = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, f"process {os.getpid()} since {started}\n".encode())
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let the next writer in. Safe to call twice."""
        if self._descriptor >= 0:
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _holder(self) -> str:
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            text = os.read(self._descriptor, 200).decode("ascii", "replace").strip()
        except OSError:  # Windows refuses to read a locked range
            text = ""
        return display_path(text) or "another process"


if sys.platform == "win32":
    import msvcrt

    _LOCKED_AT = 1 << 20  # far behind the text, so that a waiting process can still read it

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_AT, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_AT, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

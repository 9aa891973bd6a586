"""A limit on CPU time for a stretch of pure Python inside a reader, so that a slow page does not cost the file."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# CPU time after which it is raised again: raised in a finaliser or in a callback of the garbage collector, it is lost.
AGAIN_S = 0.05


class TooSlow(BaseException):
    """The stretch used up its time. No Exception: libraries swallow those."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raises TooSlow inside the block after so much CPU time of this process.

    Without effect where signals cannot be used (Windows, any thread but the main one): there the worker's own
    limit counts.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    try:
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN_S)
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    finally:  # also when the timer struck once more just above
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)

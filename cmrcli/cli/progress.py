"""The progress line of `cmrcli index`, on a terminal only: files, rate, remaining time."""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cmrcli.cli.options import human_seconds

if TYPE_CHECKING:
    from cmrcli.indexing.report import RunReport

REFRESH_S = 0.2


class Progress:
    """Use as a context manager; `update` is cheap enough to be called after every file.

    The total is counted by a walk of its own beside the run; until it is there, no remaining time is shown.
    """

    def __init__(self, paths: list[bytes]) -> None:
        self._live = Live(Text("looking ..."), console=Console(stderr=True), transient=True, auto_refresh=False)
        self._paths = paths
        self._total: int | None = None
        self._stop = threading.Event()
        self._started = self._shown = time.monotonic()

    def __enter__(self) -> Progress:
        self._live.start()
        if self._paths:
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._live.stop()

    def stage(self, name: str) -> None:
        """Names a step that has no files to count."""
        self._live.update(Text({"maintain": "putting the index in order ..."}.get(name, name)), refresh=True)

    def update(self, report: RunReport) -> None:
        now = time.monotonic()
        if now - self._shown < REFRESH_S:
            return
        self._shown = now
        elapsed = now - self._started
        done = report.seen
        new = report.added + report.changed
        parts = [f"{done} files" if self._total is None else f"{done} of {self._total} files"]
        parts.append(f"{new} read ({new / elapsed:.1f}/s)")
        parts.append(f"{report.items} items")
        if report.failed:
            parts.append(f"{report.failed} unreadable")
        if self._total is not None and done and self._total > done:
            parts.append(f"about {human_seconds(elapsed / done * (self._total - done))} left")
        self._live.update(Text(", ".join(parts)), refresh=True)

    def _count(self) -> None:
        total = 0
        for path in self._paths:
            for _, _, files in os.walk(path):
                total += len(files)
                if self._stop.is_set():
                    return
        self._total = total

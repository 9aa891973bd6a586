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

    The total is counted by a walk of its own beside the run; until it is there, no remaining time is shown. The line
    is drawn anew by a thread, so that it moves while the run walks through folders in which nothing changed.
    """

    def __init__(self, paths: list[bytes]) -> None:
        self._live = Live(Text("looking ..."), console=Console(stderr=True), transient=True, auto_refresh=False)
        self._paths = paths
        self._counted = 0
        self._total: int | None = None
        self._report: RunReport | None = None
        self._stage = ""
        self._stop = threading.Event()
        self._counter = threading.Thread(target=self._count, daemon=True)
        self._drawer = threading.Thread(target=self._draw, daemon=True)
        self._started = time.monotonic()

    def __enter__(self) -> Progress:
        self._live.start(refresh=True)
        self._counter.start()
        self._drawer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._drawer.join()  # but not the counter: a share that hangs would hold it
        self._live.stop()

    def stage(self, name: str) -> None:
        """Names a step that has no files to count."""
        self._stage = {"convert": "writing the vectors anew ...", "maintain": "putting the index in order ..."}.get(
            name, name
        )

    def update(self, report: RunReport) -> None:
        """Takes the report to show; it may go on changing."""
        self._report = report

    def line(self, elapsed_s: float) -> str:
        """What is known after so many seconds."""
        report = self._report
        if self._stage:
            return self._stage
        if report is None or not report.seen:
            return f"looking ... {self._counted} files" if self._counted else "looking ..."
        done, total = report.seen, self._total
        new = report.added + report.changed
        parts = [f"{done} files" if total is None or total < done else f"{done} of {total} files"]
        parts.append(f"{new} read ({new / elapsed_s:.1f}/s)")
        if report.failed:
            parts.append(f"{report.failed} unreadable")
        if total is not None and total > done:
            parts.append(f"about {human_seconds(elapsed_s / done * (total - done))} left")
        return ", ".join(parts)

    def _draw(self) -> None:
        while not self._stop.wait(REFRESH_S):
            self._live.update(Text(self.line(time.monotonic() - self._started)), refresh=True)

    def _count(self) -> None:
        for path in self._paths:
            if os.path.isfile(path):
                self._counted += 1
            for _, _, files in os.walk(path):
                self._counted += len(files)
                if self._stop.is_set():
                    return
        self._total = self._counted if self._paths else None

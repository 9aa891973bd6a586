"""Regions of files as pictures: the way from a result back to what a person can look at."""

from __future__ import annotations

import os
from types import TracebackType

from cmrcli.corpus.items import Box
from cmrcli.errors import UnreadableFile, UsageError, display_path


class RegionReader:
    """Reads regions in one worker process, under limits: the files are as untrusted as when they were indexed.

    Use as a context manager.
    """

    def __init__(self) -> None:
        from cmrcli.corpus.regions import REGION_LIMITS, read_region
        from cmrcli.corpus.workers import WorkerPool

        self._pool = WorkerPool(read_region, workers=1, limits=REGION_LIMITS)

    def __enter__(self) -> RegionReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, error, trace)

    def png(self, path: str, page: int | None, box: Box | None) -> bytes:
        """The region as a PNG.

        Raises:
            UsageError: the file cannot be read, has no such page, or no picture there.
        """
        from cmrcli.corpus.regions import RegionTask

        shown = display_path(path)
        self._pool.submit(RegionTask(os.fsencode(os.path.abspath(path)), page, box))
        _, answer = self._pool.next_done()
        if isinstance(answer, UnreadableFile):
            raise UsageError(f"cannot show {shown}: {answer}", "give a file that can be read")
        if not answer.found:
            raise UsageError(f"{shown} has no page {page}", "count pages from 1")
        if not answer.png:
            raise UsageError(f"{shown} is text: there is no picture to show", "open it, or read the result's passage")
        return answer.png

"""`cmrcli search --save-crops DIR`: what matched in each result, as pictures in a folder of their own."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType

from cmrcli.cli.guard import say
from cmrcli.errors import OutputLost, UsageError, display_path
from cmrcli.searching.region import RegionReader
from cmrcli.searching.results import Result


class Crops:
    """Writes RANK.png for each result, of the part that matched, and RANK-N.png for its N-th phrase.

    In a batch the number of the query comes first: QUERY-RANK.png. Numbers have three digits or more.
    """

    def __init__(self, folder: str, batch: bool) -> None:
        """Makes the folder.

        Raises:
            UsageError: it holds something already, or cannot be made.
        """
        self._folder, self._batch = Path(folder).expanduser(), batch
        self._queries = 0
        shown = display_path(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if any(self._folder.iterdir()):
                raise UsageError(f"{shown} is not empty", "name a new folder: --save-crops overwrites nothing")
        except OSError as error:
            raise UsageError(f"cannot write to {shown}: {error.strerror}", "name another folder") from None
        self._reader: RegionReader | None = None

    def __enter__(self) -> Crops:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:  # the process that reads the files
            self._reader.__exit__(kind, error, trace)

    def save(self, results: list[Result]) -> None:
        """Writes the pictures of one query. A result that has none, or whose file cannot be read now, is said."""
        self._queries += 1
        for result in results:
            name = f"{self._queries:03d}-{result.rank:03d}" if self._batch else f"{result.rank:03d}"
            wanted = {name: result.box} if not result.passage else {}
            for number, match in enumerate(result.matches, 1):
                if not match.passage:
                    wanted[f"{name}-{number}"] = match.box
            for stem, box in wanted.items():
                try:
                    png = self._read().png(result.path, result.page, box)
                except UsageError as error:
                    say(f"no picture of result {result.rank}: {error}")
                    break
                write_new(self._folder / f"{stem}.png", png)

    def _read(self) -> RegionReader:
        if self._reader is None:
            self._reader = RegionReader()
        return self._reader


def write_new(path: Path, data: bytes) -> None:
    """Writes a file that was not there.

    Raises:
        UsageError: it is there, or its folder is not.
        OutputLost: the disk is full; nothing is left of it.
    """
    shown = display_path(str(path))
    try:
        with open(path, "xb") as file:
            try:
                file.write(data)
                file.flush()
            except OSError as error:
                with contextlib.suppress(OSError):
                    path.unlink()
                raise OutputLost(f"cannot write {shown}: {error.strerror}", "make room, and run it again") from None
    except FileExistsError:
        raise UsageError(f"{shown} is there already", "name a new file: nothing is overwritten") from None
    except OSError as error:
        raise UsageError(f"cannot write {shown}: {error.strerror}", "name another place") from None

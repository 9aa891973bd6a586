"""Options that several commands share, worded once; and how their values are read."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Optional

import typer

from cmrcli.errors import UsageError, display_path

# A plain string: what is wrong with the folder is ours to say, with the exit code for it.
IndexOption = Annotated[
    Optional[str],  # noqa: UP045  (Typer reads the annotation at run time)
    typer.Option(
        "--index",
        metavar="DIR",
        help="Folder of the index.",
        envvar="CMRCLI_INDEX",
        show_default="the user's data folder",
    ),
]
EncoderOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--encoder", help="Folder (with a model.toml) or name of the encoder.", show_default="the bundled one"
    ),
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, help="Threads of the encoder; 0: all processors.")]
LockWaitOption = Annotated[
    float, typer.Option("--lock-wait", min=0, help="Seconds to wait for another run that writes to the index.")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show a traceback when something unexpected happens.")]


def index_folder(option: str | None) -> Path:
    """The index a command works on.

    Raises:
        UsageError: the option is there and empty, as an unset variable of a script makes it.
    """
    from cmrcli.places import default_index

    if option is None:
        return default_index()
    if not option:
        raise UsageError("--index is empty", "name the folder of the index, or leave --index out")
    return Path(option).expanduser()


def absolute(path: str) -> bytes:
    """A path as the catalog keeps it: absolute, links not resolved, bytes of the file system.

    Raises:
        UsageError: it is empty. The current folder has a name of its own, and nobody means it by accident.
    """
    if not path:
        raise UsageError("a path is empty", "name a folder or file; the current folder is .")
    try:
        whole = os.path.abspath(os.path.expanduser(path))
    except FileNotFoundError:  # os.getcwd: the folder was deleted, or its share is gone
        raise UsageError("the current folder is gone", "cd somewhere that exists, or give absolute paths") from None
    # POSIX keeps two leading slashes apart from one; no system that cmrcli runs on means anything by them.
    return os.fsencode(re.sub("^//+", "/", whole))


_UNITS_S = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
_FIRST_NS, _LAST_NS = -(2**63), 2**63 - 1  # what the catalog's integers hold: the years 1677 to 2262


def moment_ns(text: str, option: str) -> int:
    """A date, a date with time, or an age (36h, 7d, 4w) as nanoseconds since the epoch, local time.

    Dates that the catalog cannot hold become the first or the last one that it can.

    Raises:
        UsageError: it is none of these.
    """
    age = re.fullmatch(r"(\d{1,6})([hdw])", text)
    if age:
        return max(_FIRST_NS, time.time_ns() - int(age[1]) * _UNITS_S[age[2]] * 10**9)
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {display_path(text)} is no date", f"write it as {option} 2026-01-31, or as an age like 7d"
        ) from None
    try:
        return min(_LAST_NS, max(_FIRST_NS, int(date.timestamp()) * 10**9))
    except (ValueError, OverflowError, OSError):  # the first and the last year, moved over the edge by the time zone
        return _FIRST_NS if date.year < 1970 else _LAST_NS


def human_bytes(count: float) -> str:
    """1536 -> "1.5 KiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


def human_seconds(seconds: float) -> str:
    """95 -> "1 min 35 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

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

IndexOption = Annotated[
    Optional[Path],  # noqa: UP045  (Typer reads the annotation at run time)
    typer.Option("--index", help="Folder of the index.", envvar="CMRCLI_INDEX", show_default="the user's data folder"),
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


def index_folder(option: Path | None) -> Path:
    """The index a command works on."""
    from cmrcli.places import default_index

    return option.expanduser() if option is not None else default_index()


def absolute(path: str) -> bytes:
    """A path as the catalog keeps it: absolute, links not resolved, bytes of the file system."""
    return os.fsencode(os.path.abspath(os.path.expanduser(path)))


_UNITS_S = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}


def moment_ns(text: str, option: str) -> int:
    """A date, a date with time, or an age (36h, 7d, 4w) as nanoseconds since the epoch, local time.

    Raises:
        UsageError: it is none of these.
    """
    age = re.fullmatch(r"(\d{1,6})([hdw])", text)
    if age:
        return time.time_ns() - int(age[1]) * _UNITS_S[age[2]] * 10**9
    try:
        return int(datetime.fromisoformat(text).timestamp()) * 10**9
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{option} {display_path(text)} is no date", f"write it as {option} 2026-01-31, or as an age like 7d"
        ) from None


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

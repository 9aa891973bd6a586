"""Where figures were made: processor, cores, versions."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from importlib import metadata

import cmrcli
from cmrcli.machine import cores as cores
from cmrcli.machine import cpu_name as cpu_name

LIBRARIES = ("numpy", "onnxruntime", "tokenizers", "hnswlib", "pillow", "pypdfium2")


def started_utc() -> str:
    """Now, as `2025-01-31T12:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def threads(asked: int) -> int:
    """Threads that an encoder opened with `asked` uses: 0 means one a core."""
    return asked or cores()


def versions() -> dict[str, str]:
    """Of cmrcli, SQLite and the libraries that decide speed and results, as far as they are installed."""
    found = {"cmrcli": cmrcli.__version__, "sqlite": sqlite3.sqlite_version}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found

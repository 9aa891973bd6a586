"""Where figures were made: processor, cores, versions."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib import metadata

import cmrcli

LIBRARIES = ("numpy", "onnxruntime", "tokenizers", "hnswlib", "pillow", "pypdfium2")


def started_utc() -> str:
    """Now, as `2025-01-31T12:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cpu_name() -> str:
    """The processor's own name where the system tells it, else its architecture."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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

"""Memory of a process and everything below it, sampled while it runs."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from tests.bench.measure import REPOSITORY, environment

EVERY_S = 0.02
LOOK_FOR_CHILDREN_S = 0.1


@dataclass(slots=True)
class Watched:
    """Peaks of the sums over all processes at one moment.

    Attributes:
        pss_bytes: proportional set size: a page that n processes share counts 1/n for each.
        rss_bytes: resident set size: shared pages count in every process, so this is too high.
    """

    pss_bytes: int = 0
    rss_bytes: int = 0
    processes: int = 0
    samples: int = 0
    wall_s: float = 0.0
    exit_code: int = 0
    stdout: bytes = b""


def watch(command: Sequence[str]) -> Watched:
    """Runs the command and samples its tree every EVERY_S; its children are looked up every LOOK_FOR_CHILDREN_S."""
    seen = Watched()
    with tempfile.TemporaryFile() as stdout:
        started = time.perf_counter()
        process = psutil.Popen(command, cwd=REPOSITORY, env=environment(), stdout=stdout, stderr=subprocess.DEVNULL)
        family: list[psutil.Process] = [process]
        looked = 0.0
        while process.poll() is None:
            now = time.perf_counter()
            if now - looked >= LOOK_FOR_CHILDREN_S:
                family, looked = _family(process), now
            _sample(family, seen)
            time.sleep(max(0.0, EVERY_S - (time.perf_counter() - now)))
        seen.wall_s = time.perf_counter() - started
        seen.exit_code = process.returncode
        stdout.seek(0)
        seen.stdout = stdout.read()
    return seen


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _sample(family: Sequence[psutil.Process], seen: Watched) -> None:
    pss_bytes = rss_bytes = processes = 0
    for member in family:
        try:
            memory = member.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        pss_bytes += getattr(memory, "pss", memory.uss)
        rss_bytes += memory.rss
        processes += 1
    seen.pss_bytes = max(seen.pss_bytes, pss_bytes)
    seen.rss_bytes = max(seen.rss_bytes, rss_bytes)
    seen.processes = max(seen.processes, processes)
    seen.samples += 1

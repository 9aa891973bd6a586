"""Fresh processes with a clock: one command, or several that take turns so that all meet the same noise."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SHARED = REPOSITORY.parent / "shared"  # corpora that the project does not carry; benchmarks do without
CACHE = REPOSITORY / ".bench"


@dataclass(frozen=True, slots=True)
class Timing:
    """One run of a command. `cpu_s` counts the children it waited for too; `peak_bytes` is the largest process's."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    exit_code: int
    stdout: bytes


def cmrcli(*arguments: str | os.PathLike[str]) -> list[str]:
    """The command line that a user would type."""
    script = Path(sys.executable).with_name("cmrcli")
    start = [str(script)] if script.is_file() else [sys.executable, "-m", "cmrcli"]
    return start + [os.fspath(argument) for argument in arguments]


def python(*arguments: str | os.PathLike[str]) -> list[str]:
    """This interpreter with arguments, for the floors that a command is compared with."""
    return [sys.executable, *(os.fspath(argument) for argument in arguments)]


def run(command: Sequence[str], expected: Sequence[int] = (0,)) -> Timing:
    """Runs the command in the repository root, its output into files.

    Raises:
        RuntimeError: another exit code than expected, with what the command said.
    """
    with tempfile.TemporaryDirectory(prefix="cmrcli-bench-") as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        launcher = [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(stdout), str(stderr), *command]
        done = subprocess.run(launcher, cwd=REPOSITORY, env=environment(), capture_output=True, check=True)
        timing = Timing(**json.loads(done.stdout), stdout=stdout.read_bytes())
        if timing.exit_code not in expected:
            said = stderr.read_text("utf-8", "replace").strip()[-2000:]
            raise RuntimeError(f"exit code {timing.exit_code} of {' '.join(command)}\n{said}")
    return timing


def take_turns(
    commands: Mapping[str, Sequence[str]], rounds: int, warm_up: int = 1, expected: Sequence[int] = (0,)
) -> dict[str, list[Timing]]:
    """Runs every command once a round: A B C A B C ... after rounds that do not count."""
    timings: dict[str, list[Timing]] = {name: [] for name in commands}
    for number in range(warm_up + rounds):
        for name, command in commands.items():
            timing = run(command, expected)
            if number >= warm_up:
                timings[name].append(timing)
    return timings


def environment() -> dict[str, str]:
    """The caller's environment without what would change the command: its own settings, thread limits, Python's.

    PYTHONDONTWRITEBYTECODE above all: with it every run would compile cmrcli from source, which no installed one does.
    """
    left_out = ("CMRCLI_", "PYTHON", "OMP_", "OPENBLAS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def walls(timings: Sequence[Timing]) -> list[float]:
    """Wall times in seconds."""
    return [timing.wall_s for timing in timings]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p0, p50, p95 and the number of values; p95 is the nearest rank."""
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"n": len(ordered), "min": ordered[0], "p50": statistics.median(ordered), "p95": p95}

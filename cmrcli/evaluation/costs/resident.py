"""Memory of one mode, measured in a process of its own: `python -m cmrcli.evaluation.costs.resident`.

The process reads one JSON object from stdin, opens the index, answers the queries, and prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cmrcli.errors import CmrcliError
from cmrcli.evaluation.costs.processes import run_module
from cmrcli.evaluation.report import Resident

MAX_QUERIES = 200  # enough for every page that matters to be touched, and for "auto" to settle
TIMEOUT_S = 600.0


def measure(
    folder: Path, encoder: str | Path | None, threads: int, mode: str, k: int, lines: Sequence[str]
) -> Resident:
    """What a fresh process takes to answer up to MAX_QUERIES of the lines, evenly chosen.

    Raises:
        ValueError: no line.
        CmrcliError: the process failed or took longer than TIMEOUT_S.
    """
    if not lines:
        raise ValueError("no query to answer")
    step = -(-len(lines) // MAX_QUERIES)
    job = {
        "folder": os.fspath(folder),
        "encoder": None if encoder is None else os.fspath(encoder),
        "threads": threads,
        "mode": mode,
        "k": k,
        "lines": list(lines[::step]),
    }
    try:
        done = run_module("cmrcli.evaluation.costs.resident", (), json.dumps(job).encode("ascii"), TIMEOUT_S)
    except CmrcliError as error:
        raise CmrcliError(f"measuring the memory of mode {mode}: {error}") from None
    if done.code != 0:
        raise CmrcliError(f"measuring the memory of mode {mode} failed: {done.said}")
    answer = json.loads(done.out.splitlines()[-1])
    return Resident(answer["peak_bytes"], answer["private_bytes"], answer["first_query_ms"], answer["queries"])


def peak_resident_bytes() -> int:
    """Most memory this process ever had resident.

    On Linux from VmHWM: getrusage would count the parent too, whose peak a new process inherits until it execs.
    """
    status = _status_bytes("VmHWM")
    if status is not None:
        return status
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def private_resident_bytes() -> int | None:
    """Resident memory that belongs to no file; None where the system does not say."""
    return _status_bytes("RssAnon")


def _status_bytes(field: str) -> int | None:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def _answer(job: dict[str, object]) -> dict[str, object]:
    from cmrcli.errors import UsageError
    from cmrcli.searching import open_index, parse_line

    lines, mode, k, threads = job["lines"], job["mode"], job["k"], job["threads"]
    assert isinstance(lines, list) and isinstance(mode, str)
    assert isinstance(k, int) and isinstance(threads, int)
    encoder = None if job["encoder"] is None else str(job["encoder"])
    began, first_query_ms = time.perf_counter(), 0.0
    with open_index(str(job["folder"]), encoder, threads) as index:
        for number, line in enumerate(lines):
            try:
                index.search(parse_line(line), k=k, mode=mode)
            except UsageError:
                continue  # counted by the evaluation itself
            finally:
                if number == 0:
                    first_query_ms = (time.perf_counter() - began) * 1e3
    return {
        "peak_bytes": peak_resident_bytes(),
        "private_bytes": private_resident_bytes(),
        "first_query_ms": first_query_ms,
        "queries": len(lines),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_answer(json.load(sys.stdin))) + "\n")

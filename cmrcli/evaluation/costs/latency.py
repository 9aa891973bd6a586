"""How long single queries take: warm, in an index that is open, and cold, in a fresh process for each.

All times are wall times of this machine as it is, with whatever else it does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cmrcli.errors import CmrcliError, EmbeddingError, UsageError
from cmrcli.evaluation.costs.processes import run_module
from cmrcli.evaluation.report import Latency
from cmrcli.searching.query import IMAGE_PREFIX, parse_line

if TYPE_CHECKING:
    from pathlib import Path

    from cmrcli.searching import Index
    from cmrcli.store import Filter

MAX_QUERIES = 500  # timed warm; more say nothing new about a percentile
ENOUGH_QUERIES = 30  # timed warm however long it takes; ...
ENOUGH_S = 10.0  # ... after so many seconds no more than these
COLD_PROCESSES = 5
COLD_TIMEOUT_S = 120.0
FOUND, NOTHING_FOUND = 0, 1  # exit codes of a search that went well

Progress = Callable[[int, int], None]


def warm(
    index: Index,
    mode: str,
    k: int,
    lines: Sequence[str],
    repeats: int = 3,
    filter: Filter | None = None,
    progress: Progress | None = None,
) -> Latency | None:
    """Latency of `search` in an open index, results with their paths included.

    Each query is asked once uncounted, then `repeats` times; its time is the median of these. Where ENOUGH_S is over
    before all are timed, the rest is left out (the first ones are spread over all); `Latency.queries` tells how many
    were timed.

    Args:
        lines: queries as a batch takes them; of more than MAX_QUERIES so many are taken, evenly.
        filter: as the evaluated searches have it.
        progress: called with queries done and queries in all.

    Returns:
        None when the mode can take none of the queries.

    Raises:
        UsageError: repeats below 1.
        CmrcliError: whatever a search raises, but for a query that cannot be asked in this mode.
    """
    if repeats < 1:
        raise UsageError(f"{repeats} repeats measure nothing", "ask for at least one")
    chosen = _spread(evenly(lines, MAX_QUERIES))
    seconds: list[float] = []
    started = time.perf_counter()
    for number, line in enumerate(chosen, 1):
        if len(seconds) >= ENOUGH_QUERIES and time.perf_counter() - started > ENOUGH_S:
            break
        seconds += _median_of(index, mode, k, line, repeats, filter)
        if progress is not None:
            progress(number, len(chosen))
    return latency_of(seconds)


def cold(
    folder: str | Path,
    mode: str,
    k: int,
    lines: Sequence[str],
    encoder: str | Path | None = None,
    threads: int = 0,
    processes: int = COLD_PROCESSES,
) -> tuple[Latency | None, tuple[str, ...]]:
    """Latency of `cmrcli search` from the start of its process to its end, with a warm page cache, and notes.

    One process that does not count comes first: then the index, the encoder and Python lie in the page cache. Whatever
    fails is a note, and ends nothing.

    Args:
        lines: queries as a batch takes them; `processes` of those that the mode can take are chosen evenly.
    """
    askable = [line for line in lines if _askable(line, mode)]
    chosen = evenly(askable, processes)
    if not chosen:
        return None, ()
    seconds: list[float] = []
    failed: list[str] = []
    for number, line in enumerate([chosen[0], *chosen]):
        arguments = _arguments(folder, mode, k, line, encoder, threads)
        began = time.perf_counter()
        try:
            done = run_module("cmrcli", arguments, b"", COLD_TIMEOUT_S)
        except CmrcliError as error:
            failed.append(str(error))
            break  # the next would take as long
        took = time.perf_counter() - began
        if done.code not in (FOUND, NOTHING_FOUND):
            failed.append(done.said)
        elif number > 0:
            seconds.append(took)
    notes = tuple(f"measuring cold latency of mode {mode}: {said}" for said in dict.fromkeys(failed))
    return latency_of(seconds), notes


def latency_of(seconds: Sequence[float]) -> Latency | None:
    """Percentiles and throughput of the times of single queries; None without any."""
    if not seconds:
        return None
    p50, p95, p99 = (float(value) * 1e3 for value in np.percentile(seconds, (50, 95, 99)))
    return Latency(p50, p95, p99, len(seconds), len(seconds) / max(sum(seconds), 1e-9))


def evenly(lines: Sequence[str], most: int) -> list[str]:
    """At most `most` of the lines, at even distances."""
    if len(lines) <= most:
        return list(lines)
    return [lines[place] for place in np.linspace(0, len(lines) - 1, most).round().astype(int).tolist()]


def _median_of(index: Index, mode: str, k: int, line: str, repeats: int, filter: Filter | None) -> list[float]:
    """The median seconds of one query's repeats; [] when it cannot be asked, which the evaluation itself tells."""
    try:
        query = parse_line(line)
        index.search(query, k, mode, filter)
    except (UsageError, EmbeddingError):
        return []
    timed = []
    for _ in range(repeats):
        began = time.perf_counter()
        index.search(query, k, mode, filter)
        timed.append(time.perf_counter() - began)
    return [float(np.median(timed))]


def _spread(lines: Sequence[str]) -> list[str]:
    """The lines in an order of which every beginning is spread over all of them: multiples of the golden ratio."""
    places = np.arange(len(lines)) * ((5**0.5 - 1) / 2) % 1.0
    return [lines[rank] for rank in np.argsort(np.argsort(places, kind="stable"), kind="stable").tolist()]


def _askable(line: str, mode: str) -> bool:
    """Whether one `cmrcli search` can ask it: `-` alone would read queries from stdin."""
    return line.strip() != "-" and not (mode == "words" and line.startswith(IMAGE_PREFIX))


def _arguments(folder: str | Path, mode: str, k: int, line: str, encoder: str | Path | None, threads: int) -> list[str]:
    options = ["--index", os.fspath(folder), "--mode", mode, "-k", str(k), "--format", "paths"]
    if encoder is not None:
        options += ["--encoder", os.fspath(encoder)]
    if threads:
        options += ["--threads", str(threads)]
    if line.startswith(IMAGE_PREFIX):
        return ["search", *options, "--like", line[len(IMAGE_PREFIX) :]]
    return ["search", *options, "--", line]

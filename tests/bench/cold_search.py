"""Cold `cmrcli search "hex flange bolt" --format paths` over 100,000 and 1,000,000 items, against its imports alone.

    cmrcli search "hex flange bolt" --format paths --index .bench/index-100000-...
    python -c "import numpy, onnxruntime, tokenizers, typer, sqlite3"        (the floor)

Cold means a fresh process; the page cache is warm after the first round, which does not count. The commands take
turns; a ratio is that of the medians. The ratio of CPU times, given beside that of the wall times, bears a busy
machine better. Peak memory counts the pages of the page cache that a memory map touched: over 1,000,000 items most of
it, which is why that figure has no target.

The indexes are synthetic (made_index.py, seed 30): vectors, words and paths made by code and written by the store's
own writer. Every path names a file that exists: 100,000 real tiny files, and for 1,000,000 items the same files
through ten links.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from tests.bench import made_index
from tests.bench.made_index import MadeIndex
from tests.bench.measure import Timing, cmrcli, percentiles, python, take_turns, walls
from tests.bench.record import Figure, Record

QUERY = "hex flange bolt"
FLOOR = "import numpy, onnxruntime, tokenizers, typer, sqlite3"
ROUNDS = 15
TARGETS = {100_000: 1.6, 1_000_000: 2.2}
MOST_MB = 250


def run(full: bool) -> Record:
    record = Record("cold_search", f'cmrcli search "{QUERY}" --format paths', made_index.SEED)
    indexes = {items: made_index.made_index(items) for items in TARGETS}
    commands = {"imports alone": python("-c", FLOOR)}
    commands |= {_name(items): _search(index.folder) for items, index in indexes.items()}
    timings = take_turns(commands, ROUNDS)
    floor_s = statistics.median(walls(timings["imports alone"]))
    floor_cpu_s = statistics.median(timing.cpu_s for timing in timings["imports alone"])
    for items, most in TARGETS.items():
        runs = timings[_name(items)]
        assert all(timing.stdout.count(b"\n") == 10 for timing in runs), "a search must show ten paths"
        wall_s = statistics.median(walls(runs))
        record.figures += [
            Figure(f"wall / imports alone, {items:,} items", wall_s / floor_s, "x", at_most=most),
            Figure(f"CPU / imports alone, {items:,} items", _cpu_s(runs) / floor_cpu_s, "x"),
            _peak(items, runs),
        ]
        record.details[f"bytes of the index, {items:,} items"] = _bytes(indexes[items])
    record.samples = {name: percentiles(walls(runs)) for name, runs in timings.items()}
    return record


def _name(items: int) -> str:
    return f"search over {items:,} items"


def _search(folder: Path) -> list[str]:
    return cmrcli("search", QUERY, "--format", "paths", "--index", folder)


def _cpu_s(runs: list[Timing]) -> float:
    return statistics.median(timing.cpu_s for timing in runs)


def _peak(items: int, runs: list[Timing]) -> Figure:
    """Resident memory, the touched pages of memory-mapped codes and vectors included."""
    peak_mb = max(timing.peak_bytes for timing in runs) / 1e6
    return Figure(f"peak memory, {items:,} items", peak_mb, "MB", at_most=MOST_MB if items == 100_000 else None)


def _bytes(index: MadeIndex) -> dict[str, int]:
    return {
        str(path.relative_to(index.folder)): path.stat().st_size
        for path in sorted(index.folder.rglob("*"))
        if path.is_file()
    }

"""Binary codes: their ANN recall on an index of 100,000 items, and the scan of 1,000,000 codes.

    cmrcli binarize --dry-run --format json --index .bench/index-100000-...
    cmrcli.codes.hamming.nearest(query, codes, 320) against numpy.bitwise_count(codes ^ query).sum(axis=1)

The index is synthetic (made_index.py, seed 30): its recall says that the scan and the rescoring work, not how
good codes of real embeddings are. Codes for the scan: random bits, seed 60, 384 and 512 bits, one thread, in
this process, taking turns; k = 320 as for ten results.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes.hamming import nearest
from tests.bench import made_index, made_tree
from tests.bench.measure import cmrcli, percentiles
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

SEED = 60
ROWS = 1_000_000
K = 320
ROUNDS = 9
MOST = 1.0  # a scan with its top k must not take longer than the bare distances


def run(full: bool) -> Record:
    record = Record("codes", "cmrcli binarize --dry-run --format json", SEED)
    made = made_index.made_index(made_tree.FILES)
    timing = run_once(cmrcli("binarize", "--dry-run", "--format", "json", "--index", made.folder))
    binarize = json.loads(timing.stdout)
    record.details = {"binarize": binarize}
    for setting in binarize["settings"]:
        name = f"{setting['oversampling']} x {binarize['k']} rescored" if setting["rescored"] else "codes alone"
        record.figures.append(Figure(f"ANN recall@{binarize['k']}, {name} (synthetic)", setting["ann_recall"]))
    record.figures.append(Figure("bytes of codes / of vectors", binarize["code_bytes"] / binarize["vector_bytes"]))
    record.figures.append(Figure("binarize, 100,000 items", timing.wall_s, "s"))
    for bits in (384, 512):
        _scan(record, bits)
    return record


def _scan(record: Record, bits: int) -> None:
    chance = np.random.default_rng(SEED)
    codes = chance.integers(0, 2**64, size=(ROWS, bits // 64), dtype=np.uint64)
    query = codes[ROWS // 2]
    rows, distances = nearest(query, codes, K)
    expected = _bare(query, codes)
    order = np.lexsort((np.arange(ROWS), expected))[:K]
    assert (rows == order).all() and (distances == expected[order]).all(), "the scan finds other rows than NumPy"
    ways: dict[str, Callable[[], object]] = {
        "nearest": lambda: nearest(query, codes, K),
        "bare": lambda: _bare(query, codes),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - started)
    ratio = statistics.median(times["nearest"]) / statistics.median(times["bare"])
    record.figures.append(Figure(f"scan / bare bitwise_count, {ROWS:,} x {bits} bits", ratio, "x", at_most=MOST))
    for name, seconds in times.items():
        record.samples[f"{name}, {bits} bits"] = percentiles(seconds)


def _bare(query: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Distances to every code: what NumPy says in one line."""
    distances: NDArray[np.int64] = np.bitwise_count(codes ^ query).sum(axis=1, dtype=np.int64)
    return distances

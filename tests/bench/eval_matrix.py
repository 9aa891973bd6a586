"""Exact evaluation of query vectors against gallery vectors, against the bare product with its top k.

    search_all, the ten default measures with their bootstrap intervals, and the precision-recall curve
    against: queries @ gallery.T and numpy.argpartition for the first 100, in blocks of as many queries

2,000 queries x 100,000 items x 384 (--full: 10,000 queries), random unit vectors in float32, seed 70; each query has
ten relevant items anywhere in the gallery, whose ranks are counted exactly. Both take turns in this process with as
many BLAS threads as it has. Peak memory is that of a process of its own, less that of one which only makes the
vectors.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cmrcli.evaluation.bootstrap import intervals
from cmrcli.evaluation.measures import DEFAULT, parse, precision_recall_curve, values_of
from cmrcli.evaluation.systems.matrix import SCORE_BYTES, search_all
from tests.bench.measure import percentiles, python
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

SEED = 70
QUERIES, FULL_QUERIES = 2_000, 10_000
ITEMS = 100_000
DIM = 384
K = 100
RELEVANT = 10
ROUNDS = 3
LEAST = 0.5  # of the throughput of the bare product with its top k
MOST_MIB = 256

Vectors = NDArray[np.float32]


def run(full: bool) -> Record:
    count = FULL_QUERIES if full else QUERIES
    record = Record("eval_matrix", f"search_all, {count:,} x {ITEMS:,} x {DIM}", SEED)
    queries, gallery, relevant = made(count)
    ways: dict[str, Callable[[], object]] = {
        "evaluation": lambda: evaluated(queries, gallery, relevant),
        "bare product and top k": lambda: bare(queries, gallery),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1 + ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            if number:
                times[name].append(time.perf_counter() - started)
    ours, floor = (statistics.median(seconds) for seconds in times.values())
    record.figures.append(
        Figure("throughput of evaluation / of bare product and top k", floor / ours, "", at_least=LEAST)
    )
    record.figures.append(Figure("queries evaluated a second", count / ours, "1/s"))
    peaks = [
        run_once(python("-m", "tests.bench.eval_matrix", str(count), what)).peak_bytes for what in ("evaluate", "make")
    ]
    record.figures.append(
        Figure("peak memory of evaluation beside the vectors", (peaks[0] - peaks[1]) / 2**20, "MiB", at_most=MOST_MIB)
    )
    record.figures.append(Figure("peak memory in all", peaks[0] / 2**20, "MiB"))
    record.samples = {name: percentiles(seconds) for name, seconds in times.items()}
    return record


def made(count: int) -> tuple[Vectors, Vectors, list[Mapping[int, int]]]:
    """Queries, gallery, and the grades of each query's relevant rows."""
    chance = np.random.default_rng(SEED)
    vectors = np.empty((count + ITEMS, DIM), dtype=np.float32)
    for start in range(0, len(vectors), 1_000):  # in blocks: the peak is that of the vectors themselves
        block = vectors[start : start + 1_000]
        chance.standard_normal(dtype=np.float32, out=block)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    rows = chance.integers(0, ITEMS, (count, RELEVANT))
    return vectors[:count], vectors[count:], [dict.fromkeys(of_query, 1) for of_query in rows.tolist()]


def evaluated(queries: Vectors, gallery: Vectors, relevant: Sequence[Mapping[int, int]]) -> object:
    """All that an evaluation computes from vectors."""
    measures = [parse(name) for name in DEFAULT]
    outcomes = search_all(queries, gallery, K, relevant).outcomes
    values = values_of(measures, outcomes)
    medians = [number for number, measure in enumerate(measures) if measure.is_median]
    return intervals(values, SEED, medians=medians), precision_recall_curve(outcomes)


def bare(queries: Vectors, gallery: Vectors) -> NDArray[np.intp]:
    """The first K of every query, in any order."""
    best = np.empty((len(queries), K), dtype=np.intp)
    step = SCORE_BYTES // (4 * len(gallery))
    for start in range(0, len(queries), step):
        scores = queries[start : start + step] @ gallery.T
        best[start : start + step] = np.argpartition(scores, -K, axis=1)[:, -K:]
    return best


if __name__ == "__main__":
    inputs = made(int(sys.argv[1]))
    if sys.argv[2] == "evaluate":
        evaluated(*inputs)

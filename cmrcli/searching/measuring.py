"""Measures once what the steps of a search cost on this machine, in well under a second, with the code that searches.

Made-up vectors in memory: a page cache that is warm. The processor time of this thread counts, and of a few times the
least: what is kept for years must not depend on what else the machine did in that second.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cmrcli.searching.candidates import BLOCK_ROWS, CodeDepths, by_codes, by_exact
from cmrcli.searching.costs import DEFAULTS, Costs

DIM = 256
ROWS = BLOCK_ROWS  # 4 MiB of vectors: more than the second-level cache
PICKED = 256
SCANNED = 65_536
GRAPH_ROWS, GRAPH_EF = 2_048, 64
TIMES = 5
SEED = 20


def measure() -> Costs:
    """The costs, measured now."""
    from cmrcli.codes.fitting import fit_sign
    from cmrcli.codes.hamming import nearest
    from cmrcli.codes.ordering import FloatQuery
    from cmrcli.store import Segment

    chance = np.random.default_rng(SEED)
    vectors = chance.standard_normal((ROWS, DIM), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query = vectors[0]
    codebook = fit_sign(vectors)
    halves = vectors.astype(np.float16)
    whole = Segment("whole", np.arange(ROWS, dtype=np.int64), halves, codebook.encode(vectors), None, None)
    small = Segment("small", whole.rows[:8], halves[:8], whole.codes[:8], None, None)
    picked = np.sort(chance.choice(ROWS, PICKED, replace=False))
    codes = chance.integers(0, 2**64, (SCANNED, DIM // 64), dtype=np.uint64)

    step_s = _quickest(lambda: by_codes([small], query, 8, None, codebook, CodeDepths(8, 8)), times=4 * TIMES)
    exact_s = _quickest(lambda: by_exact([whole], query, 50, None))
    picked_s = _quickest(lambda: by_exact([whole], query, 50, picked))
    scan_s = _quickest(lambda: nearest(codes[0], codes, 320))
    order_s = _quickest(lambda: FloatQuery(codebook, query).cosines(whole.codes[:1_024]))
    load_ns, graph_ns = _graph(vectors[:GRAPH_ROWS])
    return Costs(
        exact_ns=_of(exact_s, ROWS * DIM),
        picked_ns=_of(picked_s, PICKED * DIM),
        scan_ns=_of(scan_s, codes.size),
        order_ns=_of(order_s, 1_024 * codebook.bits),
        step_us=_of(step_s, 1) / 1e3,
        load_ns=load_ns,
        graph_ns=graph_ns,
    )


def _graph(vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> tuple[float, float]:
    """`load_ns` and `graph_ns`, of a graph of few neighbours, which is built sooner; the defaults without hnswlib."""
    from cmrcli.store import durable
    from cmrcli.store.graph import available, new_index

    if not available():
        return DEFAULTS.load_ns, DEFAULTS.graph_ns
    index = new_index(DIM)
    index.init_index(max_elements=len(vectors), M=16, ef_construction=24, random_seed=SEED)
    index.add_items(vectors, np.arange(len(vectors)), num_threads=1)
    index.set_ef(GRAPH_EF)
    index.set_num_threads(1)
    asked = vectors[:32] + vectors[32:64]
    query_s = _quickest(lambda: index.knn_query(asked, k=10)) / len(asked)
    graph_ns = _of(query_s, DIM * GRAPH_EF * np.log2(len(vectors)))
    try:
        with tempfile.TemporaryDirectory(prefix="cmrcli-") as folder:
            path = Path(folder, "graph")
            index.save_index(os.fsencode(path))

            def load() -> None:
                durable.checksum(path)
                new_index(DIM).load_index(os.fsencode(path))

            return _of(_quickest(load), path.stat().st_size), graph_ns
    except (OSError, RuntimeError):
        return DEFAULTS.load_ns, graph_ns


def _quickest(step: Callable[[], object], times: int = TIMES) -> float:
    """Seconds of processor time."""
    step()
    found = float("inf")
    for _ in range(times):
        began = time.thread_time()
        step()
        found = min(found, time.thread_time() - began)
    return found


def _of(seconds: float, units: float) -> float:
    """Nanoseconds a unit; never nothing, whatever the clock says."""
    return float(max(seconds * 1e9 / units, 1e-3))

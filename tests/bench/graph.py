"""Graphs: cmrcli's way from an open index to the nearest fragments, beside hnswlib asked directly on the same vectors.

    answer_many's vectors step (VectorSignal.candidates_of_many, plan "graph") against hnswlib.Index.knn_query

Vectors: ROWS lines of real_vectors.py (--full: 100,000), written by the store's writer into an index of one segment;
its graph is what `cmrcli index` builds. hnswlib loads that very file and is asked for as many neighbours, with the same
`ef` and threads. Blocks of BLOCK queries, as a batch from stdin has them, taking turns; recall is that of the reporting
half of the queries. Also: one query at a time; the whole pass of codes by blocks of queries beside one by one; a cold
`cmrcli search` of the index with its graph and without; and what a graph over codes would take (FAISS, extra bench).
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.locate import bundled
from cmrcli.encoders.manifest import load_manifest
from cmrcli.searching.answer import Explanation
from cmrcli.searching.costs import DEFAULTS
from cmrcli.searching.index import Index
from cmrcli.searching.plan import Asked, choose
from cmrcli.store import open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.records import EncoderIdentity
from tests.bench.codes import bounds_of, right
from tests.bench.measure import CACHE, cmrcli, percentiles, take_turns, walls
from tests.bench.real_vectors import real_vectors
from tests.bench.record import Figure, Record

SEED = 80
ROWS, FULL_ROWS = 20_000, 100_000
QUERIES = 512
BLOCK = 128  # queries at once, as `search -` takes them
ROUNDS = 7
COLD_ROUNDS = 9
AT_LEAST = 0.9  # of hnswlib's queries a second
LEAST_RECALL = 0.98
MOST_COLD = 1.05  # a cold search beside an index without graphs

Vectors = NDArray[np.float32]


def run(full: bool) -> Record | None:
    vectors = real_vectors()
    if vectors is None:
        return None
    size = FULL_ROWS if full else ROWS
    rows = vectors.rows[:size].astype(np.float16).astype(np.float32)  # as an index keeps them
    asked = np.concatenate(list(vectors.of_half(1).values()))
    asked = np.ascontiguousarray(asked[np.random.default_rng(SEED).permutation(len(asked))[:QUERIES]])
    record = Record("graph", f"candidates_of_many over {size:,} real vectors, plan graph", SEED)
    folder = _index(rows)
    with Index(folder) as index:
        _graph(record, index, rows.astype(np.float32), asked)
        _batches(record, index, asked)
    _cold(record, folder)
    _over_codes(record, folder, asked)
    return record


# -- the index ---------------------------------------------------------------------------------------------------


def _index(rows: NDArray[np.float32]) -> Path:
    """The index, made now (graph and all) or found under .bench/."""
    manifest = load_manifest(bundled())
    identity = EncoderIdentity(manifest.name, manifest.digest, manifest.dim)
    folder = CACHE / f"graph-{len(rows)}-{manifest.digest[:12]}"
    if folder.is_dir():
        return folder
    print(f"building a graph of {len(rows):,} rows: minutes, once for this encoder", flush=True)
    beside = folder.with_suffix(".unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    with open_writer(beside, identity) as writer:
        root = writer.add_root(b"/made").id
        added = Batch()
        for number, vector in enumerate(rows.astype(np.float32)):
            digest = number.to_bytes(16, "little")
            item = NewItem(None, "photo", fragments=[NewFragment("whole", vector)])
            added.contents.append(NewContent(digest, "png", [item]))
            added.files.append(FileUpdate(root, b"", b"%d.png" % number, 1, 1, digest))
        writer.commit(added)
        writer.set_graphs("always")
        writer.maintain()
    beside.rename(folder)
    return folder


# -- graphs ------------------------------------------------------------------------------------------------------


def _graph(record: Record, index: Index, rows: Vectors, asked: Vectors) -> None:
    import hnswlib

    signal = index._vectors
    plan = choose(Asked("graph", 10), signal.held(graphs=True), index.reader.codebook.oversampling, DEFAULTS)
    blocks = [asked[start : start + BLOCK] for start in range(0, len(asked), BLOCK)]
    found: list[NDArray[np.int64]] = []

    def ours() -> None:
        found.clear()
        for block in blocks:
            told = [Explanation() for _ in block]
            found.extend(c.fragment_ids for c in signal.candidates_of_many(block, plan, plan.depth, None, told))

    ours()  # loads the graph
    (segment,) = index.reader.segments
    info = signal._graphs[segment.id].info
    direct = hnswlib.Index(space="ip", dim=rows.shape[1])
    direct.load_index(os.fsencode(segment.graph_path))
    direct.set_ef(max(info.ef, plan.depth))

    def theirs() -> None:
        for block in blocks:
            direct.knn_query(block, k=plan.depth)

    def ours_singly() -> None:
        for query in asked[:BLOCK]:
            signal.candidates(query, plan, plan.depth, None, Explanation())

    def theirs_singly() -> None:
        for query in asked[:BLOCK]:
            direct.knn_query(query[None], k=plan.depth)

    ways = {"blocks": ours, "hnswlib, blocks": theirs, "singly": ours_singly, "hnswlib, singly": theirs_singly}
    middle = _turns(record, ways, {"blocks": len(asked), "hnswlib, blocks": len(asked)})
    record.figures += [
        Figure(
            "queries/s / hnswlib's own, in blocks", middle["hnswlib, blocks"] / middle["blocks"], "x", None, AT_LEAST
        ),
        Figure("queries/s / hnswlib's own, one at a time", middle["hnswlib, singly"] / middle["singly"], "x"),
    ]
    bounds = bounds_of(rows, asked)
    labels = {int(fragment): row for row, fragment in enumerate(segment.rows)}
    nearest = [np.array([labels[int(i)] for i in ids[:10]]) for ids in found]
    recall = right(rows, asked, bounds, nearest)
    record.figures.append(Figure(f"ANN recall@10 at ef {info.ef}", recall, "", None, LEAST_RECALL))
    record.details |= {
        "ef": info.ef,
        "recall at build": info.recall,
        "build_s": info.build_s,
        "query_us": info.query_us,
    }


def _batches(record: Record, index: Index, asked: Vectors) -> None:
    """Codes and exact products by blocks of queries, beside one query after another."""
    signal = index._vectors
    some = asked[:BLOCK]
    for mode in ("codes", "exact"):
        plan = choose(Asked(mode, 10), signal.held(graphs=False), index.reader.codebook.oversampling, DEFAULTS)

        def together(plan: object = plan) -> None:
            signal.candidates_of_many(some, plan, plan.depth, None, [Explanation() for _ in some])  # type: ignore

        def singly(plan: object = plan) -> None:
            for query in some[: 16 if plan.vectors == "exact" else BLOCK]:  # type: ignore
                signal.candidates(query, plan, plan.depth, None, Explanation())  # type: ignore

        names = {f"{mode}, a block": together, f"{mode}, one by one": singly}
        counts = {f"{mode}, one by one": 16 if mode == "exact" else BLOCK}
        middle = _turns(record, names, counts)
        gain = middle[f"{mode}, one by one"] / middle[f"{mode}, a block"]
        record.figures.append(Figure(f"{mode}: queries/s in a block of {BLOCK} / one by one", gain, "x"))


def _turns(record: Record, ways: dict[str, Callable[[], None]], queries: dict[str, int]) -> dict[str, float]:
    """Median seconds a query of each way (BLOCK queries unless said), in turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if number:
                times[name].append((time.perf_counter() - began) / queries.get(name, BLOCK))
    record.samples |= {f"{name}, a query": percentiles(seconds) for name, seconds in times.items()}
    return {name: statistics.median(seconds) for name, seconds in times.items()}


# -- opening, and codes ------------------------------------------------------------------------------------------


def _cold(record: Record, folder: Path) -> None:
    without = folder.with_name(folder.name + "-without")
    if not without.is_dir():
        shutil.copytree(folder, without, ignore=shutil.ignore_patterns("graph.*"))
    search = ("search", "hex flange bolt", "--mode", "vectors", "--format", "paths", "--index")
    commands = {"with graphs": cmrcli(*search, folder), "without": cmrcli(*search, without)}
    timings = take_turns(commands, COLD_ROUNDS, expected=(0, 1))
    ratio = statistics.median(walls(timings["with graphs"])) / statistics.median(walls(timings["without"]))
    cpu = statistics.median(t.cpu_s for t in timings["with graphs"]) / statistics.median(
        t.cpu_s for t in timings["without"]
    )
    record.figures += [
        Figure("cold search, wall: with graphs / without", ratio, "x"),
        Figure("cold search, CPU: with graphs / without", cpu, "x", MOST_COLD),
    ]
    record.samples |= {f"cold search {name}": percentiles(walls(runs)) for name, runs in timings.items()}


def _over_codes(record: Record, folder: Path, asked: Vectors) -> None:
    """HNSW over the codes (FAISS has one) beside the flat scan, for the candidates that ordering needs."""
    try:
        import faiss
    except ImportError:
        print("faiss-cpu is not installed (extra bench): a graph over codes is not measured")
        return
    with Index(folder) as index:
        (segment,) = index.reader.segments
        codebook = index.reader.codebook
        octets = np.ascontiguousarray(segment.codes).view(np.uint8)
        queries = codebook.encode(asked[:BLOCK]).view(np.uint8)
    wanted = 10 * codebook.oversampling.hamming
    graph = faiss.IndexBinaryHNSW(codebook.words * 64, 16)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = 200, wanted
    faiss.omp_set_num_threads(1)
    graph.add(octets)
    flat = faiss.IndexBinaryFlat(codebook.words * 64)
    flat.add(octets)
    middle = _turns(
        record,
        {"graph over codes": lambda: graph.search(queries, wanted), "flat scan": lambda: flat.search(queries, wanted)},
        {},
    )
    exact, near = flat.search(queries, wanted)[0], graph.search(queries, wanted)[0]
    share = float((near <= exact[:, -1:]).mean())
    record.figures += [
        Figure(
            f"graph over codes / flat scan, time for {wanted} candidates",
            middle["graph over codes"] / middle["flat scan"],
            "x",
        ),
        Figure(f"graph over codes: share of the {wanted} nearest codes found", share),
        Figure("graph over codes: bytes of links / bytes of codes", 2 * 16 * 4 / octets.shape[1], "x"),
    ]

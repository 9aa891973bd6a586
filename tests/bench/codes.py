"""Binary codes: what they find among real embeddings, beside FAISS at equal bytes, and the scan of 1,000,000 codes.

    by_codes(...) with the default codebook and depths; cmrcli.codes against faiss (extra bench)
    cmrcli.codes.hamming.nearest(query, codes, 320) against numpy.bitwise_count(codes ^ query).sum(axis=1)

Recall: ANN recall@10 among the 100,000 lines and the dev pictures of real_vectors.py (bundled encoder), for the
queries of the reporting half, QUERIES of each sort; nothing was chosen on them. Codebooks are fitted to FIT_ROWS of
the rows, with seed SEED. "Without rescoring" compares what the codes alone say at equal total bytes a row: FAISS's
ITQ is its transform before signs (IndexPreTransform with ITQTransform, IndexFlat-like scan of 384 bits), its RaBitQ is
IndexRaBitQ with 8 bytes of factors beside the bits, so it gets fewer bits where bytes are to be equal.

Scan: random codes, seed SEED, 384 and 512 bits, in this process, taking turns; k = 320 as for ten results.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes import fit
from cmrcli.codes.codebook import DEFAULT_OVERSAMPLING, Codebook
from cmrcli.codes.hamming import _sorted_keys, nearest
from cmrcli.codes.ordering import FloatQuery
from cmrcli.codes.quality import TIE
from cmrcli.codes.sampling import drawn
from tests.bench.measure import percentiles
from tests.bench.real_vectors import RealVectors, real_vectors
from tests.bench.record import Figure, Record

SEED = 60
ROWS = 1_000_000
K = 320
ROUNDS = 9
MOST = 1.3  # the scan with its top k, by the bare distances; by FAISS's own scan
STEPS = 1 / 3  # what ordering and rescoring may add to the scan
QUERIES = 500  # of each sort
FIT_ROWS = 50_000
LEAST_RECALL = 0.99

Vectors = NDArray[np.float32]


def run(full: bool) -> Record:
    record = Record("codes", "by_codes, default codebook and depths; nearest(query, codes, 320)", SEED)
    vectors = real_vectors()
    if vectors is not None:
        _recall(record, vectors)
    for bits in (384, 512):
        _scan(record, bits)
    return record


# -- recall ------------------------------------------------------------------------------------------------------


def _recall(record: Record, vectors: RealVectors) -> None:
    rows = vectors.rows.astype(np.float16).astype(np.float32)  # as an index keeps them
    asked = {sort: queries[:QUERIES] for sort, queries in vectors.of_half(1).items()}
    bounds = {sort: bounds_of(rows, queries) for sort, queries in asked.items()}
    sample = rows[drawn(len(rows), FIT_ROWS, SEED)]
    default = fit("sign", sample)
    codes = default.encode(rows)
    for sort, queries in asked.items():
        found = [_default(default, codes, rows, query) for query in queries]
        value = right(rows, queries, bounds[sort], found)
        name = f"ANN recall@10, default codes of {default.bits} bits, {len(rows):,} rows, {len(queries)} {sort}"
        record.figures.append(Figure(name, value, at_least=LEAST_RECALL))
    for method, bits in (("sign", 384), ("itq", 384), ("rotation", 384), ("projections", 768), ("rotation", 1_536)):
        codebook = fit(method, sample, bits, SEED)
        _alone(record, f"{method}, {bits} bits", codebook, rows, asked, bounds)
    try:
        import faiss  # noqa: F401
    except ImportError:
        print("faiss-cpu is not installed (extra bench): not compared with FAISS")
        return
    _faiss_itq(record, sample, rows, asked, bounds)
    _faiss_rabitq(record, sample, rows, asked, bounds)


def _default(codebook: Codebook, codes: NDArray[np.uint64], rows: Vectors, query: Vectors) -> NDArray[np.intp]:
    """The ten that a search by codes finds: Hamming, order, rescoring, at the codebook's depths."""
    depths = DEFAULT_OVERSAMPLING
    near, _ = nearest(codebook.encode(query[np.newaxis])[0], codes, 10 * depths.hamming)
    near = near[np.argsort(-FloatQuery(codebook, query).cosines(codes[near]), kind="stable")[: 10 * depths.rescored]]
    return near[np.argsort(-(rows[near] @ query), kind="stable")[:10]]


def _alone(
    record: Record,
    name: str,
    codebook: Codebook,
    rows: Vectors,
    asked: dict[str, Vectors],
    bounds: dict[str, Vectors],
) -> None:
    """Recall without rescoring: by Hamming distance alone, and by the float query against every code."""
    codes = codebook.encode(rows)
    factors = codebook.factors(rows) if codebook.factors_per_row else None
    by_code, by_float = [], []
    for sort, queries in asked.items():
        near = [nearest(codebook.encode(query[np.newaxis])[0], codes, 10)[0] for query in queries]
        best = [_top(FloatQuery(codebook, query).cosines(codes, factors)) for query in queries[::5]]
        by_code.append(right(rows, queries, bounds[sort], near))
        by_float.append(right(rows, queries[::5], bounds[sort][::5], best))
    title = f"without rescoring, {name}, {codebook.row_bytes} bytes a row"
    record.figures.append(Figure(f"{title}: by Hamming distance", float(np.mean(by_code))))
    record.figures.append(Figure(f"{title}: by the float query", float(np.mean(by_float))))


def _faiss_itq(
    record: Record, sample: Vectors, rows: Vectors, asked: dict[str, Vectors], bounds: dict[str, Vectors]
) -> None:
    import faiss

    dim = rows.shape[1]
    transform = faiss.ITQTransform(dim, dim, False)
    transform.train(sample)
    index = faiss.IndexBinaryFlat(dim)
    index.add(_signs(transform.apply(rows)))
    found = []
    for sort, queries in asked.items():
        _, near = index.search(_signs(transform.apply(queries)), 10)
        found.append(right(rows, queries, bounds[sort], list(near)))
    title = f"without rescoring, FAISS ITQ, {dim // 8} bytes a row: by Hamming distance"
    record.figures.append(Figure(title, float(np.mean(found))))


def _faiss_rabitq(
    record: Record, sample: Vectors, rows: Vectors, asked: dict[str, Vectors], bounds: dict[str, Vectors]
) -> None:
    """RaBitQ behind a random rotation, as the paper has it, in as many bits as leave room for its factors."""
    import faiss

    for bits in (384, 1_536):
        rotation = faiss.RandomRotationMatrix(rows.shape[1], bits)
        rotation.init(SEED)
        inner = faiss.IndexRaBitQ(bits, faiss.METRIC_L2)
        inner.train(rotation.apply(sample))
        inner.add(rotation.apply(rows))
        found = []
        for sort, queries in asked.items():
            _, near = inner.search(rotation.apply(queries[::5]), 10)
            found.append(right(rows, queries[::5], bounds[sort][::5], list(near)))
        title = f"without rescoring, FAISS RaBitQ, {bits} bits, {inner.code_size} bytes a row: by the float query"
        record.figures.append(Figure(title, float(np.mean(found))))


def _signs(components: Vectors) -> NDArray[np.uint8]:
    return np.packbits(components > 0, axis=1, bitorder="little")


def _top(scores: Vectors) -> NDArray[np.intp]:
    return np.argpartition(-scores, 9)[:10]


def bounds_of(rows: Vectors, queries: Vectors) -> Vectors:
    """(q,) similarity of each query's tenth nearest row; what is as near is right (ann-benchmarks)."""
    best = np.full((len(queries), 10), -np.inf, dtype=np.float32)
    for start in range(0, len(rows), 8_192):
        scores = np.concatenate([best, queries @ rows[start : start + 8_192].T], axis=1)
        best = np.partition(scores, scores.shape[1] - 10, axis=1)[:, -10:]
    return best.min(axis=1)


def right(rows: Vectors, queries: Vectors, bounds: Vectors, found: list[NDArray[np.intp]]) -> float:
    right = [
        np.count_nonzero(rows[near] @ query >= bound - TIE)
        for query, bound, near in zip(queries, bounds, found, strict=True)
    ]
    return float(np.mean(right)) / 10


# -- the scan ----------------------------------------------------------------------------------------------------


def _scan(record: Record, bits: int) -> None:
    chance = np.random.default_rng(SEED)
    codes = chance.integers(0, 2**64, size=(ROWS, bits // 64), dtype=np.uint64)
    query = codes[ROWS // 2]
    codebook = Codebook("sign", bits, np.zeros(bits, np.float32), 0.01)
    asked = chance.standard_normal(bits, dtype=np.float32)
    vectors = chance.standard_normal((8 * 10_000, bits), dtype=np.float32).astype(np.float16)
    rows = _numpy(query, codes)
    expected = _bare(query, codes)
    order = np.lexsort((np.arange(ROWS), expected))[:K]
    assert (rows == order).all(), "the scan finds other rows than NumPy"

    def steps() -> None:
        near = rows[np.argsort(-FloatQuery(codebook, asked).cosines(codes[rows]))[:80]]
        np.argsort(-(vectors[np.sort(near % len(vectors))].astype(np.float32) @ asked))

    ways: dict[str, Callable[[], object]] = {
        "scan": lambda: _numpy(query, codes),
        "bare": lambda: _bare(query, codes),
        "order and rescore": steps,
    }
    try:
        import faiss

        from cmrcli.codes import faiss_scan

        flat = faiss.IndexBinaryFlat(bits)
        flat.add(codes.view(np.uint8))
        assert (faiss_scan.sorted_keys(query[None], codes, K, None, 40)[0] & (1 << 40) - 1 == order).all()
        ways["scan by FAISS"] = lambda: faiss_scan.sorted_keys(query[None], codes, K, None, 40)
        ways["FAISS itself"] = lambda: flat.search(query[None].view(np.uint8), K)
    except ImportError:
        print("faiss-cpu is not installed (extra bench): its scan is not measured")
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - started)
    middle = {name: statistics.median(seconds) for name, seconds in times.items()}
    size = f"{ROWS:,} x {bits} bits"
    record.figures.append(Figure(f"scan / bare bitwise_count, {size}", middle["scan"] / middle["bare"], "x", MOST))
    added = middle["order and rescore"] / middle["scan"]
    record.figures.append(Figure(f"order and rescore / scan, {size}", added, "x", STEPS))
    if "FAISS itself" in middle:
        ratio = middle["scan by FAISS"] / middle["FAISS itself"]
        record.figures.append(Figure(f"scan by FAISS / its own flat scan, {size}", ratio, "x", MOST))
    for name, seconds in times.items():
        record.samples[f"{name}, {bits} bits"] = percentiles(seconds)


def _numpy(query: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.intp]:
    """`nearest` as it is without FAISS."""
    return (_sorted_keys(query[None], codes, K, None)[0] & ((1 << 40) - 1)).astype(np.intp)


def _bare(query: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Distances to every code: what NumPy says in one line."""
    distances: NDArray[np.int64] = np.bitwise_count(codes ^ query).sum(axis=1, dtype=np.int64)
    return distances

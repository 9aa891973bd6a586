"""What vectors of int8 or float16 lose against the float32 of the encoder, and what they cost.

    cmrcli index --vectors i8, against --vectors f16, against float32

Recall: ANN recall@10 against exact search in float32, among the 100,000 lines and the dev pictures of real_vectors.py,
for the queries of the reporting half, QUERIES of each sort: by every vector (one matrix product for all queries; that
`by_exact` finds the same is asserted for five), and by codes at the default depths with rescoring
(`by_codes`), the codes made of the vectors as they are kept. Nothing was chosen on these.

Time: processor time of one query in an open index, which a busy machine changes less than the clock's; segments on disk
behind a warm page cache; the forms take turns, medians of TIMED queries.

Dev sets: success@1 of exact search in the galleries of eval_default.py, reporting half; the macro average over its
sets, each counting the same, and how many of all queries change their side.
"""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes import fit
from cmrcli.codes.codebook import DEFAULT_OVERSAMPLING, Codebook
from cmrcli.codes.sampling import drawn
from cmrcli.searching.candidates import CodeDepths, by_codes, by_exact
from cmrcli.store import Segment
from cmrcli.store.layout import FORMS
from cmrcli.store.records import EncoderIdentity
from cmrcli.store.segments import SegmentRow, open_segment, write_segment
from cmrcli.store.vectors import pack
from tests.bench.codes import FIT_ROWS, QUERIES, bounds_of, right
from tests.bench.measure import CACHE, percentiles
from tests.bench.real_vectors import RealVectors, real_vectors
from tests.bench.record import Figure, Record

SEED = 61
TIMED = 30
K = 10
LEAST_RECALL = 0.99

Vectors = NDArray[np.float32]


def run(full: bool) -> Record | None:
    record = Record("vectors", "cmrcli index --vectors i8, against f16, against float32", SEED)
    vectors = real_vectors()
    if vectors is None:
        return None
    with tempfile.TemporaryDirectory(prefix="cmrcli-bench-") as folder:
        _large(record, vectors, Path(folder))
    _dev_sets(record)
    return record


# -- a large index -----------------------------------------------------------------------------------------------


def _large(record: Record, vectors: RealVectors, folder: Path) -> None:
    rows = vectors.rows
    asked = {sort: queries[:QUERIES] for sort, queries in vectors.of_half(1).items()}
    bounds = {sort: bounds_of(rows, queries) for sort, queries in asked.items()}
    opened = {form: _segment(folder, rows, form) for form in FORMS}
    for form, (segment, codebook) in opened.items():
        size = segment.vectors.nbytes / len(rows)
        record.figures.append(Figure(f"{form}: bytes a vector of {rows.shape[1]}", size))
        search = _ways(segment, codebook)["by codes, rescored"]
        for sort, queries in asked.items():
            exact, coded = _nearest(segment, queries), [search(query) for query in queries]
            for way, found in (("exact", exact), ("by codes, rescored", coded)):
                value = right(rows, queries, bounds[sort], found)
                name = f"{form}: recall@10 {way}, {len(rows):,} rows, {len(queries)} {sort}"
                record.figures.append(Figure(name, value, at_least=LEAST_RECALL))
    ways = {f"{form} {way}": search for form, pair in opened.items() for way, search in _ways(*pair).items()}
    queries = np.concatenate([queries[: TIMED // len(asked)] for queries in asked.values()])
    times: dict[str, list[float]] = {name: [] for name in ways}
    for segment, codebook in opened.values():
        by_scan = [_ways(segment, codebook)["exact"](query) for query in queries[:5]]
        same = zip(by_scan, _nearest(segment, queries[:5]), strict=True)
        assert all(len(np.intersect1d(*pair)) >= K - 1 for pair in same), "the scan finds others"  # but for a tie
    for number, query in enumerate((*queries[:3], *queries)):  # the first three warm up
        for name, search in ways.items():
            started = time.process_time()
            search(query)
            if number >= 3:
                times[name].append(time.process_time() - started)
    for name, seconds in times.items():
        record.samples[name] = percentiles(seconds)
        record.figures.append(Figure(f"{name}: processor time of one query", 1e6 * statistics.median(seconds), "µs"))
    for way in ("exact", "by codes, rescored"):
        ratio = statistics.median(times[f"i8 {way}"]) / statistics.median(times[f"f16 {way}"])
        record.figures.append(Figure(f"processor time of i8 / f16, {way}", ratio, "x"))


def _segment(folder: Path, rows: Vectors, form: str) -> tuple[Segment, Codebook]:
    """A segment as `index` writes it, and the codebook of its codes."""
    index = folder / form
    (index / "segments").mkdir(parents=True)
    encoder = EncoderIdentity("bench", "0" * 64, rows.shape[1])
    packed = pack(rows, form)
    codebook = fit("sign", packed[drawn(len(rows), FIT_ROWS, SEED)])
    codes = [codebook.encode(packed)]
    digest = write_segment(
        index, "1", encoder, "", np.arange(len(rows), dtype=np.int64), packed.blocks(), codes, codebook.words
    )
    return open_segment(index, SegmentRow("1", len(rows), 0, None, 1, digest), encoder), codebook


def _nearest(segment: Segment, queries: Vectors) -> list[NDArray[np.intp]]:
    """The K rows with the largest products for each query, in no order."""
    products = np.concatenate([queries @ block[:].T for block in segment.vectors.blocks()], axis=1)
    return list(np.argpartition(-products, K - 1, axis=1)[:, :K])


def _ways(segment: Segment, codebook: Codebook) -> dict[str, Callable[[Vectors], NDArray[np.int64]]]:
    depths = CodeDepths(K * DEFAULT_OVERSAMPLING.hamming, K * DEFAULT_OVERSAMPLING.rescored)
    return {
        "exact": lambda query: by_exact([segment], query, K, None).fragment_ids,
        "by codes, rescored": lambda query: by_codes([segment], query, K, None, codebook, depths).fragment_ids,
    }


# -- dev sets ----------------------------------------------------------------------------------------------------


def _dev_sets(record: Record) -> None:
    """Success@1 in every form; passed over, with a line that says why, where the data are missing."""
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.encoders.locate import bundled
    from cmrcli.encoders.manifest import load_manifest
    from tests.bench.eval_default import read_rows, sets

    rows = read_rows("report")
    if rows is None or importlib.util.find_spec("PIL") is None:
        return
    found = sets(rows)
    manifest = load_manifest(bundled())
    kept = CACHE / f"vectors-dev-{manifest.digest[:12]}.npz"
    texts = sorted({query for _, answers in found.values() for query in answers})
    if not kept.is_file():
        from tests.bench.real_vectors import encoded, pictures_of

        encoder = DualEncoder(manifest)
        kept.parent.mkdir(exist_ok=True)
        np.savez(kept, pictures=pictures_of((row["image"] for row in rows), encoder), texts=encoded(texts, encoder))
    with np.load(kept) as arrays:
        pictures, queries = arrays["pictures"], dict(zip(texts, arrays["texts"], strict=True))
    first: dict[str, dict[str, NDArray[np.bool_]]] = {form: {} for form in ("f32", *FORMS)}
    for name, (gallery, answers) in found.items():
        places = {number: place for place, number in enumerate(gallery)}
        relevant = [{places[number] for number in numbers if number in places} for numbers in answers.values()]
        asked = np.stack([queries[query] for query in answers])
        for form in first:
            vectors = pictures[gallery] if form == "f32" else pack(pictures[gallery], form)[:]
            best = np.argmax(asked @ vectors.T, axis=1)
            first[form][name] = np.array([int(place) in one for place, one in zip(best, relevant, strict=True)])
    exact = first["f32"]
    macro = float(np.mean([hits.mean() for hits in exact.values()]))
    total = sum(map(len, exact.values()))
    record.figures.append(Figure(f"f32: success@1 on dev, mean of {len(exact)} sets, {total:,} queries", macro))
    for form in FORMS:
        changes = {name: hits.astype(int) - exact[name] for name, hits in first[form].items()}
        mean = float(np.mean([change.mean() for change in changes.values()]))
        gained, lost = (sum(int((change == sign).sum()) for change in changes.values()) for sign in (1, -1))
        record.figures.append(Figure(f"{form}: success@1 on dev less that of f32", mean))
        record.figures.append(Figure(f"{form}: queries of these that were wrong and are right", gained))
        record.figures.append(Figure(f"{form}: queries of these that were right and are wrong", lost))
        record.details[f"{form} less f32, by set"] = {name: float(change.mean()) for name, change in changes.items()}

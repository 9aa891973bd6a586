"""What fragment alignment finds that whole pictures do not, and whether it harms where it has nothing to add.

    cmrcli index PICTURES; cmrcli search "flange with a spring in the corner" --fragments off|auto

* corners: sheets that differ by a detail in one corner (made_corners.py); a query names main part and detail.
* figures: textbook figures of several panels among all dev figures of ../shared/data. A query is what the caption says
  of one panel, or of all of them.
* sets: first names and first captions of dev pictures that name several things, each set among its own. All others,
  and all of the sets that are not listed, name one thing: they are asked as a whole and nothing changes for them.

"whole" ranks by the whole picture's vector alone, "off" is --fragments off: the nearest fragment. Settings were chosen
on the sheets of CHOOSING and the queries whose digest is even; REPORTING and the odd ones are reported.
`python -m tests.bench.fragments choosing` prints the former.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.locate import bundled
from cmrcli.encoders.manifest import load_manifest
from cmrcli.evaluation.bootstrap import difference_interval
from cmrcli.searching import Index, Query, open_index
from cmrcli.searching.evidence import vectors_of
from cmrcli.searching.phrases import phrases
from tests.bench.dev_parts import Parts, dev_parts, write_index
from tests.bench.made_corners import CHOOSING, REPORTING, Corner, write_corners
from tests.bench.measure import CACHE, cmrcli
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

DEPTH = 10
POINTS = 25.0  # by which success@1 must rise on corners
PANEL = re.compile(r"\(([a-h])\)")
SETS = ("iconify", "noto-emoji", "openstax")  # those with queries that name several things


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and the names of the files that answer it."""

    text: str
    right: frozenset[str]


Ranker = Callable[[str], list[str]]  # query -> names of files, best first


def run(full: bool) -> Record | None:
    return _run(REPORTING)


def _run(seed: int) -> Record:
    record = Record("fragments", "cmrcli search QUERY --fragments off|auto", seed)
    CACHE.mkdir(exist_ok=True)
    encoder = DualEncoder(load_manifest(bundled()))
    _corners(record, encoder, seed)
    for name in SETS:
        parts = dev_parts(name, encoder)
        if parts is None:
            continue
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="fragments-") as place:
            write_index(Path(place), parts, encoder)
            with open_index(Path(place, "index"), threads=1) as index:
                if name == "openstax":
                    _figures(record, index, parts, seed)
                _set(record, index, name, parts, seed)
    return record


def _corners(record: Record, encoder: DualEncoder, seed: int) -> None:
    place = CACHE / f"corners-{seed}"
    corners = _drawn(place, seed)
    made = place / f"index-{encoder.manifest.digest[:12]}"
    run_once(cmrcli("index", place / "sheets", "--index", made, "--quiet"), (0,))
    english = [Asked(corner.english, frozenset({corner.name})) for corner in corners]
    japanese = [Asked(corner.japanese, frozenset({corner.name})) for corner in corners]
    with open_index(made, threads=1) as index:
        statistics = index.reader.statistics()
        print(f"  corners: {len(corners)} sheets, {statistics.fragments} fragments")
        record.details["corners_fragments"] = statistics.fragments
        rankers = _rankers(index)
        tables = [
            _table(record, f"corners, {name}", queries, rankers, seed)
            for name, queries in (("English", english), ("Japanese", japanese))
        ]
        rise = 100 * np.mean([table["auto"].mean() - table["whole"].mean() for table in tables])
        record.figures.append(Figure("corners: success@1 auto less whole, points", float(rise), at_least=POINTS))
        _boxes(record, index, corners)
        _costs(record, index, [corner.english for corner in corners])


def _drawn(place: Path, seed: int) -> list[Corner]:
    """The sheets of a seed, drawn now or found below `place` as they were drawn before."""
    kept = place / "corners.json"
    if not kept.is_file():
        corners = write_corners(place / "sheets", seed)
        kept.write_text(json.dumps([asdict(corner) for corner in corners], ensure_ascii=False), "utf-8")
    return [Corner(**fields) for fields in json.loads(kept.read_text("utf-8"))]


def _boxes(record: Record, index: Index, corners: Sequence[Corner]) -> None:
    """How often the box that is named for the detail is where the detail is, among sheets found first."""
    found = right = 0
    for corner in corners:
        results = index.search(corner.english, k=1, fragments="auto")
        if not results or results[0].relpath != corner.name or len(results[0].matches) != 2:
            continue
        found += 1
        box = results[0].matches[1].box
        x, y = (corner.box[0] + corner.box[2]) / 2, (corner.box[1] + corner.box[3]) / 2
        right += box is not None and box[0] <= x <= box[2] and box[1] <= y <= box[3]
    record.figures.append(
        Figure("corners: detail's box holds its middle, of English queries found first", right / found)
    )


def _costs(record: Record, index: Index, queries: Sequence[str]) -> None:
    """Time of a search with alignment by that of one without, in turns in one open index."""
    times: dict[str, list[float]] = {"off": [], "auto": []}
    for query in queries[:40]:
        for fragments in times:
            started = time.perf_counter()
            index.search(query, k=DEPTH, fragments=fragments)
            times[fragments].append(time.perf_counter() - started)
    ratio = float(np.median(times["auto"]) / np.median(times["off"]))
    record.figures.append(Figure("corners: time of a warm search, auto / off", ratio, "x"))


def _rankers(index: Index) -> dict[str, Ranker]:
    vectors: dict[str, NDArray[np.float32]] = {}

    def vector(query: str) -> NDArray[np.float32]:
        if query not in vectors:
            vectors[query] = index.query_vector(Query(query))
        return vectors[query]

    def asked(fragments: str) -> Ranker:
        def rank(query: str) -> list[str]:
            results = index.answer(query, DEPTH, vector=vector(query), fragments=fragments).results
            return [Path(result.relpath).name for result in results]

        return rank

    names, wholes = _wholes(index)

    def whole(query: str) -> list[str]:
        return [names[number] for number in np.argsort(-(wholes @ vector(query)), kind="stable")[:DEPTH]]

    return {"whole": whole, "off": asked("off"), "auto": asked("auto")}


def _wholes(index: Index) -> tuple[list[str], NDArray[np.float32]]:
    """Names of the files and the vectors of their whole pictures."""
    reader = index.reader
    items = [number for numbers in reader.item_ids().values() for number in numbers.tolist()]
    hits = list(reader.whole_fragments(items).values())
    places = reader.places([hit.content_id for hit in hits])
    names = [Path(os.fsdecode(places[hit.content_id][0].path)).name for hit in hits]
    ids = np.array([hit.fragment_id for hit in hits], dtype=np.int64)
    return names, vectors_of(reader.segments, ids, reader.encoder.dim)


def _table(
    record: Record, name: str, queries: Sequence[Asked], rankers: dict[str, Ranker], seed: int
) -> dict[str, NDArray[np.float64]]:
    """success@1 of every ranker, its success@10 beside it, and the paired differences from auto."""
    first: dict[str, NDArray[np.float64]] = {}
    for ranker, rank in rankers.items():
        places = np.array([_place(rank(query.text), query.right) for query in queries])
        first[ranker] = (places == 1).astype(np.float64)
        record.figures.append(Figure(f"{name} ({len(queries)}): {ranker}, success@1", float(first[ranker].mean())))
        record.figures.append(Figure(f"{name}: {ranker}, success@10", float((places <= DEPTH).mean())))
        record.details.setdefault("first_ten", {})[f"{name}: {ranker}"] = (places <= DEPTH).tolist()
    for other in ("whole", "off"):
        low, high = difference_interval(first[other], first["auto"], seed)
        difference = first["auto"].mean() - first[other].mean()
        print(f"  {name:<34} {len(queries):>4} queries  success@1 {first['auto'].mean():.3f}, ", end="")
        print(f"less {other} {difference:+.3f} ({low:+.3f} {high:+.3f})", flush=True)
        record.details.setdefault("differences", {})[f"{name}: auto less {other}"] = [difference, low, high]
    return first


def _place(names: Sequence[str], right: frozenset[str]) -> int:
    return next((place for place, name in enumerate(names, 1) if name in right), DEPTH + 1)


# -- ../shared/data ----------------------------------------------------------------------------------------------


def _half(key: str) -> int:
    return hashlib.sha1(key.encode()).digest()[0] % 2


def _figures(record: Record, index: Index, parts: Parts, seed: int) -> None:
    panels, captions = [], []
    for number, row in enumerate(parts.rows):
        if _half(row["id"]) != seed % 2:
            continue
        pieces = PANEL.split(" ".join(row["captions"]))[2::2]
        said = [re.split(r"(?<=[.;])\s", piece.strip())[0].strip(" .;,") for piece in pieces]
        said = [piece for piece in said if len(piece) > 8][:6]
        if len(said) > 1:
            file = frozenset({f"{number:05}.png"})
            panels += [Asked(piece, file) for piece in said]
            captions.append(Asked("; ".join(said), file))
    rankers = _rankers(index)
    _table(record, "figures, one panel", panels, rankers, seed)
    _table(record, "figures, all panels", captions, rankers, seed)


def _set(record: Record, index: Index, name: str, parts: Parts, seed: int) -> None:
    answers: dict[str, set[str]] = {}
    for number, row in enumerate(parts.rows):
        for text in row["names"][:1] + row["names_ja"][:1] + row["captions"][:1]:
            if len(phrases(text)) > 1:
                answers.setdefault(text, set()).add(f"{number:05}.png")
    queries = [Asked(text, frozenset(right)) for text, right in answers.items() if _half(text) == seed % 2]
    _table(record, f"set {name}", queries, _rankers(index), seed)


if __name__ == "__main__":
    _run(CHOOSING if sys.argv[1:] == ["choosing"] else REPORTING).show()

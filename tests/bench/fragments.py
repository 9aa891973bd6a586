"""What fragment alignment finds that whole pictures do not, and whether it harms where it has nothing to add.

    cmrcli index PICTURES; cmrcli search "flange with a spring in the corner" --fragments off|auto|on

* corners: sheets that differ by a detail in one corner (made_corners.py); a query names main part and detail.
* figures: textbook figures of several panels among all dev figures of ../shared/data. A query is what the caption says
  of one panel, or of all of them. Figures whose digest is even were for choosing, odd ones are reported.
* sets: names and descriptions of the other dev pictures, each set among its own. Same halves.

"whole" ranks by the whole picture's vector alone, "off" by the nearest fragment (and words), as --fragments off does.
Every setting was chosen on CHOOSING and the even halves; `python -m tests.bench.fragments choosing` prints those.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.evaluation.bootstrap import difference_interval
from cmrcli.searching import Index, open_index
from cmrcli.store import Filter
from tests.bench.made_corners import CHOOSING, REPORTING, Corner, write_corners
from tests.bench.measure import CACHE, SHARED, cmrcli
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

DEPTH = 10
POINTS = 25.0  # by which success@1 must rise on corners
PANEL = re.compile(r"\(([a-h])\)")
SETS = ("iconify", "phosphor", "noto-emoji", "drawio", "openstax", "caltech101", "clothing-dataset", "grocery-store")
LONGEST_QUERIES = 400  # of a set, drawn evenly: bounds the time


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and the names of the files that answer it."""

    text: str
    right: frozenset[str]


Ranker = Callable[[str], list[str]]  # query -> names of files, best first


def run(full: bool) -> Record | None:
    return _run(REPORTING)


def _run(seed: int) -> Record:
    record = Record("fragments", "cmrcli search QUERY --fragments off|auto|on", seed)
    CACHE.mkdir(exist_ok=True)
    _corners(record, seed)
    dev = _dev_index()
    if dev is not None:
        _figures(record, dev, seed)
        _sets(record, dev, seed)
    return record


def _corners(record: Record, seed: int) -> None:
    place = CACHE / f"corners-{seed}"
    corners = write_corners(place / "sheets", seed)
    run_once(cmrcli("index", place / "sheets", "--index", place / "index", "--quiet"), (0,))
    english = [Asked(corner.english, frozenset({corner.name})) for corner in corners]
    japanese = [Asked(corner.japanese, frozenset({corner.name})) for corner in corners]
    with open_index(place / "index") as index:
        statistics = index.reader.statistics()
        print(f"  corners: {len(corners)} sheets, {statistics.fragments} fragments")
        record.details["corners_fragments"] = statistics.fragments
        rankers = _rankers(index)
        for name, queries in (("English", english), ("Japanese", japanese), ("both", english + japanese)):
            table = _table(record, f"corners, {name}", queries, rankers, seed)
            if name == "both":
                rise = 100 * (table["auto"].mean() - table["whole"].mean())
                record.figures.append(Figure("corners: success@1 auto less whole, points", rise, at_least=POINTS))
        _boxes(record, index, corners)
        _costs(record, index, [corner.english for corner in corners])


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


def _rankers(index: Index, under: Path | None = None) -> dict[str, Ranker]:
    scope = None if under is None else Filter(under=(bytes(under),))

    def asked(fragments: str) -> Ranker:
        def rank(query: str) -> list[str]:
            results = index.search(query, k=DEPTH, filter=scope, fragments=fragments)
            return [Path(result.relpath).name for result in results]

        return rank

    names, vectors = _wholes(index, under)

    def whole(query: str) -> list[str]:
        scores = vectors @ index.encoder.encode_texts([query])[0]
        return [names[number] for number in np.argsort(-scores, kind="stable")[:DEPTH]]

    return {"whole": whole, "off": asked("off"), "auto": asked("auto"), "on": asked("on")}


def _wholes(index: Index, under: Path | None) -> tuple[list[str], NDArray[np.float32]]:
    """Names of the files and the vectors of their whole pictures."""
    from cmrcli.searching.evidence import vectors_of

    reader = index.reader
    items = [number for numbers in reader.item_ids().values() for number in numbers.tolist()]
    hits = reader.whole_fragments(items)
    places = reader.places([hit.content_id for hit in hits.values()])
    names, ids = [], []
    for hit in hits.values():
        for at in places.get(hit.content_id, []):
            if under is None or at.path.startswith(bytes(under) + b"/"):
                names.append(Path(at.path.decode()).name)
                ids.append(hit.fragment_id)
    return names, vectors_of(reader.segments, np.array(ids, dtype=np.int64), reader.encoder.dim)


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
        print(f"less {other} {difference:+.3f} ({low:+.3f} {high:+.3f})")
        record.details.setdefault("differences", {})[f"{name}: auto less {other}"] = [difference, low, high]
    return first


def _place(names: Sequence[str], right: frozenset[str]) -> int:
    return next((place for place, name in enumerate(names, 1) if name in right), DEPTH + 1)


# -- ../shared/data ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dev:
    """The dev pictures in an index of their own. rows: file name -> names and captions, by set."""

    folder: Path
    index: Path
    rows: dict[str, dict[str, dict[str, list[str]]]]


def _dev_index() -> Dev | None:
    """All dev pictures under numbers, and their index: made once for this encoder and these settings of tiles."""
    source = SHARED / "data" / "dev"
    if not source.is_dir():
        print(f"  {source} is not there: figures and sets passed over")
        return None
    try:
        import pyarrow.parquet as pq
    except ImportError:
        print("  pyarrow is not installed (extra bench): figures and sets passed over")
        return None
    place = CACHE / "dev-pictures"
    kept = place / "rows.json"
    if not kept.is_file():
        rows: dict[str, dict[str, dict[str, list[str]]]] = {}
        for name in SETS:
            (place / "pictures" / name).mkdir(parents=True, exist_ok=True)
            rows[name] = {}
            for number, row in enumerate(pq.read_table(source / f"{name}.parquet").to_pylist()):
                file = f"{number:05d}.png"
                _write_png(place / "pictures" / name / file, row["image"])
                rows[name][file] = {key: row[key] or [] for key in ("names", "names_ja", "captions")}
                rows[name][file]["id"] = [row["id"]]
        kept.write_text(json.dumps(rows), "utf-8")
    print("  indexing the dev pictures: minutes, once", flush=True)
    run_once(cmrcli("index", place / "pictures", "--index", place / "index", "--quiet"), (0,))
    return Dev(place / "pictures", place / "index", json.loads(kept.read_text("utf-8")))


def _write_png(path: Path, webp: bytes) -> None:
    from PIL import Image

    Image.open(io.BytesIO(webp)).save(path)


def _half(key: str) -> int:
    return hashlib.sha1(key.encode()).digest()[0] % 2


def _figures(record: Record, dev: Dev, seed: int) -> None:
    panels, captions = [], []
    for file, row in dev.rows["openstax"].items():
        if _half(row["id"][0]) != seed % 2:
            continue
        parts = PANEL.split(" ".join(row["captions"]))[2::2]
        said = [re.split(r"(?<=[.;])\s", part.strip())[0].strip(" .;,") for part in parts]
        said = [part for part in said if len(part) > 8][:6]
        if len(said) > 1:
            panels += [Asked(part, frozenset({file})) for part in said]
            captions.append(Asked("; ".join(said), frozenset({file})))
    with open_index(dev.index) as index:
        rankers = _rankers(index, dev.folder / "openstax")
        _table(record, "figures, one panel", panels, rankers, seed)
        _table(record, "figures, all panels", captions, rankers, seed)


def _sets(record: Record, dev: Dev, seed: int) -> None:
    with open_index(dev.index) as index:
        for name in SETS:
            answers: dict[str, set[str]] = {}
            for file, row in dev.rows[name].items():
                said = row["names"][:1] + row["names_ja"][:1] + (row["captions"][:1] if name != "openstax" else [])
                for text in said or row["captions"][:1]:
                    answers.setdefault(text, set()).add(file)
            queries = [Asked(text, frozenset(right)) for text, right in answers.items() if _half(text) == seed % 2]
            queries = [queries[number] for number in range(0, len(queries), max(1, len(queries) // LONGEST_QUERIES))]
            rankers = _rankers(index, dev.folder / name)
            _table(record, f"set {name}", queries, {key: rankers[key] for key in ("whole", "off", "auto")}, seed)


if __name__ == "__main__":
    _run(CHOOSING if sys.argv[1:] == ["choosing"] else REPORTING).show()

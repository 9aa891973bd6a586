"""What is found across modalities in the made-up office, with the bundled encoder.

    cmrcli index OFFICE; cmrcli eval QUERIES.TSV QRELS --modes exact,words,auto -k 10

The office and its questions are cmrcli.samples' (`write_sample_corpus`, `sample_truth`), grouped by what is asked and
what answers. The encoder was trained on parts of the same families made from other seeds, so the drawing and picture
rows say how well that was learned, not how it generalises; the words of questions and specifications it never saw.
Few queries a group: read the intervals.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

from cmrcli.evaluation import Interval, evaluate_index
from cmrcli.samples import sample_truth, write_sample_corpus
from cmrcli.searching.query import looks_like_code
from tests.bench.measure import CACHE, cmrcli
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

MODES = ("exact", "words", "auto")
SEED = 0


def group_of(query: str, relpath: str) -> str:
    """What kind of question the pair is."""
    pictured = relpath.startswith("photos/")
    if query.startswith("image:"):
        return "drawing -> picture" if pictured else "picture -> drawing"
    if looks_like_code(query):
        return "part number -> drawing"
    language = "English" if query.isascii() else "Japanese"
    if pictured:
        return f"{language} name -> picture"
    drawn = relpath.startswith(("drawings/", "scans/", "図面/"))
    return f"{language} name -> drawing" if drawn else f"{language} question -> page"


def run(full: bool) -> Record | None:
    record = Record("finds", "cmrcli eval QUERIES.TSV QRELS --modes exact,words,auto -k 10", SEED)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="finds-") as place:
        office, index = Path(place, "office"), Path(place, "index")
        write_sample_corpus(office, SEED)
        run_once(cmrcli("index", office, "--index", index))
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for query, relpath in sample_truth(SEED):
            groups[group_of(query, relpath)].append((query, relpath))
        for name, pairs in sorted(groups.items()):
            found = _evaluate(Path(place), office, index, pairs)
            for mode, measures in found.items():
                best = measures["success@10"]
                line = f"{measures['success@1'].value:.2f} / {best.value:.2f} [{best.low:.2f}, {best.high:.2f}]"
                print(f"    {name:<28} {mode:<6} {len(pairs):>3} queries   success@1 / @10  {line}")
                record.figures.append(Figure(f"{name}, {mode}, success@1", measures["success@1"].value))
                record.figures.append(Figure(f"{name}, {mode}, success@10", best.value))
    return record


def _evaluate(place: Path, office: Path, index: Path, pairs: list[tuple[str, str]]) -> dict[str, dict[str, Interval]]:
    """Measures of each mode; words are left out where the queries are pictures."""
    queries = sorted({query for query, _ in pairs})
    topics, qrels = place / "queries.tsv", place / "qrels"
    asked = [f"image:{office}/{query[6:]}" if query.startswith("image:") else query for query in queries]
    topics.write_text("".join(f"q{n}\t{text}\n" for n, text in enumerate(asked)), encoding="utf-8")
    lines = [f"q{queries.index(query)} 0 {relpath} 1\n" for query, relpath in pairs]
    qrels.write_text("".join(lines), encoding="utf-8")
    modes = tuple(mode for mode in MODES if mode != "words" or not queries[0].startswith("image:"))
    evaluation = evaluate_index(index, topics, qrels, modes, k=10, repeats=1, seed=SEED, memory=False)
    return {report.mode: report.measures for report in evaluation.modes}

"""What is found across modalities in the made-up office, with the bundled encoder.

    cmrcli index OFFICE; cmrcli eval QUERIES.TSV QRELS --modes exact,words,auto -k 10 --by asked

The office and its questions are cmrcli.samples' (`write_sample_corpus`, `sample_truth`), grouped by what is asked and
what answers. The encoder was trained on parts of the same families made from other seeds, so the drawing and picture
rows say how well that was learned, not how it generalises; the words of questions and specifications it never saw.
Few queries a group: read the intervals.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

from cmrcli.evaluation import Part, Settings, Subject, Topic, Truth, evaluate
from cmrcli.samples import sample_truth, write_sample_corpus
from cmrcli.searching.query import IMAGE_PREFIX, looks_like_code
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
    record = Record("finds", "cmrcli eval QUERIES.TSV QRELS --modes exact,words,auto -k 10 --by asked", SEED)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="finds-") as place:
        office, index = Path(place, "office"), Path(place, "index")
        write_sample_corpus(office, SEED)
        run_once(cmrcli("index", office, "--index", index))
        settings = Settings(modes=MODES, k=10, repeats=1, seed=SEED, cold=False, memory=False)
        for row in evaluate(Truth("trec", _parts(office)), Subject(index), settings).evaluation.rows:
            if row.unanswered:  # words know nothing of pictures
                continue
            first, ten = row.measures["success@1"], row.measures["success@10"]
            line = f"{first.value:.2f} / {ten.value:.2f} [{ten.low:.2f}, {ten.high:.2f}]"
            print(f"    {row.part:<28} {row.mode:<6} {row.queries:>3} queries   success@1 / @10  {line}")
            record.figures.append(Figure(f"{row.part}, {row.mode}, success@1", first.value))
            record.figures.append(Figure(f"{row.part}, {row.mode}, success@10", ten.value))
    return record


def _parts(office: Path) -> tuple[Part, ...]:
    """The questions of the office by what is asked and what answers."""
    judged: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for query, relpath in sample_truth(SEED):
        judged[group_of(query, relpath)][query][relpath] = 1
    parts = []
    for name, queries in sorted(judged.items()):
        topics = [Topic(f"q{number}", _line(query, office)) for number, query in enumerate(queries)]
        qrels = dict(zip((topic.id for topic in topics), queries.values(), strict=True))
        parts.append(Part(name, tuple(topics), qrels))
    return tuple(parts)


def _line(query: str, office: Path) -> str:
    """The query as a batch takes it, its example by its whole path."""
    return f"{IMAGE_PREFIX}{office}/{query.removeprefix(IMAGE_PREFIX)}" if query.startswith(IMAGE_PREFIX) else query

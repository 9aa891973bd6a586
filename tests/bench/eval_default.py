"""How well the bundled encoder finds the pictures of ../shared/data/dev, by cmrcli's own evaluation.

    python -m tests.bench.eval_default                        the reporting half: the figures to quote
    python -m tests.bench.eval_default --half choose          the half that choices are made on
    python -m tests.bench.eval_default --encoder DIR ...      other encoders beside it, with paired differences

dev is split by concept, as the training splits it (`models.train.pictures.half`). Every set is a gallery of pictures of
one sort and queries with their right answers, written to .bench/eval-default/ as picture files and pairs CSV and read
back by `cmrcli.evaluation.truths`, so that what is measured is what `cmrcli eval` measures. The table goes to stdout,
the evaluations to .bench/eval-default/HALF.json.

Needs pyarrow. Where it or the data are missing, a line says so and nothing fails.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cmrcli.encoders.locate import resolve
from cmrcli.encoders.manifest import load_manifest
from cmrcli.errors import CmrcliError
from cmrcli.evaluation.bootstrap import intervals
from cmrcli.evaluation.evaluating import Settings, Subject, evaluate
from cmrcli.evaluation.report import Evaluation, Interval
from cmrcli.evaluation.truth import Gallery, Part, Truth
from cmrcli.evaluation.truths import read_truth
from cmrcli.lexicon import load_terms
from cmrcli.searching.query import IMAGE_PREFIX
from tests.bench.measure import CACHE

FOLDER = CACHE / "eval-default"
MEASURES = ("success@1", "success@10", "R-precision")
SETTINGS = Settings(modes=("exact",), measures=MEASURES, k=10, cold=False, memory=False, through="encoder")
Row = dict[str, Any]  # of the Parquet files, its picture as bytes under "image"
Answers = dict[str, list[int]]  # query -> numbers of the rows that answer it


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.eval_default", description=__doc__.partition("\n")[0])
    parser.add_argument("--half", choices=("report", "choose"), default="report")
    parser.add_argument(
        "--encoder", action="append", default=[], metavar="DIR", help="compare with this one; repeatable"
    )
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    found: dict[str, Evaluation] = {}
    try:
        encoders = {str(named or "bundled"): load_manifest(resolve(named)) for named in (None, *arguments.encoder)}
        rows = read_rows(arguments.half)
        if rows is None:
            return 0
        truth = written(rows, FOLDER / arguments.half)
        for name, manifest in encoders.items():
            subject = Subject(encoder=manifest.folder, threads=arguments.threads)
            found[name] = evaluate(truth, subject, SETTINGS, _progress).evaluation
    except CmrcliError as error:
        print(f"{error}\n{error.remedy}", file=sys.stderr)
        return error.exit_code
    show(found, truth)
    kept = FOLDER / f"{arguments.half}.json"
    document = {
        name: {**evaluation.to_json(per_query=True), "macro": macro(evaluation)} for name, evaluation in found.items()
    }
    kept.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"\n{kept.relative_to(CACHE.parent)} holds every query", flush=True)
    return 0


def read_rows(half: str) -> list[Row] | None:
    """The rows of one half, in the order of the files; None where something is missing, which has been said."""
    if importlib.util.find_spec("pyarrow") is None:
        print("pyarrow is not installed: nothing evaluated")
        return None
    from models.train import pictures
    from models.train.workspace import DATA

    if not any((DATA / "dev").glob("*.parquet")):
        print(f"there are no pictures in {DATA / 'dev'}: nothing evaluated")
        return None
    return [row for row in pictures.rows("dev") if pictures.half(row) == half]


def sets(rows: Sequence[Row]) -> dict[str, tuple[list[int], Answers]]:
    """Name -> numbers of the pictures in the gallery, and the queries; those of models/train/evaluate.py, and one more.

    The one more, "Japanese -> icon", asks with the Japanese terms of the lexicon for the icons that are named like
    their English.
    """

    def of(keep: Callable[[Row], bool]) -> list[int]:
        return [number for number, row in enumerate(rows) if keep(row)]

    galleries = {
        "text -> icon": of(lambda row: row["kind"] == "icon"),
        "text -> symbol": of(lambda row: row["kind"] == "symbol"),
        "text -> stencil": of(lambda row: row["kind"] == "stencil"),
        "text -> emoji": of(lambda row: row["kind"] == "emoji"),
        "text -> photo (unseen classes)": of(lambda row: row["source"] == "caltech101"),
        "text -> clothing photo": of(lambda row: row["source"].startswith("clothing")),
        "text -> product": of(lambda row: row["kind"] == "product"),
    }
    found = {name: (gallery, _by_first_name(rows, gallery, "names")) for name, gallery in galleries.items()}
    emoji, icons = galleries["text -> emoji"], galleries["text -> icon"]
    found["ja -> emoji"] = emoji, _by_first_name(rows, emoji, "names_ja")
    figures = of(lambda row: row["source"].startswith("openstax") and bool(row["captions"]))
    alt_texts: Answers = {}
    for number in figures:
        alt_texts.setdefault(rows[number]["captions"][0], []).append(number)
    found["text -> figure (alt text)"] = figures, alt_texts
    found["Japanese -> icon"] = icons, _by_lexicon(rows, icons)
    return {name: one for name, one in found.items() if one[1]}


def written(rows: Sequence[Row], folder: Path) -> Truth:
    """The sets as files in the folder, read back: one part each, asked of its gallery."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    paths = [str(folder / "pictures" / f"{number:05}.webp") for number in range(len(rows))]
    for path, row in zip(paths, rows, strict=True):
        Path(path).write_bytes(row["image"])
    parts: list[Part] = []
    sources: list[Path] = []
    for name, (gallery, answers) in sets(rows).items():
        truth = read_truth([_pairs(folder / f"{_file_name(name)}.csv", answers, paths)], "pairs")
        documents = tuple(paths[number] for number in gallery)
        lines = tuple((IMAGE_PREFIX + document,) for document in documents)
        parts.append(replace(truth.parts[0], name=name, gallery=Gallery(documents, lines)))
        sources += truth.sources
    return Truth("pairs", tuple(parts), tuple(sources))


def macro(evaluation: Evaluation) -> dict[str, float]:
    """Measure -> mean over the sets, each counting the same."""
    return {name: float(np.mean([row.measures[name].value for row in evaluation.rows])) for name in MEASURES}


def show(found: Mapping[str, Evaluation], truth: Truth) -> None:
    """One table for each encoder, and the paired differences of the others to the first."""
    galleries = {part.name: len(part.gallery.documents) for part in truth.parts if part.gallery is not None}
    first, *others = found.items()
    for name, evaluation in found.items():
        lines = {row.part: [_shown(row.measures[measure]) for measure in MEASURES] for row in evaluation.rows}
        _table(name, evaluation, galleries, lines, [f"{value:.3f}" for value in macro(evaluation).values()])
    for name, evaluation in others:
        lines = {
            row.part: [_difference(row.per_query, before.per_query, measure) for measure in MEASURES]
            for row, before in zip(evaluation.rows, first[1].rows, strict=True)
        }
        gains = [
            after - before for after, before in zip(*(macro(e).values() for e in (evaluation, first[1])), strict=True)
        ]
        _table(f"{name} less {first[0]}", evaluation, galleries, lines, [f"{gain:+.3f}" for gain in gains])


def _by_first_name(rows: Sequence[Row], gallery: Iterable[int], field: str) -> Answers:
    """One query for each first name; every picture that has it among its names answers."""
    gallery = list(gallery)
    named: Answers = {}
    for number in gallery:
        for name in dict.fromkeys(rows[number][field]):
            named.setdefault(name, []).append(number)
    return {name: named[name] for name in sorted({rows[number][field][0] for number in gallery if rows[number][field]})}


def _by_lexicon(rows: Sequence[Row], gallery: Iterable[int]) -> Answers:
    named: dict[str, set[int]] = {}
    for number in gallery:
        for name in rows[number]["names"]:
            named.setdefault(name.lower(), set()).add(number)
    answers: dict[str, set[int]] = {}
    for term in load_terms():
        right = set().union(*(named.get(english.lower(), ()) for english in (term.en, *term.synonyms)))
        if right:
            answers.setdefault(term.ja, set()).update(right)
    return {japanese: sorted(right) for japanese, right in answers.items()}


def _pairs(path: Path, answers: Answers, paths: Sequence[str]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["query", "path"])
        writer.writerows([query, paths[number]] for query, right in answers.items() for number in right)
    return path


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def _table(
    title: str,
    evaluation: Evaluation,
    galleries: Mapping[str, int],
    lines: Mapping[str, Sequence[str]],
    means: Sequence[str],
) -> None:
    print(f"\n{title}   {evaluation.environment.encoder} {evaluation.environment.encoder_digest[:12]}")
    print(f"{'set':<32}{'queries / pictures':>20}" + "".join(f"{measure:>24}" for measure in MEASURES))
    for row in evaluation.rows:
        sizes = f"{row.queries:,} / {galleries[row.part]:,}"
        print(f"{row.part:<32}{sizes:>20}" + "".join(f"{cell:>24}" for cell in lines[row.part]))
    print(f"{'macro average':<52}" + "".join(f"{mean:>24}" for mean in means))


def _shown(interval: Interval, sign: str = "") -> str:
    return f"{interval.value:{sign}.3f} ({interval.low:{sign}.3f} {interval.high:{sign}.3f})"


def _difference(
    after: Mapping[str, Mapping[str, float]], before: Mapping[str, Mapping[str, float]], measure: str
) -> str:
    """Mean of the queries' differences with its 95 % interval."""
    values = np.array([[after[query][measure] - before[query][measure]] for query in before])
    ((low, high),) = intervals(values, SETTINGS.seed)
    return _shown(Interval(float(values.mean()), float(low), float(high)), "+")


def _progress(doing: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{doing} {done:,} of {total:,}", end="\n" if done == total else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

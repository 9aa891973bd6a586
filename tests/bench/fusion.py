"""Words and vectors together, against each alone, on mixed questions to an office among real pictures.

    cmrcli search QUESTION --mode vectors|words|auto [--fusion rrf] [--no-hubness] -k 20, the first ten documents

Corpus and questions: mixed_corpus.py. Every question is asked of the same index in every way; differences are paired,
their 95 % intervals bootstrapped over the questions (cmrcli.evaluation). "Without other names": the same without the
bilingual lexicon. The half "choose" is what constants were fitted on; the figures are those of the half "report".
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

import cmrcli
from cmrcli.evaluation.answers import Outcome
from cmrcli.evaluation.bootstrap import difference_interval, intervals
from cmrcli.evaluation.measures import parse, values_of
from cmrcli.searching import Index
from tests.bench import mixed_corpus
from tests.bench.dev_index import HALVES, dev_pictures, encoder, text_vectors
from tests.bench.measure import CACHE
from tests.bench.mixed_corpus import Question
from tests.bench.record import Figure, Record

MEASURES = ("success@1", "MRR@10", "nDCG@10")
LEADING = "MRR@10"
DEPTH = 20  # results asked for: a document may have several pages
SEED = mixed_corpus.SEED
SYSTEMS: dict[str, dict[str, Any]] = {
    "vectors": {"mode": "vectors"},
    "words": {"mode": "words"},
    "rrf": {"mode": "auto", "fusion": "rrf"},
    "calibrated": {"mode": "auto"},
    "calibrated, --no-hubness": {"mode": "auto", "hubness": False},
    "words, without other names": {"mode": "words"},
    "calibrated, without other names": {"mode": "auto"},
}
PLAIN = "without other names"
Values = NDArray[np.float64]  # (questions, measures)


def run(full: bool) -> Record | None:
    record = Record("fusion", "cmrcli search QUESTION --mode ... --fusion ... on a mixed corpus", SEED)
    asked = encoder()
    pictures = dev_pictures(asked)
    if pictures is None:
        return None
    questions = mixed_corpus.questions(pictures)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="fusion-") as place:
        mixed_corpus.write_index(Path(place), asked, pictures)
        vectors = text_vectors(asked, (question.text for question in questions))
        with cmrcli.open_index(Path(place, "index")) as index:
            found = {name: _answers(index, questions, vectors, name) for name in SYSTEMS}
    for half in HALVES:
        of_half = np.array([question.half == half for question in questions])
        own = [question for question in questions if question.half == half]
        _tell(half, own, {name: values[of_half] for name, values in found.items()}, record)
    return record


def _answers(
    index: Index, questions: Sequence[Question], vectors: dict[str, NDArray[np.float32]], system: str
) -> Values:
    measures = [parse(name) for name in MEASURES]
    outcomes = []
    with _without_other_names() if PLAIN in system else _as_it_is():
        for question in questions:
            answer = index.answer(question.text, DEPTH, vector=vectors[question.text], **SYSTEMS[system])
            paths = ((result.path, *result.duplicates) for result in answer.results)
            documents = (mixed_corpus.document(one) for one in paths)
            outcomes.append(outcome(documents, question.right))
    return values_of(measures, outcomes)


def outcome(documents: Iterable[str], right: frozenset[str]) -> Outcome:
    """Of a ranking with every document at its first place."""
    order = list(dict.fromkeys(documents))
    ranks = tuple(rank for rank, document in enumerate(order, 1) if document in right)
    return Outcome(ranks, (1,) * len(ranks), (1,) * len(right), len(order))


@contextmanager
def _without_other_names() -> Iterator[None]:
    with mock.patch("cmrcli.searching.word_signal._other_names", lambda text: []):
        yield


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


def _tell(half: str, questions: Sequence[Question], found: dict[str, Values], record: Record) -> None:
    """Prints the half; the reporting half goes into the record."""
    print(f"    {half}: {len(questions)} questions" + ("; constants are fitted here" if half == "choose" else ""))
    for name, values in found.items():
        bounds = intervals(values, SEED)
        cells = [
            f"{m} {v:.3f} ({low:.3f} {high:.3f})"
            for m, v, (low, high) in zip(MEASURES, values.mean(axis=0), bounds, strict=True)
        ]
        print(f"      {name:<33} " + "   ".join(cells))
    column = MEASURES.index(LEADING)
    better = max(("vectors", "words"), key=lambda name: float(found[name][:, column].mean()))
    pairs = [("calibrated", other) for other in ("vectors", "words", "rrf", "calibrated, --no-hubness")]
    pairs += [("rrf", better), ("words", f"words, {PLAIN}"), ("calibrated", f"calibrated, {PLAIN}")]
    for after, before in pairs:
        for number, measure in enumerate(MEASURES):
            gain = float((found[after][:, number] - found[before][:, number]).mean())
            low, high = difference_interval(found[before][:, number], found[after][:, number], SEED)
            title = f"{measure}, {after} less {before}"
            print(f"        {title:<68} {gain:+.3f} ({low:+.3f} {high:+.3f})")
            if half == "report":
                record.figures.append(Figure(title, gain))
                target = 0.0 if (after, before, measure) == ("calibrated", better, LEADING) else None
                record.figures.append(Figure(f"{title}, lower bound", low, at_least=target))
    sorts = sorted({question.sort for question in questions})
    print(f"        {LEADING:<35}" + "".join(f"{name[:24]:>26}" for name in found))
    for sort in sorts:
        own = np.array([question.sort == sort for question in questions])
        cells = [f"{values[own, column].mean():.3f}" for values in found.values()]
        print(f"        {sort:<28}{int(own.sum()):>4}   " + "".join(f"{cell:>26}" for cell in cells))
    if half == "report":
        record.details["per sort"] = {
            sort: {
                name: float(values[np.array([q.sort == sort for q in questions]), column].mean())
                for name, values in found.items()
            }
            for sort in sorts
        }
        record.figures += [
            Figure(f"{measure}, {name}", float(values[:, number].mean()))
            for name, values in found.items()
            for number, measure in enumerate(MEASURES)
        ]

"""Whether a confidence means what it says, and how well it tells what is not there.

    cmrcli search QUESTION -k 10 [--min-confidence X]

Corpus and questions: mixed_corpus.py, more of the short names, without half of the concepts of the pictures and half
of the figures: their names and captions are asked for all the same, as are part numbers of parts that the office does
not have. "There" is a question for which the index holds an answer.

Printed: of "nothing found" under each threshold its precision and recall among the questions whose answer is not there,
and how many right first results it costs; the expected calibration error of the confidence (Naeini et al. 2015: ten
bins of stated against true shares, weighted by their size); and EVEN, SLOPE and FIRST of cmrcli/searching/evidence.py
as a logistic regression of "this result is right" on its evidence, and on whether it is the first of the ten, gives
them (Platt 1999), fitted on the half "choose". The figures to quote are those of the half "report". Part numbers are
asked with a minimum of 0: without one, the default takes 0.3 of the best result (evidence.CODE_LEAST).
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import cmrcli
from cmrcli.evaluation.bootstrap import intervals
from cmrcli.searching import Index
from cmrcli.searching.evidence import EVEN, FIRST, SLOPE
from tests.bench import dev_index, mixed_corpus
from tests.bench.dev_index import HALVES, Pictures, by_first_name, dev_pictures, encoder, text_vectors
from tests.bench.measure import CACHE
from tests.bench.mixed_corpus import Question
from tests.bench.record import Figure, Record

SEED = mixed_corpus.SEED
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
BINS = 10
NAMES = 250  # of pictures, in each half and language
PART_NUMBERS = 40  # that are not there
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question's answer.

    Attributes:
        there: whether the index holds an answer at all.
        sure: confidence of each of the first ten results.
        right: whether each of them answers.
    """

    question: Question
    there: bool
    sure: tuple[float, ...]
    right: tuple[bool, ...]

    @property
    def first(self) -> float:
        return self.sure[0] if self.sure else 0.0

    @property
    def first_right(self) -> bool:
        return bool(self.right) and self.right[0]


def run(full: bool) -> Record | None:
    record = Record("confidence", "cmrcli search QUESTION -k 10 --min-confidence X", SEED)
    asked = encoder()
    pictures = dev_pictures(asked)
    if pictures is None:
        return None
    left_out = _left_out(pictures)
    questions = _questions(pictures)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="confidence-") as place:
        mixed_corpus.write_index(Path(place), asked, pictures, left_out)
        vectors = text_vectors(asked, (question.text for question in questions))
        with cmrcli.open_index(Path(place, "index")) as index:
            answers = [_ask(index, question, vectors[question.text], left_out) for question in questions]
    by_half = {half: [one for one in answers if one.question.half == half] for half in HALVES}
    for half, own in by_half.items():
        print(f"    {half}" + ("; constants are fitted here" if half == "choose" else ""))
        _tell(half, own, record)
    _fit(by_half, record)
    return record


# -- questions ----------------------------------------------------------------------------------------------------


def _left_out(pictures: Pictures) -> frozenset[int]:
    """Half of the concepts; of the figures, which share one, half one by one."""
    from models.train.workspace import fraction

    keys = ((n, row["id"] if row["kind"] == "figure" else row["concept"]) for n, row in enumerate(pictures.rows))
    return frozenset(number for number, key in keys if key and fraction(key, "left out") < 0.5)


def _questions(pictures: Pictures) -> list[Question]:
    """Those of the mixed corpus with more names, and part numbers that are not there."""
    found = [one for one in mixed_corpus.questions(pictures) if not one.sort.endswith(" name") or "file" in one.sort]
    for half in HALVES:
        for language in ("English", "Japanese"):
            named = by_first_name(pictures, pictures.of(half, *dev_index.SORTS), language == "Japanese")
            for name in dev_index.evenly(named, NAMES, "confidence question"):
                found.append(Question(f"{language} name", half, name, frozenset(map(str, named[name]))))
    for place, number in enumerate(mixed_corpus.absent_part_numbers(PART_NUMBERS)):
        found.append(Question("part number", HALVES[place % 2], number, frozenset()))
    return found


def _ask(index: Index, question: Question, vector: NDArray[np.float32], left_out: frozenset[int]) -> Asked:
    results = index.answer(question.text, 10, vector=vector, min_confidence=0).results
    documents = [mixed_corpus.document((one.path, *one.duplicates)) for one in results]
    there = any(not one.isdigit() or int(one) not in left_out for one in question.right)
    sure = tuple(float(one.confidence or 0.0) for one in results)
    return Asked(question, there, sure, tuple(one in question.right for one in documents))


# -- figures ------------------------------------------------------------------------------------------------------


def _tell(half: str, answers: Sequence[Asked], record: Record) -> None:
    groups = {
        "all": answers,
        "names of pictures": [one for one in answers if one.question.sort in ("English name", "Japanese name")],
        "captions": [one for one in answers if one.question.sort == "caption"],
        "part numbers": [one for one in answers if one.question.sort == "part number"],
    }
    for name, own in groups.items():
        there = np.array([one.there for one in own])
        right = np.array([one.first_right for one in own])
        print(
            f"      {name}: {len(own)} questions, {int((~there).sum())} not there; first result right for"
            f" {right[there].mean():.2f} of those that are there"
        )
        for threshold in THRESHOLDS:
            said = np.array([one.first < threshold for one in own])
            precision, recall, empty = _share(~there, said), _share(said, ~there), _share(~right, said)
            lost = _share(said, right)
            print(
                f"        nothing found below {threshold:<4}  precision {precision}  recall {recall}"
                f"  no right first result {empty}  right first results lost {lost}"
            )
            if half == "report":
                title = f"{name}, below {threshold}"
                shares = (("precision", precision), ("recall", recall), ("right first results lost", lost))
                record.figures += [Figure(f"{title}, {what}", one.value) for what, one in shares if one.count]
    for title, sure, right in (_firsts(answers), _all_ten(answers)):
        print(f"      expected calibration error, {title}: {_calibration_error(sure, right):.3f}")
        print("        " + "  ".join(_bins(sure, right)))
        if half == "report":
            record.figures.append(Figure(f"expected calibration error, {title}", _calibration_error(sure, right)))


@dataclass(frozen=True, slots=True)
class _Share:
    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} {self.high:.2f})" if self.count else "-"


def _share(what: NDArray[np.bool_], among: NDArray[np.bool_]) -> _Share:
    """How much of `among` is `what`, with a 95 % interval."""
    values = what[among].astype(np.float64)
    if not len(values):
        return _Share(math.nan, math.nan, math.nan, 0)
    ((low, high),) = intervals(values[:, None], SEED)
    return _Share(float(values.mean()), float(low), float(high), len(values))


def _firsts(answers: Sequence[Asked]) -> tuple[str, Values, Values]:
    return "first results", *_arrays([(one.first, one.first_right) for one in answers if one.sure])


def _all_ten(answers: Sequence[Asked]) -> tuple[str, Values, Values]:
    pairs = [pair for one in answers for pair in zip(one.sure, one.right, strict=True)]
    return "all of the first ten", *_arrays(pairs)


def _arrays(pairs: Sequence[tuple[float, bool]]) -> tuple[Values, Values]:
    table = np.array(pairs, dtype=np.float64)
    return table[:, 0], table[:, 1]


def _calibration_error(sure: Values, right: Values) -> float:
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    parts = [places == place for place in range(BINS)]
    return float(sum(abs(sure[own].mean() - right[own].mean()) * own.mean() for own in parts if own.any()))


def _bins(sure: Values, right: Values) -> list[str]:
    """Of each bin what was stated, what was true, and how many."""
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    return [
        f"{sure[places == place].mean():.2f}>{right[places == place].mean():.2f} ({int((places == place).sum())})"
        for place in range(BINS)
        if (places == place).any()
    ]


# -- the fit ------------------------------------------------------------------------------------------------------


def _fit(by_half: dict[str, list[Asked]], record: Record) -> None:
    even, slope, lead = fitted(*_evidence(by_half["choose"]))
    evidence, first, right = _evidence(by_half["report"])
    sure = 1 / (1 + np.exp(-(slope * (evidence - even) + lead * first)))
    errors = [_calibration_error(sure, right), _calibration_error(sure[first > 0], right[first > 0])]
    print(
        f"    fitted: EVEN {even:.2f}, SLOPE {slope:.3f}, FIRST {lead:.2f} (built in: {EVEN:g}, {SLOPE:g}, {FIRST:g});"
        f" with these the calibration error of the half report is {errors[0]:.3f}, of first results {errors[1]:.3f}"
    )
    record.figures += [Figure("fitted EVEN", even), Figure("fitted SLOPE", slope), Figure("fitted FIRST", lead)]


def fitted(evidence: Values, first: Values, right: Values) -> tuple[float, float, float]:
    """EVEN, SLOPE and FIRST: the logistic regression of `right` on evidence and `first` (0, 1), by Newton's method."""
    design = np.column_stack([np.ones(len(evidence)), evidence, first])
    weights = np.zeros(3)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        spread = chance * (1 - chance) + 1e-9
        weights += np.linalg.solve((design * spread[:, None]).T @ design, design.T @ (right - chance))
    return float(-weights[0] / weights[1]), float(weights[1]), float(weights[2])


def _evidence(answers: Sequence[Asked]) -> tuple[Values, Values, Values]:
    """Of each of the first ten results: what its confidence was made of, whether it is the first, and right."""
    rows = [
        (sure, float(place == 0), float(right))
        for one in answers
        for place, (sure, right) in enumerate(zip(one.sure, one.right, strict=True))
    ]
    sure, first, right = np.array(rows, dtype=np.float64).T
    inner = np.clip(sure, 1e-12, 1 - 1e-12)
    return EVEN + (np.log(inner / (1 - inner)) - FIRST * first) / SLOPE, first, right

"""What correcting for items that match everything gains: the sets of ../shared/data/dev with and without it.

    cmrcli search NAME -k 10; cmrcli search NAME -k 10 --no-hubness

Sets: those of eval_default.py; each gallery is an index of its own, calibrated on itself, of pictures without words, so
that what is compared is the order of the vectors alone. Differences are paired, their 95 % intervals bootstrapped over
the queries. Hubness is the skewness of the k-occurrences (Radovanovic et al. 2010, JMLR 11): how often each picture is
among the first ten of all queries of its set, pictures never found included. Whether the correction is on by default is
chosen on the half "choose"; the figures to quote are those of the half "report".
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import cmrcli
from cmrcli.encoders.dual import DualEncoder
from cmrcli.evaluation.bootstrap import difference_interval
from cmrcli.evaluation.measures import parse, values_of
from cmrcli.evaluation.verdicts.balance import skewness
from tests.bench import dev_index
from tests.bench.dev_index import HALVES, Pictures, dev_pictures, encoder, make_index, number_of, text_vectors
from tests.bench.eval_default import Answers, sets
from tests.bench.fusion import outcome
from tests.bench.measure import CACHE
from tests.bench.record import Figure, Record

SEED = 71
QUERIES = 200  # of a set at most
MEASURES = ("success@1", "success@10", "MRR@10")
LEADING = "MRR@10"
Values = NDArray[np.float64]  # (queries, measures)


@dataclass(frozen=True, slots=True)
class Compared:
    """One set, without (0) and with (1) the correction: values of every query, and the skewness."""

    queries: int
    pictures: int
    values: tuple[Values, Values]
    skewness: tuple[float, float]


def run(full: bool) -> Record | None:
    record = Record("hubness", "cmrcli search NAME -k 10 [--no-hubness]", SEED)
    asked = encoder()
    pictures = dev_pictures(asked)
    if pictures is None:
        return None
    for half in HALVES:
        own = pictures.of(half)
        rows = [pictures.rows[number] for number in own]
        compared: dict[str, Compared] = {}
        for name, (gallery, answers) in sets(rows).items():
            right = {query: [own[place] for place in places] for query, places in answers.items()}
            compared[name] = _compare(asked, pictures, [own[place] for place in gallery], right)
        _tell(half, compared, record)
    return record


def _compare(asked: DualEncoder, pictures: Pictures, gallery: list[int], right: Answers) -> Compared:
    queries = dev_index.evenly(right, QUERIES, "hubness query")
    vectors = text_vectors(asked, queries)
    values: list[Values] = []
    skewed: list[float] = []
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="hubness-") as place:
        make_index(Path(place), asked, pictures, gallery)
        with cmrcli.open_index(Path(place, "index")) as index:
            for hubness in (False, True):
                found: Counter[str] = Counter()
                outcomes = []
                for query in queries:
                    results = index.answer(query, 10, vector=vectors[query], hubness=hubness).results
                    documents = [str(number_of(result.path)) for result in results]
                    found.update(documents)
                    outcomes.append(outcome(documents, frozenset(map(str, right[query]))))
                values.append(values_of([parse(name) for name in MEASURES], outcomes))
                skewed.append(skewness(found.values(), len(gallery)) or 0.0)
    return Compared(len(queries), len(gallery), (values[0], values[1]), (skewed[0], skewed[1]))


def _tell(half: str, compared: dict[str, Compared], record: Record) -> None:
    print(f"    {half}: without > with the correction, difference (95 % interval)" + _note(half))
    for name, one in compared.items():
        cells = []
        for number, measure in enumerate(MEASURES):
            before, after = (values[:, number] for values in one.values)
            low, high = difference_interval(before, after, SEED)
            gain = float((after - before).mean())
            cells.append(f"{measure} {before.mean():.3f} > {after.mean():.3f}, {gain:+.3f} ({low:+.3f} {high:+.3f})")
            if half == "report":
                record.figures += [
                    Figure(f"{name}, {measure}, difference", gain),
                    Figure(f"{name}, {measure}, difference, lower bound", low),
                ]
        size = f"{one.queries}/{one.pictures}"
        print(
            f"      {name:<32}{size:>10}  " + "   ".join(cells)
            + f"   skewness {one.skewness[0]:.2f} > {one.skewness[1]:.2f}"
        )  # fmt: skip
    column = MEASURES.index(LEADING)
    gains = [one.values[1][:, column] - one.values[0][:, column] for one in compared.values()]
    mean, low, high = _macro(gains)
    print(f"      macro average of the differences in {LEADING}: {mean:+.4f} ({low:+.4f} {high:+.4f})")
    if half == "report":
        record.figures += [
            Figure(f"macro average, {LEADING}, difference", mean),
            Figure(f"macro average, {LEADING}, difference, lower bound", low),
        ]


def _note(half: str) -> str:
    return "; the default is chosen here" if half == "choose" else ""


def _macro(gains: list[NDArray[np.float64]]) -> tuple[float, float, float]:
    """Mean over the sets of their mean differences, with its interval: every set is resampled on its own."""
    rng = np.random.default_rng(SEED)
    drawn = np.mean([gain[rng.integers(0, len(gain), (2_000, len(gain)))].mean(axis=1) for gain in gains], axis=0)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(np.mean([gain.mean() for gain in gains])), float(low), float(high)

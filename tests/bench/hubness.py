"""What correcting for items that match everything gains: the sets of ../shared/data/dev with and without it.

    cmrcli search NAME -k 10; cmrcli search NAME -k 10 --no-hubness

Sets: those of eval_default.py; each gallery is calibrated on itself as an index of pictures without words would be, so
that what is compared is the order of the vectors alone: as in a search, the DEPTH nearest by their cosine, ordered by
their evidence. Differences are paired, their 95 % intervals bootstrapped over
the queries. Hubness is the skewness of the k-occurrences (Radovanovic et al. 2010, JMLR 11): how often each picture is
among the first ten of all queries of its set, pictures never found included. Whether the correction is on by default is
chosen on the half "choose"; the figures to quote are those of the half "report".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmrcli.calibration.null import SAMPLE, calibrate
from cmrcli.encoders.dual import DualEncoder
from cmrcli.evaluation.bootstrap import difference_interval
from cmrcli.evaluation.measures import parse, values_of
from cmrcli.evaluation.verdicts.balance import skewness
from cmrcli.indexing.calibrating import query_bank
from tests.bench import dev_index
from tests.bench.dev_index import HALVES, Pictures, Vectors, dev_pictures, encoder, text_vectors
from tests.bench.eval_default import Answers, sets
from tests.bench.fusion import outcome
from tests.bench.record import Figure, Record

SEED = 71
QUERIES = 200  # of a set at most
DEPTH = 50  # as deep as a search for ten results looks
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
    generic = query_bank()
    known = text_vectors(asked, generic)
    bank = np.stack([known[text] for text in generic])
    for half in HALVES:
        own = pictures.of(half)
        rows = [pictures.rows[number] for number in own]
        compared: dict[str, Compared] = {}
        for name, (gallery, answers) in sets(rows).items():
            right = {query: [own[place] for place in places] for query, places in answers.items()}
            compared[name] = _compare(asked, pictures, [own[place] for place in gallery], right, bank)
        _tell(half, compared, record)
    return record


def _compare(asked: DualEncoder, pictures: Pictures, gallery: list[int], right: Answers, bank: Vectors) -> Compared:
    queries = dev_index.evenly(right, QUERIES, "hubness query")
    vectors = text_vectors(asked, queries)
    rows = pictures.vectors[gallery]
    sample = rows[np.random.default_rng(SEED).permutation(len(rows))[:SAMPLE]]
    calibration = calibrate(bank, sample, np.empty((0, rows.shape[1]), np.float32))
    values: list[Values] = []
    skewed: list[float] = []
    for hubness in (False, True):
        found: Counter[str] = Counter()
        outcomes = []
        for query in queries:
            cosines = rows @ vectors[query]
            near = np.argsort(-cosines, kind="stable")[:DEPTH]
            z = calibration.z_scores(vectors[query], cosines[near], 0, rows[near] if hubness else None)
            order = near[np.argsort(calibration.log_tail(z, 0), kind="stable")][:10]
            documents = [str(gallery[place]) for place in order]
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

"""Every measure that the pytrec_eval provider of ir_measures implements, on random runs: equal to 1e-9.

Runs have ties in score, ids that are not ASCII, documents that nobody judged, grades from -2 to 4, and queries that are
not answered. MRR@k is checked against the provider of MS MARCO's script.
"""

from __future__ import annotations

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, IPrec, P, R, Rprec, Success, nDCG
from ir_measures.providers.msmarco_provider import MsMarcoProvider
from ir_measures.providers.pytrec_eval_provider import PytrecEvalProvider

from cmrcli.evaluation.answers import Outcome, outcome_of, ranked
from cmrcli.evaluation.measures import RECALL_LEVELS, parse, precision_recall_curve, values_of

PROVIDER = PytrecEvalProvider()
DEPTHS = (1, 2, 3, 5, 10, 100)
SAME = {
    **{f"success@{k}": Success @ k for k in DEPTHS},
    **{f"recall@{k}": R @ k for k in DEPTHS},
    **{f"precision@{k}": P @ k for k in DEPTHS},
    **{f"mAP@{k}": AP @ k for k in DEPTHS},
    **{f"nDCG@{k}": nDCG @ k for k in DEPTHS},
    "R-precision": Rprec,
    "MRR": RR,
    "mAP": AP,
    "nDCG": nDCG,
}
CURVE = [IPrec(recall=level) for level in RECALL_LEVELS]
# Ids whose order differs between UTF-8, UTF-16 and case-blind comparison, and one that is a prefix of another.
DOCUMENTS = [
    "a",
    "A",
    "a b",
    "a/b.pdf#3",
    "b",
    "é",
    "e\u0301",
    "z",
    "ボルト",
    "六角",
    "～",
    "\U00020bb7",
    "\uff5e1",
    "0",
    "10",
    "9",
]
DOCUMENTS += [f"d{number}" for number in range(30)]

Run = dict[str, dict[str, float]]
Qrels = dict[str, dict[str, int]]
document = st.sampled_from(DOCUMENTS)
# Few values, so that ties are many; two pairs that only float32 makes equal, and one that it does not.
score = st.sampled_from([0.0, -0.0, 0.5, 0.5 + 1e-9, 0.1, 0.1 + 1e-10, 0.25, 0.25 + 1e-7, -1.5, 3.0, 1e30])
# Not empty: a run file names a query by its documents; for a query without one pytrec_eval says 0 / 0.
answer = st.one_of(
    st.dictionaries(document, score, min_size=1, max_size=46),
    st.dictionaries(document, st.floats(-1, 1, width=64), min_size=1, max_size=46),
)
judged = st.dictionaries(document, st.integers(-2, 4), max_size=30).flatmap(
    lambda grades: st.builds(lambda one, grade: {**grades, one: grade}, document, st.integers(1, 4))
)
truth_and_run = st.dictionaries(st.sampled_from(["q1", "q2", "問3", "4"]), judged, min_size=1, max_size=4).flatmap(
    lambda qrels: st.tuples(st.just(qrels), st.dictionaries(st.sampled_from([*qrels]), answer))
)


def outcomes_of(qrels: Qrels, run: Run) -> dict[str, Outcome]:
    return {query: outcome_of(ranked(run.get(query, {}).items()), grades) for query, grades in qrels.items()}


@settings(max_examples=150, deadline=None)
@given(truth_and_run)
def test_equal_to_ir_measures(drawn: tuple[Qrels, Run]) -> None:
    qrels, run = drawn
    outcomes = outcomes_of(qrels, run)
    expected = PROVIDER.calc([*SAME.values(), *CURVE], qrels, run)
    theirs = {(metric.measure, metric.query_id): metric.value for metric in expected.per_query}
    for name, same in SAME.items():
        measure = parse(name)
        for query, outcome in outcomes.items():
            assert measure.value(outcome) == pytest.approx(theirs[same, query], abs=1e-9, rel=0), (name, query)
        mean = measure.aggregate(values_of([measure], outcomes.values())[:, 0])
        assert mean == pytest.approx(expected.aggregated[same], abs=1e-9, rel=0), name
    curve = precision_recall_curve(outcomes.values())
    assert curve == pytest.approx([expected.aggregated[point] for point in CURVE], abs=1e-9, rel=0)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 400), st.integers(0, 400), st.randoms(use_true_random=False))
def test_curve_of_any_number_of_relevant_documents(relevant: int, retrieved: int, random) -> None:
    """A tenth of the relevant documents is a whole number or not, with the rounding that trec_eval has."""
    qrels = {"q": {f"r{number}": 1 for number in range(relevant)}}
    names = random.sample([*qrels["q"], *(f"n{number}" for number in range(400))], min(retrieved + 1, relevant + 400))
    run = {"q": {name: float(place) for place, name in enumerate(names)}}
    expected = PROVIDER.calc_aggregate(CURVE, qrels, run)
    curve = precision_recall_curve(outcomes_of(qrels, run).values())
    assert curve == pytest.approx([expected[point] for point in CURVE], abs=1e-9, rel=0)


@settings(max_examples=50, deadline=None)
@given(judged, st.permutations(DOCUMENTS), st.sampled_from(DEPTHS))
def test_reciprocal_rank_at_k(grades: dict[str, int], order: list[str], k: int) -> None:
    run = {"q": {name: float(-place) for place, name in enumerate(order)}}
    qrels = {"q": {name: max(grade, 0) for name, grade in grades.items()}}
    expected = MsMarcoProvider().calc_aggregate([RR @ k], qrels, run)[RR @ k]
    assert parse(f"MRR@{k}").value(outcomes_of(qrels, run)["q"]) == pytest.approx(expected, abs=1e-9, rel=0)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), score))
def test_the_order_is_that_of_trec_eval(scores: dict[str, float]) -> None:
    """Each document is judged alone: its reciprocal rank there is its place here."""
    for place, name in enumerate(ranked(scores.items()).documents, 1):
        found = PROVIDER.calc_aggregate([RR], {"q": {name: 1}}, {"q": scores})
        assert 1 / found[RR] == pytest.approx(place)


def test_what_is_compared_is_implemented_there() -> None:
    assert all(PROVIDER.supports(measure) for measure in [*SAME.values(), *CURVE])
    assert not PROVIDER.supports(RR @ 10)
    assert ir_measures.__version__ == "0.4.3"

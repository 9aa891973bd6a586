"""Measures against cases worked by hand. test_ir_measures.py compares them with trec_eval."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.errors import UsageError
from cmrcli.evaluation.answers import Outcome
from cmrcli.evaluation.measures import DEFAULT, DEFINITIONS, parse, precision_recall_curve, values_of

# Five of ten relevant documents came back in a list of twenty.
OUTCOME = Outcome(ranks=(2, 4, 5, 12, 20), grades=(1, 3, 1, 2, 1), ideal=(3, 2, 2, 1, 1, 1, 1, 1, 1, 1), retrieved=20)
NOTHING = Outcome((), (), (2, 1), 7)
UNANSWERED = Outcome((), (), (1,), 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("success@1", 0),
        ("success@2", 1),
        ("recall@1", 0),
        ("recall@4", 2 / 10),
        ("recall@100", 5 / 10),
        ("precision@5", 3 / 5),
        ("precision@100", 5 / 100),
        ("R-precision", 3 / 10),
        ("MRR", 1 / 2),
        ("MRR@1", 0),
        ("MRR@2", 1 / 2),
        ("mAP", (1 / 2 + 2 / 4 + 3 / 5 + 4 / 12 + 5 / 20) / 10),
        ("mAP@5", (1 / 2 + 2 / 4 + 3 / 5) / 10),
        ("mAP@R", (1 / 2 + 2 / 4 + 3 / 5) / 10),
        ("hash-mAP@5", (1 / 2 + 2 / 4 + 3 / 5) / 3),
        ("hash-mAP@12", (1 / 2 + 2 / 4 + 3 / 5 + 4 / 12) / 4),
        ("hash-mAP@1", 0),
        ("nDCG@4", (1 / math.log2(3) + 3 / math.log2(5)) / (3 + 2 / math.log2(3) + 2 / 2 + 1 / math.log2(5))),
        (
            "nDCG",
            (1 / math.log2(3) + 3 / math.log2(5) + 1 / math.log2(6) + 2 / math.log2(13) + 1 / math.log2(21))
            / (3 + 2 / math.log2(3) + 2 / 2 + sum(1 / math.log2(rank + 1) for rank in range(4, 11))),
        ),
        ("median-rank", 2),
    ],
)
def test_worked_by_hand(name: str, value: float) -> None:
    assert parse(name).value(OUTCOME) == pytest.approx(value, abs=1e-12)


def test_nothing_found_is_zero_and_one_place_behind_the_list() -> None:
    for family in DEFINITIONS:
        measure = parse(family.replace("@k", "@10"))
        if measure.higher_is_better:
            assert measure.value(NOTHING) == measure.value(UNANSWERED) == 0, family
    rank = parse("median-rank")
    assert (rank.value(NOTHING), rank.value(UNANSWERED)) == (8, 1)
    assert (rank.value(NOTHING, asked=100), rank.value(NOTHING, asked=3), rank.value(UNANSWERED, 100)) == (101, 8, 101)


def test_a_system_that_returns_nothing_does_not_come_out_best() -> None:
    values = values_of([parse("median-rank"), parse("MRR")], [UNANSWERED, NOTHING, OUTCOME])
    assert values.tolist() == [[21, 0], [21, 0], [2, 0.5]]
    assert values_of([parse("median-rank")], [UNANSWERED, OUTCOME], asked=50).tolist() == [[51], [2]]


def test_hashing_divides_by_what_was_found_and_trec_eval_by_what_there_is() -> None:
    outcome = Outcome((1,), (1,), (1,) * 1000, 1000)
    assert parse("hash-mAP@1000").value(outcome) == 1
    assert parse("mAP@1000").value(outcome) == 1 / 1000


def test_put_together_by_the_mean_and_ranks_by_the_median() -> None:
    assert parse("MRR").aggregate([1, 0, 0.5]) == 0.5
    assert parse("median-rank").aggregate([1, 900, 4]) == 4
    assert parse("median-rank").aggregate(np.array([1.0, 4.0])) == 2.5
    with pytest.raises(ValueError, match="no query"):
        parse("MRR").aggregate([])


def test_the_curve_by_hand() -> None:
    """Three of four found, at 1, 3 and 10: precisions 1, 2/3, 3/10; recall 0.8 and more is never reached."""
    found = Outcome((1, 3, 10), (1, 1, 1), (1, 1, 1, 1), 10)
    single = (1, 1, 1, 2 / 3, 2 / 3, 2 / 3, 3 / 10, 3 / 10, 0, 0, 0)
    assert precision_recall_curve([found]) == pytest.approx(single)
    assert precision_recall_curve([found, UNANSWERED]) == pytest.approx([value / 2 for value in single])
    late = Outcome((2, 3), (1, 1), (1, 1), 3)  # a later rank of higher precision counts for lower recalls too
    assert precision_recall_curve([late]) == pytest.approx([2 / 3] * 11)
    with pytest.raises(ValueError, match="no query"):
        precision_recall_curve([])


outcomes = st.builds(
    lambda ranks, more, behind: Outcome(
        tuple(sorted(ranks)), tuple(ranks.values()), tuple(sorted([*ranks.values(), *more], reverse=True)), 60 + behind
    ),
    st.dictionaries(st.integers(1, 60), st.integers(1, 4), max_size=12).map(lambda one: dict(sorted(one.items()))),
    st.lists(st.integers(1, 4), min_size=1, max_size=12),
    st.integers(0, 5),
)


@settings(max_examples=100, deadline=None)
@given(outcomes, st.integers(1, 80))
def test_shares_grow_with_depth_and_stay_within_one(outcome: Outcome, k: int) -> None:
    for family in DEFINITIONS:
        measure = parse(family.replace("@k", f"@{k}"))
        if measure.higher_is_better:
            assert 0 <= measure.value(outcome) <= 1 + 1e-12, family
    for name in ("success", "recall", "MRR", "mAP"):
        assert parse(f"{name}@{k}").value(outcome) <= parse(f"{name}@{k + 1}").value(outcome)
    for name in ("MRR", "mAP", "nDCG"):
        assert parse(f"{name}@{max(outcome.retrieved, len(outcome.ideal))}").value(outcome) == parse(name).value(
            outcome
        )
    assert parse("mAP@R").value(outcome) == parse(f"mAP@{len(outcome.ideal)}").value(outcome)
    curve = precision_recall_curve([outcome])
    assert list(curve) == sorted(curve, reverse=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=30))
def test_the_ideal_order_is_perfect(grades: list[int]) -> None:
    ideal = tuple(sorted(grades, reverse=True))
    outcome = Outcome(tuple(range(1, len(ideal) + 1)), ideal, ideal, 100)
    for name in ("success@1", "R-precision", "MRR", "mAP", "mAP@R", "nDCG", "nDCG@3", "hash-mAP@5", "median-rank"):
        assert parse(name).value(outcome) == pytest.approx(1), name
    assert precision_recall_curve([outcome]) == pytest.approx([1] * 11)


def test_names() -> None:
    assert [parse(name).name for name in DEFAULT] == list(DEFAULT)
    for written, name, family, depth in (
        (" map@10 ", "mAP@10", "mAP@k", 10),
        ("map@r", "mAP@R", "mAP@R", None),
        ("NDCG", "nDCG", "nDCG", None),
        ("Hash-MAP@1000", "hash-mAP@1000", "hash-mAP@k", 1000),
        ("r-precision", "R-precision", "R-precision", None),
    ):
        measure = parse(written)
        assert (measure.name, measure.family, measure.depth) == (name, family, depth)
        assert measure.definition == DEFINITIONS[family]
    assert [name for name in DEFAULT if not parse(name).higher_is_better] == ["median-rank"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("precision", "precision@k needs a depth: precision@10"),
        ("success@0", "success@k needs a whole number from 1 up for k, not '0'"),
        ("success@k", "not 'k'"),
        ("nDCG@", "not ''"),
        ("recall@1.5", "not '1.5'"),
        ("recall@-1", "not '-1'"),
        ("recall@１", "not '１'"),
        ("recall@9999999999", "not '9999999999'"),
        ("median-rank@10", "median-rank takes no depth"),
        ("R-precision@5", "R-precision takes no depth"),
        ("P@10", "there is no measure 'P@10'"),
        ("", "there is no measure ''"),
        ("@10", "there is no measure '@10'"),
    ],
)
def test_wrong_names_are_told_what_there_is(name: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(name)
    assert message in str(refused.value)
    assert all(family in refused.value.remedy for family in DEFINITIONS)

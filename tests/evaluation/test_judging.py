"""Answers judged: ANN recall, means over classes, and the curve of a row, by hand."""

from __future__ import annotations

import pytest

from cmrcli.evaluation.answers import Answers, Ranking
from cmrcli.evaluation.judging import Table, ann_recall
from cmrcli.evaluation.settings import Settings
from cmrcli.evaluation.truth import Part, Topic
from tests.evaluation.made_reports import answers_of


def run_of(**rankings: str) -> Answers:
    return Answers({query: Ranking(tuple(names), (0.0,) * len(names)) for query, names in rankings.items()})


def test_ann_recall_counts_documents_of_exact_search() -> None:
    exact, other = run_of(a="xyz", b="pq", c="", d="m"), run_of(a="zvx", b="qpr", c="k", d="n")
    assert ann_recall(exact, other, 3) == 4 / 6
    assert ann_recall(exact, other, 1) == 0
    other.unanswered.add("d")
    assert ann_recall(exact, other, 3) == 4 / 5
    assert ann_recall(exact, exact, 2) == 1
    assert ann_recall(run_of(a=""), run_of(a="x"), 5) == 1


def classes() -> Part:
    """Three queries of one class and one of another, each with one right answer."""
    groups = {"a": "gear", "b": "gear", "c": "gear", "d": "pump"}
    topics = tuple(Topic(query, query, {"class": group}) for query, group in groups.items())
    return Part("", topics, {query: {f"{query}.png": 1} for query in groups}, macro="class")


def test_classes_count_the_same_in_macro_means() -> None:
    part = classes()
    found = {"a": ["a.png"], "b": ["x.png", "b.png"], "c": ["x.png"], "d": ["d.png"]}
    table = Table(Settings(measures=("success@1", "median-rank"), k=2))
    table.add(part, "index", "exact", answers_of(part, found))
    (row,) = table.rows
    assert row.measures["success@1"].value == pytest.approx(2 / 4)
    assert row.macro == {"success@1": pytest.approx((1 / 3 + 1) / 2)}
    assert row.measures["median-rank"].value == 1.5  # of 1, 2, 3 (one behind the two asked for) and 1
    # Precision at any recall is 1, 1/2, 0 and 1: each query has one right answer only.
    assert row.curve == pytest.approx([(1 + 0.5 + 0 + 1) / 4] * 11)


@pytest.mark.parametrize("mode", ["codes", "hamming", "graph", "vectors"])
def test_modes_that_approximate_are_held_against_exact_search(mode: str) -> None:
    part = classes()
    everything = [f"{name}.png" for name in "abcdefghijk"]
    exact, other = answers_of(part, dict.fromkeys("abcd", everything)), answers_of(part, {"a": everything[:5]})
    table = Table(Settings(measures=("MRR",), k=10))
    for of_mode, answers in (("exact", exact), (mode, other), ("auto", other)):
        table.add(part, "index", of_mode, answers, exact=exact)
    assert [row.ann_recall for row in table.rows] == [None, {10: 5 / 40}, None]

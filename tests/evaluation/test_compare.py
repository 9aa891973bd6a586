"""Comparison: differences, wins and losses, rank changes by hand; what is no comparison is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.errors import UsageError
from cmrcli.evaluation.truth import Topic
from cmrcli.evaluation.verdicts.compare import compare, compare_rows
from tests.evaluation.made_reports import answers_of, evaluation, from_queries, part_of

OLD = {f"q{n}": {"success@1": float(n < 3), "mAP": 0.5} for n in range(10)}
NEW = {f"q{n}": {"success@1": float(1 <= n < 6), "mAP": 0.5 + n / 100} for n in range(10)}


def test_by_hand() -> None:
    found = compare_rows(from_queries("exact", OLD), from_queries("exact", NEW))
    assert (found.wins, found.losses, found.ties) == (3, 1, 6)
    success = found.changes["success@1"]
    assert (success.before, success.after) == (0.3, 0.5) and success.difference.value == pytest.approx(0.2)
    assert success.p_value == pytest.approx(10 / 16)  # 3 of 4 or more, either way: (1 + 4) * 2 of 16 swaps
    assert success.difference.low < 0.2 < success.difference.high
    assert found.changes["mAP"].p_value == pytest.approx(2 / 512)  # only all nine the same way are as far apart
    assert found.changes["mAP"].p_holm == pytest.approx(4 / 512) and success.p_holm == pytest.approx(10 / 16)


def test_examples_come_largest_first_and_the_other_measures_break_ties() -> None:
    found = compare_rows(from_queries("exact", OLD), from_queries("exact", NEW), {"q5": "six bolts"})
    assert [one.query for one in found.gains] == ["q5", "q4", "q3", "q9", "q8", "q7", "q6", "q2", "q1"]
    assert [one.query for one in found.losses_shown] == ["q0"]
    assert (found.gains[0].text, found.gains[0].before, found.gains[0].after) == ("six bolts", 0.0, 1.0)


def test_a_rank_that_moved_far_does_not_outweigh_the_first_measure() -> None:
    old = {"a": {"mAP": 0.5, "median-rank": 1.0}, "b": {"mAP": 0.5, "median-rank": 900.0}}
    new = {"a": {"mAP": 0.6, "median-rank": 500.0}, "b": {"mAP": 0.5, "median-rank": 1.0}}
    found = compare_rows(from_queries("exact", old), from_queries("exact", new))
    assert [one.query for one in found.gains] == ["a", "b"] and found.losses_shown == ()


def test_lower_ranks_are_wins() -> None:
    old = {"a": {"median-rank": 9.0}, "b": {"median-rank": 1.0}, "c": {"median-rank": 4.0}}
    new = {"a": {"median-rank": 2.0}, "b": {"median-rank": 1.0}, "c": {"median-rank": 3.0}}
    found = compare_rows(from_queries("exact", old), from_queries("exact", new))
    assert (found.wins, found.losses, found.ties) == (2, 0, 1)
    change = found.changes["median-rank"]
    assert (change.before, change.after, change.difference.value) == (4, 2, -2)


def test_rank_changes_and_overlap_by_hand() -> None:
    topics = [Topic(f"q{n}", f"text {n}") for n in range(4)]
    part = part_of(topics, {f"q{n}": [f"r{n}"] for n in range(4)})
    before = {"q0": ["r0", "x"], "q1": ["x", "y", "r1"], "q2": ["x", "r2"], "q3": ["x", "y"]}
    after = {"q0": ["r0", "x"], "q1": ["r1", "x", "y"], "q2": ["x", "y", "z", "r2"], "q3": ["z", "w"]}
    values = {f"q{n}": {"mAP": 0.5} for n in range(4)}
    old, new = from_queries("exact", values), from_queries("exact", values)
    found = compare_rows(
        old, new, {f"q{n}": f"text {n}" for n in range(4)}, answers_of(part, before), answers_of(part, after)
    )
    assert [(one.query, one.text, one.before, one.after) for one in found.rank_changes] == [
        ("q1", "text 1", 3, 1),
        ("q2", "text 2", 2, 4),
    ]
    assert found.overlap == pytest.approx((1 + 1 + 2 / 4 + 0) / 4)
    assert compare_rows(old, new).overlap is None and compare_rows(old, new).rank_changes == ()


def test_what_was_lost_stands_behind_all_that_was_retrieved() -> None:
    part = part_of([Topic("q", "text")], {"q": ["r"]})
    values = {"q": {"mAP": 0.5}}
    rows = from_queries("exact", values), from_queries("exact", values)
    found = compare_rows(*rows, {}, answers_of(part, {"q": ["r", "x"]}), answers_of(part, {"q": ["x", "y", "z"]}))
    assert [(one.before, one.after) for one in found.rank_changes] == [(1, None)]


def test_rows_of_the_same_part_and_mode_are_held_together() -> None:
    old = evaluation([from_queries("exact", OLD), from_queries("codes", OLD), from_queries("graph", OLD)])
    new = evaluation([from_queries("codes", NEW), from_queries("exact", NEW), from_queries("words", NEW)])
    found = compare(old, new)
    assert [(one.before, one.after) for one in found.rows] == [("exact", "exact"), ("codes", "codes")]
    assert found.unpaired == ("before: graph", "after: words")
    run = evaluation([from_queries("run", NEW, system="peer.run")])
    found = compare(old, run)
    assert [(one.before, one.after) for one in found.rows] == [
        ("exact", "peer.run run"),
        ("codes", "peer.run run"),
        ("graph", "peer.run run"),
    ]


def test_texts_and_answers_come_from_the_part_of_that_name() -> None:
    topics = [Topic(query, f"text of {query}") for query in OLD]
    part = part_of(topics, {query: ["r"] for query in OLD}, "drawings")
    old, new = (from_queries("exact", values, "drawings") for values in (OLD, NEW))
    key = ("drawings", "index", "exact")
    found = compare(
        evaluation([old]), evaluation([new]), [part],
        {key: answers_of(part, {"q1": ["x", "r"]})}, {key: answers_of(part, {"q1": ["r"]})},
    )  # fmt: skip
    assert found.rows[0].gains[0].text == "text of q5" and len(found.rows[0].rank_changes) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": "pairs"}, "trec and pairs"),
        ({"sources": {"/truth/queries.tsv": "aa", "/truth/qrels.txt": "cc"}}, "/truth/qrels.txt is not the same"),
        ({"sources": {"/truth/queries.tsv": "aa"}}, "/truth/qrels.txt is not the same"),
        ({"k": 100}, "-k 10 and -k 100"),
    ],
)
def test_other_truths_are_refused(change: dict[str, object], message: str) -> None:
    old = evaluation([from_queries("exact", OLD)])
    with pytest.raises(UsageError, match=message) as caught:
        compare(old, replace(old, **change))  # type: ignore[arg-type]
    assert caught.value.remedy


def test_the_same_files_elsewhere_are_the_same_truth() -> None:
    old = evaluation([from_queries("exact", OLD)])
    moved = replace(old, sources={"/moved/a": "bb", "/moved/b": "aa"})
    assert compare(old, moved).rows[0].ties == 10


def test_other_queries_are_refused_and_named() -> None:
    old = evaluation([from_queries("exact", OLD)])
    less = {query: values for query, values in NEW.items() if query != "q7"}
    with pytest.raises(UsageError, match=r"1 only before, 0 only after \(q7"):
        compare(old, evaluation([from_queries("exact", less)]))
    with pytest.raises(UsageError, match="without its queries"):
        compare(old, evaluation([replace(old.rows[0], per_query={})]))


def test_nothing_in_common_is_refused() -> None:
    old = evaluation([from_queries("exact", OLD), from_queries("codes", OLD)])
    with pytest.raises(UsageError, match="no part and mode in common"):
        compare(old, evaluation([from_queries("words", NEW), from_queries("auto", NEW)]))
    other = {query: {"MRR": 0.5} for query in OLD}
    with pytest.raises(UsageError, match="no measure in common"):
        compare(old, evaluation([from_queries("exact", other)]))
    with pytest.raises(UsageError, match="MRR was not measured on both sides"):
        compare(old, old, measures=["MRR"])


def test_it_is_json() -> None:
    old, new = evaluation([from_queries("exact", OLD)]), evaluation([from_queries("exact", NEW)])
    document = json.loads(json.dumps(compare(old, new).to_json()))
    assert document["type"] == "comparison" and document["rows"][0]["changes"]["mAP"]["p_holm"] < 0.05


VALUES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12)


@given(VALUES)
@settings(max_examples=25, deadline=None)
def test_there_and_back_is_the_same_with_the_other_sign(pairs: list[tuple[int, int]]) -> None:
    old = from_queries("exact", {f"q{n}": {"mAP": a / 3} for n, (a, _) in enumerate(pairs)})
    new = from_queries("exact", {f"q{n}": {"mAP": b / 3} for n, (_, b) in enumerate(pairs)})
    there, back = compare_rows(old, new), compare_rows(new, old)
    assert (there.wins, there.losses, there.ties) == (back.losses, back.wins, back.ties)
    assert there.wins + there.losses + there.ties == len(pairs)
    one, other = there.changes["mAP"], back.changes["mAP"]
    assert one.p_value == pytest.approx(other.p_value)
    assert one.difference.value == pytest.approx(-other.difference.value)
    assert {e.query for e in there.gains} == {e.query for e in back.losses_shown}

"""Requirements: what can be written, what is refused, and who meets what."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.errors import UsageError
from cmrcli.evaluation.report import Interval, Row
from cmrcli.evaluation.verdicts.require import judge, parse
from tests.evaluation.made_reports import row

ROWS = [
    row("exact", 0.84, p95_ms=40, bytes_per_item=1_100),
    row("codes", 0.72, p95_ms=10, bytes_per_item=150),
]


@pytest.mark.parametrize(
    ("text", "pin", "name", "end", "op", "bound"),
    [
        ("success@10>=0.8", "", "success@10", "", ">=", 0.8),
        (" success@10.low > .75 ", "", "success@10", "low", ">", 0.75),
        ("map.high==1", "", "mAP", "high", "==", 1.0),
        ("codes:p95_ms<=50", "codes", "p95_ms", "", "<=", 50.0),
        ("text -> image: codes:success@1>=1e-1", "text -> image: codes", "success@1", "", ">=", 0.1),
        ("text -> image:median-rank<3", "text -> image", "median-rank", "", "<", 3.0),
        ("ann_recall@10>=0.99", "", "ann_recall@10", "", ">=", 0.99),
        ("macro(SUCCESS@1)>=0.5", "", "macro(success@1)", "", ">=", 0.5),
        ("run.v1.txt:mAP>=0.5", "run.v1.txt", "mAP", "", ">=", 0.5),
    ],
)
def test_what_can_be_written(text: str, pin: str, name: str, end: str, op: str, bound: float) -> None:
    found = parse(text)
    assert (found.pin, found.name, found.end, found.op, found.bound) == (pin, name, end, op, bound)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("", "no requirement", "write it like"),
        ("success@10", "no requirement", "write it like"),
        ("success@10=0.8", "no requirement", "write it like"),
        ("success@10=>0.8", "no requirement", "write it like"),
        ("success@10>=", "nothing", "write it like"),
        ("p95_ms<=50ms", "'50ms' is not a number", "write it like"),
        ("success@10>=nan", "not a number", "write it like"),
        ("success@10>=inf", "not a number", "write it like"),
        ("sucess@10>=0.8", "sucess@10", "did you mean success@k"),
        ("p95ms<=50", "p95ms", "did you mean p95_ms"),
        ("success>=0.8", "needs a depth", "success@k"),
        ("macro(nonsense)>=0.8", "nonsense", "there is"),
        ("p95_ms.low<=50", "no interval", "leave .low out"),
        ("macro(success@1).high<=50", "no interval", "leave .high out"),
    ],
)
def test_what_cannot(text: str, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert message in str(caught.value) and text in str(caught.value) and remedy in caught.value.remedy
    assert "\n" not in str(caught.value)


def test_a_failure_says_by_how_much() -> None:
    verdict = judge(ROWS, [parse("success@10>=0.8"), parse("p95_ms<=20")])
    assert not verdict.met
    exact, codes = verdict.configurations
    assert [failure.text for failure in exact.failures] == ["p95_ms 40 > 20 by 20"]
    assert [failure.text for failure in codes.failures] == ["success@10 0.72 < 0.8 by 0.08"]
    assert codes.failures[0].value == 0.72 and codes.failures[0].short_by == pytest.approx(0.08)


def test_one_configuration_must_meet_all_of_them_together() -> None:
    assert judge(ROWS, [parse("success@10>=0.8")]).met
    assert judge(ROWS, [parse("p95_ms<=20")]).met
    assert not judge(ROWS, [parse("success@10>=0.8"), parse("p95_ms<=20")]).met
    met = judge(ROWS, [parse("success@10>=0.7"), parse("p95_ms<=20"), parse("bytes_per_item<=200")])
    assert met.met and [one.name for one in met.configurations if one.met] == ["codes"]


def test_a_pinned_one_holds_for_that_mode_and_no_other() -> None:
    assert judge(ROWS, [parse("exact:p95_ms<=40"), parse("codes:success@10>=0.7")]).met
    failed = judge(ROWS, [parse("success@10>=0.8"), parse("codes:success@10>=0.8")])
    assert not failed.met  # exact meets all that is asked of it, but codes was asked too
    assert [one.met for one in failed.configurations] == [True, False]


def test_the_ends_of_the_interval_count() -> None:
    rows = [row("exact", 0.8, width=0.05)]
    assert judge(rows, [parse("success@10.low>=0.75")]).met
    assert not judge(rows, [parse("success@10.low>=0.76")]).met
    assert judge(rows, [parse("success@10.high<=0.8500001")]).met


def test_with_parts_it_must_hold_on_each() -> None:
    rows = [row("exact", 0.9, part="a"), row("exact", 0.5, part="b"), row("codes", 0.7, part="a")]
    rows.append(row("codes", 0.65, part="b"))
    verdict = judge(rows, [parse("success@10>=0.6")])
    assert verdict.met and [one.met for one in verdict.configurations] == [False, True]
    assert verdict.configurations[0].failures[0].text == "b: success@10 0.5 < 0.6 by 0.1"
    only = judge(rows, [parse("a:success@10>=0.8")])
    assert only.met and [one.met for one in only.configurations] == [True, False]
    assert judge(rows, [parse("b: codes:success@10>=0.6")]).met


def test_a_configuration_without_an_answer_on_a_part_does_not_meet_it() -> None:
    rows = [row("exact", 0.9, part="a"), row("exact", 0.9, part="b"), row("run", 0.9, part="a", system="x.run")]
    verdict = judge(rows, [parse("success@10>=0.6")])
    assert [one.met for one in verdict.configurations] == [True, False]
    assert verdict.configurations[1].failures[0].text == "b: success@10 was not measured"


def test_a_cost_measured_with_one_part_is_that_of_all() -> None:
    rows = [row("exact", part="a", p95_ms=10), row("exact", part="b")]
    assert judge(rows, [parse("p95_ms<=20")]).met
    (one,) = judge(rows, [parse("p95_ms<=5")]).configurations
    assert len(one.failures) == 1 and one.failures[0].part == ""
    rows[1] = row("exact", part="b", p95_ms=30)
    assert judge(rows, [parse("p95_ms<=5")]).configurations[0].failures[0].value == 30  # at its worst


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("cold_p95_ms<=500", "--no-cold"),
        ("resident_mb<=500", "--no-memory"),
        ("success@1>=0.1", "--measures"),
        ("ann_recall@10>=0.9", "exact"),
        ("macro(success@10)>=0.9", "classes"),
        ("graph:success@10>=0.1", "exact, index, codes"),
    ],
)
def test_what_was_not_measured_is_refused_with_what_measures_it(text: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        judge(ROWS, [parse(text)])
    assert text in str(caught.value) and remedy in caught.value.remedy


def test_what_is_not_going_to_be_measured_is_refused_before() -> None:
    from cmrcli.evaluation.verdicts.require import refuse_unmeasured

    asked = [parse("cold_p95_ms<=5"), parse("resident_mb<=5"), parse("macro(success@1)>0"), parse("ann_recall@5>0")]
    refuse_unmeasured(asked, ["success@1"])
    refuse_unmeasured(asked)
    for message, settings_ in (
        ("cold_p95_ms is not", {"cold": False}),
        ("resident_mb is not", {"memory": False}),
        ("success@1 was not", {"measures": ["mAP"]}),
    ):
        with pytest.raises(UsageError, match=message):
            refuse_unmeasured(asked, **settings_)  # type: ignore[arg-type]


def test_what_was_measured_for_others_only_is_not_met() -> None:
    rows = [row("exact", p95_ms=10), row("run", system="peer.run")]
    verdict = judge(rows, [parse("p95_ms<=20")])
    assert [one.met for one in verdict.configurations] == [True, False]
    assert verdict.configurations[1].failures[0].text == "p95_ms was not measured"
    with pytest.raises(UsageError, match=r"p95_ms was not measured"):
        judge(rows, [parse("peer.run:p95_ms<=20")])


def test_a_measure_that_one_part_lacks_is_refused() -> None:
    rows = [row("exact", part="a"), row("exact", part="b", measure="mAP")]
    with pytest.raises(UsageError, match="for b") as caught:
        judge(rows, [parse("success@10>=0.1")])
    assert "PART:" in caught.value.remedy
    assert judge(rows, [parse("a:success@10>=0.1"), parse("b:mAP>=0.1")]).met


def test_exact_search_finds_all_that_exact_search_finds() -> None:
    rows = [row("exact"), row("codes", ann_recall={10: 0.97}), row("words")]
    verdict = judge(rows, [parse("ann_recall@10>=0.98")])
    assert [one.met for one in verdict.configurations] == [True, False, False]
    with pytest.raises(UsageError, match="ann_recall@100"):
        judge(rows, [parse("ann_recall@100>=0.98")])


def test_macro_means() -> None:
    rows = [row("exact", macro={"success@10": 0.6})]
    assert judge(rows, [parse("macro(success@10)>=0.6")]).met
    assert not judge(rows, [parse("macro(success@10)>0.6")]).met


def test_nothing_to_judge_is_refused() -> None:
    with pytest.raises(UsageError):
        judge([], [parse("success@10>=0.1")])


def test_the_verdict_is_json() -> None:
    import json

    verdict = judge(ROWS, [parse("success@10>=0.8")])
    document = json.loads(json.dumps(verdict.to_json()))
    assert document["met"] is True and document["configurations"][1]["failures"][0]["short_by"] == pytest.approx(0.08)


OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq}


@given(
    st.lists(st.integers(0, 4).map(lambda n: n / 4), min_size=1, max_size=4),
    st.sampled_from(sorted(OPERATORS)),
    st.integers(0, 4).map(lambda n: n / 4),
)
@settings(deadline=None)
def test_met_is_what_the_operators_say(values: list[float], op: str, bound: float) -> None:
    rows = [
        Row("", "index", f"m{number}", 1, {"mAP": Interval(value, value, value)}) for number, value in enumerate(values)
    ]
    verdict = judge(rows, [parse(f"mAP{op}{bound}")])
    met = [OPERATORS[op](value, bound) for value in values]
    assert [one.met for one in verdict.configurations] == met
    assert verdict.met == any(met)
    assert all(bool(one.failures) != one.met for one in verdict.configurations)

"""Markdown and JSON lines: the figures stand where they should, and names are never markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from cmrcli.evaluation.report import Balance, GroupRow, Hub, Interval
from cmrcli.evaluation.shown.json_lines import records
from cmrcli.evaluation.shown.markdown import cell, report
from cmrcli.evaluation.verdicts.compare import compare
from cmrcli.evaluation.verdicts.recommend import pareto, recommend
from cmrcli.evaluation.verdicts.require import judge, parse
from tests.evaluation.made_reports import evaluation, from_queries, row


def table(text: str, number: int = 0) -> list[list[str]]:
    """Cells of the numbered table: split at pipes that are not escaped."""
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    return [[one.strip() for one in re.split(r"(?<!\\)\|", line)[1:-1]] for line in blocks[number].strip().splitlines()]


def test_the_table_by_hand() -> None:
    rows = [
        row("exact", 0.84, p95_ms=40, bytes_per_item=1_100),
        row("codes", 0.72, p95_ms=10, ann_recall={10: 0.97}, macro={"success@10": 0.7}),
        row("exact", 3.0, part="ranks", measure="median-rank", width=1),
    ]
    assert table(report(evaluation(rows))) == [
        ["", "success@10", "median-rank", "macro success@10", "ANN recall@10", "p50 ms", "p95 ms", "p99 ms",
         "queries/s", "bytes per item"],
        ["---", *["---:"] * 9],
        ["exact", "0.840 [0.790, 0.890]", "", "", "", "20.0", "40.0", "80.0", "25.0", "1100"],
        ["codes", "0.720 [0.670, 0.770]", "", "0.700", "0.970", "5.0", "10.0", "20.0", "100", ""],
        ["ranks: exact", "", "3.0 [2.0, 4.0]", "", "", "", "", "", "", ""],
    ]  # fmt: skip


def test_curves_and_costs_are_tables_too() -> None:
    rows = [
        row("exact", 0.8, bytes_per_item=1_000, curve=tuple(1 - level / 20 for level in range(11))),
        row("codes", 0.7, bytes_per_item=500),
        row("graph", 0.7, bytes_per_item=2_000),
    ]
    text = report(evaluation(rows), pareto=pareto(rows, "bytes_per_item"), pareto_cost="bytes_per_item")
    assert "| precision@recall | 0 | 0.1 | 0.2 |" in text and "| exact | 1.000 | 0.950 | 0.900 |" in text
    assert "| codes | 0.700 | 500 | * |\n| exact | 0.800 | 1000 | * |\n| graph | 0.700 | 2000 |  |" in text
    assert "precision@recall" not in report(evaluation([row()]))


def test_only_the_columns_that_are_wanted() -> None:
    rows = [replace(from_queries("exact", {"q": {"mAP": 0.5, "MRR": 0.25}}))]
    assert table(report(evaluation(rows), measures=["MRR"]))[0] == ["", "MRR"]


def test_what_makes_figures_mean_less_is_said() -> None:
    made = evaluation(
        [row("words", unanswered=3, notes=("its memory was not measured",))],
        absent=("a.dxf", "b.dxf"),
        notes=("7 pictures were not found",),
    )
    text = report(made)
    assert "words: 3 queries cannot be asked so" in text and "words: its memory was not measured" in text
    assert "2 relevant documents are not there" in text and "- 7 pictures were not found" in text
    assert "10 queries, 10 relevant of 20 judged, 100 items" in text and "seed 0" in text


def test_verdicts_follow() -> None:
    rows = [row("exact", 0.84, bytes_per_item=9), row("codes", 0.5, bytes_per_item=5)]
    verdict = judge(rows, [parse("success@10>=0.8")])
    text = report(evaluation(rows), verdict, recommend(rows, verdict))
    assert "**Requirements met**: `success@10>=0.8`" in text
    assert "- exact: meets all" in text and "- codes: success@10 0.5 \\< 0.8 by 0.3" in text
    assert "**Recommended: exact**" in text and "`cmrcli search --mode exact QUERY`" in text


def test_a_comparison_by_hand() -> None:
    old = evaluation([from_queries("exact", {f"q{n}": {"mAP": 0.25} for n in range(5)})])
    new = evaluation([from_queries("exact", {f"q{n}": {"mAP": 0.75} for n in range(5)})])
    text = report(new, comparison=compare(old, new))
    assert "**exact against exact**: 5 queries better, 0 worse, 0 the same." in text
    assert table(text, 1)[2] == ["mAP", "0.250", "0.750", "+0.500 [+0.500, +0.500]", "0.0625", "0.0625"]


def test_balance_is_shown_with_its_gaps_and_hubs() -> None:
    low, high = Interval(0.2, 0.1, 0.3), Interval(0.8, 0.7, 0.9)
    groups = {
        "ja": GroupRow(30, {"mAP": low}, Interval(-0.6, -0.7, -0.5)),
        "en": GroupRow(30, {"mAP": high}, Interval(0.6, 0.5, 0.7)),
        "(other)": GroupRow(4, {"mAP": high}, Interval(0.1, -0.1, 0.3)),
    }
    balance = Balance({"language": groups}, (Hub("a|b.png", 9, 1),), 10, 3.25, {"language": 3, "folder": 1})
    text = report(evaluation([row("exact", balance=balance)]))
    assert table(text, 1)[2] == ["ja", "30", "0.200 [0.100, 0.300]", "-0.600 [-0.700, -0.500]"]
    assert "3 groups with too few queries shown as one" in text
    assert "by folder**: 1 group, all with too few queries" in text
    assert "each by itself): language ja, language en." in text
    assert "(skewness 3.25)" in text and table(text, 2)[2] == ["a\\|b.png", "9", "1"]


@pytest.mark.parametrize("name", ["a|b", "x\n# y", "<b>x</b>", "`x`", "*x*", "[a](b)", "caf\udce9", "\u202ex", "a\\|b"])
def test_names_stay_in_their_cell(name: str) -> None:
    lines = table(report(evaluation([row("run", system=name)])))
    assert len(lines) == 3 and len(lines[2]) == 2 and lines[2][1] == "0.800 [0.750, 0.850]"
    assert not re.search(r"(?<!\\)[<>*`\[\]]", cell(name))
    cell(name).encode("utf-8")


def test_json_lines_are_rows_and_then_the_summary() -> None:
    made = evaluation([from_queries("exact", {"q": {"mAP": 0.5}}), row("codes")])
    verdict = judge(made.rows[:1], [parse("mAP>=0.1")])
    lines = [json.loads(json.dumps(one)) for one in records(made, {"requirements": verdict.to_json()})]
    assert [one["type"] for one in lines] == ["row", "row", "summary"] and all(one["schema"] == 1 for one in lines)
    assert lines[0]["mode"] == "exact" and "per_query" not in lines[0]
    assert "rows" not in lines[-1] and lines[-1]["main"] == "mAP" and lines[-1]["requirements"]["met"] is True
    with_queries = list(records(made, per_query=True))
    assert with_queries[0]["per_query"] == {"q": {"mAP": 0.5}}

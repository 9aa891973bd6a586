"""The cheapest that is good enough, and the Pareto front."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cmrcli.errors import UsageError
from cmrcli.evaluation.report import Row
from cmrcli.evaluation.verdicts.recommend import pareto, recommend
from cmrcli.evaluation.verdicts.require import judge, parse
from tests.evaluation.made_reports import from_queries, row

ROWS = [
    row("exact", 0.84, p95_ms=40, bytes_per_item=1_100, peak_mb=300),
    row("codes", 0.80, p95_ms=12, bytes_per_item=1_200, peak_mb=320),
    row("graph", 0.79, p95_ms=3, bytes_per_item=1_900, peak_mb=700),
    row("words", 0.50, p95_ms=5, bytes_per_item=300, peak_mb=90),
]


@pytest.mark.parametrize(
    ("requirement", "cheapest", "mode"),
    [
        ("success@10>=0.4", "bytes", "words"),
        ("success@10>=0.4", "time", "graph"),
        ("success@10>=0.4", "memory", "words"),
        ("success@10>=0.6", "bytes", "exact"),
        ("success@10>=0.6", "time", "graph"),
        ("success@10>=0.6", "memory", "exact"),
        ("p95_ms<=20", "bytes", "words"),
    ],
)
def test_the_cheapest_of_those_that_meet_all(requirement: str, cheapest: str, mode: str) -> None:
    found = recommend(ROWS, judge(ROWS, [parse(requirement)]), cheapest)
    assert found is not None and found.mode == mode
    assert found.command == f"cmrcli search --mode {mode} QUERY" and requirement in found.reason


def test_the_command_has_the_index_and_the_encoder_in_quotes() -> None:
    found = recommend(ROWS, judge(ROWS, [parse("success@10>=0.6")]), index="/my index", encoder=Path("/enc;oder"))
    assert found is not None
    assert found.command == "cmrcli search --mode exact --index '/my index' --encoder '/enc;oder' QUERY"


def test_none_is_recommended_where_none_is_good_enough() -> None:
    assert recommend(ROWS, judge(ROWS, [parse("success@10>=0.9")])) is None


def test_noise_of_the_clock_does_not_decide() -> None:
    rows = [row("codes", 0.8, p95_ms=12.04, bytes_per_item=2), row("exact", 0.8, p95_ms=12.01, bytes_per_item=3)]
    found = recommend(rows, judge(rows, [parse("success@10>0")]), "time")
    assert found is not None and found.mode == "codes"  # both take 12 ms; codes read less
    assert found.costs == {"p95_ms": 12.04, "bytes_per_item": 2}


def test_of_equally_cheap_ones_the_more_accurate() -> None:
    rows = [row("codes", 0.7, bytes_per_item=2), row("exact", 0.8, bytes_per_item=2)]
    found = recommend(rows, judge(rows, [parse("success@10>0")]))
    assert found is not None and found.mode == "exact"
    ranks = [row("codes", 7, bytes_per_item=2, measure="median-rank")]
    ranks.append(row("exact", 8, bytes_per_item=2, measure="median-rank"))
    found = recommend(ranks, judge(ranks, [parse("median-rank<9")]))
    assert found is not None and found.mode == "codes"


def test_a_configuration_costs_what_its_dearest_part_does() -> None:
    rows = [row("exact", part="a", p95_ms=5), row("exact", part="b", p95_ms=50)]
    rows += [row("codes", part="a", p95_ms=20), row("codes", part="b", p95_ms=20)]
    found = recommend(rows, judge(rows, [parse("success@10>0")]), "time")
    assert found is not None and found.mode == "codes"


def test_without_requirements_what_is_not_measurably_worse_than_the_best() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(200)
    queries = [f"q{number}" for number in range(200)]

    def made(mode: str, values: NDArray[np.float64], bytes_per_item: float) -> Row:
        base = from_queries(mode, {q: {"mAP": float(value)} for q, value in zip(queries, values, strict=True)})
        return replace(base, cost=row(bytes_per_item=bytes_per_item).cost)

    noise = rng.normal(0, 0.02, 200)
    rows = [
        made("exact", hard, 1_000),
        made("codes", hard + noise - noise.mean() - 0.0005, 200),  # a little less, within chance
        made("words", hard - 0.05, 50),  # less than the spread between queries, but on every query
    ]
    found = recommend(rows)
    assert found is not None and found.mode == "codes" and "exact, the most accurate" in found.reason


def test_what_has_no_such_cost_is_left_out_and_named() -> None:
    rows = [row("exact", p95_ms=40), row("run", system="peer.run")]
    found = recommend(rows, judge(rows, [parse("success@10>0")]), "time")
    assert found is not None and found.mode == "exact" and found.left_out == ("peer.run run",)
    with pytest.raises(UsageError, match="resident_mb was not measured"):
        recommend(rows, judge(rows, [parse("success@10>0")]), "memory")
    with pytest.raises(UsageError, match="no order of cheapness"):
        recommend(rows, None, "price")


def test_the_command_names_the_index_and_none_is_made_up_for_others() -> None:
    rows = [row("codes", bytes_per_item=2)]
    found = recommend(rows, judge(rows, [parse("success@10>0")]), index=Path("/a b/index"))
    assert found is not None and found.command == "cmrcli search --mode codes --index '/a b/index' QUERY"
    rows = [row("codes", bytes_per_item=2, system="encoder")]
    found = recommend(rows, judge(rows, [parse("success@10>0")]))
    assert found is not None and found.command == ""


def test_the_front_by_hand() -> None:
    points = pareto(ROWS, "p95_ms")
    assert [(point.row.mode, point.front) for point in points] == [
        ("graph", True),
        ("words", False),
        ("codes", True),
        ("exact", True),
    ]
    assert [point.row.mode for point in pareto(ROWS, "bytes_per_item") if point.front] == ["words", "exact"]
    assert [point.row.mode for point in pareto(ROWS, "queries_per_s")] == ["graph", "words", "codes", "exact"]
    with pytest.raises(UsageError, match="no cost"):
        pareto(ROWS, "price")
    with pytest.raises(UsageError, match="build_s was not measured"):
        pareto(ROWS, "build_s")


def test_each_part_has_a_front_of_its_own() -> None:
    rows = [row("exact", 0.9, part="a", p95_ms=5), row("exact", 0.5, part="b", p95_ms=50)]
    assert all(point.front for point in pareto(rows, "p95_ms"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=8), st.booleans())
@settings(deadline=None)
def test_the_front_is_what_nothing_dominates(made: list[tuple[int, int]], rank: bool) -> None:
    measure = "median-rank" if rank else "mAP"
    rows = [row(f"m{number}", value, p95_ms=cost, measure=measure) for number, (value, cost) in enumerate(made)]
    sign = -1 if rank else 1
    for point in pareto(rows, "p95_ms"):
        value, cost = made[int(point.row.mode[1:])]
        dominated = any(sign * v >= sign * value and c <= cost and (v, c) != (value, cost) for v, c in made)
        assert point.front != dominated

"""What the planner chooses: by the costs it is told, and for codes by the codebook's depths."""

from __future__ import annotations

import dataclasses

import pytest

from cmrcli.codes.codebook import Oversampling
from cmrcli.errors import UsageError
from cmrcli.searching.costs import Costs
from cmrcli.searching.estimates import Depths, GraphFile, Held, estimates_us
from cmrcli.searching.plan import ORDERED_WITHOUT_VECTORS, Asked, Plan, choose

COSTS = Costs(
    exact_ns=2.0, picked_ns=2.0, scan_ns=2.0, order_ns=0.5, step_us=100.0, load_ns=2.0, graph_ns=0.6
)  # fmt: skip
LOADED = GraphFile(100_000, 0, 96, 400.0)
ON_DISK = dataclasses.replace(LOADED, bytes_to_load=170_000_000)  # 340 ms


def held(rows: int = 100_000, *graphs: GraphFile, segments: int = 1, **other: object) -> Held:
    return Held(rows, rows, segments, 384, 384, graphs=graphs, **other)  # type: ignore[arg-type]


def plan(
    there: Held, mode: str = "auto", k: int = 10, oversampling: Oversampling = Oversampling(32, 8), **asked: object
) -> Plan:
    return choose(Asked(mode, k, **asked), there, oversampling, COSTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("there", "passing", "queries", "way"),
    [
        (held(500), None, 1, "exact"),  # nothing to gain
        (held(10_000), None, 1, "exact"),  # 7.7 ms: not noticed
        (held(11_000), None, 1, "codes"),
        (held(100_000), None, 1, "codes"),
        (held(100_000), None, 10_000, "codes"),  # no graph is there
        (held(100_000), 9_000, 1, "codes"),
        (held(100_000), 5_000, 1, "exact"),  # few pass
        (held(100_000), 0, 1, "exact"),
        (held(100_000, ON_DISK), None, 1, "codes"),  # one query does not pay for the loading
        (held(100_000, ON_DISK), None, 100, "codes"),
        (held(100_000, ON_DISK), None, 1_000, "graph"),
        (held(100_000, ON_DISK), 60_000, 1_000, "codes"),  # a filter: graphs cannot skip
        (held(100_000, LOADED), None, 1, "graph"),  # it is in memory: no reason to wait
        (held(400_000, LOADED, segments=2), None, 1, "graph"),  # a part has none: its codes are scanned
        (held(100_000, dataclasses.replace(LOADED, query_us=2_500.0)), None, 1, "codes"),  # a graph that is slow
        (held(9_000, dataclasses.replace(LOADED, rows=9_000)), None, 50, "exact"),
        (Held(50_000, 50_000, 1, 384, 0), None, 1, "exact"),  # no codebook
        (Held(0, 0, 0, 384, 384), None, 1, "exact"),
    ],
)
def test_the_cheapest_way_unless_nobody_notices(there: Held, passing: int | None, queries: int, way: str) -> None:
    assert plan(there, passing=passing, queries=queries).vectors == way


def test_the_costs_decide() -> None:
    slow_scan = dataclasses.replace(COSTS, scan_ns=200.0)
    there = held(50_000)
    assert choose(Asked("auto", 10), there, Oversampling(32, 8), COSTS).vectors == "codes"
    assert choose(Asked("auto", 10), there, Oversampling(32, 8), slow_scan).vectors == "exact"
    slow_disk = dataclasses.replace(COSTS, load_ns=2_000.0)
    many = Asked("auto", 10, queries=1_000)
    assert choose(many, held(100_000, ON_DISK), Oversampling(32, 8), COSTS).vectors == "graph"
    assert choose(many, held(100_000, ON_DISK), Oversampling(32, 8), slow_disk).vectors == "codes"


def test_estimates_are_sums_of_their_steps() -> None:
    depths = Depths(50, 320, 80)
    found = estimates_us(held(100_000, ON_DISK), depths, None, 1_000, COSTS)
    assert found["exact"] == pytest.approx(2 * 100_000 * 384 / 1e3 + 100)
    assert found["codes"] == pytest.approx((2 * 100_000 * 6 + 0.5 * 320 * 384 + 2 * 80 * 384) / 1e3 + 100)
    assert found["graph"] == pytest.approx(170_000_000 * 2 / 1e3 / 1_000 + 400 + 100)
    deeper = estimates_us(held(100_000, LOADED), dataclasses.replace(depths, wanted=192), None, 1, COSTS)
    assert deeper["graph"] == pytest.approx(800 + 100), "twice as many are kept while searching"
    unmeasured = dataclasses.replace(LOADED, rows=1 << 16, query_us=None)
    assert estimates_us(held(1 << 16, unmeasured), depths, None, 1, COSTS)["graph"] == pytest.approx(
        0.6 * 384 * 96 * 16 / 1e3 + 100
    )
    assert set(estimates_us(held(100_000, ON_DISK), depths, 10, 1, COSTS)) == {"exact", "codes"}
    assert set(estimates_us(held(100_000, codes_only=True), depths, None, 1, COSTS)) == {"codes"}


def test_the_estimates_are_told_with_the_plan() -> None:
    chosen = plan(held(100_000, ON_DISK), queries=2)
    assert set(chosen.estimates_us) == {"exact", "codes", "graph"}
    assert chosen.estimates_us[chosen.vectors or ""] == min(chosen.estimates_us.values())


@pytest.mark.parametrize("mode", ["exact", "codes", "hamming", "graph"])
def test_a_way_that_was_asked_for_is_taken(mode: str) -> None:
    assert plan(held(100, LOADED), mode).vectors == mode


def test_a_graph_that_cannot_be_taken_is_said() -> None:
    assert plan(held(), "graph").vectors == "codes"
    assert "no segment has a graph" in plan(held(), "graph").reason
    assert "filtered" in plan(held(100_000, LOADED), "graph", passing=5).reason


def test_depths_are_the_codebooks() -> None:
    default = plan(held())
    assert (default.vectors, default.candidates, default.rescored) == ("codes", 320, 80)
    chosen = plan(held(), k=20, oversampling=Oversampling(64, 16))
    assert (chosen.candidates, chosen.rescored) == (1_280, 320)
    assert "1280 ordered, 320 rescored" in chosen.reason


def test_no_depth_is_less_than_what_the_results_are_grouped_from() -> None:
    few = plan(held(), oversampling=Oversampling(1, 1))
    assert few.rescored >= few.depth and few.candidates >= few.rescored


def test_codes_alone_are_ordered_and_nothing_is_rescored() -> None:
    alone = plan(held(codes_only=True))
    assert (alone.vectors, alone.rescored, alone.candidates) == ("codes", 0, ORDERED_WITHOUT_VECTORS)
    few = plan(held(100, codes_only=True))
    assert few.candidates <= ORDERED_WITHOUT_VECTORS and few.vectors == "codes"
    assert plan(held(codes_only=True), "words").vectors is None


@pytest.mark.parametrize("mode", ["exact", "graph"])
def test_what_needs_vectors_says_so(mode: str) -> None:
    with pytest.raises(UsageError, match="keeps codes alone") as refused:
        plan(held(codes_only=True), mode)
    assert "index the folders again" in refused.value.remedy


def test_modes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown mode"):
        plan(held(), "magic")

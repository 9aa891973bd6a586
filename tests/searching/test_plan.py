"""What the planner makes of codes: depths from the codebook, and indexes that have nothing else."""

from __future__ import annotations

import pytest

from cmrcli.codes.codebook import Oversampling
from cmrcli.errors import UsageError
from cmrcli.searching.plan import EXACT_BELOW, Plan, choose


def plan(mode: str = "auto", k: int = 10, rows: int = 100_000, **wanted: object) -> Plan:
    settings: dict[str, object] = {"passing": None, "oversampling": Oversampling(32, 8), "codes_only": False}
    settings |= wanted
    return choose(
        mode, k, rows, settings["passing"], 0, False, True, False, settings["oversampling"], settings["codes_only"]
    )  # type: ignore[arg-type]


def test_depths_are_the_codebooks() -> None:
    assert (plan().vectors, plan().candidates, plan().rescored) == ("codes", 320, 80)
    chosen = plan(oversampling=Oversampling(64, 16), k=20)
    assert (chosen.candidates, chosen.rescored) == (1_280, 320)
    assert "1280 ordered, 320 rescored" in chosen.reason


def test_no_depth_is_less_than_what_the_results_are_grouped_from() -> None:
    few = plan(oversampling=Oversampling(1, 1))
    assert few.rescored >= few.depth and few.candidates >= few.rescored


def test_codes_alone_are_ordered_and_nothing_is_rescored() -> None:
    alone = plan(codes_only=True)
    assert (alone.vectors, alone.rescored, alone.candidates) == ("codes", 0, EXACT_BELOW)
    assert plan(codes_only=True, rows=100).candidates <= EXACT_BELOW
    assert plan(codes_only=True, rows=100).vectors == "codes"
    assert plan("words", codes_only=True).vectors is None


@pytest.mark.parametrize("mode", ["exact", "graph"])
def test_what_needs_vectors_says_so(mode: str) -> None:
    with pytest.raises(UsageError, match="keeps codes alone") as refused:
        plan(mode, codes_only=True)
    assert "index the folders again" in refused.value.remedy

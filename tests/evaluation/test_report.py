"""Reports as JSON and back: nothing is lost, and what is damaged is named by its field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.evaluation.report import (
    SCHEMA,
    Balance,
    Cost,
    Environment,
    Evaluation,
    GroupRow,
    Hub,
    Interval,
    Latency,
    Resident,
    Row,
)
from tests.evaluation.made_reports import evaluation, from_queries, row

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.just("caf\udce9.png")
FLOATS = st.floats(-10, 10)
INTERVALS = st.builds(Interval, FLOATS, FLOATS, FLOATS)
LATENCIES = st.builds(Latency, FLOATS, FLOATS, FLOATS, st.integers(0, 9), FLOATS)
COSTS = st.builds(
    Cost,
    st.none() | LATENCIES,
    st.none() | LATENCIES,
    st.none() | FLOATS,
    st.none() | st.builds(Resident, st.integers(0, 2**40), st.none() | st.integers(0, 9), FLOATS, st.integers(0, 9)),
    st.none() | FLOATS,
)
MEASURES = st.dictionaries(NAMES, INTERVALS, max_size=2)
GROUPS = st.dictionaries(NAMES, st.builds(GroupRow, st.integers(0, 9), MEASURES, st.none() | INTERVALS), max_size=2)
BALANCES = st.builds(
    Balance,
    st.dictionaries(NAMES, GROUPS, max_size=2),
    st.lists(st.builds(Hub, NAMES, st.integers(0, 9), st.integers(0, 9)), max_size=2).map(tuple),
    st.integers(1, 10),
    st.none() | FLOATS,
    st.dictionaries(NAMES, st.integers(1, 9), max_size=2),
)
ROWS = st.builds(
    Row,
    part=NAMES,
    system=NAMES,
    mode=NAMES,
    queries=st.integers(0, 9),
    measures=MEASURES,
    macro=st.dictionaries(NAMES, FLOATS, max_size=2),
    ann_recall=st.none() | st.dictionaries(st.integers(1, 100), FLOATS, max_size=2),
    curve=st.lists(FLOATS, max_size=3).map(tuple),
    cost=COSTS,
    balance=st.none() | BALANCES,
    unanswered=st.integers(0, 9),
    notes=st.lists(NAMES, max_size=2).map(tuple),
    per_query=st.dictionaries(NAMES, st.dictionaries(NAMES, FLOATS, max_size=2), max_size=2),
)
EVALUATIONS = st.builds(
    evaluation,
    st.lists(ROWS, max_size=2),
    main=NAMES,
    sources=st.dictionaries(NAMES, NAMES, max_size=2),
    absent=st.lists(NAMES, max_size=2).map(tuple),
    environment=st.builds(
        Environment, NAMES, NAMES, st.integers(1, 9), st.integers(0, 9), NAMES, NAMES,
        st.dictionaries(NAMES, NAMES, max_size=2), NAMES, NAMES, st.integers(0, 9), st.none() | st.integers(0, 9),
    ),
)  # fmt: skip


@given(EVALUATIONS)
@settings(deadline=None, max_examples=50)
def test_there_and_back(made: Evaluation) -> None:
    text = json.dumps(made.to_json(per_query=True))
    assert Evaluation.from_json(json.loads(text)) == made


def test_without_queries_they_are_empty() -> None:
    made = evaluation([from_queries("exact", {"q": {"mAP": 0.5}})])
    found = Evaluation.from_json(json.loads(json.dumps(made.to_json())))
    assert found.rows[0].per_query == {} and found.rows[0].measures == made.rows[0].measures


def test_fields_that_a_newer_version_added_are_left_aside_and_missing_ones_take_their_default() -> None:
    document = evaluation([row()]).to_json()
    document["shiny"] = document["rows"][0]["shiny"] = 1
    del document["notes"], document["rows"][0]["macro"], document["rows"][0]["cost"]["warm"]
    assert Evaluation.from_json(document).rows[0].macro == {}


def changed(*path: str | int, to: Any = None) -> dict[str, Any]:
    """A document with another value at a path; without one when `to` is left out."""
    document = json.loads(json.dumps(evaluation([row(p95_ms=5), row("codes", p95_ms=5)]).to_json()))
    place = document
    for step in path[:-1]:
        place = place[step]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "no evaluation"),
        ([], "no evaluation"),
        ({"type": "row"}, "no evaluation"),
        (changed("schema"), "schema None"),
        (changed("schema", to=SCHEMA + 1), f"schema {SCHEMA + 1}"),
        (changed("schema", to=True), "schema True"),
        (changed("k"), "k is missing"),
        (changed("k", to="10"), "k is a text instead of a whole number"),
        (changed("k", to=1.5), "k is a number instead of a whole number"),
        (changed("k", to=True), "k is true or false instead of a whole number"),
        (changed("rows", to={}), "rows is an object instead of a list"),
        (changed("rows", 1, to=3), r"rows\[1\] is a whole number instead of an object"),
        (changed("rows", 1, "mode"), r"rows\[1\]\.mode is missing"),
        (changed("rows", 1, "cost", "warm", "p95_ms", to="fast"), r"rows\[1\]\.cost\.warm\.p95_ms is a text instead"),
        (changed("rows", 0, "measures", "success@10", to=0.5), r"rows\[0\]\.measures\.success@10 is a number instead"),
        (changed("rows", 0, "ann_recall", to={"ten": 0.5}), r"ann_recall has a key 'ten'"),
        (changed("environment", "cpu", to="\ud800"), r"environment\.cpu holds half a surrogate pair"),
    ],
)
def test_what_is_damaged_is_named(document: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Evaluation.from_json(document)

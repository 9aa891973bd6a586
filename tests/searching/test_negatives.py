"""`--not`: drops what holds all of its words, as whole words of its text or title."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import cmrcli
from cmrcli.errors import UsageError
from cmrcli.searching import Index, Query

OFFICE = {"notes/bolts.md", "notes/歯車.txt", "spec.pdf", "drawings/plate.png"}
OFFICE |= {f"photos/{name}.png" for name in ("red", "green", "blue")}


@pytest.fixture
def index(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> Iterator[Index]:
    with cmrcli.open_index(indexed[1], tiny_encoder_folder, threads=1) as opened:
        yield opened


@pytest.mark.parametrize(
    ("without", "dropped"),
    [
        ("cover", {"notes/bolts.md"}),
        ("covers", {"notes/bolts.md"}),
        ("bolt", {"notes/bolts.md"}),
        ("BOLT flange", {"notes/bolts.md"}),
        ("A102302", {"notes/bolts.md"}),
        ("a 1023 02", {"notes/bolts.md"}),
        ("over", set()),  # of "cover"
        ("flang", set()),  # of "flange"
        ("flange pump", set()),  # never together
        ("hoto", set()),  # of the folder photos/
        ("photos", set()),  # where an item lies is not what it is
        ("red", set()),  # the same, of a file
        ("車", {"notes/歯車.txt"}),
        ("図面", {"notes/歯車.txt"}),
        ("図面 S45C", {"notes/歯車.txt"}),
        ("。", set()),
    ],
)
def test_what_is_dropped(index: Index, without: str, dropped: set[str]) -> None:
    found = {result.relpath for result in index.search(Query("thing", without=(without,)), k=100)}
    assert found == OFFICE - dropped


def test_one_page_is_dropped_and_the_other_stays(index: Index) -> None:
    found = [(r.relpath, r.page) for r in index.search(Query("pump", without=("hydraulic",)), k=100)]
    assert ("spec.pdf", 2) in found and ("spec.pdf", 1) not in found


def test_several_negatives_each_drop_theirs(index: Index) -> None:
    found = {result.relpath for result in index.search(Query("thing", without=("bolt", "歯車")), k=100)}
    assert found == OFFICE - {"notes/bolts.md", "notes/歯車.txt"}


def test_a_query_that_its_negatives_use_up_is_wrong_usage(index: Index) -> None:
    with pytest.raises(UsageError, match="no direction"):
        index.search(Query("red", without=("red", "red")))

"""Other names of what a query names: found where they are meant, and nowhere else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cmrcli.lexicon import load_terms
from cmrcli.lexicon.expansion import MAX_NAMES, MAX_THINGS, other_names


def names(query: str) -> dict[str, tuple[str, ...]]:
    return dict(other_names(query))


def test_a_name_is_known_in_the_other_language_and_by_its_synonyms() -> None:
    assert {"歯車", "gearwheel"} <= set(names("gear")["gear"])
    assert {"gear", "gearwheel"} <= set(names("歯車")["歯車"])
    assert "gear" in names("ギア")["ギア"]


def test_the_longest_name_counts_and_is_no_other_thing_besides() -> None:
    assert list(names("a spur gear with a keyway")) == ["spur gear", "keyway"]
    assert list(names("はすば歯車")) == ["はすば歯車"]
    assert list(names("軸受箱の図面")) == ["軸受箱", "図面"]


def test_plurals_and_compounds_are_understood() -> None:
    assert "軸受" in names("two bearings")["bearings"]
    assert names("冷却ポンプ") == {"ポンプ": ("pump",)} or "冷却ポンプ" in names("冷却ポンプ")


@pytest.mark.parametrize("query", ["デバイス", "同じく", "sus304", "m8x25", "a-1023-02", "mechanical", "", "…"])
def test_what_only_looks_like_a_name_is_none(query: str) -> None:
    assert other_names(query) == []


def test_every_answer_is_bounded_and_says_something_new() -> None:
    many = " ".join(term.en.lower() for term in load_terms()[:60])
    assert len(other_names(many)) == MAX_THINGS
    for term in load_terms()[::97]:
        for typed, others in other_names(term.ja.lower()) + other_names(term.en.lower()):
            assert 0 < len(others) <= MAX_NAMES
            assert typed not in others
            assert not any(any(map(str.isdigit, name)) or len(name) < 2 for name in others)


def test_the_table_stays_closed_where_no_name_can_stand() -> None:
    program = (
        "from cmrcli.lexicon import expansion as e; e.other_names('a-1023-02');"
        " assert e._table.cache_info().misses == 0; e.other_names('gear'); assert e._table.cache_info().misses == 1"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

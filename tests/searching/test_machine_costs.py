"""Costs of this machine: measured once, kept, and never in anybody's way."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cmrcli import places
from cmrcli.searching import costs, measuring
from cmrcli.searching.costs import DEFAULTS, Costs

SOME = Costs(exact_ns=1.0, picked_ns=2.0, scan_ns=3, order_ns=4.0, step_us=5.0, load_ns=6.0, graph_ns=7.0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cmrcli" / "costs.json"


def test_what_was_kept_is_found_again(cache: Path) -> None:
    assert costs.kept() is None
    assert costs.keep(SOME)
    assert costs.kept() == SOME
    assert [path.name for path in cache.parent.iterdir()] == ["costs.json"]
    assert costs.keep(DEFAULTS) and costs.kept() == DEFAULTS


def test_measured_once_and_not_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def measure() -> Costs:
        calls.append(1)
        return SOME

    monkeypatch.setattr(measuring, "measure", measure)
    assert costs.measure_once() and costs.kept() == SOME
    assert not costs.measure_once() and len(calls) == 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 3_000, '{"format": 1}', "\x00\xff", '{"format": 1, "machine": {}, "costs": {}}'],
)
def test_a_damaged_file_counts_for_nothing_and_is_measured_anew(
    cache: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text(text)
    assert costs.kept() is None
    monkeypatch.setattr(measuring, "measure", lambda: SOME)
    assert costs.measure_once() and costs.kept() == SOME


@pytest.mark.parametrize("value", ["2", None, True, 0, -1.0, 1e7, float("nan"), float("inf"), [], {}])
def test_costs_of_nonsense_count_for_nothing(cache: Path, value: object) -> None:
    costs.keep(SOME)
    document = json.loads(cache.read_text())
    document["costs"]["scan_ns"] = value
    cache.write_text(json.dumps(document))
    assert costs.kept() is None


@pytest.mark.parametrize(("key", "value"), [("cpu", "another"), ("cores", 99_999), ("numpy", "1.0")])
def test_costs_of_another_machine_count_for_nothing(cache: Path, key: str, value: object) -> None:
    costs.keep(SOME)
    document = json.loads(cache.read_text())
    document["machine"][key] = value
    cache.write_text(json.dumps(document))
    assert costs.kept() is None


def test_a_cache_that_cannot_be_written_is_no_failure(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.parent.parent.parent.joinpath("cache").write_text("a file where the folder should be")
    monkeypatch.setattr(measuring, "measure", lambda: pytest.fail("measured for nothing"))
    assert not costs.measure_once() and not costs.keep(SOME) and costs.kept() is None


def test_a_user_without_a_home_has_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(costs, "user_cache", nowhere)
    assert costs.path() is None and costs.kept() is None
    assert not costs.keep(SOME) and not costs.measure_once()


def test_a_measurement_is_plausible() -> None:
    """Of everything something, and nothing beyond what a slow machine under load would show."""
    found = measuring.measure()
    for field in dataclasses.fields(Costs):
        assert 0 < getattr(found, field.name) < 1_000 * getattr(DEFAULTS, field.name), field.name
    assert costs.keep(found) and costs.kept() == found


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs is asked itself")
@pytest.mark.parametrize("named", ["/somewhere", "", "  ", "relative", "/with space/ü"])
def test_the_cache_folder_is_platformdirs(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from platformdirs import user_cache_path

    monkeypatch.setenv("XDG_CACHE_HOME", named)
    expected = user_cache_path("cmrcli", appauthor=False)
    if named != "relative":  # the specification calls it invalid; platformdirs has changed its mind about it
        assert places.user_cache() == expected
    assert os.path.isabs(places.user_cache())


def test_reading_costs_imports_nothing_that_measures() -> None:
    script = (
        "import sys; from cmrcli.searching import costs; costs.kept(); "
        "sys.exit(bool({'platformdirs', 'hnswlib', 'cmrcli.searching.measuring'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0

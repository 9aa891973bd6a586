"""How the values of options are read."""

from __future__ import annotations

import time

import pytest

from cmrcli.cli.options import moment_ns
from cmrcli.errors import UsageError
from tests.cli.running import Cli

LAST = 2**63 - 1


def test_an_age_counts_back_from_now() -> None:
    assert abs(time.time_ns() - 36 * 3_600 * 10**9 - moment_ns("36h", "--since")) < 10**10


def test_a_date_is_midnight_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert moment_ns("1970-01-02", "--since") == (24 - 9) * 3_600 * 10**9
        assert moment_ns("1970-01-01T00:00:01+00:00", "--since") == 10**9
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("text", "moment"), [("9999-12-31", LAST), ("0001-01-01", -LAST - 1), ("999999w", -LAST - 1), ("2262-05-01", LAST)]
)
def test_dates_that_the_catalog_cannot_hold_are_the_first_or_the_last(text: str, moment: int) -> None:
    assert moment_ns(text, "--until") == moment


@pytest.mark.parametrize("text", ["yesterday", "7y", "2026-13-01", "", "1234567d"])
def test_anything_else_is_no_date(text: str) -> None:
    with pytest.raises(UsageError, match="no date"):
        moment_ns(text, "--since")


@pytest.mark.parametrize(("option", "value"), [("--until", "9999-12-31"), ("--since", "999999w")])
def test_a_search_takes_dates_far_away(cli: Cli, option: str, value: str) -> None:
    assert cli("search", "flange", "--mode", "words", option, value).returncode == 0

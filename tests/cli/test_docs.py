"""The README says what the program does: every command, option, output field and exit code is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from cmrcli import errors
from cmrcli.cli.app import application

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def options() -> Iterator[tuple[str, str]]:
    for name, command in typer.main.get_command(application()).commands.items():  # type: ignore[attr-defined]
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                if option.startswith("-") and option not in ("--help", "-h"):
                    yield name, option


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_every_option_is_documented(command: str, option: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", README), f"{command} {option}"


def test_every_command_is_documented() -> None:
    for name in typer.main.get_command(application()).commands:  # type: ignore[attr-defined]
        assert f"`cmrcli {name}" in README, name


def test_no_option_is_documented_that_is_not_there() -> None:
    known = {option for _, option in options()}
    elsewhere = {"--no-index", "--find-links", "--install-completion", "--help"}  # pip's, Typer's
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - elsewhere:
        assert option in known, option


def test_every_exit_code_and_cause_is_documented() -> None:
    codes = {leaf.exit_code for leaf in vars(errors).values() if isinstance(leaf, type) and hasattr(leaf, "exit_code")}
    table = README[README.index("| exit code |") : README.index("Causes of `skipped`")]
    documented = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.M) for code in row.split(",")}
    assert codes <= documented, codes - documented
    for cause in errors.CAUSES:
        assert f"`{cause}`" in README


def test_every_field_of_a_result_is_documented() -> None:
    from cmrcli.searching.results import Result, Signal

    result = Result("q", 1, "/p", "/", "p", None, None, "text", 0.5, (Signal("words", 1.0, 1),))
    for field in result.to_json():
        assert f"`{field}`" in README, field


def test_every_field_of_a_summary_is_documented() -> None:
    from cmrcli.indexing.report import RunReport

    summary = RunReport().to_json()
    for field in (*summary, *summary["files"]):
        assert f"`{field}`" in README, field

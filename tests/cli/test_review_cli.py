"""Reproductions found while reviewing the command line: each states the behaviour that is wanted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cmrcli
from cmrcli.searching import Query

Done = subprocess.CompletedProcess[bytes]
Cli = Callable[..., Done]

# Strict: a test that passes now loses this mark in the commit that mends it.
known = pytest.mark.xfail(strict=True, reason="found in review, not mended yet")


@pytest.fixture
def cli(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> Cli:
    """Runs cmrcli in a process of its own against the shared index (or --index of the caller)."""

    def run(*arguments: str | Path | bytes, stdin: bytes = b"", **environment: str) -> Done:
        command = [sys.executable, "-m", "cmrcli", *arguments]
        if arguments[0] in ("search", "index"):
            command += ["--encoder", tiny_encoder_folder, "--threads", "1"]
        variables = {**os.environ, "CMRCLI_INDEX": str(indexed[1]), **environment}
        return subprocess.run(command, input=stdin, capture_output=True, env=variables, timeout=120)

    return run


@known
def test_dates_far_away_are_dates(cli: Cli) -> None:
    assert cli("search", "flange", "--mode", "words", "--until", "9999-12-31").returncode == 0


@known
def test_debug_keeps_the_exit_code() -> None:
    """Any bug will do. 1 would say that nothing was found."""
    bug = "import sys; from cmrcli.cli import main, status; status.index_folder = None"
    bug += "; sys.argv[1:] = ['status', '--debug']"
    done = subprocess.run([sys.executable, "-c", f"{bug}; main()"], capture_output=True, timeout=60)
    assert done.returncode == 9, done.stderr


@known
def test_an_index_that_is_not_there_does_not_abort_the_process(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    """The thread that loads the encoder must not run on while the interpreter is taken apart."""
    code = f"import cmrcli; cmrcli.open_index({str(tmp_path)!r}, {str(tiny_encoder_folder)!r}, 1, True)"
    codes = [subprocess.run([sys.executable, "-c", code], capture_output=True).returncode for _ in range(8)]
    assert set(codes) == {1}


@known
def test_a_line_without_direction_does_not_end_the_batch(cli: Cli) -> None:
    done = cli("search", "-", "--not", "red", "--not", "red", "-k", "1", stdin=b"red\nblue\n")
    assert (done.returncode, len(done.stdout.splitlines())) == (3, 1)


@known
def test_a_wide_space_is_no_control_character(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "jp"
    folder.mkdir()
    name = "図面\u3000一覧.txt"
    (folder / name).write_text("pump")
    index = ("--index", tmp_path / "index")
    cli("index", folder, *index)
    assert name in cli("search", "pump", "--mode", "words", *index).stdout.decode()


@known
def test_json_is_json_in_any_locale(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "é").mkdir()
    (tmp_path / "é" / "é.txt").touch()
    done = cli("index", tmp_path / "é", "--index", tmp_path / "index", "--format", "json", PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)["errors"][0]["path"].endswith("é.txt")


@known
def test_no_extension_moves_the_cursor(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.\x1b[31mred").touch()
    assert b"\x1b" not in cli("index", tmp_path / "in", "--index", tmp_path / "index").stdout


@known
def test_quiet_says_nothing_of_formats_that_are_never_read(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dwg").touch()
    assert cli("index", tmp_path / "in", "--index", tmp_path / "index", "--quiet").stderr == b""


@known
def test_a_forbidden_folder_is_news_once(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a.txt").write_text("some words")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "target")
    index = ("--index", tmp_path / "index")
    cli("index", tmp_path / "in", *index)
    (tmp_path / "target").rename(tmp_path / "away")
    assert [cli("index", *index).returncode for _ in range(2)] == [3, 0]


@known
def test_an_example_that_is_not_there_is_called_that(cli: Cli, tmp_path: Path) -> None:
    assert b"while the run was on" not in cli("search", "--like", tmp_path / "nope.png").stderr


@known
def test_an_empty_path_is_not_the_current_folder(cli: Cli, tmp_path: Path) -> None:
    assert cli("index", "", "--dry-run", "--index", tmp_path / "index").returncode == 2


@known
def test_a_negative_drops_words_and_not_parts_of_words(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> None:
    """Without "hoto" the folder photos/ stays, without "over" the cover."""
    with cmrcli.open_index(indexed[1], tiny_encoder_folder, threads=1) as index:
        found = {result.relpath for result in index.search(Query("red flange", without=("hoto",)))}
        found &= {result.relpath for result in index.search(Query("red flange", without=("over",)))}
    assert {"photos/red.png", "notes/bolts.md"} <= found


@known
def test_words_look_past_hidden_files(
    indexed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_encoder_folder: Path
) -> None:
    """60 pages whose words rank first cannot be read now; the 61st can."""
    from cmrcli.indexing import IndexOptions, index_paths

    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.txt").write_text(f"pump {number}")
    (folder / "last.txt").write_text("pumpjack " + "a long text about something else " * 40)
    index_paths(tmp_path / "index", [bytes(folder)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, *rest: path.endswith(b"last.txt") and allowed(path, *rest))
    with cmrcli.open_index(tmp_path / "index", tiny_encoder_folder, threads=1) as index:
        assert [result.relpath for result in index.search("pump", mode="words")] == ["last.txt"]

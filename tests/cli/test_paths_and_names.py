"""Paths and names from outside: what a person sees of them, and what a script can rely on."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from cmrcli.paths import display_path, path_fields
from tests.cli.running import Cli, lines


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain name.pdf", "plain name.pdf"),
        ("図面\u3000一覧\u00a0.pdf".encode(), "図面\u3000一覧\u00a0.pdf"),
        (b"caf\xe9", "caf\\xe9"),
        (b"a\x1b[2J\n\t", "a\\x1b[2J\\n\\t"),
        ("\u202egnp.exe\u2028".encode(), "\\u202egnp.exe\\u2028"),
    ],
)
def test_spaces_of_any_width_are_shown_and_what_moves_the_cursor_is_not(name: bytes, shown: str) -> None:
    assert display_path(name) == shown


@pytest.mark.parametrize("path", [b"/plain", b"/tab\there", "/図面".encode()])
def test_a_path_in_json_is_the_path(path: bytes) -> None:
    assert path_fields("path", path) == {"path": path.decode()}


def test_a_path_in_json_that_is_not_utf_8_has_its_bytes_beside_it() -> None:
    fields = path_fields("path", b"/caf\xe9\n")
    assert fields["path"] == "/caf\\xe9\n"
    assert base64.b64decode(fields["path_b64"]) == b"/caf\xe9\n"


def test_a_wide_space_survives_indexing_and_searching(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "jp"
    folder.mkdir()
    name = "図面\u3000一覧.txt"
    (folder / name).write_text("pump")
    index = ("--index", tmp_path / "index")
    cli("index", folder, *index)
    assert name in cli("search", "pump", "--mode", "words", *index).stdout.decode()


def test_names_with_control_characters_and_odd_bytes(cli: Cli, tmp_path: Path) -> None:
    folder = bytes(tmp_path / "odd")
    os.mkdir(folder)
    name = os.path.join(folder, b"a\x1b[2J\tb\n\xff.txt")
    with open(name, "wb") as file:
        file.write(b"hexagon socket")
    index = tmp_path / "index"
    assert cli("index", folder, "--index", index).returncode == 0
    table = cli("search", "hexagon", "--index", index, "--format", "table")
    assert b"\x1b[2J" not in table.stdout and b"\xff" not in table.stdout
    tsv = cli("search", "hexagon", "--index", index, "--format", "tsv").stdout
    assert tsv.count(b"\n") == 1 and tsv.count(b"\t") == 6 and b"\x1b" not in tsv
    assert cli("search", "hexagon", "--index", index, "-0").stdout == name + b"\0"
    [result, _] = lines(cli("search", "hexagon", "--index", index, "--format", "jsonl"))
    assert base64.b64decode(str(result["path_b64"])) == name


def test_status_gives_the_exact_name_of_a_file_that_cannot_be_read(cli: Cli, tmp_path: Path) -> None:
    folder = bytes(tmp_path / "in")
    os.mkdir(folder)
    name = os.path.join(folder, b"tab\t\xff.png")
    open(name, "wb").close()
    index = ("--index", tmp_path / "index")
    cli("index", folder, *index)
    [entry] = json.loads(cli("status", *index, "--failures", "--format", "json").stdout)["unreadable"]
    assert base64.b64decode(entry["path_b64"]) == name
    assert "\t" in entry["path"]
    table = cli("status", *index, "--failures").stdout
    assert b"tab\\t\\xff.png\tempty" in table


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_json_is_json_in_any_locale(cli: Cli, tmp_path: Path, format: str) -> None:
    (tmp_path / "é").mkdir()
    (tmp_path / "é" / "é.png").touch()
    index = ("--index", tmp_path / "index", "--format", format)
    done = cli("index", tmp_path / "é", *index, PYTHONIOENCODING="ascii")
    document = json.loads(done.stdout.splitlines()[0])
    assert document.get("errors", [document])[0]["path"].endswith("é.png")
    status = json.loads(cli("status", *index[:2], "--format", "json", PYTHONIOENCODING="ascii").stdout)
    assert status["roots"][0]["path"] == str(tmp_path / "é")


def test_an_extension_cannot_move_the_cursor(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.\x1b[31mred").touch()
    done = cli("index", tmp_path / "in", "--index", tmp_path / "index")
    assert b"\\x1b[31mred" in done.stdout
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [("index", "", "--dry-run"), ("forget", ""), ("search", "red", "--under", ""), ("search", "red", "--index", "")],
)
def test_an_empty_path_is_not_the_current_folder(cli: Cli, arguments: tuple[str, ...]) -> None:
    """What an unset variable of a script becomes."""
    done = cli(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"empty" in done.stderr


@pytest.mark.parametrize("name", ["nope.png", "folder/nope.pdf#3", "", "a\nb"])
def test_an_example_that_is_not_there_is_called_that(cli: Cli, tmp_path: Path, name: str) -> None:
    done = cli("search", "--like", f"{tmp_path}/{name}" if name else "")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"there is no file" in done.stderr

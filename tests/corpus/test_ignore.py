"""Ignore files and patterns, with git itself as the oracle where it is installed."""

import fnmatch
import os
import re
import shutil
import subprocess
import time
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.corpus.ignore import PatternList
from cmrcli.corpus.walk import WalkedDirectory, WalkRules, walk
from tests.corpus.trees import make, paths, walked

Form = Literal["NFC", "NFD"]


def test_cmrignore_leaves_out_files_and_whole_folders(tmp_path: Path) -> None:
    make(
        tmp_path,
        "a.bak",
        "a.png",
        "old/a.png",
        "sub/old/b.png",
        "sub/b.bak",
        "build/c.png",
        "sub/build/c.png",
    )
    (tmp_path / ".cmrignore").write_text("# backups\n*.bak\n\nold/\n/build\n")
    assert walked(tmp_path) == ["a.png", "sub/build/c.png"]
    assert ".cmrignore" not in walked(tmp_path, WalkRules(hidden=True))


def test_the_deeper_file_decides_and_the_last_line_within_a_file(tmp_path: Path) -> None:
    make(tmp_path, "x.tif", "keep/x.tif", "keep/y.tif", "other/x.tif")
    (tmp_path / ".cmrignore").write_text("*.tif\n")
    (tmp_path / "keep/.cmrignore").write_text("!*.tif\ny.*\n")
    assert walked(tmp_path) == ["keep/x.tif"]


def test_patterns_of_a_nested_file_are_relative_to_its_folder(tmp_path: Path) -> None:
    make(tmp_path, "a/out/x.png", "a/b/out/x.png", "out/x.png")
    (tmp_path / "a/.cmrignore").write_text("/out\n")
    assert walked(tmp_path) == ["a/b/out/x.png", "out/x.png"]


def test_include_and_exclude(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "a.pdf", "parts/a.png", "parts/old/a.png", "notes.txt")
    assert walked(tmp_path, WalkRules(include=("*.png",))) == ["a.png", "parts/a.png", "parts/old/a.png"]
    assert walked(tmp_path, WalkRules(include=("parts/",))) == ["parts/a.png", "parts/old/a.png"]
    assert walked(tmp_path, WalkRules(include=("*.png",), exclude=("old",))) == ["a.png", "parts/a.png"]
    assert walked(tmp_path, WalkRules(exclude=("*.p*", "!*.pdf"))) == ["a.pdf", "notes.txt"]


def test_exclude_cannot_be_undone_by_an_ignore_file(tmp_path: Path) -> None:
    make(tmp_path, "secret.png", "a.png")
    (tmp_path / ".cmrignore").write_text("!secret.png\n")
    assert walked(tmp_path, WalkRules(exclude=("secret*",))) == ["a.png"]


@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_composed_and_decomposed_names_match_alike(tmp_path: Path, written: Form) -> None:
    typed: Form = "NFD" if written == "NFC" else "NFC"
    make(
        tmp_path,
        unicodedata.normalize(written, "für/Gehäuse.png"),
        unicodedata.normalize(written, "ガイド.png"),
    )
    (tmp_path / ".cmrignore").write_text(unicodedata.normalize(typed, "für/Gehäuse.*\nガ*\n"), "utf-8")
    assert walked(tmp_path) == []


def test_lines_that_are_no_patterns_are_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.bak")
    (tmp_path / ".cmrignore").write_bytes(b"\xef\xbb\xbf!\r\n\\\r\n\xff\r\n*.bak\r\n")
    assert walked(tmp_path) == ["a.png"]


def test_a_folder_whose_rules_cannot_be_read_is_not_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.png", "private/a.png", "private/.cmrignore", "private/sub/b.png")

    def denied(*_: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr("cmrcli.corpus.walk.read_ignore_file", denied)
    folders: list[WalkedDirectory] = list(walk(os.fsencode(tmp_path)))
    assert paths(folders) == ["a.png"]
    assert [(f.dir, f.error) for f in folders if f.error] == [(b"private", ".cmrignore: denied")]


@settings(max_examples=200, deadline=None)
@given(st.text("ab*", min_size=1, max_size=8), st.text("ab", min_size=1, max_size=10))
def test_stars_match_as_in_any_glob(pattern: str, name: str) -> None:
    single = re.sub(r"\*+", "*", pattern)
    assert (PatternList([single]).verdict(name) is True) == fnmatch.fnmatchcase(name, single)


def test_a_hostile_pattern_costs_no_time() -> None:
    hostile = PatternList(["*a" * 40 + "b", "**/" * 40 + "b", "a/**/" * 30 + "b", "*" * 9 + "b", "[z-a]", "*.bak"])
    start = time.perf_counter()
    assert hostile.verdict("a" * 250 + "c") is None
    assert hostile.verdict("a/" * 2_000 + "c") is None
    assert hostile.verdict("a" * 250 + ".bak") is True
    assert time.perf_counter() - start < 2


@pytest.mark.skipif(shutil.which("git") is None, reason="git, the oracle, is not installed")
def test_agrees_with_git(tmp_path: Path) -> None:
    make(tmp_path, "a.log", "b.log", "doc/a.log", "doc/img/x.png", "doc/img/y.png", "src/tmp/z", "src/a b.txt")
    make(tmp_path, "src/deep/er/x.o", "src/deep/keep.o", "tmp/q", "foo/bar/baz", "foo/baz", "#x", "x!y", "[z]")
    rules = {
        "": "*.log\n!b.log\ndoc/img/*\n!doc/img/y.png\n**/tmp\nsrc/**/x.o\nfoo/*/baz\n\\#x\nx!*\n[[]z]\na\\ b.txt\n",
        "doc": "!a.log\n",
        "src/deep": "*.o\n!keep.o\n",
    }
    for folder, lines in rules.items():
        (tmp_path / folder / ".cmrignore").write_text(lines)
        (tmp_path / folder / ".gitignore").write_text(lines)
    git = ["git", "-C", str(tmp_path), "-c", "core.excludesFile=/dev/null"]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run([*git, "ls-files", "-zo", "--exclude-standard"], check=True, stdout=subprocess.PIPE)
    expected = {name for name in listed.stdout.decode().split("\0") if name and "ignore" not in name}
    assert expected and set(walked(tmp_path)) == expected

"""Indexes that this user may not, or only, read."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmrcli.errors import IndexInaccessible
from cmrcli.store import check
from tests.cli.running import Done

# Root may read everything, unless it gives that up.
AS_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
pytestmark = pytest.mark.skipif(bool(AS_USER) and shutil.which("setpriv") is None, reason="root needs setpriv")


@pytest.fixture
def index(indexed: tuple[Path, Path], tmp_path: Path) -> Iterator[Path]:
    """A copy of the shared index, to take rights away from."""
    index = tmp_path / "index"
    shutil.copytree(indexed[1], index)
    yield index
    index.chmod(0o700)


def as_user(*arguments: str | Path) -> Done:
    command = [*AS_USER, sys.executable, "-m", "cmrcli", *arguments]
    return subprocess.run(command, capture_output=True, timeout=60)


@pytest.mark.parametrize("command", [("check",), ("status",), ("search", "red"), ("binarize",)])
def test_somebody_elses_index_is_14(index: Path, command: tuple[str, ...]) -> None:
    index.chmod(0)
    done = as_user(*command, "--index", index, "--format", "json")
    assert done.returncode == 14, done.stderr
    assert json.loads(done.stderr)["code"] == 14


def test_a_catalog_that_only_its_owner_may_read_is_14(index: Path) -> None:
    (index / "catalog.sqlite").chmod(0)
    done = as_user("check", "--index", index)
    assert done.returncode == 14, done.stdout + done.stderr


def test_an_index_that_one_may_only_read_is_whole(index: Path) -> None:
    for path in index.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    index.chmod(0o500)
    done = as_user("check", "--index", index)
    for path in index.rglob("*"):
        path.chmod(0o700)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"note: catalog.sqlite: the words were not verified" in done.stdout


def test_words_that_cannot_be_verified_are_a_note(indexed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who may only read: SQLite refuses what FTS5 calls a write."""
    connect = sqlite3.connect

    def read_only(*arguments: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)  # type: ignore[call-overload]
        connection.execute("PRAGMA query_only = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", read_only)
    [finding] = check(indexed[1])
    assert (finding.severity, finding.path) == ("note", "catalog.sqlite")
    assert "not verified" in finding.message


def test_a_catalog_that_cannot_be_opened_is_not_called_damaged(
    indexed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "is_file", forbidden)
    with pytest.raises(IndexInaccessible, match="Permission denied"):
        check(indexed[1])

"""An index of an earlier version says that its tiles are fewer, and what to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from tests.cli.running import Cli


def test_status_says_when_tiles_are_of_an_earlier_version(cli: Cli, indexed: tuple[Path, Path], tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(indexed[1], old)
    assert b"earlier version" not in cli("status").stdout
    with sqlite3.connect(old / "catalog.sqlite") as catalog:
        assert catalog.execute("DELETE FROM meta WHERE key = 'tiles'").rowcount == 1
    catalog.close()
    assert b"index the folders into another --index" in cli("status", "--index", old).stdout
    assert json.loads(cli("status", "--index", old, "--format", "json").stdout)["tiles_current"] is False
    assert cli("search", "red", "--index", old).returncode == 0
    assert cli("check", "--index", old).returncode == 0

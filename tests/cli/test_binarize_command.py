"""`cmrcli binarize` as a person and a script meet it, and the rest of cmrcli on an index that keeps codes alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.running import Cli, runner
from tests.indexing.test_binarize import clustered_index


@pytest.fixture
def own(indexed: tuple[Path, Path], tiny_encoder_folder: Path, tmp_path: Path) -> tuple[Cli, Path]:
    """An index of this test alone, and cmrcli on it."""
    index = tmp_path / "index"
    shutil.copytree(indexed[1], index)
    return runner(index, tiny_encoder_folder), index


def test_auto_prints_what_it_decided_from(own: tuple[Cli, Path]) -> None:
    cli, _ = own
    done = cli("binarize", "--method", "auto", "--target-recall", "0.9", "--dry-run")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0 and lines[0].startswith("# ") and "would be" in lines[0]
    tried = [line.split("\t") for line in lines if line.endswith(("\treached", "\tmissed"))]
    assert tried and tried[-1][-1] == "reached" and len(tried[0]) == 8
    assert any(line.startswith("exact\t1.0000\t") for line in lines)
    report = json.loads(cli("binarize", "--method", "auto", "--dry-run", "--format", "json").stdout)
    assert report["target_recall"] == 0.99 and report["tried"][-1]["reached"] and report["dry_run"]
    assert report["oversampling"] >= report["rescored"] >= 1


def test_a_target_that_nothing_reaches_is_exit_code_1(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    index = clustered_index(tmp_path / "index")
    cli = runner(index, tiny_encoder_folder)
    done = cli("binarize", "--method", "itq", "--bits", "1", "--target-recall", "1", "--drop-vectors")
    assert done.returncode == 1 and done.stdout.startswith(b"# nothing was changed")
    assert b"lower --target-recall" in done.stderr and done.stderr.count(b"\n") == 1
    assert list(index.glob("segments/*/vectors.f16"))


def test_codes_alone_are_searched_and_added_to(own: tuple[Cli, Path], tmp_path: Path) -> None:
    cli, _ = own
    done = cli("binarize", "--method", "rotation", "--bits", "256", "--drop-vectors")
    assert done.returncode == 0 and b"dropped" in done.stdout
    assert b"photos/red.png" in cli("search", "red", "--mode", "vectors", "-k", "1").stdout
    explained = cli("search", "red", "--mode", "codes", "--explain")
    assert explained.returncode == 0 and b"codes alone are kept" in explained.stderr
    for command in (("search", "red", "--mode", "exact"), ("search", "red", "--mode", "graph"), ("binarize",)):
        refused = cli(*command)
        assert refused.returncode == 2 and b"codes alone" in refused.stderr and b"--index" in refused.stderr
        assert refused.stderr.count(b"\n") == 1
    more = tmp_path / "more"
    more.mkdir()
    (more / "note.txt").write_text("a red note about a gasket", encoding="utf-8")
    assert cli("index", more).returncode == 0
    assert b"note.txt" in cli("search", "gasket").stdout
    assert cli("check").returncode == 0
    assert json.loads(cli("status", "--format", "json").stdout)["bytes"]["vectors"] == 0

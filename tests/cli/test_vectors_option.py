"""`cmrcli index --vectors`, and the rest of cmrcli on an index of int8 vectors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cmrcli.store import check
from tests.cli.running import Cli, runner


@pytest.fixture
def own(indexed: tuple[Path, Path], tiny_encoder_folder: Path, tmp_path: Path) -> tuple[Cli, Path]:
    """An index of this test alone with float16 vectors, and cmrcli on it."""
    index = tmp_path / "index"
    shutil.copytree(indexed[1], index)
    return runner(index, tiny_encoder_folder), index


def test_a_new_index_keeps_to_its_form(indexed: tuple[Path, Path], tiny_encoder_folder: Path, tmp_path: Path) -> None:
    office, like = indexed
    index = tmp_path / "index"
    cli = runner(index, tiny_encoder_folder)
    done = cli("index", office, "--vectors", "i8", "--format", "json")
    assert done.returncode == 0 and json.loads(done.stdout)["summary"]["converted"] is False
    held = json.loads(cli("status", "--format", "json").stdout)
    other = json.loads(runner(like, tiny_encoder_folder)("status", "--format", "json").stdout)
    assert (held["vectors"], other["vectors"]) == ("i8", "f16")
    dim, rows = held["encoder"]["dim"], held["fragments"]
    assert (held["bytes"]["vectors"], other["bytes"]["vectors"]) == (rows * (dim + 4), rows * dim * 2)
    assert b"i8, int8" in cli("status").stdout
    for mode in ("exact", "codes", "graph", "auto"):
        assert b"photos/red.png" in cli("search", "red", "--mode", mode, "-k", "1").stdout
    more = tmp_path / "more"
    more.mkdir()
    (more / "note.txt").write_text("a red note about a gasket", encoding="utf-8")
    assert cli("index", more).returncode == 0
    assert b"note.txt" in cli("search", "gasket").stdout
    assert len(list(index.glob("segments/*/vectors.i8"))) == 2 and not list(index.glob("segments/*/vectors.f16"))
    binarized = cli("binarize", "--method", "rotation", "--format", "json")
    assert json.loads(binarized.stdout)["vector_bytes"] == (rows + 1) * (dim + 4)
    assert cli("binarize", "--drop-vectors").returncode == 0
    assert b"codes alone" in cli("status").stdout and cli("search", "red").returncode == 0
    assert check(index) == []


def test_an_index_of_float16_is_converted_once_and_never_back(own: tuple[Cli, Path]) -> None:
    cli, index = own
    would = cli("index", "--vectors", "i8", "--dry-run")
    assert would.returncode == 0 and b"would be kept as i8" in would.stdout
    assert b"kept as" not in cli("index", "--vectors", "f16").stdout
    assert list(index.glob("segments/*/vectors.f16"))
    done = cli("index", "--vectors", "i8")
    assert done.returncode == 0 and b"are now kept as i8" in done.stdout
    assert not list(index.glob("segments/*/vectors.f16")) and check(index) == []
    assert b"kept as" not in cli("index", "--vectors", "i8").stdout
    assert b"photos/red.png" in cli("search", "red", "--mode", "exact", "-k", "1").stdout
    for extra in ((), ("--dry-run",)):
        refused = cli("index", "--vectors", "f16", *extra)
        assert refused.returncode == 2 and refused.stderr.count(b"\n") == 1
        assert b"keeps its vectors as i8" in refused.stderr and b"--vectors f16" in refused.stderr


def test_a_form_that_does_not_exist_is_wrong_usage(own: tuple[Cli, Path]) -> None:
    refused = own[0]("index", "--vectors", "f8")
    assert refused.returncode == 2 and b"f16, i8" in refused.stderr and refused.stderr.count(b"\n") == 1

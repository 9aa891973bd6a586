"""The encoder that loads beside the opening of the index never outlives it, and never speaks."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import cmrcli
from cmrcli.errors import IndexMissing
from cmrcli.searching.guess import EncoderGuess


def loading() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("cmrcli-")]


def test_nothing_loads_on_when_there_is_no_index(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    with pytest.raises(IndexMissing):
        cmrcli.open_index(tmp_path, tiny_encoder_folder, 1, expect_text=True)
    assert loading() == []


def test_nothing_loads_on_after_the_index_is_closed(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> None:
    cmrcli.open_index(indexed[1], tiny_encoder_folder, 1, expect_text=True).close()
    assert loading() == []


@pytest.mark.parametrize(
    "code",
    [
        "cmrcli.open_index({missing!r}, {encoder!r}, 1, True)",
        "cmrcli.open_index({index!r}, {encoder!r}, 1, True); raise SystemExit(1)",
        "from cmrcli.searching.guess import EncoderGuess; EncoderGuess({encoder!r}, 1); raise SystemExit(1)",
    ],
)
def test_a_process_that_ends_while_it_loads_is_not_aborted(
    code: str, tmp_path: Path, indexed: tuple[Path, Path], tiny_encoder_folder: Path
) -> None:
    names = {"missing": str(tmp_path), "index": str(indexed[1]), "encoder": str(tiny_encoder_folder)}
    command = [sys.executable, "-c", "import cmrcli; " + code.format(**names)]
    assert {subprocess.run(command, capture_output=True).returncode for _ in range(4)} == {1}


def test_a_guess_that_fails_is_no_encoder_and_says_nothing(
    tiny_encoder_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(folder: Path) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("cmrcli.encoders.manifest.load_manifest", broken)
    assert EncoderGuess(tiny_encoder_folder, 1).encoder("any") is None
    assert capfd.readouterr() == ("", "")

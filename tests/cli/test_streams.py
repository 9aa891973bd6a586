"""stdin, stdout and stderr as shells, cron and full disks hand them over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import Cli, Done

FULL = Path("/dev/full")
needs_full_disk = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def in_shell(script: str, index: Path, encoder: Path) -> Done:
    """Runs a line of sh in which $CMRCLI is the command, with the buffers that Python has by itself."""
    variables = {**os.environ, "CMRCLI_INDEX": str(index), "CMRCLI": f"{sys.executable} -m cmrcli", "ENC": str(encoder)}
    variables.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(["sh", "-c", script], capture_output=True, env=variables, timeout=120)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("$CMRCLI search - --encoder $ENC --debug <&-", 1),
        ("$CMRCLI search red --encoder $ENC <&-", 0),
        ("$CMRCLI search red --encoder $ENC --format jsonl >&-", 0),
        ("$CMRCLI search red --encoder $ENC --explain 2>&-", 0),
        ("$CMRCLI status >&- <&- 2>&-", 0),
        ("$CMRCLI status --index /no/such >&- 2>&-", 10),
        ("$CMRCLI --version >&-", 0),
    ],
)
def test_closed_streams_change_no_exit_code(
    script: str, code: int, indexed: tuple[Path, Path], tiny_encoder_folder: Path
) -> None:
    done = in_shell(script, indexed[1], tiny_encoder_folder)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr


@needs_full_disk
@pytest.mark.parametrize(
    "command",
    ["search red --encoder $ENC", "search red --encoder $ENC --format paths", "status", "status --format json"],
)
def test_output_to_a_full_disk_is_an_expected_failure(
    command: str, indexed: tuple[Path, Path], tiny_encoder_folder: Path
) -> None:
    done = in_shell(f"$CMRCLI {command} > {FULL}", indexed[1], tiny_encoder_folder)
    assert done.returncode == 14, done.stderr
    assert done.stderr.count(b"\n") == 1 and b"stdout" in done.stderr


@needs_full_disk
def test_talk_that_nobody_can_hear_changes_no_exit_code(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> None:
    done = in_shell(f"$CMRCLI status --index /no/such 2> {FULL}", indexed[1], tiny_encoder_folder)
    assert (done.returncode, done.stdout) == (10, b"")


@pytest.mark.parametrize("options", [("--debug",), ("--debug", "--format", "json")])
def test_a_bug_is_9_under_debug_too(options: tuple[str, ...]) -> None:
    """Any bug will do. 1 would say that nothing was found."""
    bug = "import sys; from cmrcli.cli import main, status; status.index_folder = None"
    bug += f"; sys.argv[1:] = ['status', *{options!r}]"
    done = subprocess.run([sys.executable, "-c", f"{bug}; main()"], capture_output=True, timeout=60)
    assert done.returncode == 9, done.stderr
    assert b"Traceback" in done.stderr
    if "json" in options:
        assert json.loads(done.stderr.splitlines()[-1])["code"] == 9


def test_quiet_says_nothing_of_formats_that_are_never_read(cli: Cli, tmp_path: Path) -> None:
    """Every night's run would say it again."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dwg").touch()
    index = ("--index", tmp_path / "index")
    quiet = cli("index", tmp_path / "in", *index, "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, b"", b"")
    assert b"1 .dwg skipped" in cli("index", tmp_path / "in", *index).stderr

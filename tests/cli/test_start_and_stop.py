"""Ctrl-C at any moment, folders that are gone, and files that were named but can be nothing to index."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "cmrcli"]


@pytest.mark.parametrize("wait_s", [0.06, 0.1, 0.14, 0.2, 0.3])
def test_one_ctrl_c_ends_a_search_without_a_traceback(
    wait_s: float, indexed: tuple[Path, Path], tiny_encoder_folder: Path
) -> None:
    command = [*COMMAND, "search", "-", "--index", str(indexed[1]), "--encoder", str(tiny_encoder_folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(wait_s)
    process.send_signal(signal.SIGINT)
    try:
        _, stderr = process.communicate(timeout=20)
    finally:
        process.kill()
    assert b"Exception ignored" not in stderr
    # Before Python had come to our first line it dies of the signal, or while it imports `site` of a fatal error.
    too_early = process.returncode == -signal.SIGINT or b"Fatal Python error: init_import_site" in stderr
    if not too_early:
        assert process.returncode == 130
        assert b"Traceback" not in stderr


def test_a_current_folder_that_is_gone_is_said_plainly(tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/x && cd {tmp_path}/x && rmdir {tmp_path}/x && {' '.join(COMMAND)} index ."
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(["bash", "-c", script], capture_output=True, env=environment)
    assert (done.returncode, b"current folder is gone" in done.stderr) == (2, True)


def test_a_named_file_of_no_type_that_is_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.dwg").write_bytes(b"AC1015")
    command = [*COMMAND, "index", str(tmp_path / "old.dwg"), "--index", str(tmp_path / "index")]
    done = subprocess.run(command, capture_output=True)
    assert (done.returncode, b"DXF" in done.stderr) == (2, True)
    assert not (tmp_path / "index").exists()

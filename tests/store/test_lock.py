"""One writer at a time: others wait a while, then say who holds the index."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cmrcli.errors import IndexLocked
from cmrcli.store import check, open_reader, open_writer
from tests.store.samples import ENCODER, batch


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        started = time.monotonic()
        with pytest.raises(IndexLocked, match=rf"process {os.getpid()} since \d{{4}}-\d\d-\d\dT") as told:
            open_writer(tmp_path, ENCODER, lock_wait_s=0.2)
        assert 0.2 <= time.monotonic() - started < 5
        assert told.value.exit_code == 11 and told.value.remedy
        writer.commit(batch(writer.add_root(b"/data").id, [1]))  # the first one is not disturbed
        with open_reader(tmp_path) as reader:
            assert len(reader.segments) == 1
        assert check(tmp_path) == []
    open_writer(tmp_path, ENCODER, lock_wait_s=0).close()


def test_waiting_ends_when_the_other_is_done(tmp_path: Path) -> None:
    first = open_writer(tmp_path, ENCODER)
    timer = threading.Timer(0.2, first.close)
    timer.start()
    with open_writer(tmp_path, ENCODER, lock_wait_s=20) as second:
        assert second.roots() == []
    timer.join()


def test_a_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from cmrcli.store import open_writer\n"
        "from tests.store.samples import ENCODER\n"
        "writer = open_writer(Path(sys.argv[1]), ENCODER)\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "locked\n"
        with pytest.raises(IndexLocked, match=f"process {process.pid} since"):
            open_writer(tmp_path, ENCODER, lock_wait_s=0)
        process.kill()
        process.wait()
    open_writer(tmp_path, ENCODER, lock_wait_s=5).close()

"""Memory of a process of its own: its peak is seen, its parent's is not."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cmrcli.errors import CmrcliError
from cmrcli.evaluation.costs import resident
from cmrcli.evaluation.costs.processes import Done

MIB = 1 << 20


def child_peak(program: str) -> int:
    command = [
        sys.executable,
        "-c",
        f"{program}\nfrom cmrcli.evaluation.costs import resident\nprint(resident.peak_resident_bytes())",
    ]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_a_peak_is_remembered_after_the_memory_is_gone() -> None:
    plain = child_peak("")
    touched = child_peak("block = bytearray(120 << 20)\ndel block")
    assert 10 * MIB < plain < 150 * MIB
    assert touched - plain == pytest.approx(120 * MIB, rel=0.2)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the peaks of parent and child apart")
def test_a_large_parent_does_not_count() -> None:
    ballast = np.ones(300 * MIB // 8)
    assert child_peak("") < 150 * MIB
    assert ballast[-1] == 1


def test_private_memory_is_part_of_the_peak() -> None:
    private = resident.private_resident_bytes()
    if private is not None:
        assert MIB < private <= resident.peak_resident_bytes()


def test_a_process_that_fails_says_why_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CmrcliError, match="memory of mode exact failed") as failed:
        resident.measure(tmp_path / "no index", None, 0, "exact", 10, ["hex bolt"])
    assert "\n" not in str(failed.value) and "IndexMissing" in str(failed.value)


def test_lines_are_thinned_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = []

    def run(module, arguments, given, timeout_s):
        jobs.append((module, given))
        return Done(0, b'{"peak_bytes": 1, "private_bytes": null, "first_query_ms": 2.0, "queries": 3}\n', b"")

    monkeypatch.setattr(resident, "run_module", run)
    monkeypatch.setattr(resident, "MAX_QUERIES", 3)
    measured = resident.measure(tmp_path, tmp_path / "enc", 2, "codes", 5, [f"caf\udce9 {i}" for i in range(8)])
    assert measured == resident.Resident(1, None, 2.0, 3)
    [(module, given)] = jobs
    job = json.loads(given)
    assert module == resident.__name__
    assert job["lines"] == ["caf\udce9 0", "caf\udce9 3", "caf\udce9 6"]
    assert (job["mode"], job["k"], job["threads"], job["encoder"]) == ("codes", 5, 2, str(tmp_path / "enc"))

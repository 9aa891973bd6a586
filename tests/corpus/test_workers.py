"""The worker pool against functions that crash, hang, explode and chatter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cmrcli.corpus.items import Limits
from cmrcli.corpus.workers import WorkerPool
from cmrcli.errors import UnreadableFile
from tests.corpus import tasks

QUICK = Limits(time_s=1.0, memory_bytes=256 * 2**20)
ROOT = Path(__file__).parents[2]


def run(*names: str, workers: int = 2, limits: Limits = QUICK) -> dict[str, object]:
    with WorkerPool(tasks.answer, workers, limits) as pool:
        for name in names:
            pool.submit(name)
        return dict(pool.next_done() for _ in names)


@pytest.mark.parametrize(
    ("task", "cause"),
    [
        ("sleep", "timeout"),
        ("spin", "timeout"),
        ("hog", "memory"),
        ("hog slowly", "memory"),
        ("segfault", "crash"),
        ("exit", "crash"),
        ("abort", "crash"),
        ("sys.exit", "crash"),
        ("refuse", "encrypted"),
        ("fail", "damaged"),
        ("recurse", "damaged"),
        ("unpicklable", "damaged"),
    ],
)
def test_a_bad_task_costs_itself_alone(task: str, cause: str) -> None:
    results = run("before", task, "after", "last", workers=1)
    failure = results.pop(task)
    assert isinstance(failure, UnreadableFile)
    assert failure.cause == cause, failure
    assert results == {"before": "before", "after": "after", "last": "last"}


def test_what_was_said_of_a_failure_survives_the_way_back() -> None:
    results = run("refuse", "fail", "segfault")
    assert str(results["refuse"]) == "needs a password: line one line two"
    assert "KeyError: 'no such page'" in str(results["fail"])
    assert "SIGSEGV" in str(results["segfault"])


def test_prints_of_libraries_do_not_disturb_the_messages() -> None:
    assert run("chatter", "next") == {"chatter": "0 bytes of input", "next": "next"}


def test_every_task_comes_back_once_whatever_its_size() -> None:
    sizes = [0, 1, 65_535, 65_536, 1_000_000, 3] * 5
    with WorkerPool(tasks.sized, 2, Limits()) as pool:
        for size in sizes:
            pool.submit(size)
        assert pool.in_flight == len(sizes)
        results = [pool.next_done() for _ in sizes]
        assert pool.in_flight == 0
    assert sorted(task for task, _ in results) == sorted(sizes)
    assert all(isinstance(result, bytes) and len(result) == task for task, result in results)


def test_workers_go_on_while_the_caller_is_busy() -> None:
    with WorkerPool(tasks.answer, 1, Limits()) as pool:
        pool.submit("warm")
        pool.next_done()
        for i in range(4):
            pool.submit(str(i))
        time.sleep(1.0)  # busy elsewhere, taking nothing
        started = time.monotonic()
        assert [pool.next_done()[0] for _ in range(4)] == ["0", "1", "2", "3"]
        assert time.monotonic() - started < 0.5


def test_processes_start_with_the_first_task_and_end_with_the_pool() -> None:
    def children() -> set[int]:
        return {child.pid for child in psutil.Process().children(recursive=True)}

    before = children()
    with WorkerPool(tasks.pid, 2, Limits()) as pool:
        assert children() == before
        for _ in range(6):
            pool.submit("")
        pids = {pool.next_done()[1] for _ in range(6)}
        assert len(pids) <= 2
        assert children() - before >= pids
    assert children() == before


def test_leaving_the_pool_does_not_wait_for_what_still_runs() -> None:
    with WorkerPool(tasks.answer, 2, Limits()) as pool:
        for _ in range(5):
            pool.submit("sleep")
        time.sleep(0.5)
        started = time.monotonic()
    assert time.monotonic() - started < 3


def test_a_worker_killed_while_idle_is_replaced() -> None:
    with WorkerPool(tasks.pid, 1, Limits()) as pool:
        pool.submit("")
        first = pool.next_done()[1]
        assert isinstance(first, int)
        os.kill(first, signal.SIGKILL)
        time.sleep(0.2)
        pool.submit("")
        assert isinstance(pool.next_done()[1], (int, UnreadableFile))
        pool.submit("")
        assert pool.next_done()[1] not in (first, None)


def test_ctrl_c_reaches_the_parent_alone() -> None:
    """Workers sit in a session of their own and ignore the signal besides."""
    with WorkerPool(tasks.pid, 1, Limits()) as pool:
        pool.submit("")
        worker = pool.next_done()[1]
        assert isinstance(worker, int)
        assert os.getpgid(worker) != os.getpgid(0)
        os.kill(worker, signal.SIGINT)
        pool.submit("")
        assert pool.next_done()[1] == worker


def test_functions_that_a_worker_cannot_import_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="imported"):
        WorkerPool(lambda task: task, 1, Limits())
    with pytest.raises(RuntimeError, match="flight"), WorkerPool(tasks.pid, 1, Limits()) as pool:
        pool.next_done()


PROGRAM = """
import sys
from cmrcli.corpus.items import Limits
from cmrcli.corpus.workers import WorkerPool
from tests.corpus import tasks
with WorkerPool(tasks.answer, 2, Limits()) as pool:
    pool.submit("hello")
    print(pool.next_done())
"""


@pytest.mark.parametrize("way", ["script", "-c", "stdin", "module"])
def test_any_main_program_will_do_even_without_a_guard(way: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    (tmp_path / "aside").mkdir()
    (tmp_path / "aside/__main__.py").write_text(PROGRAM)
    arguments = {"script": [str(script)], "-c": ["-c", PROGRAM], "stdin": ["-"], "module": ["-m", "aside"]}[way]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=PROGRAM if way == "stdin" else "",
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("('hello', 'hello')\n", "")


def test_workers_of_a_killed_parent_end_themselves() -> None:
    program = PROGRAM + "    pool.submit('sleep'); print(pool._slots[0]._process.pid, flush=True); input()\n"
    program = program.replace("Limits())", "Limits(time_s=1.0))").replace(", 2, ", ", 1, ")
    parent = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None and parent.stdin is not None
    parent.stdout.readline()
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    psutil.wait_procs([worker], timeout=15)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE

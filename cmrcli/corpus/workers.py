"""Worker processes for untrusted files: a crash, a hang or an explosion costs one task and nothing else.

One thread of the parent owns one worker process and talks to it over two pipes. Nothing is shared between
workers (no queue, no lock), so one that dies in the middle of a message takes only its own task along.
Workers are started as `python -I -c ...`, not by multiprocessing: the parent's `__main__` is never imported
again, so a script without a guard, an interactive shell, a console script and pytest all work, and no ONNX
thread is ever forked.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from cmrcli.corpus import worker_main
from cmrcli.corpus.items import Limits
from cmrcli.errors import UnreadableFile

T = TypeVar("T")
R = TypeVar("R")

WATCH_EVERY_S = 0.1  # how late a time limit may be enforced
GRACE_S = 0.5  # for a worker whose pipe has closed to end by itself: how it ends tells the cause
START_S = 60.0  # a machine that swaps may take long to import; a worker that never gets ready is a bug, not a bad file


class WorkerPool(Generic[T, R]):
    """Runs `function(task)` in worker processes with the limits of `Limits`; results come in the order they finish.

    The function must be importable at top level (`module.name`), tasks and results must be picklable. Tasks
    go on to idle workers by themselves while the caller is busy with something else. Submit a few more tasks
    than there are workers, take one result, submit the next: the pool itself does not bound how many results
    wait.

    Raises:
        ValueError: a function that a fresh process could not import.
        RuntimeError: the worker could not start at all (in `next_done`); a bug or a broken installation, no
            matter of one file.
    """

    def __init__(self, function: Callable[[T], R], workers: int, limits: Limits) -> None:
        if getattr(function, "__module__", None) == "__main__" or "<" in getattr(function, "__qualname__", ""):
            raise ValueError(f"{function!r} cannot be imported by a worker process")
        if workers < 1:
            raise ValueError(f"{workers} workers")
        self._setup = pickle.dumps((function, limits))
        self._limits = limits
        self._slots = [_Slot(self._setup, limits) for _ in range(workers)]
        self._threads: list[threading.Thread] = []
        self._pending: queue.SimpleQueue[T | _Stop] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[T, R | UnreadableFile | RuntimeError]] = queue.SimpleQueue()
        self._in_flight = 0
        self._closing = threading.Event()

    def submit(self, task: T) -> None:
        """Hands a task to the pool and returns at once."""
        if self._closing.is_set():
            raise RuntimeError("the pool is closed")
        self._in_flight += 1
        self._pending.put(task)
        if not self._threads:
            self._start_thread(self._watch)
        started = len(self._threads) - 1
        if started < min(len(self._slots), self._in_flight):
            self._start_thread(self._serve, self._slots[started])

    @property
    def in_flight(self) -> int:
        """Tasks submitted whose result has not been taken yet."""
        return self._in_flight

    def next_done(self) -> tuple[T, R | UnreadableFile]:
        """The next finished task with its result; blocks until there is one.

        Returns an UnreadableFile instead of a result when the function raised one, when it took too long ("timeout") or
        too much memory ("memory"), when it took the process along ("crash"), and "damaged" for any other exception.
        """
        if not self._in_flight:
            raise RuntimeError("no task in flight")
        task, result = self._done.get()
        self._in_flight -= 1
        if isinstance(result, RuntimeError):
            raise result
        return task, result

    def __enter__(self) -> WorkerPool[T, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for slot in self._slots:
            self._pending.put(_STOP)
            slot.kill()
        for thread in self._threads:
            thread.join(timeout=5.0)

    def _start_thread(self, target: Callable[..., None], *arguments: _Slot) -> None:
        thread = threading.Thread(target=target, args=arguments, name="cmrcli-worker", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, slot: _Slot) -> None:
        try:
            while not isinstance(task := self._pending.get(), _Stop) and not self._closing.is_set():
                self._done.put((task, cast("R | UnreadableFile | RuntimeError", slot.perform(task))))
        finally:
            slot.close()

    def _watch(self) -> None:
        while not self._closing.wait(WATCH_EVERY_S):
            now = time.monotonic()
            for slot in self._slots:
                slot.look_after(now)


class _Stop:
    """Ends the thread that takes it from the queue."""


_STOP = _Stop()


class _Slot:
    """One worker process at a time, replaced when it dies or asks to leave. Used by its own thread; `kill*` by any."""

    def __init__(self, setup: bytes, limits: Limits) -> None:
        self._setup = setup
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline = float("inf")
        self._late = False
        self._peak_bytes = 0
        self._killed = False
        self._lock = threading.Lock()  # of all that changes

    def perform(self, task: object) -> object:
        """The function's result, an UnreadableFile, or a RuntimeError when no worker can be started."""
        message = pickle.dumps(task)
        for _ in range(2):  # a worker may have died idle (killed by hand): that is not this task's fault
            if self._process is None:
                failure = self._start()
                if failure is not None:
                    return failure
            process = self._process
            assert process is not None and process.stdin is not None and process.stdout is not None
            with self._lock:
                self._deadline = time.monotonic() + self._limits.time_s
            try:
                worker_main.send(process.stdin, message)
                break
            except OSError:
                self._end()
        else:
            return UnreadableFile("crash", "its worker could not be reached")
        reply = worker_main.receive(process.stdout)
        with self._lock:
            self._deadline = float("inf")
            late, self._late = self._late, False
        if reply is None:
            end = self._end()
            return _timeout(self._limits) if late else _why(end, self._limits)
        leaving, result = pickle.loads(reply)  # noqa: S301  # from a process that runs our own code
        if leaving or late:
            self._end()
        return result

    def kill(self) -> None:
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """Ends the process; the slot is of no further use."""
        self.kill()
        if self._process is not None:
            self._end()

    def look_after(self, now: float) -> None:
        """Kills a worker that is late, and keeps how large it has been."""
        with self._lock:
            if self._process is None or self._deadline == float("inf"):
                return
            self._peak_bytes = max(self._peak_bytes, _resident_bytes(self._process.pid))
            if now > self._deadline:
                self._late = True
                self._deadline = float("inf")
                self._process.kill()

    def _start(self) -> RuntimeError | None:
        process = subprocess.Popen(
            worker_main.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # C libraries talk there
            env=worker_main.environment(),
            start_new_session=True,  # Ctrl-C in the terminal is the parent's alone
            bufsize=0,
        )
        with self._lock:
            self._process = process
            self._deadline = time.monotonic() + START_S
            if self._killed:
                process.kill()
        assert process.stdin is not None and process.stdout is not None
        try:
            worker_main.send(process.stdin, self._setup)
            hello = worker_main.receive(process.stdout)
        except OSError:
            hello = None
        with self._lock:
            self._deadline = float("inf")
            self._late = False
        if hello is not None and not hello:
            return None
        end = self._end()
        return RuntimeError(f"a worker process could not start: {hello.decode() if hello else end.words()}")

    def _end(self) -> _End:
        """Kills what is left of the process and says how it ended."""
        with self._lock:
            process, self._process = self._process, None
            peak_bytes, self._peak_bytes = self._peak_bytes, 0
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return _End(process.returncode, peak_bytes)


@dataclass(frozen=True)
class _End:
    code: int  # as subprocess has it: negative for a signal
    peak_bytes: int  # largest resident memory that the watch saw, 0 where the system does not say

    def words(self) -> str:
        if self.code >= 0:
            return f"exit status {self.code}"
        try:
            return f"signal {signal.Signals(-self.code).name}"
        except ValueError:
            return f"signal {-self.code}"


def _resident_bytes(pid: int) -> int:
    """Not from getrusage: a child's figure there begins with its parent's size."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read(64).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _why(end: _End, limits: Limits) -> UnreadableFile:
    """The cause, from how the worker ended.

    C++ and Rust libraries abort when an allocation fails: a process that aborted while it filled more than half of its
    memory limit counts as out of memory.
    """
    died_of = signal.Signals(-end.code).name if -end.code in set(signal.Signals) else ""
    if (
        end.code == worker_main.OUT_OF_MEMORY or died_of == "SIGKILL"
    ):  # not our kill: the system's, when memory runs out
        return UnreadableFile("memory", f"more than {limits.memory_bytes >> 20} MiB")
    if died_of == "SIGALRM":
        return _timeout(limits)
    if died_of in ("SIGABRT", "SIGTRAP", "SIGILL") and end.peak_bytes > limits.memory_bytes // 2:
        return UnreadableFile("memory", f"{end.words()} at {end.peak_bytes >> 20} MiB")
    return UnreadableFile("crash", end.words())


def _timeout(limits: Limits) -> UnreadableFile:
    return UnreadableFile("timeout", f"more than {limits.time_s:g} s")

"""The inside of one worker process: takes tasks from stdin, answers on stdout, within its limits.

A message is a length (8 bytes, little endian) and a pickle. Pickles travel only between a parent and the
process it started from the same code. First message in: (function, limits); answer: empty when ready, else
what went wrong. Then one task in, one (leaving, result) out, until stdin ends. `leaving`: the process has
grown and wants to be replaced.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from typing import IO, BinaryIO

from cmrcli.corpus.items import Limits
from cmrcli.errors import UnreadableFile

OUT_OF_MEMORY = 77  # exit status of a worker that had not even the memory to say so
BACKSTOP_S = 5.0  # the parent enforces the time limit; an orphan ends itself this much later

_LENGTH = struct.Struct("<Q")
_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from cmrcli.corpus.worker_main import main; main()"


def command() -> list[str]:
    """The command line of a worker: isolated from environment and current folder, with the parent's import path."""
    options = ["-I", "-X", "utf8"] if sys.flags.utf8_mode else ["-I"]
    path = [os.fsdecode(entry) or os.getcwd() for entry in sys.path]
    return [sys.executable, *options, "-c", _BOOT, *path]


def environment() -> dict[str, str]:
    """The parent's environment, less threads: one worker uses one core, and each thread reserves address space."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(threads, "1"), "MALLOC_ARENA_MAX": "2"}


def send(stream: IO[bytes], message: bytes) -> None:
    for part in (_LENGTH.pack(len(message)), message):
        view = memoryview(part)
        while view:
            view = view[stream.write(view) :]


def receive(stream: IO[bytes]) -> bytearray | None:
    """One message; None when the other end is gone."""
    head = _read(stream, _LENGTH.size)
    return None if head is None else _read(stream, _LENGTH.unpack(head)[0])


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks, results = _take_stdio()
    setup = receive(tasks)
    if setup is None:
        return
    try:
        function, limits = pickle.loads(setup)  # noqa: S301  # from the process that started this one
        start_bytes = _confine(limits)
    except BaseException:
        send(results, traceback.format_exc().encode("utf-8", "backslashreplace"))
        return
    gc.freeze()
    send(results, b"")
    while (message := receive(tasks)) is not None:
        _backstop(limits.time_s + BACKSTOP_S)
        try:
            answer = _answer(function, message, limits, start_bytes)
            del message
            send(results, answer)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except BrokenPipeError:
            return
        _backstop(0)


def _answer(function: Callable[[object], object], message: bytearray, limits: Limits, start_bytes: int) -> bytes:
    starved = False
    try:
        result = function(pickle.loads(message))  # noqa: S301  # from our own parent
    except UnreadableFile as error:
        result = error.with_traceback(None)
        starved = error.cause == "memory"
    except MemoryError:
        result = UnreadableFile("memory", f"more than {limits.memory_bytes >> 20} MiB")
        starved = True
    except Exception as error:
        result = UnreadableFile("damaged", _one_line(error))
    if starved or _size_bytes() - start_bytes > limits.memory_bytes // 4:
        gc.collect()
    leaving = starved or _size_bytes() - start_bytes > limits.memory_bytes // 2
    try:
        return pickle.dumps((leaving, result), protocol=5)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        return pickle.dumps((leaving, UnreadableFile("damaged", _one_line(error))))


def _one_line(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


def _take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """stdin and stdout for messages alone: whatever a library prints goes to nowhere."""
    tasks, results = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(tasks, "rb", buffering=0), os.fdopen(results, "wb", buffering=0)


def _confine(limits: Limits) -> int:
    """Sets the limits that the system enforces; the process's size (bytes of address space) before any task."""
    start_bytes = _size_bytes()
    try:
        import resource
    except ImportError:  # Windows
        return start_bytes
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if start_bytes:
        most = start_bytes + limits.memory_bytes
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    return start_bytes


def _backstop(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _size_bytes() -> int:
    """Address space of this process, 0 where the system does not say."""
    with contextlib.suppress(OSError), open("/proc/self/statm", "rb", buffering=0) as file:
        return int(file.read(64).split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _read(stream: IO[bytes], size: int) -> bytearray | None:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = stream.readinto(view)  # type: ignore[attr-defined]  # a raw file has it
        if not count:
            return None
        view = view[count:]
    return data

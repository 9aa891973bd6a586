"""Functions for worker processes to run: importable, and bad in every way that a reader can be."""

from __future__ import annotations

import ctypes
import os
import sys
import time

from cmrcli.errors import UnreadableFile


def answer(task: str) -> object:
    """What the task names; anything else comes back as it is."""
    if task in _ACTIONS:
        return _ACTIONS[task]()
    return task


def pid(_: str) -> int:
    return os.getpid()


def sized(task: int) -> bytes:
    return bytes(task)


def _sleep() -> None:
    time.sleep(60)


def _spin() -> None:
    while True:
        pass


def _hog() -> int:
    return len(bytearray(8 << 30))


def _hog_slowly() -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def _segfault() -> None:
    ctypes.string_at(0)


def _exit() -> None:
    os._exit(3)


def _system_exit() -> None:
    sys.exit(4)


def _refuse() -> None:
    raise UnreadableFile("encrypted", "line one  line two")


def _fail() -> None:
    raise KeyError("no such page")


def _recurse() -> None:
    _recurse()


def _chatter() -> str:
    print("to stdout")
    os.write(1, b"\x00" * 100)
    os.write(2, b"to stderr")
    return f"{len(sys.stdin.read())} bytes of input"


def _unpicklable() -> object:
    return lambda: None


_ACTIONS = {
    "sleep": _sleep,
    "spin": _spin,
    "hog": _hog,
    "hog slowly": _hog_slowly,
    "segfault": _segfault,
    "exit": _exit,
    "sys.exit": _system_exit,
    "abort": os.abort,
    "refuse": _refuse,
    "fail": _fail,
    "recurse": _recurse,
    "chatter": _chatter,
    "unpicklable": _unpicklable,
}

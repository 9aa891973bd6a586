"""What the system and SQLite raise, told as one line that says what still stands."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from cmrcli.errors import CmrcliError, IndexDamaged, IndexInaccessible, display_path

# Causes outside the index: the disk is full, not ours to write, broken, or memory is short.
_ENVIRONMENT = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
    }
)
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class _HasFolder(Protocol):
    folder: Path


_Self = TypeVar("_Self", bound=_HasFolder)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@contextmanager
def told_plainly(index: Path, doing: str = "write") -> Iterator[None]:
    """Turn failures of the disk into IndexInaccessible and those of the index into IndexDamaged; bugs pass through."""
    try:
        yield
    except FileNotFoundError as error:
        raise damaged(index, f"{display_path(error.filename or '')} is missing") from error
    except OSError as error:
        raise _cannot(doing, index, error.strerror or str(error)) from error
    except sqlite3.DatabaseError as error:
        told = _translated(error, index, doing)
        if told is None:
            raise
        raise told from error


def reads_plainly(
    method: Callable[Concatenate[_Self, _Arguments], _Result],
) -> Callable[Concatenate[_Self, _Arguments], _Result]:
    """The method of an object with a `folder`, with SQLite's failures told like that; costs nothing otherwise."""

    @wraps(method)
    def plainly(self: _Self, /, *arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        try:
            return method(self, *arguments, **options)
        except sqlite3.DatabaseError as error:
            told = _translated(error, self.folder, "read")
            if told is None:
                raise
            raise told from error

    return plainly


def damaged(index: Path, error: Exception | str) -> IndexDamaged:
    """What to raise when the catalog or the arrays make no sense."""
    where = display_path(index)
    return IndexDamaged(f"the index {where} is damaged: {error}", f"cmrcli check --index {where}")


def _translated(error: sqlite3.DatabaseError, index: Path, doing: str) -> CmrcliError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    if code in _ENVIRONMENT:
        return _cannot(doing, index, str(error))
    return damaged(index, error) if code in _DAMAGE else None


def _cannot(doing: str, index: Path, why: str) -> IndexInaccessible:
    return IndexInaccessible(
        f"cannot {doing} the index {display_path(index)}: {why}",
        "make room (or access) and run the same command again; everything committed before still stands",
    )

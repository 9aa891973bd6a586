"""The way out of every command: expected failures become one line and their exit code, never a traceback."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TextIO, TypeVar

import typer

from cmrcli.errors import CmrcliError, OutputLost, UsageError, display_path

F = TypeVar("F", bound=Callable[..., None])

INTERRUPTED = 130
UNEXPECTED = 9
JSON_FORMATS = ("json", "jsonl")
_DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def guarded(command: F) -> F:
    """A command whose failures are said as STYLE asks: text for people, one JSON object for scripts."""

    @functools.wraps(command)
    def wrapper(*args: Any, **options: Any) -> None:
        as_json = str(options.get("format") or "") in JSON_FORMATS
        try:
            try:
                command(*args, **options)
            except typer.Exit:
                sys.stdout.flush()
                raise
            sys.stdout.flush()
        except CmrcliError as error:
            fail(error, as_json)
        except KeyboardInterrupt:
            _interrupted()
        except BrokenPipeError:
            leave_quietly()
        except (typer.Exit, typer.Abort):
            raise
        except MemoryError:
            fail(CmrcliError("out of memory", "close other programs, or use fewer --workers"), as_json)
        except OSError as error:
            if not _is_of_output(error):
                _unexpected(error, as_json, bool(options.get("debug")))
            drop_output(sys.stdout)
            why = error.strerror or str(error)
            fail(OutputLost(f"cannot write to stdout: {why}", "make room where it goes, and run it again"), as_json)
        except Exception as error:
            if _is_typers(error):
                raise
            if _comes_of_interrupt(error):
                _interrupted()
            _unexpected(error, as_json, bool(options.get("debug")))

    return wrapper  # type: ignore[return-value]


def _interrupted() -> NoReturn:
    say("interrupted; what was committed stands")
    raise typer.Exit(INTERRUPTED) from None


def _comes_of_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: extension modules turn one that comes while they load into an ImportError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _unexpected(error: Exception, as_json: bool, debug: bool) -> NoReturn:
    """A bug: one line and its exit code, under --debug after the traceback."""
    if debug:
        import traceback

        traceback.print_exception(error)
    where = f"{type(error).__name__}: {error}".splitlines()[0]
    remedy = "report the traceback" if debug else "run it again with --debug and report the traceback"
    fail(CmrcliError(f"unexpected failure: {where}", remedy), as_json)


def fail(error: CmrcliError, as_json: bool) -> NoReturn:
    """Says the error on stderr and exits with its code."""
    if as_json:
        fields = {"type": "error", "code": error.exit_code, "message": str(error), "remedy": error.remedy}
        with contextlib.suppress(OSError):
            print(json.dumps(fields, ensure_ascii=True), file=sys.stderr, flush=True)
    else:
        say(f"{error}" + (f"; {error.remedy}" if error.remedy else ""))
    raise typer.Exit(error.exit_code)


def say(message: str) -> None:
    """One line of talk on stderr, with nothing in it that could move a terminal's cursor."""
    line = " ".join(display_path(part) for part in message.splitlines())
    # Python's stderr writes what its encoding lacks as escapes. Talk that nobody can hear changes no exit code.
    with contextlib.suppress(OSError):
        print(f"cmrcli: {line}", file=sys.stderr, flush=True)


def leave_quietly() -> NoReturn:
    """The reader of our pipe is gone (`| head`): end as other tools do, without a word."""
    drop_output(sys.stdout)
    raise typer.Exit(128 + getattr(signal, "SIGPIPE", 13))


def drop_output(stream: TextIO) -> None:
    """Sends nowhere what is still buffered: the interpreter would try to write it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_of_output(error: OSError) -> bool:
    """Whether a stream could not be written. What fails in the index is another error by the time it comes here."""
    return error.filename is None and error.errno in _DISK_TROUBLE


def choice(value: str, allowed: tuple[str, ...], option: str) -> str:
    """The value if it is one of those allowed.

    Raises:
        UsageError: it is not.
    """
    if value not in allowed:
        raise UsageError(f"{option} {display_path(value)} is unknown", f"{option} takes one of " + ", ".join(allowed))
    return value


def _is_typers(error: Exception) -> bool:
    """Usage errors found while parsing are Typer's to show."""
    return type(error).__module__.startswith(("typer", "click"))

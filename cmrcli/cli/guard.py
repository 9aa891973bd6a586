"""The way out of every command: expected failures become one line and their exit code, never a traceback."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer

from cmrcli.errors import CmrcliError, UsageError, display_path

F = TypeVar("F", bound=Callable[..., None])

INTERRUPTED = 130
UNEXPECTED = 9
JSON_FORMATS = ("json", "jsonl")


def guarded(command: F) -> F:
    """A command whose failures are said as STYLE asks: text for people, one JSON object for scripts."""

    @functools.wraps(command)
    def wrapper(*args: Any, **options: Any) -> None:
        as_json = str(options.get("format") or "") in JSON_FORMATS
        try:
            command(*args, **options)
            sys.stdout.flush()
        except CmrcliError as error:
            fail(error, as_json)
        except KeyboardInterrupt:
            say("interrupted; what was committed stands")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            leave_quietly()
        except (typer.Exit, typer.Abort):
            raise
        except MemoryError:
            fail(CmrcliError("out of memory", "close other programs, or use fewer --workers"), as_json)
        except Exception as error:
            if _is_typers(error) or options.get("debug"):
                raise
            where = f"{type(error).__name__}: {error}".splitlines()[0]
            fail(
                CmrcliError(f"unexpected failure: {where}", "run it again with --debug and report the traceback"),
                as_json,
            )

    return wrapper  # type: ignore[return-value]


def fail(error: CmrcliError, as_json: bool) -> None:
    """Says the error on stderr and exits with its code."""
    if as_json:
        fields = {"type": "error", "code": error.exit_code, "message": str(error), "remedy": error.remedy}
        print(json.dumps(fields, ensure_ascii=True), file=sys.stderr)
    else:
        say(f"{error}" + (f"; {error.remedy}" if error.remedy else ""))
    raise typer.Exit(error.exit_code)


def say(message: str) -> None:
    """One line of talk on stderr, with nothing in it that could move a terminal's cursor."""
    line = " ".join(display_path(part) for part in message.splitlines())
    try:
        print(f"cmrcli: {line}", file=sys.stderr, flush=True)
    except UnicodeEncodeError:
        print(f"cmrcli: {line.encode('ascii', 'backslashreplace').decode()}", file=sys.stderr, flush=True)


def leave_quietly() -> None:
    """The reader of our pipe is gone (`| head`): end as other tools do, without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere
    raise typer.Exit(128 + getattr(signal, "SIGPIPE", 13))


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

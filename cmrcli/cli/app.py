"""The Typer application: every command by name, imported when it is the one that was asked for."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from importlib import import_module
from typing import Annotated

import typer

from cmrcli.cli.guard import INTERRUPTED, drop_output

# Command -> module and function. A search under cron or in a loop should not pay for importing the others.
COMMANDS = {
    "index": ("cmrcli.cli.index", "index"),
    "search": ("cmrcli.cli.search", "search"),
    "show": ("cmrcli.cli.show", "show"),
    "binarize": ("cmrcli.cli.binarize", "binarize"),
    "eval": ("cmrcli.cli.evaluate", "evaluate"),
    "status": ("cmrcli.cli.status", "status"),
    "check": ("cmrcli.cli.check", "check"),
    "forget": ("cmrcli.cli.forget", "forget"),
}


def application(only: str | None = None) -> typer.Typer:
    """The application with all commands, or with one of them."""
    app = typer.Typer(
        name="cmrcli",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, (module, function) in COMMANDS.items():
        if only in (None, name):
            home = import_module(module)
            # Text below the options, made only for the command that runs: it may need more than the others import.
            below = home.epilog() if name == only and hasattr(home, "epilog") else None
            app.command(name, epilog=below)(getattr(home, function))
    return app


def main() -> None:
    """Entry point of `cmrcli` and `python -m cmrcli`."""
    _open_missing_streams()
    # Names on disk need not fit the locale (LANG=C under cron): never fail on writing one.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    first = sys.argv[1] if len(sys.argv) > 1 else None
    if first == "search":
        signal.signal(signal.SIGINT, _interrupted)
        gc.disable()  # its imports make many objects and no garbage; a batch turns it on again
    else:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        application(first if first in COMMANDS else None)(prog_name="cmrcli")
    except SystemExit as leaving:
        _flush()
        if first == "search":
            _leave(leaving.code)
        raise


def _interrupted(number: int, frame: object) -> None:
    """Ctrl-C in a search, which has nothing to put in order: at once, whatever its threads are importing."""
    with contextlib.suppress(OSError):
        os.write(2, b"cmrcli: interrupted\n")
    os._exit(INTERRUPTED)


def _open_missing_streams() -> None:
    """stdin, stdout and stderr that the caller closed (`<&-`, `>&-`) read and write nothing.

    Else the next file that is opened, the catalog perhaps, would get the number of one of them.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _flush() -> None:
    """Writes what is left. What cannot be written by now must not change the exit code, as the interpreter would."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            drop_output(stream)


def _leave(code: object) -> None:
    """Ends the process without taking the interpreter apart, which costs a search another 20 ms.

    Everything that has to be closed is closed by then: searches write nothing but their output.
    """
    os._exit(code if isinstance(code, int) else 1 if code else 0)


def _version(wanted: bool) -> None:
    if wanted:
        from cmrcli import __version__

        print(f"cmrcli {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Finds drawings, PDF pages and photos in ordinary folders by meaning, offline."""

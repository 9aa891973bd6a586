"""The Typer application: every command by name, imported when it is the one that was asked for."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib import import_module
from typing import Annotated

import typer

# Command -> module and function. A search under cron or in a loop should not pay for importing the others.
COMMANDS = {
    "index": ("cmrcli.cli.index", "index"),
    "search": ("cmrcli.cli.search", "search"),
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
            app.command(name)(getattr(import_module(module), function))
    return app


def main() -> None:
    """Entry point of `cmrcli` and `python -m cmrcli`."""
    # Names on disk need not fit the locale (LANG=C under cron): never fail on writing one.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    first = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        application(first if first in COMMANDS else None)(prog_name="cmrcli")
    except SystemExit as leaving:
        if first == "search":
            _leave(leaving.code)
        raise


def _leave(code: object) -> None:
    """Ends the process without taking the interpreter apart, which costs a search another 20 ms.

    Everything that has to be closed is closed by then: searches write nothing but their output.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
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

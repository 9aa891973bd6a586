"""The Typer application: every command by name. Command files import what they need when they run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cmrcli.cli.binarize import binarize
from cmrcli.cli.check import check
from cmrcli.cli.evaluate import evaluate
from cmrcli.cli.index import index
from cmrcli.cli.roots import forget
from cmrcli.cli.search import search
from cmrcli.cli.status import status

app = typer.Typer(
    name="cmrcli",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command, name in (
    (index, "index"),
    (search, "search"),
    (binarize, "binarize"),
    (evaluate, "eval"),
    (status, "status"),
    (check, "check"),
    (forget, "forget"),
):
    app.command(name)(command)


def _version(wanted: bool) -> None:
    if wanted:
        from cmrcli import __version__

        print(f"cmrcli {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Finds drawings, PDF pages and photos in ordinary folders by meaning, offline."""


def main() -> None:
    """Entry point of `cmrcli` and `python -m cmrcli`."""
    # Names on disk need not fit the locale (LANG=C under cron): never fail on writing one.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="cmrcli")

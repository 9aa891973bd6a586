"""`cmrcli show`: a page, or the part of it that matched, as a picture."""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from cmrcli.cli.guard import guarded
from cmrcli.cli.options import DebugOption
from cmrcli.corpus.items import Box
from cmrcli.errors import UsageError, display_path


@guarded
def show(
    what: Annotated[
        str,
        typer.Argument(metavar="WHAT", help="A file (a page as file.pdf#3), a result as JSON, or - for one on stdin."),
    ],
    box: Annotated[
        str, typer.Option("--box", metavar="X0,Y0,X1,Y1", help="The part to show, as fractions of the page.")
    ] = "",
    match: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--match", metavar="N", min=1, help="Of a result: what matched its N-th phrase."),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The PNG to write.", show_default="stdout, in a pipe")
    ] = "",
    debug: DebugOption = False,
) -> None:
    """Write a page, or the part of it that matched, as a PNG: of a file, or of a result of search --format jsonl."""
    from cmrcli.cli.crops import write_new
    from cmrcli.searching.query import parse_example
    from cmrcli.searching.region import RegionReader

    if not output and sys.stdout.isatty():
        raise UsageError("a picture cannot be shown on a terminal", "name a file to write: -o part.png")
    asked = _parsed_box(box) if box else None
    if what == "-" or what.lstrip().startswith("{"):
        path, page, own = _of_result(_first_result(sys.stdin.read() if what == "-" else what), match)
        part = asked or own
    else:
        if match is not None:
            raise UsageError("--match is of a result, and this is a file", "give its part as --box X0,Y0,X1,Y1")
        example = parse_example(what)
        path, page, part = example.path, example.page, asked
    if not os.path.isfile(path):
        raise UsageError(f"there is no file {display_path(path)}", "check the path, and that its share is mounted")
    with RegionReader() as reader:
        png = reader.png(path, page, part)
    if output:
        write_new(Path(output).expanduser(), png)
    else:
        sys.stdout.buffer.write(png)


def _parsed_box(text: str) -> Box:
    """Four fractions.

    Raises:
        UsageError: they are not, or hold nothing between them.
    """
    try:
        return _checked([float(edge) for edge in text.split(",")])
    except ValueError:
        raise UsageError(
            f"--box {display_path(text)} is no part of a page", "write left,top,right,bottom, like 0,0,0.5,0.5"
        ) from None


def _checked(edges: list[float]) -> Box:
    """The box.

    Raises:
        ValueError: these are no four fractions, first edges first.
    """
    x0, y0, x1, y1 = edges
    if not all(map(math.isfinite, edges)) or not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ValueError("no part of a page")
    return x0, y0, x1, y1


_NO_RESULT = "no result of a search", "give a line of: cmrcli search ... --format jsonl"


def _first_result(text: str) -> dict[str, Any]:
    """The first result of a document or of lines, best first.

    Raises:
        UsageError: there is none.
    """
    for part in [text, *text.splitlines()]:
        try:
            value = json.loads(part)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("results"), list) and value["results"]:
            value = value["results"][0]
        if isinstance(value, dict) and value.get("type") == "result":
            return value
    raise UsageError("that is " + _NO_RESULT[0], _NO_RESULT[1])


def _of_result(result: dict[str, Any], match: int | None) -> tuple[str, int | None, Box | None]:
    """Path, page and the part that matched.

    Raises:
        UsageError: a field is missing or something else than it should be, or the match is none of it.
    """
    try:
        path = os.fsdecode(base64.b64decode(result["path_b64"])) if "path_b64" in result else str(result["path"])
        page = None if result["page"] is None else int(result["page"])
        part = result
        if match is not None:
            matches = result.get("matches") or []
            if match > len(matches):
                raise UsageError(f"the result has {len(matches)} matches", "leave --match out, or give a lower one")
            part = matches[match - 1]
        if part["passage"]:
            raise UsageError("that is a passage: there is no picture to show", "read it in the result's passage")
        box = None if part["box"] is None else _checked([float(edge) for edge in part["box"]])
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error):
        raise UsageError("that is " + _NO_RESULT[0], _NO_RESULT[1]) from None
    return path, page, box

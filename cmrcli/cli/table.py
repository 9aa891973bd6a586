"""Results on a terminal: a Rich table with links to the files."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cmrcli.cli.guard import say
from cmrcli.errors import CmrcliError
from cmrcli.searching.results import Result, printable

PASSAGE_CHARS = 80


class TableWriter:
    """One table a query."""

    def __init__(self, batch: bool) -> None:
        self._console = Console(highlight=False)
        self._batch = batch

    def answer(self, query: str, results: list[Result]) -> None:
        if self._batch:
            self._console.print(Text(printable(query), style="bold"))
        if not results:
            if self._batch:
                self._console.print(Text("  nothing found", style="dim"))
            return
        table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
        table.add_column("#", justify="right", style="dim")
        table.add_column("score", justify="right")
        table.add_column("kind")
        table.add_column("where", overflow="fold", ratio=3)
        table.add_column("what", overflow="fold", ratio=2, style="dim")
        table.add_column("found by", overflow="fold")
        for result in results:
            found_by = ", ".join(f"{s.name} {s.rank}" for s in result.signals)
            table.add_row(
                str(result.rank), f"{result.score:.3f}", result.kind, _where(result), _what(result), Text(found_by)
            )
        self._console.print(table)

    def error(self, line: int, error: CmrcliError) -> None:
        say(f"line {line}: {error}" + (f"; {error.remedy}" if error.remedy else ""))

    def end(self, summary: dict[str, Any]) -> None:
        pass


def _where(result: Result) -> Text:
    url = "file://" + quote(os.fsencode(result.path))
    if result.page is not None:
        url += f"#page={result.page}"
    text = Text(printable(result.relpath), style=f"link {url}")
    if result.page is not None:
        text.append(f"  p. {result.page}", style="cyan")
    if result.box is not None:
        left, top, right, bottom = (round(100 * edge) for edge in result.box)
        text.append(f"  [{left}-{right} % x {top}-{bottom} %]", style="cyan")
    if result.duplicates:
        text.append(f"  (+{len(result.duplicates)} same)", style="dim")
    return text


def _what(result: Result) -> Text:
    passage = " ".join(result.passage.split())
    if len(passage) > PASSAGE_CHARS:
        passage = passage[: PASSAGE_CHARS - 1] + "…"
    parts = [part for part in (result.label or result.title, passage) if part]
    return Text(printable(": ".join(parts)))

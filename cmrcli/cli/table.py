"""Results on a terminal: a Rich table with links to the files."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cmrcli.cli.guard import say
from cmrcli.errors import CmrcliError
from cmrcli.searching.results import PhraseMatch, Result, printable

ROOM_FOR_OTHER_COLUMNS = 29  # rank, score, confidence, kind and the gaps between them


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
        table.add_column("sure", justify="right")
        table.add_column("kind")
        table.add_column("where and what", overflow="fold")
        room = max(20, self._console.width - ROOM_FOR_OTHER_COLUMNS)
        for result in results:
            cell = _where(result)
            second = _second_line(result, room)
            if second:
                cell.append(f"\n{second}", style="dim not underline")
            sure = "" if result.confidence is None else f"{result.confidence:.0%}"
            table.add_row(str(result.rank), f"{result.score:.3f}", sure, result.kind, cell)
        self._console.print(table)

    def error(self, line: int, error: CmrcliError) -> None:
        say(f"line {line}: {error}" + (f"; {error.remedy}" if error.remedy else ""))

    def end(self, summary: dict[str, Any]) -> None:
        pass


def _where(result: Result) -> Text:
    """The path as one can copy it: from here when it lies below, else absolute; the page, the part, the copies."""
    url = "file://" + quote(os.fsencode(result.path))
    if result.page is not None:
        url += f"#page={result.page}"
    text = Text()
    text.append(printable(_from_here(result.path)), style=f"link {url}")
    if result.page is not None:
        text.append(f"  p.\u00a0{result.page}", style="cyan")
    if result.box is not None:
        text.append(f"  {_place(result.box)}", style="cyan")
    if result.duplicates:
        text.append(f"  = {printable(os.path.basename(result.duplicates[0]))}", style="dim")
        if len(result.duplicates) > 1:
            text.append(f" and {len(result.duplicates) - 1} more", style="dim")
    return text


def _from_here(path: str) -> str:
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if relative.startswith(os.pardir) else relative


def _place(box: tuple[float, float, float, float]) -> str:
    """Where on the page a tile lies, in words: "upper left", "middle"."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    across = "left" if x < 0.38 else "right" if x > 0.62 else ""
    down = "upper" if y < 0.38 else "lower" if y > 0.62 else ""
    return " ".join(part for part in (down, across) if part) or "middle"


def _part(match: PhraseMatch) -> str:
    """Where a phrase was found: "upper left", "whole", "text"."""
    if match.passage:
        return "(text)"
    return "(whole)" if match.box is None else f"({_place(match.box)})"


def _second_line(result: Result, room: int) -> str:
    """What matched which phrase, title and passage as far as there is room, then what found it."""
    title = result.title or result.label
    passage = " ".join(result.passage.split())
    if title and passage.startswith(title):
        title = ""
    matched = ", ".join(f"{match.phrase} {_part(match)}" for match in result.matches)
    what = printable("; ".join(filter(None, (matched, ": ".join(part for part in (title, passage) if part)))))
    found_by = ", ".join(f"{signal.name} {signal.rank}" for signal in result.signals)
    most = room - len(found_by) - 4
    if cell_len(what) > most:
        what = set_cell_size(what, max(0, most - 1)).rstrip() + "\u2026"
    return f"{what}  [{found_by}]" if what else f"[{found_by}]"

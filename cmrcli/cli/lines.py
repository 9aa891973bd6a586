"""Results for scripts: paths, tab-separated values, JSON, JSON lines. Written as bytes, exactly.

Tab-separated columns, without a header: rank, score, kind, page, box, path, query. A tab, line break, backslash
or other control character inside a field is written as its escape (\\t, \\n, \\\\, \\x1b).
"""

from __future__ import annotations

import os
import sys
from typing import Any, Protocol

from cmrcli.cli.documents import write_json
from cmrcli.errors import CmrcliError
from cmrcli.paths import is_shown
from cmrcli.searching.results import SCHEMA, Result, printable


class ResultWriter(Protocol):
    """Takes answers as they come; `end` takes the summary."""

    def answer(self, query: str, results: list[Result]) -> None: ...
    def error(self, line: int, error: CmrcliError) -> None: ...
    def end(self, summary: dict[str, Any]) -> None: ...


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)


def _say_error(line: int, error: CmrcliError) -> None:
    from cmrcli.cli.guard import say

    say(f"line {line}: {error}" + (f"; {error.remedy}" if error.remedy else ""))


class PathsWriter:
    """One path a result, each path once a query, as the file system has it; escaped on a terminal."""

    def __init__(self, end: bytes) -> None:
        self._end = end
        self._escape = sys.stdout.isatty()

    def answer(self, query: str, results: list[Result]) -> None:
        for path in dict.fromkeys(result.path for result in results):
            _write((printable(path).encode() if self._escape else os.fsencode(path)) + self._end)
        sys.stdout.buffer.flush()

    def error(self, line: int, error: CmrcliError) -> None:
        _say_error(line, error)

    def end(self, summary: dict[str, Any]) -> None:
        pass


class TsvWriter:
    def answer(self, query: str, results: list[Result]) -> None:
        for r in results:
            page = "" if r.page is None else str(r.page)
            box = "" if r.box is None else ",".join(f"{edge:.4f}" for edge in r.box)
            fields = (str(r.rank), f"{r.score:.4f}", r.kind, page, box, r.path, query)
            _write(b"\t".join(_escaped(field) for field in fields) + b"\n")
        sys.stdout.buffer.flush()

    def error(self, line: int, error: CmrcliError) -> None:
        _say_error(line, error)

    def end(self, summary: dict[str, Any]) -> None:
        pass


class JsonLinesWriter:
    """`result` lines as they come, `error` lines for lines of a batch that failed, one `summary` at the end."""

    def answer(self, query: str, results: list[Result]) -> None:
        for result in results:
            write_json(result.to_json())
        sys.stdout.buffer.flush()

    def error(self, line: int, error: CmrcliError) -> None:
        write_json(_error_fields(line, error))

    def end(self, summary: dict[str, Any]) -> None:
        write_json({"schema": SCHEMA, "type": "summary", **summary})


class JsonWriter:
    """One document: {"schema", "results", "errors", "summary"}."""

    def __init__(self) -> None:
        self._results: list[dict[str, Any]] = []
        self._errors: list[dict[str, Any]] = []

    def answer(self, query: str, results: list[Result]) -> None:
        self._results += [result.to_json() for result in results]

    def error(self, line: int, error: CmrcliError) -> None:
        self._errors.append(_error_fields(line, error))

    def end(self, summary: dict[str, Any]) -> None:
        document = {"schema": SCHEMA, "results": self._results, "errors": self._errors, "summary": summary}
        write_json(document)


def _error_fields(line: int, error: CmrcliError) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "type": "error",
        "line": line,
        "code": error.exit_code,
        "message": str(error),
        "remedy": error.remedy,
    }


_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"}


def _escaped(field: str) -> bytes:
    text = "".join(
        _ESCAPES.get(c) or (c if is_shown(c) or "\udc80" <= c <= "\udcff" else c.encode("unicode_escape").decode())
        for c in field
    )
    return os.fsencode(text) if not text.isascii() else text.encode()

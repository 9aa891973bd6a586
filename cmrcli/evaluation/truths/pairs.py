"""Pairs of a query and a document that answers it, as CSV.

The first line names the columns: `query` (words, or `image:PATH[#PAGE]` relative to the file) and `path` (`relpath` or
`relpath#page` as results have them, or an absolute path) must be there; `grade` (1 where the column is missing) and
`id` may be; every further column is a group for breakdowns. Comma, tab or semicolon, whichever makes those columns of
the first line. Rows of the same query are its documents. Cells may be quoted and hold line ends; lines are counted as
an editor does.
"""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.truth import Part, Topic, Truth
from cmrcli.evaluation.truths.groups import groups_of
from cmrcli.evaluation.truths.lines import PathLike, grade_of, query_line, read_text, wrong

DELIMITERS = (",", "\t", ";")
REQUIRED = ("query", "path")
OPTIONAL = ("grade", "id")

_HEADER = "name the columns in the first line: query,path and, if wanted, grade, id and groups of your own"


def read_pairs(path: PathLike) -> Truth:
    """The ground truth in one CSV file; topics in the order in which their queries come first.

    Raises:
        UsageError: unreadable file, header or row, an empty or contradictory cell, a pair twice, a query without any
            relevant document, or no pair at all.
    """
    reader = _Reader(path)
    for number, cells in reader.rows():
        reader.take(number, cells)
    asked = reader.asked
    if not asked:
        raise UsageError(f"{display_path(path)}: holds no pair", "write a query and a path in each line")
    for query in asked.values():
        if not any(grade > 0 for grade in query.grades.values()):
            what = f"query {query.id} has no relevant document"
            raise wrong(path, query.line, what, "give one of its rows a grade above 0, or remove them")
    topics = tuple(Topic(query.id, text, {**groups_of(text), **query.groups}) for text, query in asked.items())
    qrels = {query.id: query.grades for query in asked.values()}
    return Truth("pairs", (Part("", topics, qrels),), (Path(os.path.abspath(path)),))


@dataclass(slots=True)
class _Asked:
    """What the rows of one query have said so far. `line` is that of the first."""

    id: str
    line: int
    grades: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    grouped_in: dict[str, int] = field(default_factory=dict)


class _Reader:
    def __init__(self, path: PathLike) -> None:
        self.path = path
        self.asked: dict[str, _Asked] = {}  # by the query's line
        self._text_of: dict[str, str] = {}  # query by id
        self._text = read_text(path)
        self._columns, self._delimiter = self._header()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line in which it begins, cells) of every row under the header."""
        # Not splitlines: csv counts the lines that it takes, quoted ones too, and wants their ends.
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter, strict=True)
        begins = 1
        try:
            for cells in reader:
                if begins > 1 and any(cell.strip() for cell in cells):
                    yield begins, cells
                begins = reader.line_num + 1
        except csv.Error as error:
            remedy = 'close every quote; write a quote within quotes as ""'
            raise wrong(self.path, begins, f"no CSV: {error}", remedy) from None

    def take(self, number: int, cells: list[str]) -> None:
        """Adds a row."""
        if len(cells) != len(self._columns):
            what = f"{len(cells)} columns instead of {len(self._columns)}"
            raise wrong(self.path, number, what, f"separate cells as in the first line; quote cells with {self._shown}")
        row = {name: cell.strip() for name, cell in zip(self._columns, cells, strict=True)}
        text, document = query_line(self.path, number, row["query"]), row["path"]
        if not document:
            raise wrong(self.path, number, "the path is empty", "name the document that answers the query")
        query = self._query(number, text, row)
        before = query.lines.setdefault(unicodedata.normalize("NFC", document), number)
        if before != number:
            raise wrong(self.path, number, f"the pair stands in line {before} already", "keep one of the two")
        query.grades[document] = grade_of(self.path, number, row["grade"]) if "grade" in row else 1
        for name in self._columns:
            if name not in (*REQUIRED, *OPTIONAL) and row[name]:
                self._group(number, query, name, row[name])

    def _query(self, number: int, text: str, row: dict[str, str]) -> _Asked:
        query = self.asked.get(text)
        name = row.get("id", query.id if query else f"q{len(self.asked) + 1}")
        if not name or len(name.split()) != 1:
            raise wrong(self.path, number, f"the query id {name!r} is not one word", "name queries by one word")
        if query and query.id != name:
            what = f"the query has the id {query.id} in line {query.line}"
            raise wrong(self.path, number, what, "give a query the same id in all its rows")
        if self._text_of.setdefault(name, text) != text:
            other = self.asked[self._text_of[name]]
            what = f"the id {name} belongs to another query in line {other.line}"
            raise wrong(self.path, number, what, "give every query an id of its own")
        return self.asked.setdefault(text, _Asked(name, number))

    def _group(self, number: int, query: _Asked, name: str, value: str) -> None:
        if query.groups.setdefault(name, value) != value:
            what = f"{name} of the query is {query.groups[name]!r} in line {query.grouped_in[name]}, {value!r} here"
            raise wrong(self.path, number, what, "a query belongs to one group of a name: groups are the query's")
        query.grouped_in.setdefault(name, number)

    def _header(self) -> tuple[list[str], str]:
        """Columns and delimiter."""
        for delimiter in DELIMITERS:
            try:
                first = next(csv.reader(io.StringIO(self._text, newline=""), delimiter=delimiter, strict=True), [])
            except csv.Error:
                continue
            names = [_column(cell) for cell in first]
            if set(REQUIRED) <= set(names):
                if "" in names:
                    raise wrong(self.path, 1, f"column {names.index('') + 1} has no name", _HEADER)
                twice = next((name for name in names if names.count(name) > 1), None)
                if twice is not None:
                    raise wrong(self.path, 1, f"two columns are named {twice}", _HEADER)
                return names, delimiter
        raise wrong(self.path, 1, "the first line does not name the columns query and path", _HEADER)

    @property
    def _shown(self) -> str:
        return {",": "a comma", ";": "a semicolon", "\t": "a tab"}[self._delimiter]


def _column(cell: str) -> str:
    """The columns that mean something are known in any case; others are names of groups, kept as they are."""
    name = cell.strip()
    return name.lower() if name.lower() in (*REQUIRED, *OPTIONAL) else name

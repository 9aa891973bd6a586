"""Ground truth: queries as TSV, judgements as TREC qrels. Whatever is wrong is one line with its line number.

Queries: `id<TAB>text`; `image:PATH` or `image:PATH#PAGE` as text asks by example, relative to the file of
queries. Qrels: `query-id iteration document grade`; the iteration is not looked at. A document is `relpath`
or `relpath#page` as results have them, and may hold blanks. Both are UTF-8; names that are not are kept byte
by byte.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.searching.query import IMAGE_PREFIX, Query, example_name, parse_example, parse_line

Qrels = dict[str, dict[str, int]]  # query id -> document -> grade; above 0 is relevant


@dataclass(frozen=True, slots=True)
class Topic:
    """One question of the ground truth: its id in the qrels and the line that a batch search would take."""

    id: str
    text: str

    def query(self) -> Query:
        """What to ask the index."""
        return parse_line(self.text)


def read_topics(path: str | os.PathLike[str]) -> list[Topic]:
    """The queries of a TSV file, in its order.

    Raises:
        UsageError: unreadable file, malformed line, id twice, empty text, missing example, or no query at
            all.
    """
    topics: dict[str, tuple[int, Topic]] = {}
    for number, line in _lines(path):
        columns = line.split("\t")
        if len(columns) != 2:
            raise _wrong(path, number, f"{len(columns)} columns instead of 2", "write each query as id<TAB>text")
        name, text = columns[0].strip(), columns[1].strip()
        if not name or len(name.split()) != 1:
            raise _wrong(path, number, f"the query id {name!r} is not one word", "qrels name queries by one word")
        if name in topics:
            raise _wrong(path, number, f"query {name} stands in line {topics[name][0]} already", "give it another id")
        if not text:
            raise _wrong(path, number, f"query {name} is empty", "write what it asks for, or remove the line")
        if text.startswith(IMAGE_PREFIX):
            text = _resolved(path, number, text)
        topics[name] = (number, Topic(name, text))
    if not topics:
        raise UsageError(f"{display_path(path)}: holds no query", "write each query as id<TAB>text")
    return [topic for _, topic in topics.values()]


def read_qrels(path: str | os.PathLike[str], topics: Iterable[Topic]) -> Qrels:
    """The judgements of a TREC qrels file, by query and document.

    Raises:
        UsageError: unreadable file, malformed line, a query that is not among the topics, a pair judged
            twice, or a query without any relevant document (every measure of it would be 0 or undefined).
    """
    topics = list(topics)
    qrels: Qrels = {topic.id: {} for topic in topics}
    places: dict[tuple[str, str], int] = {}
    for number, line in _lines(path):
        query, document, grade = _judgement(path, number, line)
        if query not in qrels:
            remedy = f"add {query} to the queries, or remove its judgements"
            raise _wrong(path, number, f"unknown query id {query}", remedy)
        if document in qrels[query]:
            before = places[query, document]
            raise _wrong(path, number, f"{query} {document} is judged in line {before} already", "keep one of the two")
        qrels[query][document] = grade
        places[query, document] = number
    for topic in topics:
        if not any(grade > 0 for grade in qrels[topic.id].values()):
            raise UsageError(
                f"{display_path(path)}: query {topic.id} has no relevant document",
                "judge at least one with a grade above 0, or remove the query",
            )
    return qrels


def _judgement(path: str | os.PathLike[str], number: int, line: str) -> tuple[str, str, int]:
    head = line.split(None, 2)
    tail = head[2].rsplit(None, 1) if len(head) == 3 else []
    if len(tail) != 2:
        raise _wrong(path, number, "fewer than 4 columns", "write each judgement as: query-id 0 document grade")
    try:
        grade = int(tail[1])
    except ValueError:
        remedy = "end each line with a whole number: 0 not relevant, 1 or more relevant"
        raise _wrong(path, number, f"the grade {tail[1]!r} is not a whole number", remedy) from None
    return head[0], tail[0].strip(), grade


def _resolved(path: str | os.PathLike[str], number: int, text: str) -> str:
    """The line with the path of its example made absolute."""
    argument = os.path.join(os.path.dirname(os.path.abspath(path)), text[len(IMAGE_PREFIX) :].strip())
    example = parse_example(argument)
    if not os.path.isfile(example.path):
        missing = f"no file {display_path(example.path)}"
        raise _wrong(path, number, missing, "name examples relative to the file of queries, or absolutely")
    return IMAGE_PREFIX + example_name(example)


def _lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its end), blank lines left out."""
    try:
        data = Path(path).read_bytes()
        # Paths in it may be any bytes, but a file that is Shift_JIS throughout would silently find nothing.
        text = data.decode("utf-8-sig", "surrogateescape")
        if not text.isascii() and sum("\udc80" <= c <= "\udcff" for c in text) > len(text) // 20:
            raise UsageError(f"{display_path(path)} is not UTF-8", "convert it: iconv -f cp932 -t utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {display_path(path)}: {error.strerror or error}", "name a file") from None
    # Not splitlines(): a file name may hold characters that it takes for line ends.
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line.strip():
            yield number, line


def _wrong(path: str | os.PathLike[str], number: int, what: str, remedy: str) -> UsageError:
    return UsageError(f"{display_path(path)}:{number}: {display_path(what)}", remedy)

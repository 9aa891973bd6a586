"""Queries as TSV, judgements as TREC qrels.

Queries: `id<TAB>text`, or `id<TAB>text<TAB>name=value;name=value` with groups for breakdowns of one's own;
`image:PATH` or `image:PATH#PAGE` as text asks by example, relative to the file of queries. Qrels:
`query-id iteration document grade`; the iteration is not looked at. A document is `relpath` or `relpath#page` as
results have them, or an absolute path, and may hold blanks.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.truth import Part, Qrels, Topic, Truth
from cmrcli.evaluation.truths.groups import groups_of
from cmrcli.evaluation.truths.lines import PathLike, grade_of, numbered_lines, query_line, wrong

_COLUMNS = "write each query as id<TAB>text, or id<TAB>text<TAB>name=value;name=value"


def read_trec(queries: PathLike, qrels: PathLike) -> Truth:
    """The ground truth in two files.

    Raises:
        UsageError: as `read_topics` and `read_qrels`.
    """
    topics = read_topics(queries)
    judged = read_qrels(qrels, topics)
    sources = tuple(Path(os.path.abspath(path)) for path in (queries, qrels))
    return Truth("trec", (Part("", tuple(topics), judged),), sources)


def read_topics(path: PathLike) -> list[Topic]:
    """The queries of a TSV file, in its order.

    Raises:
        UsageError: unreadable file, malformed line, id twice, empty text, missing example, or no query at
            all.
    """
    topics: dict[str, tuple[int, Topic]] = {}
    for number, line in numbered_lines(path):
        columns = line.split("\t")
        if len(columns) not in (2, 3):
            raise wrong(path, number, f"{len(columns)} columns instead of 2 or 3", _COLUMNS)
        name = columns[0].strip()
        if not name or len(name.split()) != 1:
            raise wrong(path, number, f"the query id {name!r} is not one word", "qrels name queries by one word")
        if name in topics:
            raise wrong(path, number, f"query {name} stands in line {topics[name][0]} already", "give it another id")
        text = query_line(path, number, columns[1])
        own = _own_groups(path, number, columns[2]) if len(columns) == 3 else {}
        topics[name] = (number, Topic(name, text, {**groups_of(text), **own}))
    if not topics:
        raise UsageError(f"{display_path(path)}: holds no query", _COLUMNS)
    return [topic for _, topic in topics.values()]


def read_qrels(path: PathLike, topics: Iterable[Topic]) -> Qrels:
    """The judgements of a TREC qrels file, by query and document.

    Raises:
        UsageError: unreadable file, malformed line, a query that is not among the topics, a pair judged
            twice, or a query without any relevant document (every measure of it would be 0 or undefined).
    """
    qrels: dict[str, dict[str, int]] = {topic.id: {} for topic in topics}
    places: dict[tuple[str, str], int] = {}
    for number, line in numbered_lines(path):
        query, document, grade = _judgement(path, number, line)
        if query not in qrels:
            remedy = f"add {query} to the queries, or remove its judgements"
            raise wrong(path, number, f"unknown query id {query}", remedy)
        # One name written in two Unicode forms (a Mac's, another's) is one document.
        before = places.setdefault((query, unicodedata.normalize("NFC", document)), number)
        if before != number:
            raise wrong(path, number, f"{query} {document} is judged in line {before} already", "keep one of the two")
        qrels[query][document] = grade
    for name, grades in qrels.items():
        if not any(grade > 0 for grade in grades.values()):
            raise UsageError(
                f"{display_path(path)}: query {name} has no relevant document",
                "judge at least one with a grade above 0, or remove the query",
            )
    return qrels


def _own_groups(path: PathLike, number: int, written: str) -> dict[str, str]:
    groups: dict[str, str] = {}
    for pair in filter(str.strip, written.split(";")):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (equals and name and value):
            raise wrong(path, number, f"the group {pair.strip()!r} is not name=value", _COLUMNS)
        if name in groups:
            raise wrong(path, number, f"the group {name} is named twice", "a query belongs to one group of a name")
        groups[name] = value
    return groups


def _judgement(path: PathLike, number: int, line: str) -> tuple[str, str, int]:
    head = line.split(None, 2)
    tail = head[2].rsplit(None, 1) if len(head) == 3 else []
    if len(tail) != 2:
        raise wrong(path, number, "fewer than 4 columns", "write each judgement as: query-id 0 document grade")
    return head[0], tail[0].strip(), grade_of(path, number, tail[1])

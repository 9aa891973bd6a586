"""TREC files of an evaluation: run, qrels and queries, for trec_eval, ir_measures and `cmrcli eval --run`.

Read again by cmrcli they give the same figures: scores have all digits of their float32, ties stand by the rule that
every reader applies (answers.py), names are written byte by byte. Columns are separated by a blank, by a tab where a
document holds blanks; programs other than cmrcli take such names for more columns.

Pictures that were made for an evaluation are copied beside the queries that ask by them (`with_pictures`).
What these formats cannot say is lost: ranks beyond the documents of a ranking (`Answers.whole`), a topic's fold, its
own picture and what is withheld.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from cmrcli.errors import OutputLost, UsageError, display_path
from cmrcli.evaluation.answers import Answers
from cmrcli.evaluation.shown.files import write_whole
from cmrcli.evaluation.truth import Part, Topic
from cmrcli.evaluation.truths.groups import groups_of
from cmrcli.evaluation.truths.lines import PathLike
from cmrcli.searching.query import IMAGE_PREFIX


def write_run(path: PathLike, answers: Answers, tag: str) -> None:
    """Writes `query Q0 document rank score tag`, best first; ranks count from 1.

    Args:
        tag: names the system; blanks become hyphens.

    Raises:
        UsageError: a name that no line can hold, or the file cannot be opened.
        OutputLost: the disk is full.
    """
    word = "-".join(tag.split()) or "cmrcli"
    for query, ranking in answers.run.items():
        _check(path, query, ranking.documents)
    _write(path, _run_lines(answers, word))


def write_qrels(path: PathLike, part: Part) -> None:
    """Writes `query 0 document grade`. Raises as `write_run`, and for a name that begins or ends with a blank."""
    for topic in part.topics:
        documents = part.qrels[topic.id]
        _check(path, topic.id, documents)
        for document in documents:
            if document != document.strip():
                raise _cannot(path, document, "begins or ends with a blank")
    _write(
        path,
        (
            _line(document, topic.id, "0", document, str(grade))
            for topic in part.topics
            for document, grade in part.qrels[topic.id].items()
        ),
    )


def write_queries(path: PathLike, part: Part) -> None:
    """Writes `id<TAB>text`, with a third column for the groups that cannot be told from the text.

    Tabs in a text become blanks, semicolons in a group commas. Raises as `write_run`.
    """
    for topic in part.topics:
        _check(path, topic.id, ())
    _write(path, (_query_line(topic) for topic in part.topics))


def with_pictures(part: Part, made: Path | None, folder: Path) -> Part:
    """The part for `write_queries` into that folder: pictures that lie in `made` are copied to `pictures` in it.

    Raises:
        UsageError, OutputLost: they cannot be copied.
    """
    if made is None:
        return part
    topics = []
    for topic in part.topics:
        path = Path(topic.text.removeprefix(IMAGE_PREFIX))
        if topic.by_example and path.is_relative_to(made):
            copy = Path("pictures") / path.relative_to(made)
            _copy(path, folder / copy)
            topic = replace(topic, text=IMAGE_PREFIX + os.fspath(copy))
        topics.append(topic)
    return replace(part, topics=tuple(topics))


def _copy(path: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes()
    except OSError as error:
        what = f"cannot write {display_path(target)}: {error.strerror or error}"
        raise UsageError(what, "name a folder that you may write to") from None
    write_whole(target, data)


def _run_lines(answers: Answers, tag: str) -> Iterator[str]:
    for query, ranking in answers.run.items():
        for rank, (document, score) in enumerate(zip(ranking.documents, ranking.scores, strict=True), 1):
            if math.isnan(score):
                raise ValueError(f"{document} has no score")
            yield _line(document, query, "Q0", document, str(rank), _digits(score), tag)


def _digits(score: float) -> str:
    """The shortest number that is this float32."""
    with np.errstate(over="ignore"):
        return str(np.float32(score))


def _line(document: str, *columns: str) -> str:
    return ("\t" if any(character.isspace() for character in document) else " ").join(columns)


def _query_line(topic: Topic) -> str:
    text = topic.text.replace("\t", " ")
    told = groups_of(text)
    own = ";".join(
        f"{name}={_one_word(value)}" for name, value in topic.groups.items() if value and told.get(name) != value
    )
    return f"{topic.id}\t{text}\t{own}" if own else f"{topic.id}\t{text}"


def _one_word(value: str) -> str:
    return re.sub(r"\s+", " ", value.replace(";", ",")).strip()


def _check(path: PathLike, query: str, documents: Iterable[str]) -> None:
    if len(query.split()) != 1 or query.strip() != query:
        raise _cannot(path, query, "is a query id of several words")
    for document in documents:
        if not document or any(character in document for character in "\t\r\n"):
            raise _cannot(path, document, "holds a tab or a line end")


def _cannot(path: PathLike, name: str, why: str) -> UsageError:
    return UsageError(
        f"cannot write {display_path(path)}: {display_path(name)} {why}", "rename it, or use --format json"
    )


def _write(path: PathLike, lines: Iterable[str]) -> None:
    try:
        file = open(path, "wb")  # noqa: SIM115
    except OSError as error:
        remedy = "name a file in a folder that you may write to"
        raise UsageError(f"cannot write {display_path(path)}: {error.strerror or error}", remedy) from None
    try:
        with file:
            for line in lines:
                file.write(line.encode("utf-8", "surrogateescape") + b"\n")
    except OSError as error:
        raise OutputLost(f"cannot write {display_path(path)}: {error.strerror or error}", "make room there") from None

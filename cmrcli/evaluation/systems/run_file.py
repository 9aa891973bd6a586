"""What another system answered: a TREC run file, judged by the same code as ours.

Each line is `query Q0 document rank score tag`. Columns are separated by blanks or tabs; a document is everything
between Q0 and the last three columns, so it may hold blanks. Where a line has exactly five tabs, they alone separate,
and a document may begin or end with blanks too. Rank and tag are not looked at: documents stand by score and the tie
rule of answers.py. Lines may be in any order. The file is UTF-8; names that are not are kept byte by byte.

Documents are compared with those of the truth in composed form (NFC), as results of an index are (relevance.py), and
absolute paths meet paths relative to the folder of the part's documents. What the part does not ask is taken out: the
query's own picture, and documents of another fold of the gallery.

Reading takes about 100 bytes a line, and each distinct name once.
"""

from __future__ import annotations

import codecs
import os
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.answers import Answers, Ranking, outcome_of, ranked
from cmrcli.evaluation.truth import Part, Topic
from cmrcli.evaluation.truths.lines import PathLike, unreadable, wrong

LINE = "query-id Q0 document rank score tag"
LONGEST = 1 << 16  # bytes of a line; no path is that long
SHOWN = 3  # names that an error gives


def read_run(path: PathLike, part: Part) -> Answers:
    """The answers of a run file to the queries of a truth with one part; otherwise as `read_runs`."""
    ((_, answers),) = read_runs(path, [part])
    return answers


def read_runs(path: PathLike, parts: Sequence[Part]) -> list[tuple[Part, Answers]]:
    """The answers of a run file to each part of a truth of which it names a query.

    Queries that the file does not name count as finding nothing; a note says how many, and which parts are left out
    because it names none of theirs.

    Raises:
        UsageError: unreadable or empty file, malformed line, a score that is no number, a document twice for a query,
            a query that no part has, or no document that a part knows.
    """
    lines = _read(path, {topic.id for part in parts for topic in part.topics})
    under = next((part.under for part in parts if part.under is not None), None)
    judged = [part for part in parts if any(topic.id in lines for topic in part.topics)]
    answered = [(part, _judged(path, part, lines, under)) for part in judged]
    left_out = [part.name for part in parts if part not in judged]
    if left_out:
        answered[0][1].notes.append(f"{display_path(path)} answers nothing of: {'; '.join(left_out)}")
    return answered


@dataclass(slots=True)
class _Lines:
    """What the file says of one query, in its order."""

    documents: list[bytes] = field(default_factory=list)
    scores: array[float] = field(default_factory=lambda: array("d"))
    numbers: array[int] = field(default_factory=lambda: array("q"))


def _judged(path: PathLike, part: Part, lines: Mapping[str, _Lines], under: Path | None) -> Answers:
    names = _Names(part, under)
    if not any(names.know(lines[topic.id].documents) for topic in part.topics if topic.id in lines):
        raise _of_another_naming(path, part, lines)
    folds = _folds(part)
    answers = Answers()
    beyond = 0
    for topic in part.topics:
        grades = {names.canonical(document): grade for document, grade in part.qrels[topic.id].items()}
        ranking = Ranking((), ())
        if topic.id in lines:
            ranking, left_out = _ranking(path, topic, lines[topic.id], names, folds)
            answers.run[topic.id] = ranking
            beyond += left_out
        answers.outcomes[topic.id] = outcome_of(ranking, grades)
    missing = len(part.topics) - len(answers.run)
    if missing:
        answers.notes.append(
            f"{display_path(path)} answers {missing} of {len(part.topics)} queries not at all; they find nothing"
        )
    if beyond:
        answers.notes.append(
            f"{display_path(path)}: {beyond} results are the query itself or of another fold; they were left out"
        )
    return answers


class _Names:
    """Document names as the truth has them. `under`: the folder that relative names start from, None without one."""

    def __init__(self, part: Part, under: Path | None) -> None:
        self._under = None if under is None else _composed(os.fspath(under)).rstrip("/") + "/"
        self._known: dict[str, str] = {}
        for document in part.gallery.documents if part.gallery is not None else ():
            self._known.setdefault(_composed(document), document)
        for judged in part.qrels.values():
            for document in judged:
                self._known.setdefault(_composed(document), document)
        self._of: dict[bytes, str] = {}

    def read(self, written: bytes) -> str:
        """The name of a document in the file; one string however often it comes."""
        name = self._of.get(written)
        if name is None:
            name = self._of[written] = self.canonical(_decoded(written))
        return name

    def canonical(self, name: str) -> str:
        """The truth's spelling of a name, else its composed form."""
        composed = _composed(name)
        for form in (composed, *self._moved(composed)):
            if form in self._known:
                return self._known[form]
        return composed

    def know(self, documents: Iterable[bytes]) -> bool:
        """Whether the truth has any of them."""
        return any(self._known.get(_composed(name)) == name for name in map(self.read, documents))

    def _moved(self, name: str) -> Iterator[str]:
        if self._under is not None:
            yield name.removeprefix(self._under) if name.startswith(self._under) else self._under + name


def _read(path: PathLike, queries: set[str]) -> dict[str, _Lines]:
    asked = {query.encode("utf-8", "surrogateescape"): _Lines() for query in queries}
    names: dict[bytes, bytes] = {}
    for number, line in _lines(path):
        query, document, score = _columns(path, number, line)
        of_query = asked.get(query)
        if of_query is None:
            remedy = "give the run of these queries, or remove the lines of others"
            raise wrong(path, number, f"unknown query id {_decoded(query)}", remedy)
        of_query.documents.append(names.setdefault(document, document))
        of_query.scores.append(score)
        of_query.numbers.append(number)
    found = {_decoded(query): lines for query, lines in asked.items() if lines.documents}
    if not found:
        raise UsageError(f"{display_path(path)}: holds no result", f"write each as: {LINE}")
    return found


def _lines(path: PathLike) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line), blank lines left out."""
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST), b""), 1):
                if number == 1:
                    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                        raise UsageError(f"{display_path(path)} is UTF-16, not UTF-8", "save it as UTF-8")
                    line = line.removeprefix(codecs.BOM_UTF8)
                if len(line) == LONGEST:
                    raise wrong(path, number, f"longer than {LONGEST:,} bytes", f"write each result as: {LINE}")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise unreadable(path, error) from None


def _columns(path: PathLike, number: int, line: bytes) -> tuple[bytes, bytes, float]:
    """(query, document, score) of one line."""
    if line.count(b"\t") == 5:
        query, zero, document, rank, written, tag = line.rstrip(b"\r\n").split(b"\t")
        columns = [query.strip(), zero.strip(), document, rank.strip(), written.strip(), tag.strip()]
    else:
        head = line.split(None, 2)
        columns = [*head[:2], *head[2].rsplit(None, 3)] if len(head) == 3 else head
    if len(columns) != 6 or not all(columns):
        raise wrong(path, number, "not 6 columns", f"write each result as: {LINE}")
    query, zero, document, rank, written, _ = columns
    # Blanks make a missing column look like part of the document; these two tell.
    if (b" " in document and zero.upper() not in (b"Q0", b"0")) or not rank.removeprefix(b"-").isdigit():
        raise wrong(path, number, "a column is missing: no Q0, or no whole number as rank", f"write: {LINE}")
    try:
        score = float(written)
    except ValueError:
        score = float("nan")
    if score != score:
        what = f"the score {_decoded(written)} is not a number"
        raise wrong(path, number, what, "documents are ranked by it: higher is better")
    return query, document, score


def _ranking(
    path: PathLike, topic: Topic, lines: _Lines, names: _Names, folds: Mapping[str, int]
) -> tuple[Ranking, int]:
    """The ranking of a query, and how many of its documents do not belong there."""
    pairs = dict(zip(map(names.read, lines.documents), lines.scores, strict=True))
    if len(pairs) < len(lines.documents):
        raise _twice(path, topic, lines, names)
    own = None if topic.own is None else names.canonical(topic.own)
    kept = {
        document: score
        for document, score in pairs.items()
        if document != own and (topic.fold is None or folds.get(document, topic.fold) == topic.fold)
    }
    with np.errstate(over="ignore"):  # a score too large for float32 is infinite to trec_eval too
        return ranked(kept.items()), len(pairs) - len(kept)


def _twice(path: PathLike, topic: Topic, lines: _Lines, names: _Names) -> UsageError:
    first: dict[str, int] = {}
    for document, number in zip(map(names.read, lines.documents), lines.numbers, strict=True):
        if document in first:
            what = f"query {topic.id} has {document} in line {first[document]} already"
            return wrong(path, number, what, "keep one of the two: a ranking names a document once")
        first[document] = number
    raise AssertionError("no document is there twice")


def _folds(part: Part) -> dict[str, int]:
    if part.gallery is None or part.gallery.folds is None:
        return {}
    return dict(zip(part.gallery.documents, part.gallery.folds, strict=True))


def _of_another_naming(path: PathLike, part: Part, lines: Mapping[str, _Lines]) -> UsageError:
    named = (document for topic in part.topics if topic.id in lines for document in lines[topic.id].documents)
    theirs = list(islice(dict.fromkeys(islice(named, 1_000)), SHOWN))
    ours = sorted({document for judged in part.qrels.values() for document in judged})[:SHOWN]
    return UsageError(
        f"{display_path(path)}: none of its documents is one of the ground truth's: "
        + ", ".join(display_path(_decoded(document)) for document in theirs),
        "name them as the ground truth does: " + ", ".join(display_path(document) for document in ours),
    )


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _composed(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)

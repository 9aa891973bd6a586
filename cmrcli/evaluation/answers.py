"""What a system answered, and what that is worth: ranked documents, and the ranks of the relevant ones.

One tie rule for every run, ours or not: trec_eval's. Scores are compared as 32-bit floats, and documents of equal score
stand in descending order of their id (of its UTF-8 bytes); a rank column is not looked at. So a run gives the same
figures here, written to a file and read again, or judged by trec_eval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Ranking:
    """One query's answer, best first: documents, each once, and their scores."""

    documents: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What measures are computed from.

    Attributes:
        ranks: 1-based ranks of the relevant documents that were retrieved, ascending.
        grades: their grades, > 0, in the same order.
        ideal: grades > 0 of all relevant documents of the query, found or not, descending; never empty.
        retrieved: length of the ranking.
    """

    ranks: tuple[int, ...]
    grades: tuple[int, ...]
    ideal: tuple[int, ...]
    retrieved: int


@dataclass(slots=True)
class Answers:
    """What one system answered to one part of a truth.

    Attributes:
        run: query id -> the first documents.
        outcomes: query id -> outcome, of every topic: of the ranking in `run`, or of the whole gallery where the
            system ranks it all (`whole`).
        whole: whether ranks reach beyond `run`.
        unanswered: topics that the system cannot take (words of a picture); they count as finding nothing.
        notes: what a reader of the figures should know (queries that a run file does not answer ...).
    """

    run: dict[str, Ranking] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    whole: bool = False
    unanswered: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def ranked(pairs: Iterable[tuple[str, float]]) -> Ranking:
    """The ranking of (document, score) pairs by the tie rule above. Documents must be distinct."""
    rows = [(float(np.float32(score)), document, score) for document, score in pairs]
    rows.sort(key=lambda row: (row[0], row[1].encode("utf-8", "surrogateescape")), reverse=True)
    return Ranking(tuple(document for _, document, _ in rows), tuple(score for _, _, score in rows))


def outcome_of(ranking: Ranking, judged: Mapping[str, int]) -> Outcome:
    """The outcome of a ranking by the grades of one query, of which at least one is above 0."""
    found = [
        (rank, judged[document]) for rank, document in enumerate(ranking.documents, 1) if judged.get(document, 0) > 0
    ]
    ideal = sorted((grade for grade in judged.values() if grade > 0), reverse=True)
    if not ideal:
        raise ValueError("no relevant document is judged")
    return Outcome(
        tuple(rank for rank, _ in found), tuple(grade for _, grade in found), tuple(ideal), len(ranking.documents)
    )

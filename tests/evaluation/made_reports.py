"""Rows and evaluations made by hand, for the tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cmrcli.evaluation.answers import Answers, outcome_of, ranked
from cmrcli.evaluation.report import Cost, Environment, Evaluation, Interval, Latency, Resident, Row
from cmrcli.evaluation.truth import Part, Topic


def row(
    mode: str = "exact",
    value: float = 0.8,
    *,
    part: str = "",
    system: str = "index",
    p95_ms: float | None = None,
    bytes_per_item: float | None = None,
    peak_mb: float | None = None,
    width: float = 0.05,
    measure: str = "success@10",
    **others: Any,
) -> Row:
    """One row with one measure and the costs that are given."""
    cost = Cost(
        warm=None if p95_ms is None else Latency(p95_ms / 2, p95_ms, p95_ms * 2, 10, 1_000 / p95_ms),
        bytes_per_item=bytes_per_item,
        resident=None if peak_mb is None else Resident(int(peak_mb * 1e6), None, 100.0, 10),
    )
    measures = {measure: Interval(value, value - width, value + width)}
    return Row(part, system, mode, 10, measures, cost=cost, **others)


def from_queries(mode: str, per_query: Mapping[str, Mapping[str, float]], part: str = "", system: str = "index") -> Row:
    """A row whose measures are the means of its queries."""
    names = list(next(iter(per_query.values())))
    means = {name: sum(one[name] for one in per_query.values()) / len(per_query) for name in names}
    measures = {name: Interval(value, value - 0.1, value + 0.1) for name, value in means.items()}
    return Row(part, system, mode, len(per_query), measures, per_query=per_query)


def evaluation(rows: Sequence[Row], **others: Any) -> Evaluation:
    """An evaluation of these rows."""
    fields: dict[str, Any] = {
        "truth": "trec",
        "sources": {"/truth/queries.tsv": "aa", "/truth/qrels.txt": "bb"},
        "main": next((name for one in rows for name in one.measures), ""),
        "k": 10,
        "repeats": 1,
        "seed": 0,
        "queries": 10,
        "judgements": 20,
        "relevant": 10,
        "absent": (),
        "index": "/index",
        "items": 100,
        "bytes_by_part": {"vectors": 1_000},
        "environment": Environment("2026-01-31T12:00:00Z", "cpu", 2, 1, "Linux", "3.11", {"numpy": "2.4"}),
        "rows": tuple(rows),
    }
    return Evaluation(**(fields | others))


def part_of(topics: Sequence[Topic], relevant: Mapping[str, Sequence[str]], name: str = "") -> Part:
    """A part whose relevant documents all have grade 1."""
    return Part(name, tuple(topics), {query: dict.fromkeys(documents, 1) for query, documents in relevant.items()})


def answers_of(part: Part, found: Mapping[str, Sequence[str]]) -> Answers:
    """Answers that rank the documents in the given order."""
    answers = Answers()
    for topic in part.topics:
        documents = found.get(topic.id, ())
        answers.run[topic.id] = ranked((document, -float(rank)) for rank, document in enumerate(documents))
        answers.outcomes[topic.id] = outcome_of(answers.run[topic.id], part.qrels[topic.id])
    return answers

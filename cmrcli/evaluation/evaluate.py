"""The protocol: every query to every mode, measured for what it finds and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from cmrcli.errors import CmrcliError, UsageError
from cmrcli.evaluation import environment, resident
from cmrcli.evaluation.absent import Catalog, absent_documents
from cmrcli.evaluation.bootstrap import intervals
from cmrcli.evaluation.disk import bytes_read_by
from cmrcli.evaluation.measures import measures_of
from cmrcli.evaluation.qrels import Qrels, Topic, read_qrels, read_topics
from cmrcli.evaluation.relevance import Found, Judgements
from cmrcli.evaluation.report import Environment, Evaluation, Interval, ModeReport, Resident
from cmrcli.searching.query import Query

MODES = ("exact", "codes", "words", "auto")
APPROXIMATE = ("codes", "graph")  # modes that find what "exact" finds, or nearly


class _Encoder(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def dim(self) -> int: ...


class _Statistics(Protocol):
    @property
    def items(self) -> int: ...
    @property
    def bytes_by_part(self) -> dict[str, int]: ...


class _Reader(Catalog, Protocol):
    @property
    def encoder(self) -> _Encoder: ...
    @property
    def generation(self) -> int: ...
    def statistics(self) -> _Statistics: ...


class SearchableIndex(Protocol):
    """The part of `cmrcli.Index` that is measured."""

    @property
    def folder(self) -> Path: ...
    @property
    def reader(self) -> _Reader: ...
    def search(self, query: Query, k: int = ..., mode: str = ...) -> Sequence[Found]: ...


@dataclass(slots=True)
class _Run:
    """What one mode answered, query by query in the order of the topics."""

    gains: list[list[int]] = field(default_factory=list)
    found: list[set[tuple[str, int | None]]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    unanswered: int = 0


def evaluate(
    index: SearchableIndex,
    topics: Sequence[Topic],
    qrels: Qrels,
    modes: Sequence[str] = MODES,
    k: int = 10,
    repeats: int = 3,
    seed: int = 0,
    *,
    memory: bool = True,
    encoder: str | Path | None = None,
    threads: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation:
    """Accuracy with intervals, latency, bytes and memory of every mode on the same queries.

    Args:
        topics, qrels: as `read_topics` and `read_qrels` give them; every topic has a relevant document.
        k: results asked for a query, by the measured searches too.
        repeats: timed searches of each query, after one that warms up and gives the results.
        memory: also measure each mode in a process of its own.
        encoder, threads: what the index was opened with, for those processes.
        progress: called with mode, queries done, queries in all.

    Raises:
        UsageError: no topic, a topic without a relevant document, no relevant document in the index, or
            repeats below 1.
        CmrcliError: whatever a search raises, but for a mode that cannot take one kind of query.
    """
    if not topics:
        raise UsageError("there is no query to evaluate", "give at least one")
    if repeats < 1:
        raise UsageError(f"{repeats} repeats measure nothing", "ask for at least one")
    queries = [topic.query() for topic in topics]
    judgements = [Judgements(qrels.get(topic.id, {})) for topic in topics]
    for topic, judged in zip(topics, judgements, strict=True):
        if not any(grade > 0 for grade in judged.grades):
            raise UsageError(f"query {topic.id} has no relevant document", "judge one, or remove the query")
    absent = absent_documents(index.reader, {topic.id: qrels[topic.id] for topic in topics})
    started = environment.started_utc()
    held = index.reader.statistics()
    runs = {mode: _ask(index, queries, judgements, mode, k, repeats, progress) for mode in dict.fromkeys(modes)}
    lines = [topic.text for topic in topics]
    reports: list[ModeReport] = []
    for mode, run in runs.items():
        measured: Resident | None = None
        notes: list[str] = []
        if memory:
            try:
                measured = resident.measure(index.folder, encoder, threads, mode, k, lines)
            except CmrcliError as error:
                notes.append(str(error))
        bytes_per_item = bytes_read_by(mode, held.bytes_by_part) / max(held.items, 1)
        reports.append(
            _report(
                mode,
                run,
                topics,
                judgements,
                k,
                seed,
                runs.get("exact"),
                bytes_per_item,
                measured,
                tuple(notes),
            )
        )
    grades = [grade for judged in judgements for grade in judged.grades]
    return Evaluation(
        k=k,
        repeats=repeats,
        seed=seed,
        queries=len(topics),
        judgements=len(grades),
        relevant=sum(grade > 0 for grade in grades),
        absent=absent,
        items=held.items,
        bytes_by_part=held.bytes_by_part,
        environment=_environment(index, started),
        modes=tuple(reports),
    )


def evaluate_index(
    folder: Path,
    queries: str | Path,
    qrels: str | Path,
    modes: Sequence[str] = MODES,
    k: int = 10,
    repeats: int = 3,
    seed: int = 0,
    *,
    memory: bool = True,
    encoder: str | Path | None = None,
    threads: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation:
    """`evaluate` of the index in a folder by the ground truth in two files.

    The files are read first: a mistake in them is told before anything is opened.

    Raises:
        UsageError (see `read_topics` and `read_qrels`), IndexMissing, IndexDamaged, EncoderError.
    """
    from cmrcli.searching import open_index

    topics = read_topics(queries)
    judged = read_qrels(qrels, topics)
    with open_index(folder, encoder, threads) as index:
        return evaluate(
            index,
            topics,
            judged,
            modes,
            k,
            repeats,
            seed,
            memory=memory,
            encoder=encoder,
            threads=threads,
            progress=progress,
        )


def _ask(
    index: SearchableIndex,
    queries: Sequence[Query],
    judgements: Sequence[Judgements],
    mode: str,
    k: int,
    repeats: int,
    progress: Callable[[str, int, int], None] | None,
) -> _Run:
    """All queries once for their results, then `repeats` times against the clock."""
    run = _Run()
    answerable = []
    for query, judged in zip(queries, judgements, strict=True):
        results: Sequence[Found] = ()
        try:
            results = index.search(query, k=k, mode=mode)
        except UsageError:
            # Words cannot look for a picture. With text in the query, the mode itself is wrong.
            if query.text or mode != "words":
                raise
            run.unanswered += 1
        else:
            answerable.append(query)
        run.gains.append(judged.gains(results))
        run.found.append({(result.path, result.page) for result in results})
    for number, query in enumerate(answerable, 1):
        timed = []
        for _ in range(repeats):
            began = time.perf_counter()
            index.search(query, k=k, mode=mode)
            timed.append(time.perf_counter() - began)
        run.seconds.append(float(np.median(timed)))
        if progress is not None:
            progress(mode, number, len(answerable))
    return run


def _report(
    mode: str,
    run: _Run,
    topics: Sequence[Topic],
    judgements: Sequence[Judgements],
    k: int,
    seed: int,
    exact: _Run | None,
    bytes_per_item: float,
    measured: Resident | None,
    notes: tuple[str, ...],
) -> ModeReport:
    table = measures_of(k)
    values = np.array(
        [
            [measure(gains, judged.grades) for measure in table.values()]
            for gains, judged in zip(run.gains, judgements, strict=True)
        ],
        dtype=np.float64,
    )
    bounds = intervals(values, seed)
    means = values.mean(axis=0)
    return ModeReport(
        mode=mode,
        measures={
            name: Interval(float(value), float(low), float(high))
            for name, value, (low, high) in zip(table, means, bounds, strict=True)
        },
        ann_recall=_shared(exact, run) if mode in APPROXIMATE and exact is not None else None,
        p50_ms=_percentile_ms(run.seconds, 50),
        p95_ms=_percentile_ms(run.seconds, 95),
        queries_per_s=len(run.seconds) / sum(run.seconds) if run.seconds else 0.0,
        bytes_per_item=bytes_per_item,
        resident=measured,
        unanswered=run.unanswered,
        notes=notes,
        per_query={
            topic.id: dict(zip(table, (float(value) for value in row), strict=True))
            for topic, row in zip(topics, values, strict=True)
        },
    )


def _percentile_ms(seconds: Sequence[float], percent: int) -> float:
    return float(np.percentile(seconds, percent)) * 1e3 if seconds else 0.0


def _shared(exact: _Run, run: _Run) -> float:
    """Share of the exact results that the run found too; 1 when exact search finds nothing either."""
    wanted = sum(len(found) for found in exact.found)
    return sum(len(a & b) for a, b in zip(exact.found, run.found, strict=True)) / wanted if wanted else 1.0


def _environment(index: SearchableIndex, started: str) -> Environment:
    import platform

    identity = index.reader.encoder
    return Environment(
        started_utc=started,
        cpu=environment.cpu_name(),
        cores=environment.cores(),
        system=platform.platform(),
        python=platform.python_version(),
        versions=environment.versions(),
        encoder=identity.name,
        encoder_digest=identity.digest,
        dim=identity.dim,
        generation=index.reader.generation,
    )

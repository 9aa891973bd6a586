"""The protocol: every part of a truth asked of every system in every mode, and judged by the same code.

Nothing here measures or judges by itself: systems/ answer, measures.py and the statistics judge, costs/ weigh, and
this file brings them together into the rows of a report.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.errors import UsageError
from cmrcli.evaluation import bootstrap
from cmrcli.evaluation.answers import Answers
from cmrcli.evaluation.costs import environment
from cmrcli.evaluation.measures import DEFAULT, Measure, parse, precision_recall_curve, values_of
from cmrcli.evaluation.report import Cost, Environment, Evaluation, Interval, Row
from cmrcli.evaluation.sources import digest_of
from cmrcli.evaluation.truth import Part, Truth
from cmrcli.evaluation.verdicts.balance import balance
from cmrcli.searching.query import IMAGE_PREFIX, parse_example

if TYPE_CHECKING:
    from cmrcli.searching import Index

INDEX_MODES = ("exact", "codes", "words", "auto")
ENCODER_MODES = ("exact", "codes")
APPROXIMATE = ("codes", "hamming", "graph")  # modes that find what "exact" finds, or nearly
ANN_DEPTHS = (10, 100)
THROUGH = ("auto", "index", "encoder")
Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all
DocumentGroups = Mapping[str, Mapping[str, str]]  # document -> breakdown -> group


@dataclass(frozen=True, slots=True)
class Settings:
    """How to evaluate, beside what.

    Attributes:
        modes: () for those that suit each system.
        measures: () for what each part's literature reports, or else the usual ones; the first counts most.
        k: results asked for a query.
        repeats: timed searches of each query, after one that warms up and gives the results.
        cold, memory: also measure fresh processes, which takes seconds a mode.
        by: breakdowns of the balance report; () for all that topics and documents have.
        through: who is asked where a truth brings its own gallery: "index", "encoder", or "auto": the index if all
            of the gallery's folder lies in it.
    """

    modes: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    k: int = 100
    repeats: int = 3
    seed: int = 0
    cold: bool = True
    memory: bool = True
    by: tuple[str, ...] = ()
    through: str = "auto"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked: an index, an encoder, run files, or several of them.

    Attributes:
        index: folder of the index; None where there is none.
        encoder: folder or name of an encoder; None for the index's own, or the bundled one.
        runs: files with other systems' runs. With runs and no modes asked for, nothing else is asked.
    """

    index: Path | None = None
    encoder: str | Path | None = None
    threads: int = 0
    runs: tuple[Path, ...] = ()


@dataclass(slots=True)
class Measured:
    """An evaluation with what it was made from, for whoever compares or shows single queries.

    Attributes:
        answers, parts: of each row of the evaluation, in its order.
        folders: that hold the documents and the pictures of queries.
    """

    evaluation: Evaluation
    truth: Truth
    answers: list[Answers] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    @property
    def answers_by_row(self) -> dict[tuple[str, str, str], Answers]:
        """(part, system, mode) -> answers."""
        rows = self.evaluation.rows
        return {(row.part, row.system, row.mode): given for row, given in zip(rows, self.answers, strict=True)}


def evaluate(
    truth: Truth, subject: Subject, settings: Settings | None = None, progress: Progress | None = None
) -> Measured:
    """Accuracy with intervals, and what it costs, of every system and mode on the same queries.

    Raises:
        UsageError: no query, an unknown measure or mode, nothing to ask, no relevant document in the index, or
            whatever a run file has wrong.
        CmrcliError: whatever opening the index or the encoder raises.
    """
    settings = settings or Settings()
    for name in settings.measures:
        parse(name)
    if settings.repeats < 1:
        raise UsageError(f"{settings.repeats} repeats measure nothing", "ask for at least one")
    if settings.through not in THROUGH:
        raise UsageError(f"--through {settings.through} is unknown", "take one of " + ", ".join(THROUGH))
    if not truth.topics:
        raise UsageError("there is no query to evaluate", "give at least one")
    started = environment.started_utc()
    table = _Table(truth, settings)
    for path in subject.runs:
        _judge_run(table, path)
    asked = Asked()
    if not subject.runs or settings.modes:
        asked = _ask(table, subject, settings, progress or _silent)
    grades = [grade for part in truth.parts for judged in part.qrels.values() for grade in judged.values()]
    evaluation = Evaluation(
        truth=truth.kind,
        sources={str(path): digest_of(path) for path in truth.sources},
        main=table.main,
        k=settings.k,
        repeats=settings.repeats,
        seed=settings.seed,
        queries=len(truth.topics),
        judgements=len(grades),
        relevant=sum(grade > 0 for grade in grades),
        absent=asked.absent,
        index=asked.index,
        items=asked.items,
        bytes_by_part=asked.bytes_by_part,
        environment=_environment(started, asked, subject.threads),
        rows=tuple(table.rows),
        notes=truth.notes,
    )
    return Measured(evaluation, truth, table.answers, table.parts, [*asked.folders, *_folders(truth)])


@dataclass(slots=True)
class Asked:
    """What was learnt of the systems on the way."""

    absent: tuple[str, ...] = ()
    items: int = 0
    bytes_by_part: dict[str, int] = field(default_factory=dict)
    encoder: str = ""
    encoder_digest: str = ""
    dim: int = 0
    generation: int | None = None
    index: str = ""
    folders: list[str] = field(default_factory=list)


class _Table:
    """The rows of a report, as they come."""

    def __init__(self, truth: Truth, settings: Settings) -> None:
        self.truth = truth
        self.settings = settings
        self.rows: list[Row] = []
        self.answers: list[Answers] = []
        self.parts: list[Part] = []

    @property
    def main(self) -> str:
        """The measure that counts most."""
        return next(iter(self.rows[0].measures)) if self.rows else ""

    def add(
        self,
        part: Part,
        system: str,
        mode: str,
        answers: Answers,
        cost: Cost | None = None,
        notes: Sequence[str] = (),
        exact: Answers | None = None,
        groups: DocumentGroups | None = None,
        documents: int | None = None,
    ) -> None:
        """Judges the answers of one system and mode, and appends their row."""
        settings = self.settings
        measures = [parse(name) for name in settings.measures or part.measures or DEFAULT]
        outcomes = [answers.outcomes[topic.id] for topic in part.topics]
        values = values_of(measures, outcomes, settings.k)
        medians = [number for number, measure in enumerate(measures) if measure.is_median]
        bounds = bootstrap.intervals(values, settings.seed, medians=medians)
        per_query = {
            topic.id: dict(zip((measure.name for measure in measures), row.tolist(), strict=True))
            for topic, row in zip(part.topics, values, strict=True)
        }
        chosen = _chosen_groups(part, groups or {}, settings.by)
        self.rows.append(
            Row(
                part=part.name,
                system=system,
                mode=mode,
                queries=len(part.topics),
                measures={
                    measure.name: Interval(measure.aggregate(values[:, column]), float(low), float(high))
                    for column, (measure, (low, high)) in enumerate(zip(measures, bounds, strict=True))
                },
                macro=_macro(part, measures, per_query),
                ann_recall=_ann_recall(answers, exact, mode, settings.k),
                curve=precision_recall_curve(outcomes),
                cost=cost or Cost(),
                balance=balance(
                    chosen[0], answers, per_query, chosen[1], min(10, settings.k), settings.seed, documents=documents
                ),
                unanswered=len(answers.unanswered),
                notes=tuple(notes),
                per_query=per_query,
            )
        )
        self.answers.append(answers)
        self.parts.append(part)


def _macro(part: Part, measures: Sequence[Measure], per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Means over the groups that the part names, each group counting the same."""
    if not part.macro:
        return {}
    members: dict[str, list[str]] = {}
    for topic in part.topics:
        members.setdefault(topic.groups.get(part.macro, ""), []).append(topic.id)
    means: dict[str, float] = {}
    for measure in measures:
        if measure.is_median:
            continue
        of_groups = [measure.aggregate([per_query[one][measure.name] for one in ids]) for ids in members.values()]
        means[measure.name] = sum(of_groups) / len(of_groups)
    return means


def _ann_recall(answers: Answers, exact: Answers | None, mode: str, k: int) -> dict[int, float] | None:
    if mode not in APPROXIMATE or exact is None:
        return None
    from cmrcli.evaluation.systems.index import ann_recall

    return {depth: ann_recall(exact, answers, depth) for depth in ANN_DEPTHS if depth <= k} or None


def _chosen_groups(part: Part, groups: DocumentGroups, by: tuple[str, ...]) -> tuple[Part, DocumentGroups]:
    """The part and the documents with only those breakdowns that are wanted."""
    if not by:
        return part, groups
    topics = tuple(
        replace(topic, groups={name: group for name, group in topic.groups.items() if name in by})
        for topic in part.topics
    )
    kept = {
        document: {name: group for name, group in named.items() if name in by} for document, named in groups.items()
    }
    return replace(part, topics=topics), kept


def _judge_run(table: _Table, path: Path) -> None:
    from cmrcli.evaluation.systems.run_file import read_runs

    for part, answers in read_runs(path, table.truth.parts):
        table.add(part, path.name, "run", answers, notes=answers.notes)


def _silent(doing: str, done: int, total: int) -> None:
    pass


def _ask(table: _Table, subject: Subject, settings: Settings, progress: Progress) -> Asked:
    """Asks the index those parts whose documents it holds, and an encoder the others."""
    asked = Asked()
    left = list(table.truth.parts)
    if settings.through != "encoder" and (subject.index is not None or any(part.gallery is None for part in left)):
        left = _ask_index(table, subject, settings, progress, asked)
    if left:
        _ask_encoder(table, left, subject, settings, progress, asked)
    return asked


def _ask_index(table: _Table, subject: Subject, settings: Settings, progress: Progress, asked: Asked) -> list[Part]:
    """The parts that the index cannot answer, after it has answered the others."""
    from cmrcli.errors import IndexMissing
    from cmrcli.evaluation.costs import measure_cost
    from cmrcli.evaluation.systems.index import IndexSystem, fallback_note
    from cmrcli.places import default_index

    needed = settings.through == "index" or any(part.gallery is None for part in table.truth.parts)
    try:
        system = IndexSystem(subject.index or default_index(), subject.encoder, subject.threads)
    except IndexMissing:
        if needed:
            raise
        return list(table.truth.parts)
    with system:
        refused = {part.name: system.refusal(part) for part in table.truth.parts}
        parts = [part for part in table.truth.parts if not refused[part.name]]
        for part in table.truth.parts:
            if refused[part.name] and settings.through == "index":
                raise UsageError(
                    f"the index cannot answer {part.name or 'this truth'}: {refused[part.name]}",
                    "leave --through out, or index that folder",
                )
        if parts:
            _note_index(asked, system.index)
            asked.absent = tuple(sorted({document for part in parts for document in system.absent(part)}))
        lines = [topic.text for part in parts for topic in part.topics]
        modes = settings.modes or INDEX_MODES
        given = {
            (mode, part.name): system.answer(part, mode, settings.k, partial(progress, _joined(part.name, mode)))
            for mode in modes
            for part in parts
        }
        for mode in modes if parts else ():
            progress(f"{mode}: time and memory", 0, 1)
            cost, notes = measure_cost(
                system.index, mode, lines, settings.k, repeats=settings.repeats, cold=settings.cold,
                memory=settings.memory, encoder=subject.encoder, threads=subject.threads,
            )  # fmt: skip
            for part in parts:
                answers = given[mode, part.name]
                fallback = fallback_note(system.index, mode, filtered=part.gallery is not None)
                table.add(
                    part, "index", mode, answers, cost,
                    [*answers.notes, *notes, *([fallback] if fallback else [])],
                    given.get(("exact", part.name)),
                    system.groups(_relevant(part)),
                    len(part.gallery.documents) if part.gallery is not None else asked.items,
                )  # fmt: skip
    return [part for part in table.truth.parts if refused[part.name]]


def _ask_encoder(
    table: _Table, parts: Sequence[Part], subject: Subject, settings: Settings, progress: Progress, asked: Asked
) -> None:
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.encoders.locate import resolve
    from cmrcli.encoders.manifest import load_manifest
    from cmrcli.evaluation.systems.encoder import MODES, EncoderSystem

    modes = settings.modes or ENCODER_MODES
    for mode in modes:
        if mode not in MODES:
            raise UsageError(
                f"mode {mode} is one of an index, and this truth is asked of an encoder",
                "modes here: " + ", ".join(MODES),
            )
    manifest = load_manifest(resolve(subject.encoder))
    asked.encoder, asked.encoder_digest, asked.dim = manifest.name, manifest.digest, manifest.dim
    system = EncoderSystem(DualEncoder(manifest, subject.threads))
    for part in parts:
        prepared = system.prepare(part, progress)
        given = {mode: system.answer(prepared, mode, settings.k) for mode in modes}
        exact = given["exact"][0] if "exact" in given else None
        documents = len(part.gallery.documents) if part.gallery is not None else None
        for mode, (answers, cost) in given.items():
            table.add(part, "encoder", mode, answers, cost, answers.notes, exact, documents=documents)


def _joined(part: str, mode: str) -> str:
    return f"{part}: {mode}" if part else mode


def _folders(truth: Truth) -> list[str]:
    """Folders of the pictures that the truth itself names."""
    lines = [topic.text for topic in truth.topics]
    lines += [line for part in truth.parts if part.gallery is not None for of in part.gallery.lines for line in of]
    pictures = (line.removeprefix(IMAGE_PREFIX) for line in lines if line.startswith(IMAGE_PREFIX))
    return list(dict.fromkeys(os.path.dirname(parse_example(picture).path) for picture in pictures))


def _relevant(part: Part) -> list[str]:
    """Documents with a grade above 0, each once."""
    return list(
        dict.fromkeys(document for judged in part.qrels.values() for document, grade in judged.items() if grade > 0)
    )


def _note_index(asked: Asked, index: Index) -> None:
    held, identity = index.reader.statistics(), index.reader.encoder
    asked.items, asked.bytes_by_part = held.items, held.bytes_by_part
    asked.encoder, asked.encoder_digest, asked.dim = identity.name, identity.digest, identity.dim
    asked.generation = index.reader.generation
    asked.index = os.fspath(index.folder.absolute())
    asked.folders = [os.fsdecode(root.path) for root in index.reader.roots()]


def _environment(started: str, asked: Asked, threads: int) -> Environment:
    return Environment(
        started_utc=started,
        cpu=environment.cpu_name(),
        cores=environment.cores(),
        threads=threads or environment.cores(),
        system=platform.platform(),
        python=platform.python_version(),
        versions=environment.versions(),
        encoder=asked.encoder,
        encoder_digest=asked.encoder_digest,
        dim=asked.dim,
        generation=asked.generation,
    )

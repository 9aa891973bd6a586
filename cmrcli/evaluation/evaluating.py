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

from cmrcli.errors import IndexMissing, UsageError, display_path
from cmrcli.evaluation.answers import Answers
from cmrcli.evaluation.costs import environment
from cmrcli.evaluation.judging import Table, measures_of
from cmrcli.evaluation.measures import BY_RELEVANT, parse
from cmrcli.evaluation.report import Environment, Evaluation
from cmrcli.evaluation.settings import Settings, Subject
from cmrcli.evaluation.sources import digest_of
from cmrcli.evaluation.truth import Part, Truth
from cmrcli.searching.query import IMAGE_PREFIX, parse_example

if TYPE_CHECKING:
    from cmrcli.evaluation.systems.index import IndexSystem
    from cmrcli.searching import Index

INDEX_MODES = ("exact", "codes", "words", "auto")
ENCODER_MODES = ("exact", "codes")
THROUGH = ("auto", "index", "encoder")
DOCUMENT_GROUPS = ("kind", "folder")  # breakdowns that an index knows of its documents
NO_BREAKDOWN = "none"
Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all


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
    _require_breakdowns(truth, settings.by)
    started = environment.started_utc()
    table = Table(settings)
    for path, name in zip(subject.runs, _names(subject.runs), strict=True):
        _judge_run(table, truth, path, name)
    asking = _Asking(table, truth, subject, progress or _silent)
    if not subject.runs or settings.modes:
        asking.ask()
    judged = [grades for part in truth.parts for grades in part.qrels.values()]
    evaluation = Evaluation(
        truth=truth.kind,
        sources={str(path): digest_of(path) for path in truth.sources},
        main=table.main,
        k=settings.k,
        repeats=settings.repeats,
        seed=settings.seed,
        queries=len(truth.topics),
        judgements=sum(map(len, judged)),
        relevant=sum(grade > 0 for grades in judged for grade in grades.values()),
        absent=asking.absent,
        index=asking.index,
        items=asking.items,
        bytes_by_part=asking.bytes_by_part,
        environment=replace(asking.environment, started_utc=started),
        rows=tuple(table.rows),
        notes=(*truth.notes, *asking.notes),
    )
    return Measured(evaluation, truth, table.answers, table.parts, [*asking.folders, *_folders(truth)])


def _judge_run(table: Table, truth: Truth, path: Path, name: str) -> None:
    from cmrcli.evaluation.systems.run_file import read_runs

    for part, answers in read_runs(path, truth.parts):
        table.add(part, name, "run", answers, notes=answers.notes)


def _names(runs: Sequence[Path]) -> list[str]:
    """What the runs are called: their files' names, with as many folders before them as tell all apart."""
    every = [os.path.abspath(path).split(os.sep) for path in runs]
    for length in range(1, max(map(len, every), default=0) + 1):
        names = ["/".join(parts[-length:]) for parts in every]
        if len(set(names)) == len(names):
            return names
    return [os.fspath(path) for path in runs]


def _require_breakdowns(truth: Truth, wanted: Sequence[str]) -> None:
    """Raise unless topics or documents can be grouped by each of them."""
    known = dict.fromkeys(name for topic in truth.topics for name in topic.groups)
    known |= dict.fromkeys((*DOCUMENT_GROUPS, NO_BREAKDOWN))
    for name in wanted:
        if name not in known:
            raise UsageError(f"--by {display_path(name)} is no breakdown here", "there is: " + ", ".join(known))


def _shallow(parts: Sequence[Part], settings: Settings) -> tuple[str, ...]:
    """A note on measures that look at more places than are asked for."""
    deep: dict[str, int] = {}
    for part in parts:
        most = _most_relevant(part, settings.k)
        for measure in measures_of(part, settings.measures):
            depth = measure.depth or (most if measure.family in BY_RELEVANT else 0)
            if depth > settings.k:
                deep[measure.name] = max(depth, deep.get(measure.name, 0))
    if not deep:
        return ()
    return (f"of the {settings.k} results asked for only: {', '.join(deep)}; they look at up to {max(deep.values())}",)


def _most_relevant(part: Part, k: int) -> int:
    """Most judged documents of a query of which more than k are relevant; 0 where there is none."""
    many = (judged for judged in part.qrels.values() if len(judged) > k)
    return max((len(judged) for judged in many if sum(grade > 0 for grade in judged.values()) > k), default=0)


def _cut(parts: Sequence[Part], settings: Settings, whole: Mapping[str, bool]) -> tuple[str, ...]:
    """Notes on what modes of an encoder that do not rank the whole gallery, as others do, leave out."""
    cut, ranked = ([mode for mode in whole if whole[mode] is wanted] for wanted in (False, True))
    longest = max(len(part.gallery.documents) for part in parts if part.gallery is not None)
    if not cut or longest <= settings.k:
        return ()
    told = f"of {', '.join(cut)} the first {settings.k} documents count, of {', '.join(ranked)} the whole gallery"
    return (*([told] if ranked else []), *_shallow(parts, settings))


def _silent(doing: str, done: int, total: int) -> None:
    pass


class _Asking:
    """Asks the index those parts whose documents it holds, and an encoder the others.

    Attributes:
        absent, index, items, bytes_by_part: as the report has them; notes: beyond those of the truth.
        folders: of the index.
        environment: without the time of day.
    """

    def __init__(self, table: Table, truth: Truth, subject: Subject, progress: Progress) -> None:
        self._table = table
        self._settings = table.settings
        self._truth = truth
        self._subject = subject
        self._progress = progress
        self.absent: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.index = ""
        self.items = 0
        self.bytes_by_part: dict[str, int] = {}
        self.folders: list[str] = []
        self.environment = Environment(
            started_utc="",
            cpu=environment.cpu_name(),
            cores=environment.cores(),
            threads=environment.threads(subject.threads),
            system=platform.platform(),
            python=platform.python_version(),
            versions=environment.versions(),
        )

    def ask(self) -> None:
        """Fills the table."""
        left = list(self._truth.parts)
        if self._settings.through != "encoder":
            left = self._ask_index()
        if left:
            self._ask_encoder(left)

    def _ask_index(self) -> list[Part]:
        """The parts that the index cannot answer, after it has answered the others."""
        from cmrcli.evaluation.systems.index import IndexSystem
        from cmrcli.places import default_index

        subject, parts = self._subject, self._truth.parts
        must = self._settings.through == "index"
        try:
            system = IndexSystem(subject.index or default_index(), subject.encoder, subject.threads)
        except IndexMissing:
            if must or any(part.gallery is None for part in parts):
                raise
            return list(parts)
        with system:
            refused = {part.name: system.refusal(part) for part in parts}
            for name, why in refused.items():
                if why and must:
                    remedy = "leave --through out, or index that folder"
                    raise UsageError(f"the index cannot answer {name or 'this truth'}: {why}", remedy)
            answered = [part for part in parts if not refused[part.name]]
            if answered:
                self._note_index(system.index)
                self._answer_by_index(system, answered)
        return [part for part in parts if refused[part.name]]

    def _answer_by_index(self, system: IndexSystem, parts: Sequence[Part]) -> None:
        from cmrcli.evaluation.costs import measure_cost
        from cmrcli.evaluation.systems.index import fallback_note

        settings, subject, progress = self._settings, self._subject, self._progress
        self.absent = tuple(sorted({document for part in parts for document in system.absent(part)}))
        self.notes = _shallow(parts, settings)
        # An index of codes alone has nothing to be exact with.
        modes = settings.modes or INDEX_MODES[system.codes_only :]
        given = {
            (mode, part.name): system.answer(part, mode, settings.k, partial(progress, _joined(part.name, mode)))
            for mode in modes
            for part in parts
        }
        groups = {part.name: system.groups(_relevant(part)) for part in parts}
        lines = [topic.text for part in parts for topic in part.topics]
        for mode in modes:
            cost, notes = measure_cost(
                system.index, mode, lines, settings.k, settings.repeats, encoder=subject.encoder,
                threads=subject.threads, cold=settings.cold, memory=settings.memory, filter=system.scope(parts[0]),
                progress=partial(progress, f"{mode}: times"),
            )  # fmt: skip
            for part in parts:
                answers = given[mode, part.name]
                fallback = fallback_note(system.index, mode, filtered=part.gallery is not None)
                told = [*answers.notes, *notes, *([fallback] if fallback else [])]
                documents = len(part.gallery.documents) if part.gallery is not None else self.items
                exact = given.get(("exact", part.name))
                self._table.add(part, "index", mode, answers, cost, told, exact, groups[part.name], documents)

    def _ask_encoder(self, parts: Sequence[Part]) -> None:
        from cmrcli.encoders.dual import DualEncoder
        from cmrcli.encoders.locate import resolve
        from cmrcli.encoders.manifest import load_manifest
        from cmrcli.evaluation.systems.encoder import MODES, EncoderSystem

        modes = self._settings.modes or ENCODER_MODES
        for mode in modes:
            if mode not in MODES:
                what = f"mode {mode} is one of an index, and this truth is asked of an encoder"
                raise UsageError(what, "modes here: " + ", ".join(MODES))
        manifest = load_manifest(resolve(self._subject.encoder))
        self._note_encoder(manifest.name, manifest.digest, manifest.dim)
        system = EncoderSystem(DualEncoder(manifest, self._subject.threads))
        whole: dict[str, bool] = {}
        for part in parts:
            prepared = system.prepare(part, self._progress)
            given = {mode: system.answer(prepared, mode, self._settings.k) for mode in modes}
            exact = given["exact"][0] if "exact" in given else None
            whole |= {mode: answers.whole for mode, (answers, _) in given.items()}
            documents = len(part.gallery.documents) if part.gallery is not None else None
            for mode, (answers, cost) in given.items():
                self._table.add(part, "encoder", mode, answers, cost, answers.notes, exact, documents=documents)
        self.notes += _cut(parts, self._settings, whole)

    def _note_index(self, index: Index) -> None:
        held, identity = index.reader.statistics(), index.reader.encoder
        self.index = os.fspath(index.folder.absolute())
        self.items, self.bytes_by_part = held.items, held.bytes_by_part
        self.folders = [os.fsdecode(root.path) for root in index.reader.roots()]
        self._note_encoder(identity.name, identity.digest, identity.dim)
        self.environment = replace(self.environment, generation=index.reader.generation)

    def _note_encoder(self, name: str, digest: str, dim: int) -> None:
        self.environment = replace(self.environment, encoder=name, encoder_digest=digest, dim=dim)


def _joined(part: str, mode: str) -> str:
    return f"{part}: {mode}" if part else mode


def _relevant(part: Part) -> list[str]:
    """Documents with a grade above 0, each once."""
    relevant = (name for judged in part.qrels.values() for name, grade in judged.items() if grade > 0)
    return list(dict.fromkeys(relevant))


def _folders(truth: Truth) -> list[str]:
    """Folders of the pictures that the truth itself names."""
    lines = [topic.text for topic in truth.topics]
    lines += [line for part in truth.parts if part.gallery is not None for of in part.gallery.lines for line in of]
    pictures = (line.removeprefix(IMAGE_PREFIX) for line in lines if line.startswith(IMAGE_PREFIX))
    return list(dict.fromkeys(os.path.dirname(parse_example(picture).path) for picture in pictures))

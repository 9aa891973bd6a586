"""From a protocol to everything that was asked of it: the evaluation, its verdicts, and the files to write."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cmrcli.errors import CmrcliError, UsageError, display_path
from cmrcli.evaluation.conduct import ground_truth, opponent, refuse_opponent, settings_of, subject_of
from cmrcli.evaluation.evaluating import Measured, Progress, evaluate
from cmrcli.evaluation.judging import measures_of
from cmrcli.evaluation.protocol import Protocol
from cmrcli.evaluation.report import Evaluation, Row
from cmrcli.evaluation.verdicts import history
from cmrcli.evaluation.verdicts.compare import Comparison, compare
from cmrcli.evaluation.verdicts.recommend import (
    CHEAPEST,
    ORDER,
    ParetoPoint,
    Recommendation,
    pareto,
    recommend,
)
from cmrcli.evaluation.verdicts.require import Verdict, judge, parse, refuse_cost, refuse_unmeasured
from cmrcli.evaluation.verdicts.values import COSTS

PLOTTED_COST = "bytes_per_item"
AGAINST = ("last", "first")  # of the kept evaluations of a protocol


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be concluded and written; "" and None leave it out.

    Attributes:
        recommend: name the cheapest configuration that is good enough, by `cheapest`.
        pareto: a cost (values.COSTS) to hold accuracy against; PLOTTED_COST for `plot` alone.
        compare: another index, encoder, run file, or kept evaluation by file or name.
        save: keep the evaluation in `kept_in` under `name`, and say what fell since the last one kept, or the first one
            with `against` "first".
        plot, sheet, write_run, write_truth: files (write_truth: a folder) to write.
    """

    recommend: bool = False
    cheapest: str = CHEAPEST[0]
    pareto: str = ""
    compare: str = ""
    save: bool = False
    name: str = ""
    against: str = AGAINST[0]
    kept_in: Path = Path()
    plot: Path | None = None
    sheet: Path | None = None
    write_run: Path | None = None
    write_truth: Path | None = None

    def check(self) -> None:
        """Raises UsageError for what would only be refused after minutes of measuring."""
        if self.cheapest not in CHEAPEST:
            raise UsageError(
                f"--cheapest {display_path(self.cheapest)} is unknown", "take one of " + ", ".join(CHEAPEST)
            )
        if self.pareto and self.pareto not in COSTS:
            raise UsageError(f"--pareto {display_path(self.pareto)} is no cost", "take one of " + ", ".join(COSTS))
        if self.plot is not None and self.plot.suffix.lower() not in (".svg", ".png"):
            raise UsageError(f"{display_path(self.plot)}: cannot plot to that format", "end its name in .svg or .png")
        for file in (self.plot, self.sheet, self.write_run):
            if file is not None:
                _refuse_file(file)
        for folder in (self.write_truth, self.kept_in if self.save else None):
            if folder is not None:
                _refuse_folder(folder)
        if self.against not in AGAINST:
            raise UsageError(f"--against {display_path(self.against)} is unknown", "take one of " + ", ".join(AGAINST))
        if self.name and not self.save:
            raise UsageError("--name is of what is kept", "add --save")


def _refuse_file(file: Path) -> None:
    """Raises UsageError where no file can be written."""
    folder = file.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {display_path(folder)}", "make it first")
    if file.is_dir():
        raise UsageError(f"cannot write {display_path(file)}: it is a folder", "name a file in it")
    if not os.access(folder, os.W_OK) and (file.is_file() or not file.exists()):
        raise UsageError(f"cannot write into {display_path(folder)}", "name a folder that you may write to")


def _refuse_folder(folder: Path) -> None:
    """Raises UsageError where there is no such folder to write into, and none can be made."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not place.is_dir():
        raise UsageError(f"{display_path(place)} is not a folder", "name another folder")
    if not os.access(place, os.W_OK):
        raise UsageError(f"cannot write into {display_path(place)}", "name a folder that you may write to")


@dataclass(slots=True)
class Conclusions:
    """An evaluation and what follows from it.

    Attributes:
        pareto_cost: name of the cost in `pareto`.
        kept: where it was kept.
        notes: what could not be concluded, one line each.
        unwritten: why a file that was asked for is not there. The figures stand: show them, then raise it.
    """

    evaluation: Evaluation
    verdict: Verdict | None = None
    recommendation: Recommendation | None = None
    pareto: Sequence[ParetoPoint] = ()
    pareto_cost: str = ""
    comparison: Comparison | None = None
    drops: Sequence[history.Drop] = ()
    kept: Path | None = None
    notes: list[str] = field(default_factory=list)
    unwritten: CmrcliError | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Notes what goes wrong in the block, and lets the next file have its turn."""
        try:
            yield
        except CmrcliError as error:
            if self.unwritten is not None:
                self.notes.append(str(error))
            self.unwritten = self.unwritten or error

    @property
    def failed(self) -> bool:
        """Whether a requirement is not met, or something fell beyond chance."""
        return bool(self.drops) or (self.verdict is not None and not self.verdict.met)

    def to_json(self) -> dict[str, Any]:
        """The conclusions that were asked for, by name."""
        found: dict[str, Any] = {}
        if self.verdict is not None:
            found["requirements"] = self.verdict.to_json()
        if self.recommendation is not None:
            found["recommendation"] = self.recommendation.to_json()
        if self.pareto:
            found["pareto"] = {
                "cost": self.pareto_cost,
                "points": [
                    {"row": point.row.name, "cost": point.cost, "accuracy": point.accuracy.value, "front": point.front}
                    for point in self.pareto
                ],
            }
        if self.comparison is not None:
            found["comparison"] = self.comparison.to_json()
        if self.kept is not None:
            found["kept"] = str(self.kept)
            found["drops"] = [drop.to_json() for drop in self.drops]
        return found


def conclude(protocol: Protocol, wanted: Wanted, progress: Progress | None = None) -> Conclusions:
    """Evaluates by the protocol and concludes what is wanted.

    Raises:
        UsageError: see `ground_truth`, `evaluate`, `judge`, `compare`. CmrcliError: whatever asking raises.
    """
    requirements = [parse(text) for text in protocol.requirements]
    refuse_unmeasured(requirements, protocol.measures, protocol.cold, protocol.memory)
    if wanted.recommend:
        refuse_cost(ORDER[wanted.cheapest][0], f"--cheapest {wanted.cheapest}", protocol.cold, protocol.memory)
    if wanted.pareto:
        refuse_cost(wanted.pareto, "--pareto", protocol.cold, protocol.memory)
    if wanted.compare and _kept_evaluation(wanted) is None:
        refuse_opponent(wanted.compare)
    with ground_truth(protocol, progress) as truth:
        reported = [measure.name for part in truth.parts for measure in measures_of(part, protocol.measures)]
        refuse_unmeasured(requirements, list(dict.fromkeys(reported)), protocol.cold, protocol.memory)
        measured = evaluate(truth, subject_of(protocol), settings_of(protocol), progress)
        evaluation = measured.evaluation
        said = Conclusions(evaluation)
        if requirements:
            said.verdict = judge(evaluation.rows, requirements)
        if wanted.recommend:
            said.recommendation = recommend(
                evaluation.rows,
                said.verdict,
                wanted.cheapest,
                seed=protocol.seed,
                index=protocol.index,
                encoder=protocol.encoder,
            )
            if said.recommendation is None:
                said.notes.append("no mode meets the requirements, so none is recommended")
        if wanted.pareto or wanted.plot is not None:
            said.pareto_cost = wanted.pareto or PLOTTED_COST
            said.pareto = pareto(evaluation.rows, said.pareto_cost)
        before: Measured | None = None
        if wanted.compare:
            before = _compare(said, measured, wanted, protocol, progress)
        if wanted.save:
            with said.writing():
                _keep(said, wanted)
        _write(said, measured, before, wanted)
    return said


def _compare(
    said: Conclusions, measured: Measured, wanted: Wanted, protocol: Protocol, progress: Progress | None
) -> Measured | None:
    """Holds the evaluation against the other; the other's answers where it was asked now."""
    kept = _kept_evaluation(wanted)
    if kept is not None:
        said.comparison = compare(
            kept, measured.evaluation, measured.truth.parts, None, measured.answers_by_row, seed=protocol.seed
        )
        return None
    other = opponent(wanted.compare, measured.truth, protocol, progress)
    said.comparison = compare(
        other.evaluation, measured.evaluation, measured.truth.parts, other.answers_by_row, measured.answers_by_row,
        seed=protocol.seed,
    )  # fmt: skip
    return other


def _kept_evaluation(wanted: Wanted) -> Evaluation | None:
    """The kept evaluation that --compare names: a file of JSON, or the newest kept under that name."""
    path = Path(wanted.compare).expanduser()
    if path.is_file():
        return history.load(path) if path.suffix.lower() in (".json", ".jsonl") else None
    if path.exists():
        return None
    named = [
        one for one in history.listing(wanted.kept_in) if one.name == wanted.compare and one.evaluation is not None
    ]
    return history.load(named[-1].path) if named else None


def _keep(said: Conclusions, wanted: Wanted) -> None:
    """What fell since the last one of this protocol, then keeps this one too."""
    kept = history.listing(wanted.kept_in)
    last = history.previous(kept, said.evaluation, wanted.name, first=wanted.against == "first")
    if last is not None:
        said.drops = history.drops(history.load(last.path), said.evaluation)
    said.kept = history.save(wanted.kept_in, said.evaluation, wanted.name)


def _write(said: Conclusions, measured: Measured, before: Measured | None, wanted: Wanted) -> None:
    if wanted.plot is not None:
        from cmrcli.evaluation.shown.plot import save_plot

        with said.writing():
            save_plot(wanted.plot, said.pareto, said.pareto_cost, said.evaluation.main)
    if wanted.write_run is not None:
        from cmrcli.evaluation.shown.trec import write_run

        rows = said.evaluation.rows
        for row, answers in zip(rows, measured.answers, strict=True):
            with said.writing():
                write_run(_of_row(wanted.write_run, row, len(rows)), answers, row.name)
    if wanted.write_truth is not None:
        with said.writing():
            _write_truth(wanted.write_truth, measured)
    if wanted.sheet is not None:
        with said.writing():
            _write_sheet(said, measured, before, wanted.sheet)


def _of_row(path: Path, row: Row, rows: int) -> Path:
    """The file itself for a single row, else with the row's name before its extension."""
    return path if rows == 1 else path.with_stem(f"{path.stem}-{_plain(row.name)}")


def _plain(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name).strip("-")


def _write_truth(folder: Path, measured: Measured) -> None:
    from cmrcli.evaluation.shown.trec import with_pictures, write_qrels, write_queries

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make {display_path(folder)}: {error.strerror or error}", "name another folder"
        ) from None
    for part in measured.truth.parts:
        suffix = f"-{_plain(part.name)}" if part.name else ""
        write_queries(folder / f"queries{suffix}.tsv", with_pictures(part, measured.truth.made, folder))
        write_qrels(folder / f"qrels{suffix}.txt", part)


def _write_sheet(said: Conclusions, measured: Measured, before: Measured | None, path: Path) -> None:
    from cmrcli.evaluation.shown.sheet import blocks_of, comparison_blocks, save_sheet
    from cmrcli.evaluation.shown.thumbnails import Thumbnails

    if said.comparison is not None and before is not None:
        title = f"{said.comparison.rows[0].before} against {said.comparison.rows[0].after}"
        blocks = comparison_blocks(said.comparison, measured.parts, before.answers_by_row, measured.answers_by_row)
    else:
        title = "Queries that did worst"
        parts = list({part.name: part for part in measured.parts}.values())
        blocks = blocks_of(said.evaluation.rows, parts, measured.answers_by_row)
    with Thumbnails(measured.folders) as thumbnails:
        save_sheet(path, title, said.evaluation.main, blocks, thumbnails)

"""Evaluations that are kept, and what fell since: cron's watchman.

A history is a folder of files `20260131T120000.000000Z-name.jsonl`: one evaluation each, never changed once written.
Their first line is what `--format json` prints; the second has the queries, so that a listing need not read those:
{"schema": 1, "type": "per_query", "rows": [{"measures": [names], "values": {query id: [values]}}, ...]}, rows in the
order of the first line. Names sort by the time of saving (UTC).

A configuration's main measure has dropped when it fell beyond chance: the 95 % bootstrap interval of the difference
lies wholly below 0, that of the queries that both asked in pairs, or, where these are fewer than half of the earlier
ones, that of two independent samples. Of an evaluation that was kept without its queries only the interval is left:
the new value lies below it. For ranks, where lower is better, the other way round.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import OutputLost, UsageError, display_path
from cmrcli.evaluation.read_back import read_back
from cmrcli.evaluation.report import SCHEMA, Evaluation, Interval, Row
from cmrcli.evaluation.verdicts.resample import difference, gap
from cmrcli.evaluation.verdicts.values import configuration_name, higher_is_better, same_configuration
from cmrcli.store import durable

Rule = Literal["paired", "unpaired", "interval", "gone"]

_FILE = re.compile(r"([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)(?:-(.*))?\.jsonl")
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_NAME_BYTES = 160  # of 255 that a file system takes
_DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a history.

    Attributes:
        saved_utc: as its name has it.
        evaluation: without its queries, which `load` reads; None where it cannot be read.
        damage: why it cannot; else "".
    """

    path: Path
    name: str
    saved_utc: str
    evaluation: Evaluation | None
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """A configuration whose main measure fell beyond chance.

    Attributes:
        rule: "paired", "unpaired", "interval", or "gone": the earlier evaluation has the row and the later one has not.
        before, after: the main measure; after is None when gone.
        change: interval of the difference, with rules "paired" and "unpaired".
        text: all of it in one line.
    """

    part: str
    configuration: str
    measure: str
    rule: Rule
    before: Interval
    after: Interval | None
    change: Interval | None
    text: str

    def to_json(self) -> dict[str, Any]:
        """Fields by their names."""
        return asdict(self)


def save(folder: str | os.PathLike[str], evaluation: Evaluation, name: str = "", now: datetime | None = None) -> Path:
    """Keeps an evaluation in a folder, which is made where it is missing; the new file's path.

    The file is whole or not there, and never replaces another.

    Args:
        name: to tell evaluations apart by (an index, a machine); goes into the file's name, where everything but
            letters, digits, dot, dash and underscore becomes a dash.
        now: time of saving; left out, the clock's.

    Raises:
        UsageError, OutputLost: the folder cannot be written to.
    """
    folder = Path(folder)
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    data = [json.dumps(document).encode("ascii") + b"\n" for document in (evaluation.to_json(), _queries(evaluation))]
    beside = folder / f".{os.getpid()}-{os.urandom(4).hex()}.part"
    try:
        durable.make_folder(folder)
        try:
            durable.write_file(beside, data)
            while True:
                target = folder / (moment.strftime(_STAMP) + _suffix(name) + ".jsonl")
                if _claimed(beside, target):
                    return target
                moment += timedelta(microseconds=1)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            durable.sync_folder(folder)
    except OSError as error:
        what = f"cannot keep the evaluation in {display_path(folder)}: {error.strerror or error}"
        if error.errno in _DISK_TROUBLE:
            raise OutputLost(what, "make room there, or name another folder") from None
        raise UsageError(what, "name a folder that you may write to") from None


def load(path: str | os.PathLike[str], per_query: bool = True) -> Evaluation:
    """An evaluation from its file, kept by `save` or written by `--format json`.

    Args:
        per_query: its queries are wanted too, as far as the file has them.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        with open(path, "rb") as file:
            head = file.readline()
            rest = file.read() if per_query or not _is_whole(head) else b""
        if not _is_whole(head):  # one document over many lines, as jq writes it
            return _checked(Evaluation.from_json(json.loads(head + rest)))
        evaluation = Evaluation.from_json(json.loads(head))
        return _checked(_with_queries(evaluation, json.loads(rest)) if rest.strip() else evaluation)
    except OSError as error:
        what, remedy = error.strerror or str(error), "name a file that was kept with --save"
    except RecursionError:
        what, remedy = "nested too deeply", "name a file that was kept with --save"
    except ValueError as error:  # JSON and UTF-8 errors are ValueErrors too
        what, remedy = str(error), "remove the file if it is damaged; update cmrcli if it is of a newer version"
    raise UsageError(f"{display_path(path)}: not a kept evaluation: {display_path(what)}", remedy)


def listing(folder: str | os.PathLike[str]) -> list[Kept]:
    """The evaluations of a folder, oldest first; files that cannot be read are in it too. [] where there is no folder.

    Raises:
        UsageError: the folder cannot be listed.
    """
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        what = f"cannot list {display_path(folder)}: {error.strerror or error}"
        raise UsageError(what, "name the folder that evaluations were kept in") from None
    kept = []
    for file_name in names:
        if found := _FILE.fullmatch(file_name):
            path, evaluation, damage = Path(folder) / file_name, None, ""
            try:
                evaluation = load(path, per_query=False)
            except UsageError as error:
                damage = str(error)
            kept.append(Kept(path, found[2] or "", found[1], evaluation, damage))
    return kept


def previous(kept: Iterable[Kept], evaluation: Evaluation, name: str = "", first: bool = False) -> Kept | None:
    """The newest of a listing that followed the same protocol under the same name; None when there is none.

    Args:
        first: the oldest instead: a slow decline falls beyond chance only against where it began.

    `load` its path for the queries, which the paired rule of `drops` needs.
    """
    key = protocol_key(evaluation)
    named = _suffix(name).removeprefix("-")
    for one in sorted(kept, key=lambda one: one.saved_utc, reverse=not first):
        if one.evaluation is not None and one.name == named and protocol_key(one.evaluation) == key:
            return one
    return None


def protocol_key(evaluation: Evaluation) -> tuple[object, ...]:
    """What must be equal for two evaluations to be of one history.

    Kind of truth and the digests of its files, folder of the index, depth, configurations and the measures of the rows.
    `self` makes its queries of the corpus itself and has no files; they may change with it.
    """
    configurations = sorted({same_configuration(row) for row in evaluation.rows})
    measures = tuple(dict.fromkeys(name for row in evaluation.rows for name in row.measures))
    digests = tuple(sorted(evaluation.sources.values()))
    asked = evaluation.truth, digests, evaluation.index, evaluation.k
    return *asked, evaluation.main, tuple(configurations), measures


def drops(before: Evaluation, after: Evaluation) -> list[Drop]:
    """What fell from one evaluation to a later one of the same protocol, in the order of the rows."""
    now = {(row.part, *same_configuration(row)): row for row in after.rows}
    found = []
    for row in before.rows:
        measure = before.main if before.main in row.measures else next(iter(row.measures))
        later = now.get((row.part, *same_configuration(row)))
        drop = _drop(row, later, measure, after.seed)
        if drop is not None:
            found.append(drop)
    return found


def _drop(row: Row, later: Row | None, measure: str, seed: int) -> Drop | None:
    old = row.measures[measure]
    configuration = configuration_name(same_configuration(row))
    if later is None or measure not in later.measures:
        text = f"{row.name}: {measure} {old.value:.3f} before, and not evaluated now"
        return Drop(row.part, configuration, measure, "gone", old, None, None, text)
    new = later.measures[measure]
    sign = 1.0 if higher_is_better(measure) else -1.0
    change: Interval | None = None
    rule: Rule = "interval"
    if row.per_query and later.per_query:
        shared = [query for query in row.per_query if query in later.per_query]
        if 2 * len(shared) >= len(row.per_query):
            rule = "paired"
            change = difference(measure, _values(row, measure, shared), _values(later, measure, shared), seed)
            asked = f"over {len(shared)} queries"
        else:
            rule = "unpaired"
            change = gap(measure, _values(later, measure), _values(row, measure), seed)
            asked = f"of {len(row.per_query)} and {len(later.per_query)} queries, most of them others"
        fell = (change.high if sign > 0 else -change.low) < 0
        how = f"{rule} difference {change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}] {asked}"
    else:
        fell = new.value < old.low if sign > 0 else new.value > old.high
        how = f"beyond the earlier interval [{old.low:.3f}, {old.high:.3f}]; kept without queries"
    if not fell:
        return None
    text = f"{row.name}: {measure} {old.value:.3f} -> {new.value:.3f} ({how})"
    return Drop(row.part, configuration, measure, rule, old, new, change, text)


def _values(row: Row, measure: str, queries: Iterable[str] = ()) -> NDArray[np.float64]:
    return np.array([row.per_query[query][measure] for query in queries or row.per_query])


def _claimed(beside: Path, target: Path) -> bool:
    """Whether the finished file has the name now; False where another one has."""
    try:
        os.link(beside, target)  # unlike rename, it never replaces
        return True
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in durable.NO_LINKS:
            raise
    if target.exists():
        return False
    os.rename(beside, target)
    return True


def _suffix(name: str) -> str:
    safe = re.sub(r"[^\w.-]+", "-", name.encode("utf-8", "replace").decode("utf-8")).strip("-.")
    safe = safe.encode("utf-8")[:_NAME_BYTES].decode("utf-8", "ignore")
    return f"-{safe}" if safe else ""


def _queries(evaluation: Evaluation) -> dict[str, Any]:
    rows = []
    for row in evaluation.rows:
        names = list(next(iter(row.per_query.values()), ()))
        rows.append(
            {
                "measures": names,
                "values": {query: [of_query[name] for name in names] for query, of_query in row.per_query.items()},
            }
        )
    return {"schema": SCHEMA, "type": "per_query", "rows": rows}


def _with_queries(evaluation: Evaluation, document: object) -> Evaluation:
    queries = read_back(_Queries, document)
    if len(queries.rows) != len(evaluation.rows):
        raise ValueError(f"queries of {len(queries.rows)} rows for {len(evaluation.rows)} rows")
    rows = []
    for row, of_row in zip(evaluation.rows, queries.rows, strict=True):
        per_query = {query: dict(zip(of_row.measures, values, strict=True)) for query, values in of_row.values.items()}
        rows.append(replace(row, per_query=per_query))
    return replace(evaluation, rows=tuple(rows))


def _checked(evaluation: Evaluation) -> Evaluation:
    """Raises ValueError where a row has no measure, or a query of it lacks the value of one."""
    for row in evaluation.rows:
        if not row.measures:
            raise ValueError(f"the row {row.name} has no measure")
        for query, values in row.per_query.items():
            if not row.measures.keys() <= values.keys():
                raise ValueError(f"the row {row.name} lacks measures of the query {query}")
    return evaluation


def _is_whole(line: bytes) -> bool:
    """Whether the line is a JSON document by itself, as far as one can tell without reading it."""
    return line.rstrip().endswith(b"}")


@dataclass(frozen=True, slots=True)
class _RowQueries:
    measures: tuple[str, ...]
    values: dict[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class _Queries:
    rows: tuple[_RowQueries, ...]

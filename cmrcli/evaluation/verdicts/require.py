"""Requirements: `[PIN:]NAME[.low|.high] OP NUMBER`, and which configurations meet them.

NAME is a measure of the report (`success@10`; `.low` and `.high` are the ends of its interval), `macro(success@1)`,
`ann_recall@10`, or a cost (values.COSTS: `p95_ms`, `bytes_per_item`, `resident_mb` ...). OP is one of >= <= > < ==.

A requirement without a pin asks that some configuration (a system in a mode) meets it together with all others that
have none. One pinned to a mode, a system or a row by its name (`codes:p95_ms<=50`) must hold for these. One pinned to a
part of the truth (`text -> image:success@10>=0.5`) is asked of every configuration, on that part alone; without a part,
a configuration has to meet it on each part. What was not measured is an error or a failure, never met.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.report import Interval, Row
from cmrcli.evaluation.verdicts.values import (
    ANN_RECALL,
    COSTS,
    MACRO,
    configuration_name,
    is_cost,
    same_configuration,
    value_of,
)

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": lambda value, bound: math.isclose(value, bound, rel_tol=1e-9, abs_tol=1e-12),
}
_GRAMMAR = re.compile(r"(?s)\s*(?:(?P<pin>.+):)?\s*(?P<name>[^:<>=]+?)\s*(?P<op>>=|<=|==|>|<)\s*(?P<number>[^<>=]*)")
_FORM = 'write it like "success@10>=0.8", "success@10.low>=0.75" or "codes:p95_ms<=50"'


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement, as `parse` reads it.

    Attributes:
        text: as it was written.
        pin: mode, system, row or part that it is about; "" for any configuration.
        end: "low", "high", or "" for the value itself.
    """

    text: str
    pin: str
    name: str
    end: str
    op: str
    bound: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A requirement that a configuration does not meet.

    Attributes:
        part: of the truth on which it fails; "" where there is one only, or where it is a cost.
        value: None where it was not measured.
        short_by: how far the value is beyond the bound, 0 or more; None as `value`.
        text: "success@10 0.72 < 0.8 by 0.08", with the part before it.
    """

    requirement: str
    part: str
    value: float | None
    short_by: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """How one system in one mode stands to the requirements.

    Attributes:
        met: all of those without a pin and those pinned to it.
    """

    system: str
    mode: str
    met: bool
    failures: tuple[Failure, ...]

    @property
    def name(self) -> str:
        """As a table calls it."""
        return configuration_name((self.system, self.mode))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the requirements are met, and by what.

    Attributes:
        met: some configuration meets all requirements without a pin, and every pinned one holds.
        requirements: as written.
    """

    met: bool
    requirements: tuple[str, ...]
    configurations: tuple[Configuration, ...]

    def to_json(self) -> dict[str, Any]:
        """Fields by their names."""
        return asdict(self)


def parse(expression: str) -> Requirement:
    """The requirement that an expression says. Whether its name was measured, `judge` knows.

    Raises:
        UsageError: naming the expression, and what it could have been.
    """
    shown = display_path(expression)
    found = _GRAMMAR.fullmatch(expression)
    if found is None:
        raise UsageError(f'"{shown}" is no requirement', _FORM)
    try:
        bound = float(found["number"])
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise UsageError(f'"{shown}": {display_path(found["number"]) or "nothing"!r} is not a number', _FORM)
    name, _, end = found["name"].rpartition(".")
    if end not in ("low", "high"):
        name, end = found["name"], ""
    if end and not _is_measure(name):
        raise UsageError(f'"{shown}": {name} has no interval', f"leave .{end} out; measures have one, costs do not")
    inner = MACRO.fullmatch(name)
    if inner:
        name = f"macro({_canonical(inner[1], shown)})"
    elif _is_measure(name):
        name = _canonical(name, shown)
    return Requirement(expression, (found["pin"] or "").strip(), name, end, found["op"], bound)


def refuse_unmeasured(
    requirements: Sequence[Requirement], measures: Sequence[str] = (), cold: bool = True, memory: bool = True
) -> None:
    """Raises what `judge` would raise after minutes of measuring, as far as the settings tell.

    Args:
        measures: those that are going to be reported; () where the truth decides.
        cold, memory: whether fresh processes are going to be timed, and weighed.

    Raises:
        UsageError: with the option that has it measured.
    """
    for requirement in requirements:
        name = requirement.name
        refuse_cost(name, f'"{display_path(requirement.text)}"', cold, memory)
        if measures:
            _require_known(requirement, measures)


def refuse_cost(name: str, wanted_by: str, cold: bool, memory: bool) -> None:
    """Raises UsageError for a cost that the settings leave out; the message begins with what wants it."""
    if (name.startswith("cold_") and not cold) or (name == "resident_mb" and not memory):
        raise UsageError(f"{wanted_by}: {name} is not measured", COSTS[name].remedy)


def judge(rows: Sequence[Row], requirements: Sequence[Requirement]) -> Verdict:
    """Which configurations meet the requirements.

    Raises:
        UsageError: an unknown name or pin, or something that was measured for none of the rows it is about.
    """
    if not rows:
        raise UsageError("there is nothing to hold requirements against", "evaluate at least one mode")
    measures = list(dict.fromkeys(name for row in rows for name in row.measures))
    configurations: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        configurations.setdefault(same_configuration(row), []).append(row)
    failures: dict[tuple[str, str], list[Failure]] = {key: [] for key in configurations}
    free = dict.fromkeys(configurations, True)
    pinned = True
    for requirement in requirements:
        _require_known(requirement, measures)
        about = _rows_about(rows, requirement)
        _require_measured(rows, about, requirement)
        asked_of = {same_configuration(row) for row in about}
        is_pinned = _names_a_configuration(rows, requirement.pin)
        for key in configurations:
            if is_pinned and key not in asked_of:
                continue
            failed = _failures(rows, about, key, requirement)
            failures[key] += failed
            if failed and is_pinned:
                pinned = False
            elif failed:
                free[key] = False
    return Verdict(
        met=any(free.values()) and pinned,
        requirements=tuple(requirement.text for requirement in requirements),
        configurations=tuple(
            Configuration(*key, met=not failures[key], failures=tuple(failures[key])) for key in configurations
        ),
    )


def _is_measure(name: str) -> bool:
    return not (name in COSTS or ANN_RECALL.fullmatch(name) or MACRO.fullmatch(name))


def _canonical(measure: str, shown: str) -> str:
    """The measure's name as reports have it: "map" is "mAP"."""
    from cmrcli.evaluation.measures import DEFINITIONS
    from cmrcli.evaluation.measures import parse as parse_measure

    try:
        return parse_measure(measure).name
    except UsageError as error:
        names = [*DEFINITIONS, *COSTS, "ann_recall@k", "macro(success@1)"]
        close = difflib.get_close_matches(re.sub(r"@[0-9]+$", "@k", measure), names, 1)
        remedy = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f'"{shown}": {error}', remedy + "there is: " + ", ".join(names)) from None


def _require_known(requirement: Requirement, measures: Sequence[str]) -> None:
    inner = MACRO.fullmatch(requirement.name)
    name = inner[1] if inner else requirement.name
    if name not in measures and _is_measure(name):
        message = f'"{display_path(requirement.text)}": {name} was not measured'
        raise UsageError(message, f"add it to --measures; there is: {', '.join([*measures, *COSTS])}")


def _pins(row: Row) -> tuple[str, ...]:
    """The names that a requirement may pin the row by."""
    return row.mode, row.system, f"{row.system} {row.mode}", row.name


def _names_a_configuration(rows: Sequence[Row], pin: str) -> bool:
    return bool(pin) and any(pin in _pins(row) for row in rows)


def _rows_about(rows: Sequence[Row], requirement: Requirement) -> list[Row]:
    pin = requirement.pin
    if not pin:
        return list(rows)
    about = [row for row in rows if pin in _pins(row)] or [row for row in rows if row.part == pin]
    if not about:
        names = dict.fromkeys(name for row in rows for name in (row.mode, row.system, row.part) if name)
        raise UsageError(
            f'"{display_path(requirement.text)}": {display_path(pin)} was not evaluated',
            "there is: " + ", ".join(map(display_path, names)),
        )
    return about


def _require_measured(rows: Sequence[Row], about: Sequence[Row], requirement: Requirement) -> None:
    """Raise where no configuration could ever meet the requirement because its figure is missing."""
    name, text = requirement.name, display_path(requirement.text)
    if is_cost(name):
        if all(value_of(row, name) is None for row in about):
            raise UsageError(f'"{text}": {name} was not measured', COSTS[name].remedy)
        return
    for part in dict.fromkeys(row.part for row in about):
        of_part = [row for row in about if row.part == part]
        if all(value_of(row, name, rows) is None for row in of_part):
            where = f" for {display_path(part)}" if part else ""
            raise UsageError(f'"{text}": {name} was not measured{where}', _remedy(name, part))


def _remedy(name: str, part: str) -> str:
    if found := ANN_RECALL.fullmatch(name):
        return f"evaluate exact beside codes or graph, and ask for {found[1]} results or more (-k)"
    if MACRO.fullmatch(name):
        return "macro means need a truth with classes"
    if part:
        return "name a measure that every part reports, or the part: PART:NAME>=NUMBER"
    return "name a measure of the report"


def _failures(
    rows: Sequence[Row], about: Sequence[Row], key: tuple[str, str], requirement: Requirement
) -> list[Failure]:
    """Of one configuration, on each part that the requirement is about; a cost counts once, at its worst."""
    its_rows = {row.part: row for row in about if same_configuration(row) == key}
    name = requirement.name
    failed: list[Failure] = []
    for part in dict.fromkeys(row.part for row in about):
        value = value_of(its_rows[part], name, rows) if part in its_rows else None
        if value is None and is_cost(name) and any(value_of(row, name) is not None for row in its_rows.values()):
            continue  # measured with another part, and the same for all
        figure = getattr(value, requirement.end or "value") if isinstance(value, Interval) else value
        if figure is None or not _OPERATORS[requirement.op](figure, requirement.bound):
            failed.append(_failure(requirement, "" if is_cost(name) else part, figure))
    if is_cost(name) and failed:
        return [max(failed, key=lambda failure: failure.short_by or 0.0)]
    return failed


def _failure(requirement: Requirement, part: str, value: float | None) -> Failure:
    name = requirement.name + (f".{requirement.end}" if requirement.end else "")
    before = f"{part}: {name}" if part else name
    if value is None:
        return Failure(requirement.text, part, None, None, f"{before} was not measured")
    short_by = abs(value - requirement.bound)
    sign = "<" if value < requirement.bound else ">" if value > requirement.bound else "="
    text = f"{before} {_number(value)} {sign} {_number(requirement.bound)}"
    # A strict bound that is just met fails by nothing.
    return Failure(requirement.text, part, value, short_by, text + (f" by {_number(short_by)}" if short_by else ""))


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "") if abs(value) >= 1_000 else f"{value:.4g}"

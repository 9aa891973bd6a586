"""The cheapest configuration that is good enough, and what accuracy costs: recommendation and Pareto front.

Order of cheapness. `bytes` (the default: what an index needs of disk, and of memory once it is warm, grows with every
item, and decides which machine will do): bytes read per item, then p95 of the latency, then peak memory. `time`: p95
latency, bytes, memory. `memory`: peak memory, bytes, latency. Latency and memory are compared to two significant
digits, because the rest is noise of the measurement; of equally cheap ones the more accurate wins, then the one that
the report has first. A configuration costs what it costs on its most expensive part.

Without requirements, good enough is what is not measurably worse than the most accurate configuration: the paired 95 %
bootstrap interval of the main measure's difference to it reaches 0 on every part.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cmrcli.errors import UsageError
from cmrcli.evaluation.report import Interval, Row
from cmrcli.evaluation.verdicts.require import Verdict
from cmrcli.evaluation.verdicts.resample import difference
from cmrcli.evaluation.verdicts.values import (
    COSTS,
    configuration_name,
    higher_is_better,
    same_configuration,
    value_of,
)

# Order of cheapness -> costs, the dominant one first.
ORDER = {
    "bytes": ("bytes_per_item", "p95_ms", "resident_mb"),
    "time": ("p95_ms", "bytes_per_item", "resident_mb"),
    "memory": ("resident_mb", "bytes_per_item", "p95_ms"),
}
CHEAPEST = tuple(ORDER)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to use.

    Attributes:
        system, mode: the configuration.
        command: that sets it; "" where cmrcli has none (another system's run).
        reason: why this one, in one line.
        costs: name -> value, in the order of cheapness, as far as measured.
        left_out: configurations that are good enough, but whose dominant cost was not measured.
    """

    system: str
    mode: str
    command: str
    reason: str
    costs: dict[str, float]
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Fields by their names."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """A row as accuracy against cost; `front`: no row of its part is as good in both and better in one."""

    row: Row
    accuracy: Interval
    cost: float
    front: bool


def recommend(
    rows: Sequence[Row],
    verdict: Verdict | None = None,
    cheapest: str = "bytes",
    *,
    main: str = "",
    seed: int = 0,
    index: str | os.PathLike[str] | None = None,
    encoder: str | os.PathLike[str] = "",
) -> Recommendation | None:
    """The cheapest configuration that meets all requirements of the verdict; None when none does.

    Args:
        verdict: of the same rows; None, or one without requirements, takes those not measurably worse than the best.
        cheapest: one of CHEAPEST.
        main: the measure that counts most; the first of the rows when left out.
        index: folder for the command; None for the default index.
        encoder: for the command; "" for the index's own.

    Raises:
        UsageError: the dominant cost was measured for no configuration that is good enough, or `cheapest` is unknown.
    """
    if cheapest not in CHEAPEST:
        raise UsageError(f"there is no order of cheapness {cheapest!r}", "choose one of " + ", ".join(CHEAPEST))
    main = main or _main_of(rows)
    configurations: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        configurations.setdefault(same_configuration(row), []).append(row)
    if verdict is not None and verdict.requirements:
        good = [(one.system, one.mode) for one in verdict.configurations if one.met]
        why = "meets " + ", ".join(verdict.requirements)
    else:
        best = max(configurations, key=lambda key: _accuracy(configurations[key], main))
        good = [
            key for key, its_rows in configurations.items() if not _worse(its_rows, configurations[best], main, seed)
        ]
        why = f"{main} is not measurably worse than that of {configuration_name(best)}, the most accurate"
    if not good:
        return None
    order = ORDER[cheapest]
    costs = {key: {name: _worst(configurations[key], name) for name in order} for key in good}
    ranked = [key for key in good if costs[key][order[0]] is not None]
    if not ranked:
        raise UsageError(f"cannot tell what is cheapest: {order[0]} was not measured", COSTS[order[0]].remedy)
    chosen = min(
        ranked,
        key=lambda key: (
            *(_comparable(name, costs[key][name]) for name in order),
            -_accuracy(configurations[key], main),
        ),
    )
    system, mode = chosen
    known = {name: value for name, value in costs[chosen].items() if value is not None}
    return Recommendation(
        system=system,
        mode=mode,
        command=_command(system, mode, index, encoder),
        reason=f"{why}; of {len(ranked)} such the cheapest by {order[0]}, then {order[1]}, then {order[2]}",
        costs=known,
        left_out=tuple(configuration_name(key) for key in good if key not in ranked),
    )


def pareto(rows: Sequence[Row], cost: str, main: str = "") -> list[ParetoPoint]:
    """Rows as points of accuracy against cost, cheapest first within each part; rows without the cost are left out.

    Args:
        cost: a name of values.COSTS.
        main: the measure; the first of each row when left out.

    Raises:
        UsageError: an unknown cost, or one that was measured for no row.
    """
    if cost not in COSTS:
        raise UsageError(f"there is no cost {cost}", "choose one of " + ", ".join(COSTS))
    points: list[tuple[Row, Interval, float]] = []
    for row in rows:
        value, accuracy = COSTS[cost].read(row.cost), row.measures.get(main or _main_of([row]))
        if value is not None and accuracy is not None:
            points.append((row, accuracy, value))
    if not points:
        raise UsageError(f"{cost} was not measured", COSTS[cost].remedy)
    sign = -1.0 if COSTS[cost].higher_is_better else 1.0
    parts = list(dict.fromkeys(row.part for row, _, _ in points))
    return [
        ParetoPoint(
            row, accuracy, value, not any(_dominates(other, (row, accuracy, value), sign, main) for other in points)
        )
        for row, accuracy, value in sorted(points, key=lambda one: (parts.index(one[0].part), sign * one[2]))
    ]


def _dominates(other: tuple[Row, Interval, float], one: tuple[Row, Interval, float], sign: float, main: str) -> bool:
    if other[0].part != one[0].part:
        return False
    up = 1.0 if higher_is_better(main or _main_of([one[0]])) else -1.0
    better, cheaper = up * (other[1].value - one[1].value), sign * (one[2] - other[2])
    return better >= 0 and cheaper >= 0 and (better > 0 or cheaper > 0)


def _main_of(rows: Sequence[Row]) -> str:
    name = next((name for row in rows for name in row.measures), "")
    if not name:
        raise UsageError("there is no measure to choose by", "evaluate at least one mode")
    return name


def _accuracy(rows: Sequence[Row], main: str) -> float:
    """Mean of the main measure over the parts, higher is better; each part's own first measure where it lacks it."""
    values = []
    for row in rows:
        name = main if main in row.measures else _main_of([row])
        values.append(row.measures[name].value * (1 if higher_is_better(name) else -1))
    return float(np.mean(values))


def _worse(rows: Sequence[Row], best: Sequence[Row], main: str, seed: int) -> bool:
    """Whether the rows lie measurably below those of the best on some part."""
    by_part = {row.part: row for row in best}
    for row in rows:
        other = by_part.get(row.part)
        if other is None or other is row:
            continue
        name = main if main in row.measures else _main_of([row])
        ids = [query for query in row.per_query if query in other.per_query]
        if not ids:  # kept without queries: the intervals themselves must do
            below = row.measures[name].high < other.measures[name].low
            above = row.measures[name].low > other.measures[name].high
        else:
            mine = np.array([row.per_query[query][name] for query in ids])
            theirs = np.array([other.per_query[query][name] for query in ids])
            change = difference(name, theirs, mine, seed)
            below, above = change.high < 0, change.low > 0
        if below if higher_is_better(name) else above:
            return True
    return False


def _worst(rows: Sequence[Row], name: str) -> float | None:
    values = [float(value) for row in rows if isinstance(value := value_of(row, name), int | float)]
    return max(values) if values else None


def _comparable(name: str, value: float | None) -> float:
    if value is None:
        return float("inf")
    return value if name == "bytes_per_item" else float(f"{value:.1e}")


def _command(system: str, mode: str, index: str | os.PathLike[str] | None, encoder: str | os.PathLike[str]) -> str:
    if system != "index":
        return ""
    where = f" --index {shlex.quote(os.fspath(index))}" if index is not None else ""
    where += f" --encoder {shlex.quote(os.fspath(encoder))}" if encoder else ""
    return f"cmrcli search --mode {mode}{where} QUERY"

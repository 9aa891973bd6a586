"""What of a row a name means: measures of the report, and costs with their units and what measures them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cmrcli.evaluation.report import Cost, Interval, Latency, Resident, Row

MB = 1_000_000
ANN_RECALL = re.compile(r"ann_recall@([1-9][0-9]*)")
MACRO = re.compile(r"macro\((.+)\)")


@dataclass(frozen=True, slots=True)
class CostName:
    """One figure of `Cost`.

    Attributes:
        read: its value; None where it was not measured.
        label: for an axis or a table head, with the unit.
        remedy: what has it measured.
        higher_is_better: true of throughput only.
    """

    read: Callable[[Cost], float | None]
    label: str
    remedy: str
    higher_is_better: bool = False


def _warm(read: Callable[[Latency], float]) -> Callable[[Cost], float | None]:
    return lambda cost: None if cost.warm is None else read(cost.warm)


def _cold(read: Callable[[Latency], float]) -> Callable[[Cost], float | None]:
    return lambda cost: None if cost.cold is None else read(cost.cold)


def _resident(read: Callable[[Resident], float]) -> Callable[[Cost], float | None]:
    return lambda cost: None if cost.resident is None else read(cost.resident)


_TIMED = "evaluate an index or an encoder here; a run file brings no times"
_COLD = "evaluate an index, and leave --no-cold out"

COSTS: dict[str, CostName] = {
    "p50_ms": CostName(_warm(lambda warm: warm.p50_ms), "p50 ms", _TIMED),
    "p95_ms": CostName(_warm(lambda warm: warm.p95_ms), "p95 ms", _TIMED),
    "p99_ms": CostName(_warm(lambda warm: warm.p99_ms), "p99 ms", _TIMED),
    "cold_p50_ms": CostName(_cold(lambda cold: cold.p50_ms), "cold p50 ms", _COLD),
    "cold_p95_ms": CostName(_cold(lambda cold: cold.p95_ms), "cold p95 ms", _COLD),
    "queries_per_s": CostName(_warm(lambda warm: warm.queries_per_s), "queries/s", _TIMED, True),
    "bytes_per_item": CostName(
        lambda cost: cost.bytes_per_item, "bytes per item", "evaluate an index; a run file has no size"
    ),
    "resident_mb": CostName(
        _resident(lambda resident: resident.peak_bytes / MB),
        "peak memory MB",
        "evaluate an index, and leave --no-memory out",
    ),
    "build_s": CostName(lambda cost: cost.build_s, "build s", "evaluate an index whose codes or graph can be built"),
}


def is_cost(name: str) -> bool:
    """Whether the name is a property of a mode, the same whatever part of the truth is asked."""
    return name in COSTS


def higher_is_better(name: str) -> bool:
    """Whether more of it is better: of all measures but ranks, and of no cost but throughput."""
    cost = COSTS.get(name)
    return cost.higher_is_better if cost is not None else not is_rank(name)


def is_rank(measure: str) -> bool:
    """Whether the measure is a rank: lower is better, and the report has the median of the queries, not their mean."""
    return measure.lower().startswith("median")


def value_of(row: Row, name: str, rows: Sequence[Row] = ()) -> Interval | float | None:
    """What the row has under a name; None where it has nothing.

    Args:
        rows: all rows of the report: the exact mode finds all that it finds itself, where others were held
            against it.
    """
    cost = COSTS.get(name)
    if cost is not None:
        return cost.read(row.cost)
    if found := ANN_RECALL.fullmatch(name):
        depth = int(found[1])
        if row.ann_recall is not None:
            return row.ann_recall.get(depth)
        others = [other for other in rows if (other.part, other.system) == (row.part, row.system)]
        compared = any(other.ann_recall is not None and depth in other.ann_recall for other in others)
        return 1.0 if row.mode == "exact" and compared else None
    if found := MACRO.fullmatch(name):
        return row.macro.get(found[1])
    return row.measures.get(name)


def same_configuration(row: Row) -> tuple[str, str]:
    """What rows of several parts have in common when one system answered them in one mode."""
    return row.system, row.mode


def configuration_name(key: tuple[str, str]) -> str:
    """As `Row.name` has it, without the part."""
    system, mode = key
    return mode if system == "index" else f"{system} {mode}".strip()

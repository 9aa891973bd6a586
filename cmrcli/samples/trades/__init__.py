"""The part families, one file a branch of the trade; `FAMILIES` maps names to them in a fixed order."""

from cmrcli.samples.design import Family
from cmrcli.samples.trades import (
    bearings,
    circuits,
    drives,
    electrical,
    fasteners,
    flanges,
    floor_plans,
    gears,
    handling,
    pipes,
    plates,
    processes,
    screws,
    sections,
    springs,
    turned,
    valves,
)

_BRANCHES = (
    flanges,
    turned,
    drives,
    gears,
    screws,
    fasteners,
    springs,
    pipes,
    valves,
    plates,
    sections,
    electrical,
    bearings,
    handling,
    floor_plans,
    circuits,
    processes,
)

FAMILIES: dict[str, Family] = {f.name: f for branch in _BRANCHES for f in branch.FAMILIES}

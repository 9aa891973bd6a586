"""How long each way to the nearest fragments will take: sums of what its steps cost, for the planner.

The sums leave out what does not depend on the way: making the query's vector, words, files of results. They assume
that codes, vectors and graph files are in the page cache.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from cmrcli.searching.costs import Costs


@dataclass(frozen=True, slots=True)
class GraphFile:
    """One graph of an index, as far as it is known without loading it.

    Attributes:
        rows: the dead included.
        bytes_to_load: 0 for one that is in memory.
        ef: as chosen at build.
        query_us: as measured at build; None in graphs of early versions.
    """

    rows: int
    bytes_to_load: int
    ef: int
    query_us: float | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What there is to search.

    Attributes:
        living: fragments.
        rows: of all segments, the dead included.
        segments: how many.
        dim: of a vector.
        bits: of a code; 0 while there are none.
        codes_only: the vectors were dropped.
        graphs: of the segments that have one.
    """

    living: int
    rows: int
    segments: int
    dim: int
    bits: int
    codes_only: bool = False
    graphs: tuple[GraphFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Depths:
    """How many fragments are wanted, and on the way to them ordered by codes and rescored."""

    wanted: int
    candidates: int
    rescored: int


def estimates_us(held: Held, depths: Depths, passing: int | None, queries: int, costs: Costs) -> dict[str, float]:
    """Microseconds a query, for each way that can answer it: "exact", "codes", "graph".

    Args:
        passing: fragments that pass the filters; None without filters, with which no graph is asked.
        queries: that share what has to be loaded.
    """
    found: dict[str, float] = {}
    if not held.codes_only:
        found["exact"] = _exact(held, passing, costs)
    if held.bits:
        found["codes"] = _codes(held, held.rows, held.segments, depths, passing, costs)
    if held.graphs and passing is None and not held.codes_only:
        found["graph"] = _graph(held, depths, queries, costs)
    return found


def _exact(held: Held, passing: int | None, costs: Costs) -> float:
    if passing is None:
        work_ns = costs.exact_ns * held.living * held.dim
    else:
        work_ns = costs.picked_ns * passing * held.dim + _mask_ns(held.rows)
    return work_ns / 1e3 + costs.step_us * held.segments


def _codes(held: Held, rows: int, segments: int, depths: Depths, passing: int | None, costs: Costs) -> float:
    ordered = min(depths.candidates, rows if passing is None else passing)
    rescored = 0 if held.codes_only else min(depths.rescored, ordered)
    work_ns = costs.scan_ns * rows * math.ceil(held.bits / 64)
    work_ns += costs.order_ns * ordered * held.bits + costs.picked_ns * rescored * held.dim
    if passing is not None:
        work_ns += _mask_ns(rows)
    return work_ns / 1e3 + costs.step_us * segments


def _graph(held: Held, depths: Depths, queries: int, costs: Costs) -> float:
    took = 0.0
    for graph in held.graphs:
        loading = graph.bytes_to_load * costs.load_ns / 1e3 / max(1, queries)
        deeper = max(graph.ef, depths.wanted)
        if graph.query_us is None:
            asking = costs.graph_ns * held.dim * deeper * math.log2(max(2, graph.rows)) / 1e3
        else:
            asking = graph.query_us * deeper / max(1, graph.ef)
        took += loading + asking + costs.step_us
    rows = held.rows - sum(graph.rows for graph in held.graphs)
    segments = held.segments - len(held.graphs)
    return took + (_codes(held, rows, segments, depths, None, costs) if segments > 0 and held.bits else 0.0)


def _mask_ns(rows: int) -> float:
    """Looking up which rows pass: a binary search each, the same whatever is done with them."""
    return 40.0 * rows

"""What a mode costs: time warm and cold, memory, bytes, and the time to build what it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.errors import CmrcliError
from cmrcli.evaluation.report import Cost

if TYPE_CHECKING:
    from cmrcli.searching import Index
    from cmrcli.store import Filter, IndexStatistics


def measure_cost(
    index: Index,
    mode: str,
    lines: Sequence[str],
    k: int = 10,
    repeats: int = 3,
    *,
    encoder: str | Path | None = None,
    threads: int = 0,
    cold: bool = True,
    memory: bool = True,
    build: bool = True,
    filter: Filter | None = None,
    held: IndexStatistics | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Cost, tuple[str, ...]]:
    """The cost of one mode of an open index, and notes: what failed, and what was scaled.

    Warm latency is measured here; cold latency and memory in fresh processes, whose failure is a note and ends nothing.

    Args:
        lines: queries as a batch takes them; examples must be there still.
        encoder, threads: what the index was opened with, for those processes.
        cold, memory, build: whether to measure these too; they take seconds a mode.
        filter: of the evaluated searches; the fresh processes search without it.
        held: the index's statistics, where they have been counted already.

    Raises:
        UsageError, CmrcliError: see `latency.warm`.
    """
    from cmrcli.evaluation.costs import latency, resident
    from cmrcli.evaluation.costs.build import build_seconds
    from cmrcli.evaluation.costs.disk import bytes_read_by

    held = held or index.reader.statistics()
    notes: list[str] = []
    build_s = None
    if build:
        build_s, told = build_seconds(index, mode)
        notes += told
    warm = latency.warm(index, mode, k, lines, repeats, filter, progress)
    started = None
    if cold:
        started, told = latency.cold(index.folder, mode, k, lines, encoder, threads)
        notes += told
    taken = None
    if memory and lines:
        try:
            taken = resident.measure(index.folder, encoder, threads, mode, k, lines)
        except CmrcliError as error:
            notes.append(str(error))
    cost = Cost(
        warm=warm,
        cold=started,
        bytes_per_item=bytes_read_by(mode, held.bytes_by_part) / max(held.items, 1),
        resident=taken,
        build_s=build_s,
    )
    return cost, tuple(notes)

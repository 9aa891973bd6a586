"""What the store tells of itself: counts, runs, maintenance, findings of a check."""

from __future__ import annotations

from dataclasses import dataclass

from cmrcli.store.records import EncoderIdentity, Root


@dataclass(frozen=True, slots=True)
class RootStatistics:
    """Files below one root: all that the catalog knows, and those that could not be read."""

    root: Root
    files: int
    failed: int


@dataclass(slots=True)
class IndexStatistics:
    """What an index holds, counted at one moment."""

    roots: list[RootStatistics]
    files: int
    contents: int
    items: int
    fragments: int
    by_kind: dict[str, int]
    by_format: dict[str, int]
    failed_by_cause: dict[str, int]
    vectors: str | None  # f16 or i8, what they are kept as; None: codes alone are kept
    bytes_by_part: dict[str, int]  # catalog, vectors, codes, rows, graphs, other
    segments: int
    dead_rows: int
    generation: int
    encoder: EncoderIdentity
    tiles_current: bool = True  # False: made by an earlier version, whose items have fewer sorts of tiles


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One line of the run journal, which is the audit log of everything that wrote."""

    id: int
    started_ns: int  # since 1970, UTC
    ended_ns: int | None  # None: still going on, or killed
    user: str
    arguments: str
    summary: dict[str, object]


@dataclass(slots=True)
class MaintenanceReport:
    """What one call of maintain() did."""

    segments_before: int = 0
    segments_after: int = 0
    rows_dropped: int = 0
    leftovers_removed: int = 0
    graphs_built: int = 0
    codes_refitted: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that check() found. `severity` is error (data is wrong or gone) or note (harmless)."""

    severity: str
    path: str  # relative to the index, "" for the index itself
    message: str
    remedy: str = ""

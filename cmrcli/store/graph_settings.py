"""Whether an index has graphs and how good they must be, kept with it so that every later run does the same."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal, get_args

from cmrcli.errors import UsageError
from cmrcli.store.graph_sidecar import TARGET_RECALL

GraphMode = Literal["auto", "always", "never"]
GRAPH_MODES: tuple[GraphMode, ...] = get_args(GraphMode)
AUTO_ROWS = 20_000  # smaller segments are scanned sooner than a graph is loaded and asked
LEAST_RECALL, MOST_RECALL = 0.5, 0.999


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """What the user wants of graphs.

    Attributes:
        mode: auto: of segments with at least AUTO_ROWS rows; always: of every one; never: of none.
        target_recall: ANN recall@10 that their `ef` is chosen for.
    """

    mode: GraphMode = "auto"
    target_recall: float = TARGET_RECALL

    @property
    def from_rows(self) -> int | None:
        """Rows from which a segment gets a graph; None: none does."""
        return {"auto": AUTO_ROWS, "always": 1, "never": None}[self.mode]


def stored(connection: sqlite3.Connection) -> GraphSettings:
    """The settings of the index; the defaults where it has none, or none that make sense."""
    meta = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('graph', 'graph_recall')"))
    mode = next((mode for mode in GRAPH_MODES if mode == meta.get("graph")), GRAPH_MODES[0])
    try:
        recall = float(meta.get("graph_recall", TARGET_RECALL))
    except ValueError:
        recall = TARGET_RECALL
    return GraphSettings(mode, recall if LEAST_RECALL <= recall <= MOST_RECALL else TARGET_RECALL)


def put(connection: sqlite3.Connection, mode: GraphMode | None, target_recall: float | None) -> None:
    """Keep what is not None, within the caller's transaction.

    Raises:
        UsageError: no such mode, or a recall that no graph is asked for.
    """
    if mode is not None:
        if mode not in GRAPH_MODES:
            raise UsageError(f"no graph mode {mode!r}", "modes: " + ", ".join(GRAPH_MODES))
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('graph', ?)", (mode,))
    if target_recall is not None:
        if not LEAST_RECALL <= target_recall <= MOST_RECALL:
            raise UsageError(
                f"a graph of recall {target_recall:g} is not built", f"ask for {LEAST_RECALL:g} to {MOST_RECALL:g}"
            )
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('graph_recall', ?)", (repr(target_recall),))

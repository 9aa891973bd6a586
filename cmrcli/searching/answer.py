"""What a search gives back: results, and what was done to find them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cmrcli.searching.plan import Plan
    from cmrcli.searching.results import Result


@dataclass(slots=True)
class Explanation:
    """What a search did, for `--explain`.

    Attributes:
        stages: (stage, milliseconds, how many) in order.
        costs_measured: the plan's estimates are by costs that were measured on this machine, not by the defaults.
        others: (words of the query, the other names that were looked for besides).
    """

    plan: Plan | None = None
    costs_measured: bool = False
    stages: list[tuple[str, float, int]] = field(default_factory=list)
    others: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def stage(self, name: str, started: float, count: int) -> None:
        self.stages.append((name, (time.perf_counter() - started) * 1000, count))


def tell_all(explanations: Sequence[Explanation], stage: str, started: float, count: int) -> None:
    """One stage of several queries at once: each gets its share of the milliseconds."""
    milliseconds = (time.perf_counter() - started) * 1000 / max(1, len(explanations))
    for explanation in explanations:
        explanation.stages.append((stage, milliseconds, count))


@dataclass(slots=True)
class Answer:
    """Results of one query, best first, and what the caller should know of it.

    Attributes:
        hidden: items that would have been shown if their file could be read now by this user.
        doubted: nothing is shown although something is near: the query is a part number that no words have.
    """

    results: list[Result]
    hidden: int
    explanation: Explanation
    doubted: bool = False

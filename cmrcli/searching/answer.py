"""What a search gives back: results, and what was done to find them."""

from __future__ import annotations

import time
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
        others: (words of the query, the other names that were looked for besides).
    """

    plan: Plan | None = None
    stages: list[tuple[str, float, int]] = field(default_factory=list)
    others: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def stage(self, name: str, started: float, count: int) -> None:
        self.stages.append((name, (time.perf_counter() - started) * 1000, count))


@dataclass(slots=True)
class Answer:
    """Results of one query, best first, and what the caller should know of it.

    `hidden` counts items that would have been shown if their file could be read now by this user.
    """

    results: list[Result]
    hidden: int
    explanation: Explanation

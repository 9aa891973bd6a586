"""How to evaluate and what to ask, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """How to evaluate, beside what.

    Attributes:
        modes: () for those that suit each system.
        measures: () for what each part's literature reports, or else the usual ones; the first counts most.
        k: results asked for a query.
        repeats: timed searches of each query, after one that warms up and gives the results.
        cold, memory: also measure fresh processes, which takes seconds a mode.
        by: breakdowns of the balance report; () for all that topics and documents have.
        through: who is asked where a truth brings its own gallery: "index", "encoder", or "auto": the index if all
            of the gallery's folder lies in it.
    """

    modes: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    k: int = 100
    repeats: int = 3
    seed: int = 0
    cold: bool = True
    memory: bool = True
    by: tuple[str, ...] = ()
    through: str = "auto"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked: an index, an encoder, run files, or several of them.

    Attributes:
        index: folder of the index; None where there is none.
        encoder: folder or name of an encoder; None for the index's own, or the bundled one.
        runs: files with other systems' runs. With runs and no modes asked for, nothing else is asked.
    """

    index: Path | None = None
    encoder: str | Path | None = None
    threads: int = 0
    runs: tuple[Path, ...] = ()

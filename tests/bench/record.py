"""What a benchmark leaves behind: a table on the terminal and one line in .bench/results.jsonl."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cmrcli.evaluation.costs.environment import cores, cpu_name, started_utc, versions
from tests.bench.measure import CACHE

RESULTS = CACHE / "results.jsonl"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `at_most` or `at_least` is its target; a figure without one is there for information."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"


@dataclass(slots=True)
class Record:
    """One run of one benchmark.

    Attributes:
        command: what was measured, as one would type it.
        samples: name -> percentiles of the repeated measurements behind the figures, in seconds unless named.
        details: anything else worth keeping, JSON-ready.
    """

    benchmark: str
    command: str
    seed: int
    figures: list[Figure] = field(default_factory=list)
    samples: dict[str, Mapping[str, float]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "benchmark": self.benchmark,
            "finished": started_utc(),
            "command": self.command,
            "seed": self.seed,
            "figures": [
                {"name": f.name, "value": f.value, "unit": f.unit, "target": f.target, "met": f.met}
                for f in self.figures
            ],
            "samples": {name: dict(values) for name, values in self.samples.items()},
            "details": self.details,
            "machine": machine(),
            "versions": versions(),
        }

    def show(self) -> None:
        """Prints the figures, targets first, then the measurements behind them."""
        print(f"\n{self.benchmark}   {self.command}")
        for figure in sorted(self.figures, key=lambda one: one.met is None):
            verdict = {True: "reached", False: "MISSED", None: ""}[figure.met]
            print(f"  {figure.name:<58} {shown(figure.value):>10} {figure.unit:<8} {figure.target:<9} {verdict}")
        for name, values in self.samples.items():
            spread = "  ".join(f"{key} {shown(value)}" for key, value in values.items())
            print(f"    {name:<56} {spread}")

    def keep(self) -> None:
        """Appends the run to the results."""
        RESULTS.parent.mkdir(exist_ok=True)
        with open(RESULTS, "a", encoding="utf-8") as file:
            file.write(json.dumps(self.to_json(), ensure_ascii=False) + "\n")


def machine() -> dict[str, Any]:
    """Processor, cores, memory, and how busy the machine was: ratios bear noise, absolute times do not."""
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu_name(),
        "cores": cores(),
        "ram_gib": round(pages * page_bytes / 2**30, 1),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def shown(value: float) -> str:
    """Three digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def report() -> str:
    """A Markdown table of the newest run of every benchmark in the results."""
    newest: dict[str, dict[str, Any]] = {}
    if RESULTS.exists():
        for line in RESULTS.read_text("utf-8").splitlines():
            run = json.loads(line)
            newest[run["benchmark"]] = run
    lines = ["| benchmark | figure | value | target | |", "|---|---|---:|---|---|"]
    for name, run in sorted(newest.items()):
        for figure in run["figures"]:
            verdict = {True: "reached", False: "**missed**", None: ""}[figure["met"]]
            value = f"{shown(figure['value'])} {figure['unit']}".strip()
            lines.append(f"| {name} | {figure['name']} | {value} | {figure['target']} | {verdict} |")
    for name, run in sorted(newest.items()):
        where = run["machine"]
        lines.append(
            f"\n{name}: `{run['command']}`, seed {run['seed']}, {run['finished']}, {where['cpu']}, "
            f"{where['cores']} cores, {where['ram_gib']} GiB, load {where['load_1min']}"
        )
    return "\n".join(lines)

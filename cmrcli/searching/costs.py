"""What the steps of a search cost on this machine: measured once (measuring.py), kept in the user's cache folder.

The file, costs.json, is one JSON object: `format`, `machine` (what it was measured on: processor, cores, version of
NumPy) and `costs`. Missing, damaged, or of another machine, it counts for nothing and the defaults serve: costs choose
between ways to the same results, so a wrong one costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cmrcli.machine import cores, cpu_name
from cmrcli.places import user_cache

FILE = "costs.json"
FORMAT = 1
LONGEST_BYTES = 4_096  # of a file that we wrote
MOST = 1e6  # of any cost: what is above it was measured while the machine slept


@dataclass(frozen=True, slots=True)
class Costs:
    """Times of one thread; the defaults are those of one core of a server of 2023.

    Attributes:
        exact_ns: a component of a vector that is multiplied, rows one after another.
        picked_ns: a component of a vector that is picked among others: filtered, or rescored.
        scan_ns: a 64-bit word of a code in a Hamming scan.
        order_ns: a bit of a candidate's code, weighed with the float query.
        step_us: whatever else codes take in each segment, and the other ways at most.
        load_ns: a byte of a graph that is verified and loaded.
        graph_ns: a component of a query to a graph, times `ef`, times log2 of its rows.
    """

    exact_ns: float = 2.5
    picked_ns: float = 2.5
    scan_ns: float = 2.5
    order_ns: float = 0.5
    step_us: float = 100.0
    load_ns: float = 2.0
    graph_ns: float = 0.6


DEFAULTS = Costs()


def path() -> Path | None:
    """Where the costs are kept; None for a user without a home."""
    try:
        return user_cache() / FILE
    except (RuntimeError, OSError):
        return None


def kept() -> Costs | None:
    """What was measured on this machine; None where that is not known."""
    where = path()
    if where is None:
        return None
    try:
        with open(where, "rb") as file:
            document = json.loads(file.read(LONGEST_BYTES))
        if document["format"] != FORMAT or document["machine"] != _machine():
            return None
        costs = document["costs"]
        values = {field.name: costs[field.name] for field in fields(Costs)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not all(type(value) in (int, float) and math.isfinite(value) and 0 < value < MOST for value in values.values()):
        return None
    return Costs(**values)


def keep(costs: Costs) -> bool:
    """Writes them for the searches to come; False where that cannot be done, which is no reason to fail."""
    import tempfile  # not for reading: a one-shot search does only that

    where = path()
    if where is None:
        return False
    document = {"format": FORMAT, "machine": _machine(), "costs": asdict(costs)}
    beside = None
    try:
        os.makedirs(where.parent, mode=0o700, exist_ok=True)
        # A name of its own: two first runs may end at the same moment.
        descriptor, beside = tempfile.mkstemp(prefix=FILE, dir=where.parent)
        with open(descriptor, "w", encoding="ascii") as file:
            json.dump(document, file, indent=1)
        os.replace(beside, where)
    except OSError:
        if beside is not None:
            with contextlib.suppress(OSError):
                os.unlink(beside)
        return False
    return True


def measure_once() -> bool:
    """Measures and keeps the costs, unless this machine's are known or there is no place for them; whether it did."""
    where = path()
    if where is None or kept() is not None:
        return False
    try:
        os.makedirs(where.parent, mode=0o700, exist_ok=True)
    except OSError:
        return False
    from cmrcli.searching.measuring import measure

    return os.access(where.parent, os.W_OK) and keep(measure())


def _machine() -> dict[str, str | int]:
    import numpy as np

    return {"cpu": cpu_name(), "cores": cores(), "numpy": np.__version__}

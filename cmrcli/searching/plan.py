"""How a query is going to be answered: which candidates, how many, and whether the words are asked.

`auto` takes exact vectors while nobody notices their time, since nothing can be missed then; beyond that the way that
is going to be quickest, by the costs of this machine (costs.py). A graph must be loaded first: that counts for as many
queries as are known to come, or as have come already, which by these costs never takes more than twice the time of the
best choice in hindsight (the "ski rental" argument; Karlin, Manasse, Rudolph & Sleator 1988).

A graph over codes is not among the ways: hnswlib has no Hamming distance. FAISS's, over 20,000 codes, takes twice the
time of its flat scan for the 320 candidates that ten results are ordered from, misses 1.5 % of them, and its links take
2.7 times the bytes of the codes (`python -m tests.bench graph`). In larger indexes it may catch up with the scan; there
a graph over vectors answers without ordering and rescoring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from cmrcli.errors import UsageError
from cmrcli.searching.estimates import Depths, Held, estimates_us

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Oversampling
    from cmrcli.searching.costs import Costs

Mode = Literal["auto", "vectors", "exact", "codes", "hamming", "graph", "words"]
MODES: tuple[Mode, ...] = get_args(Mode)
Way = Literal["exact", "codes", "hamming", "graph"]

UNNOTICED_US = 8_000  # a query; about what making its vector takes, so that saving it would not be noticed
ORDERED_WITHOUT_VECTORS = 8_192  # codes alone: so many candidates are put in the order that codes tell
GRAPH_DEPTH = 4_096  # neighbours that a graph is asked for at most; deeper than that, codes are scanned
MAX_HIDDEN = 10_000  # items whose files cannot be read now, after which a search stops looking for more


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search does.

    Attributes:
        vectors: the way to the nearest fragments; None when vectors are not asked. "hamming" is codes alone, in the
            order of their distances.
        words: whether the lexical index is asked.
        depth: fragments wanted from the vectors, items wanted from the words, to begin with; a search that comes
            out short of results looks deeper.
        candidates: Hamming candidates, where codes are scanned.
        rescored: of these, the ones whose vectors are read.
        reason: one line for `--explain`.
        estimates_us: what each way that could answer is thought to take, microseconds a query.
    """

    vectors: Way | None
    words: bool
    depth: int
    candidates: int
    rescored: int
    reason: str
    estimates_us: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an index.

    Attributes:
        mode: one of MODES.
        k: results wanted.
        passing: fragments that pass the filters; None without filters.
        queries: still to come in this process, this one included, as far as anybody can tell.
        has_text: the query has words to look up.
        has_examples: the query has files to search by.
    """

    mode: str
    k: int
    passing: int | None = None
    queries: int = 1
    has_text: bool = True
    has_examples: bool = False


def depths_of(k: int, oversampling: Oversampling) -> Depths:
    """How deep a search for k results looks at first, by the codebook's oversampling."""
    wanted = min(max(50, 5 * k), GRAPH_DEPTH)
    return Depths(wanted, max(oversampling.hamming * k, 2 * wanted), max(oversampling.rescored * k, wanted))


def choose(asked: Asked, held: Held, oversampling: Oversampling, costs: Costs) -> Plan:
    """The plan for one query; the same for the same arguments.

    Args:
        oversampling: the codebook's.

    Raises:
        UsageError: no such mode, or one that cannot ask for a part of the query.
    """
    mode = asked.mode
    if mode not in MODES:
        raise UsageError(f"unknown mode {mode!r}", "modes: " + ", ".join(MODES))
    depths = depths_of(asked.k, oversampling)
    words = asked.has_text and mode in ("auto", "words")
    if mode == "words":
        _refuse_wordless(asked)
        return Plan(None, True, depths.wanted, 0, 0, "only words were asked for")
    if mode == "hamming":
        return Plan("hamming", words, depths.wanted, 0, 0, "the order of the codes was asked for")
    if held.codes_only:
        return _without_vectors(asked, held, depths, words)
    estimates = estimates_us(held, depths, asked.passing, asked.queries, costs)
    way, reason = _way(asked, held, depths, estimates)
    if way == "exact":
        return Plan(way, words, depths.wanted, 0, 0, reason, estimates)
    return Plan(way, words, depths.wanted, depths.candidates, depths.rescored, reason, estimates)


def _way(asked: Asked, held: Held, depths: Depths, estimates: Mapping[str, float]) -> tuple[Way, str]:
    """By the mode, or by the costs; and why."""
    counts = f"{depths.candidates} ordered, {depths.rescored} rescored"
    if asked.mode == "exact":
        return "exact", "every vector was asked for"
    if asked.mode == "codes":
        return "codes", f"codes were asked for: {counts}"
    if asked.mode == "graph":
        if asked.passing is not None:
            return "codes", "a filtered query scans: a graph cannot skip cheaply"
        if not held.graphs:
            return "codes", "no segment has a graph"
        return "graph", "the graph was asked for"
    alive = held.living if asked.passing is None else asked.passing
    if estimates["exact"] <= UNNOTICED_US or "codes" not in estimates:
        return "exact", f"{alive} fragments to look at: every vector is multiplied"
    quickest = min(estimates, key=lambda way: estimates[way])
    if quickest == "exact":
        return "exact", f"{alive} fragments to look at: nothing is quicker than every vector"
    if quickest == "graph":
        to_load = any(graph.bytes_to_load for graph in held.graphs)
        reason = f"reading the graphs pays for {asked.queries} queries" if to_load else "the graphs are in memory"
        return "graph", reason
    return "codes", f"{alive} fragments: codes are scanned, {counts}"


def _without_vectors(asked: Asked, held: Held, depths: Depths, words: bool) -> Plan:
    if asked.mode in ("exact", "graph"):
        raise UsageError(
            f"--mode {asked.mode} needs vectors, and this index keeps codes alone",
            "leave out --mode, or index the folders again into another --index",
        )
    alive = held.living if asked.passing is None else asked.passing
    candidates = max(depths.candidates, min(alive, ORDERED_WITHOUT_VECTORS))
    reason = f"codes alone are kept: {candidates} are ordered by them"
    return Plan("codes", words, depths.wanted, candidates, 0, reason)


def _refuse_wordless(asked: Asked) -> None:
    if not asked.has_text:
        raise UsageError(
            "--mode words needs words in the query", "give a text, or leave --mode out to search by example"
        )
    if asked.has_examples:
        raise UsageError("--mode words cannot search by example", "leave out --mode, or --like")

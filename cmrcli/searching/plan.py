"""How a query is going to be answered: which candidates, how many, and whether the words are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from cmrcli.errors import UsageError

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Oversampling

Mode = Literal["auto", "vectors", "exact", "codes", "hamming", "graph", "words"]
MODES: tuple[Mode, ...] = get_args(Mode)

EXACT_BELOW = 8_192  # fragments whose vectors are all multiplied in about 5 ms: no candidates can be missed then
GRAPH_FROM_QUERIES = 64  # queries in one process from which reading the graphs has paid
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
    """

    vectors: Literal["exact", "codes", "hamming", "graph"] | None
    words: bool
    depth: int
    candidates: int
    rescored: int
    reason: str


def choose(
    mode: str,
    k: int,
    rows: int,
    passing: int | None,
    queries_so_far: int,
    graphs: bool,
    has_text: bool,
    has_examples: bool,
    oversampling: Oversampling,
    codes_only: bool,
) -> Plan:
    """The plan for one query.

    Args:
        mode: one of MODES.
        k: results wanted.
        rows: living fragments in the index.
        passing: fragments that pass the filters; None without filters.
        queries_so_far: answered by this process before this one.
        graphs: some segment has a graph.
        has_text: the query has words to look up.
        has_examples: the query has files to search by.
        oversampling: the codebook's.
        codes_only: the index has no vectors.

    Raises:
        UsageError: no such mode, or one that cannot ask for a part of the query.
    """
    if mode not in MODES:
        raise UsageError(f"unknown mode {mode!r}", "modes: " + ", ".join(MODES))
    depth = min(max(50, 5 * k), GRAPH_DEPTH)
    candidates, rescored = max(oversampling.hamming * k, 2 * depth), max(oversampling.rescored * k, depth)
    words = has_text and mode in ("auto", "words")
    if mode == "words":
        if not has_text:
            raise UsageError(
                "--mode words needs words in the query", "give a text, or leave --mode out to search by example"
            )
        if has_examples:
            raise UsageError("--mode words cannot search by example", "leave out --mode, or --like")
        return Plan(None, True, depth, 0, 0, "only words were asked for")
    if mode == "hamming":
        return Plan("hamming", words, depth, 0, 0, "the order of the codes was asked for")
    alive = rows if passing is None else passing
    if codes_only:
        if mode in ("exact", "graph"):
            raise UsageError(
                f"--mode {mode} needs vectors, and this index keeps codes alone",
                "leave out --mode, or index the folders again into another --index",
            )
        candidates = max(candidates, min(alive, EXACT_BELOW))
        return Plan("codes", words, depth, candidates, 0, f"codes alone are kept: {candidates} are ordered by them")
    if mode == "exact":
        return Plan("exact", words, depth, 0, 0, "every vector was asked for")
    reason = f"{candidates} ordered, {rescored} rescored"
    if mode == "codes":
        return Plan("codes", words, depth, candidates, rescored, f"codes were asked for: {reason}")
    if mode == "graph":
        if passing is not None:
            reason = "a filtered query scans: a graph cannot skip cheaply"
            return Plan("codes", words, depth, candidates, rescored, reason)
        if not graphs:
            return Plan("codes", words, depth, candidates, rescored, "no segment is large enough for a graph")
        return Plan("graph", words, depth, candidates, rescored, "the graph was asked for")
    if alive <= EXACT_BELOW:
        return Plan("exact", words, depth, 0, 0, f"{alive} fragments to look at: every vector is multiplied")
    if graphs and passing is None and queries_so_far >= GRAPH_FROM_QUERIES:
        reason = f"{queries_so_far} queries answered: reading the graphs pays"
        return Plan("graph", words, depth, candidates, rescored, reason)
    return Plan("codes", words, depth, candidates, rescored, f"{alive} fragments: codes are scanned, {reason}")

"""Candidates: the fragments nearest to a query vector, by the way that the plan chose.

`codes` scans the packed codes (Hamming) for several candidates a fragment wanted, orders those by the float query
against their codes, and rescores the best with the stored vectors (Yamada et al. 2021, arXiv:2106.00882; the middle
step: codes/ordering.py), or answers with that order where codes alone were kept; `hamming` ranks by the distance and
reads nothing else; `exact` multiplies every vector. Graphs, and many queries at once: batches.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Codebook
    from cmrcli.store import Segment

BLOCK_ROWS = 8_192  # bounds the float32 copy of stored rows to 12 MiB at 384 dimensions


@dataclass(frozen=True, slots=True)
class Candidates:
    """For one query, nearest first: fragment ids (m,) int64 and similarities (m,) float32.

    Similarities are cosines; of `by_hamming` the share of equal bits, 0..1.
    """

    fragment_ids: NDArray[np.int64]
    similarities: NDArray[np.float32]
    scanned: int  # rows whose code or vector was looked at


@dataclass(frozen=True, slots=True)
class CodeDepths:
    """How many rows pass each step of a search by codes: candidates by Hamming distance, and those rescored."""

    hamming: int
    rescored: int


def alive_mask(segment: Segment, allowed: NDArray[np.int64] | None) -> NDArray[np.bool_] | None:
    """(rows,) True where a row lives and passes the filter; None when all do. `allowed` is sorted."""
    alive = None if segment.dead is None else ~segment.dead
    if allowed is None:
        return alive
    if len(allowed) == 0:
        return np.zeros(len(segment.rows), dtype=np.bool_)
    places = np.minimum(np.searchsorted(allowed, segment.rows), len(allowed) - 1)
    passing: NDArray[np.bool_] = allowed[places] == segment.rows
    return passing if alive is None else passing & alive


def by_exact(
    segments: Sequence[Segment], query: NDArray[np.float32], wanted: int, allowed: NDArray[np.int64] | None
) -> Candidates:
    """The `wanted` nearest of all living fragments. query: (dim,) float32, L2-normalised."""
    ids, similarities, scanned = [], [], 0
    for segment in segments:
        mask = alive_mask(segment, allowed)
        rows = np.arange(len(segment.rows)) if mask is None else np.flatnonzero(mask)
        scanned += len(rows)
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            scores = _similarities(segment, block, query, whole=mask is None)
            best = top_of(scores, wanted)
            ids.append(segment.rows[block[best]])
            similarities.append(scores[best])
    return merged(ids, similarities, wanted, scanned)


def by_codes(
    segments: Sequence[Segment],
    query: NDArray[np.float32],
    wanted: int,
    allowed: NDArray[np.int64] | None,
    codebook: Codebook,
    depths: CodeDepths,
    tell: Callable[[str, float, int], None] = lambda stage, started, count: None,
) -> Candidates:
    """Hamming candidates of every segment, the overall nearest ordered, and the best of these rescored.

    Distances and orders are comparable between segments because all carry codes of one codebook. Without vectors
    the similarities are those that the codes estimate. `tell` takes each step's name, start and number of rows.
    """
    from cmrcli.codes.hamming import nearest

    started = time.perf_counter()
    code = codebook.encode(query[None])[0]
    found: list[NearCodes] = []
    scanned = 0
    for number, segment in enumerate(segments):
        mask = alive_mask(segment, allowed)
        scanned += len(segment.rows)
        if len(segment.rows) and (mask is None or mask.any()):
            found.append(NearCodes(number, *nearest(code, segment.codes, depths.hamming, mask)))
    tell("hamming", started, scanned)
    return ordered_and_rescored(segments, found, query, wanted, codebook, depths, scanned, tell)


@dataclass(frozen=True, slots=True)
class NearCodes:
    """What a Hamming scan found in one segment: its number, rows (m,) intp and distances (m,) int64, nearest first."""

    segment: int
    rows: NDArray[np.intp]
    distances: NDArray[np.int64]


def ordered_and_rescored(
    segments: Sequence[Segment],
    found: Sequence[NearCodes],
    query: NDArray[np.float32],
    wanted: int,
    codebook: Codebook,
    depths: CodeDepths,
    scanned: int,
    tell: Callable[[str, float, int], None] = lambda stage, started, count: None,
) -> Candidates:
    """The steps of `by_codes` after the scan, for one query."""
    if not found:
        return merged([], [], wanted, scanned)
    cut = _distance_cut(np.concatenate([near.distances for near in found]), depths.hamming)
    near = [(segments[one.segment], np.sort(one.rows[one.distances <= cut])) for one in found]
    started = time.perf_counter()
    ordered = _ordered(near, query, codebook)
    tell("order", started, sum(map(len, ordered)))
    if any(segment.kept_vectors is None for segment, _ in near):
        return merged([segment.rows[rows] for segment, rows in near], ordered, wanted, scanned)
    started = time.perf_counter()
    bar = _bar(np.concatenate(ordered), max(depths.rescored, wanted))
    ids, similarities = [], []
    for (segment, rows), cosines in zip(near, ordered, strict=True):
        rows = rows[cosines >= bar]  # ascending still: the memory-mapped reads go one way
        ids.append(segment.rows[rows])
        similarities.append(_similarities(segment, rows, query, whole=False))
    tell("rescore", started, sum(map(len, ids)))
    return merged(ids, similarities, wanted, scanned)


def by_hamming(
    segments: Sequence[Segment],
    query: NDArray[np.float32],
    wanted: int,
    allowed: NDArray[np.int64] | None,
    codebook: Codebook,
) -> Candidates:
    """The `wanted` nearest by Hamming distance alone, ties by fragment; similarity is 1 - distance / bits."""
    from cmrcli.codes.hamming import nearest

    code = codebook.encode(query[None])[0]
    ids, similarities, scanned = [], [], 0
    for segment in segments:
        mask = alive_mask(segment, allowed)
        scanned += len(segment.rows)
        if len(segment.rows) and (mask is None or mask.any()):
            rows, distances = nearest(code, segment.codes, wanted, mask)
            ids.append(segment.rows[rows])
            similarities.append((1.0 - distances / codebook.bits).astype(np.float32))
    return merged(ids, similarities, wanted, scanned)


def _similarities(
    segment: Segment, rows: NDArray[np.intp], query: NDArray[np.float32], whole: bool
) -> NDArray[np.float32]:
    return segment.vectors.products(slice(rows[0], rows[-1] + 1) if whole and len(rows) else rows, query)


def floats_of(segment: Segment, rows: NDArray[np.intp], whole: bool) -> NDArray[np.float32]:
    """(m, dim) float32: the vectors of some rows; `whole`: of all rows from the first to the last of them."""
    return segment.vectors[rows[0] : rows[-1] + 1] if whole and len(rows) else segment.vectors[rows]


def top_of(scores: NDArray[np.float32], wanted: int) -> NDArray[np.intp]:
    """Where the `wanted` highest scores are, in any order."""
    if len(scores) <= wanted:
        return np.arange(len(scores))
    return np.argpartition(-scores, wanted - 1)[:wanted]


def _ordered(
    near: Sequence[tuple[Segment, NDArray[np.intp]]], query: NDArray[np.float32], codebook: Codebook
) -> list[NDArray[np.float32]]:
    """For each segment, the cosines that the codes of its rows estimate."""
    from cmrcli.codes.ordering import FloatQuery

    asked = FloatQuery(codebook, query)
    return [
        asked.cosines(segment.codes[rows], None if segment.factors is None else segment.factors[rows])
        for segment, rows in near
    ]


def _bar(cosines: NDArray[np.float32], kept: int) -> float:
    """The estimate from which on rows are kept: that of the `kept`-th best; ties at the bar all stay."""
    return float(np.partition(cosines, len(cosines) - kept)[len(cosines) - kept]) if len(cosines) > kept else -np.inf


def _distance_cut(distances: NDArray[np.int64], wanted: int) -> int:
    """The distance up to which candidates are kept: that of the `wanted`-th; ties at the cut all stay."""
    if len(distances) <= wanted:
        return int(distances.max())
    return int(np.partition(distances, wanted - 1)[wanted - 1])


def merged(
    ids: Sequence[NDArray[np.int64]], similarities: Sequence[NDArray[np.float32]], wanted: int, scanned: int
) -> Candidates:
    """The `wanted` nearest of several segments' findings, ties by fragment."""
    if not ids:
        return Candidates(np.empty(0, np.int64), np.empty(0, np.float32), scanned)
    all_ids, all_similarities = np.concatenate(ids), np.concatenate(similarities)
    order = np.lexsort((all_ids, -all_similarities))[:wanted]
    return Candidates(all_ids[order], all_similarities[order], scanned)

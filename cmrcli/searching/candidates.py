"""Candidates: the fragments nearest to a query vector, by the way that the plan chose.

`codes` scans the packed codes (Hamming), takes several candidates for each fragment wanted and rescores those
with the stored vectors (Yamada et al. 2021, arXiv:2106.00882); `hamming` leaves the rescoring out and reads no
vector; `exact` multiplies every vector; `graph` asks HNSW (Malkov & Yashunin 2016, arXiv:1603.09320) where a
segment has one and scans its codes where not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Codebook
    from cmrcli.store import Segment
    from cmrcli.store.graph import Graph

BLOCK_ROWS = 8_192  # bounds the float32 copy of half-precision rows to 12 MiB at 384 dimensions


@dataclass(frozen=True, slots=True)
class Candidates:
    """For one query, nearest first: fragment ids (m,) int64 and similarities (m,) float32.

    Similarities are cosines; of `by_hamming` the share of equal bits, 0..1.
    """

    fragment_ids: NDArray[np.int64]
    similarities: NDArray[np.float32]
    scanned: int  # rows whose code or vector was looked at


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
            best = _top(scores, wanted)
            ids.append(segment.rows[block[best]])
            similarities.append(scores[best])
    return _merge(ids, similarities, wanted, scanned)


def by_codes(
    segments: Sequence[Segment],
    query: NDArray[np.float32],
    wanted: int,
    allowed: NDArray[np.int64] | None,
    codebook: Codebook,
    candidates: int,
) -> Candidates:
    """Hamming candidates of every segment, the overall nearest rescored with their vectors.

    Distances are comparable between segments because all carry codes of one codebook.
    """
    from cmrcli.codes.hamming import nearest

    code = codebook.encode(query[None])[0]
    found: list[tuple[int, NDArray[np.intp], NDArray[np.int64]]] = []
    scanned = 0
    for number, segment in enumerate(segments):
        mask = alive_mask(segment, allowed)
        scanned += len(segment.rows)
        if len(segment.rows) and (mask is None or mask.any()):
            rows, distances = nearest(code, segment.codes, candidates, mask)
            found.append((number, rows, distances))
    if not found:
        return _merge([], [], wanted, scanned)
    cut = _distance_cut(np.concatenate([distances for _, _, distances in found]), candidates)
    ids, similarities = [], []
    for number, rows, distances in found:
        rows = np.sort(rows[distances <= cut])  # ascending: the memory-mapped reads go one way
        ids.append(segments[number].rows[rows])
        similarities.append(_similarities(segments[number], rows, query, whole=False))
    return _merge(ids, similarities, wanted, scanned)


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
    return _merge(ids, similarities, wanted, scanned)


def by_graph(
    segments: Sequence[Segment],
    graphs: Mapping[str, Graph],
    query: NDArray[np.float32],
    wanted: int,
    codebook: Codebook,
    candidates: int,
) -> Candidates:
    """The graph of each segment that has one in `graphs` (by segment id), codes for the others. No filters."""
    ids, similarities, scanned = [], [], 0
    for segment in segments:
        if segment.id not in graphs:
            continue
        # The dead are in the graph still: ask for as many more, and drop them here.
        dead = 0 if segment.dead is None else int(segment.dead.sum())
        rows, scores = graphs[segment.id].search(query[None], wanted + min(dead, wanted))
        scanned += rows.shape[1]
        keep = rows[0] >= 0
        if segment.dead is not None:
            keep &= ~segment.dead[rows[0]]
        ids.append(segment.rows[rows[0][keep]])
        similarities.append(scores[0][keep])
    rest = by_codes([s for s in segments if s.id not in graphs], query, wanted, None, codebook, candidates)
    return _merge([*ids, rest.fragment_ids], [*similarities, rest.similarities], wanted, scanned + rest.scanned)


def _similarities(
    segment: Segment, rows: NDArray[np.intp], query: NDArray[np.float32], whole: bool
) -> NDArray[np.float32]:
    vectors = segment.vectors[rows[0] : rows[-1] + 1] if whole and len(rows) else segment.vectors[rows]
    scores: NDArray[np.float32] = vectors.astype(np.float32) @ query
    return scores


def _top(scores: NDArray[np.float32], wanted: int) -> NDArray[np.intp]:
    if len(scores) <= wanted:
        return np.arange(len(scores))
    return np.argpartition(-scores, wanted - 1)[:wanted]


def _distance_cut(distances: NDArray[np.int64], wanted: int) -> int:
    """The distance up to which candidates are kept: that of the `wanted`-th; ties at the cut all stay."""
    if len(distances) <= wanted:
        return int(distances.max())
    return int(np.partition(distances, wanted - 1)[wanted - 1])


def _merge(
    ids: Sequence[NDArray[np.int64]], similarities: Sequence[NDArray[np.float32]], wanted: int, scanned: int
) -> Candidates:
    if not ids:
        return Candidates(np.empty(0, np.int64), np.empty(0, np.float32), scanned)
    all_ids, all_similarities = np.concatenate(ids), np.concatenate(similarities)
    order = np.lexsort((all_ids, -all_similarities))[:wanted]
    return Candidates(all_ids[order], all_similarities[order], scanned)

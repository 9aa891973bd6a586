"""Candidates of many queries at once, by the same ways as candidates.py: what is read is read once for all of them.

`exact` multiplies each block of vectors with every query; `codes` lets every block of codes meet all queries while it
is in the cache; `graph` hands hnswlib all queries together, which shares them out among the processor's cores, and
scans the codes of segments without a graph (HNSW: Malkov & Yashunin 2016, arXiv:1603.09320). Of one query the answer
is that of its own way, but for the last bits of exact products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.searching.candidates import (
    BLOCK_ROWS,
    Candidates,
    CodeDepths,
    NearCodes,
    alive_mask,
    floats_of,
    merged,
    ordered_and_rescored,
    top_of,
)

if TYPE_CHECKING:
    from cmrcli.codes.codebook import Codebook
    from cmrcli.store import Segment
    from cmrcli.store.graph import Graph

Queries = NDArray[np.float32]  # (q, dim), each of length 1


def exact_of_many(
    segments: Sequence[Segment], queries: Queries, wanted: int, allowed: NDArray[np.int64] | None
) -> list[Candidates]:
    """For each query the `wanted` nearest of all living fragments; `by_exact` for many."""
    ids: list[list[NDArray[np.int64]]] = [[] for _ in queries]
    similarities: list[list[NDArray[np.float32]]] = [[] for _ in queries]
    scanned = 0
    for segment in segments:
        mask = alive_mask(segment, allowed)
        rows = np.arange(len(segment.rows)) if mask is None else np.flatnonzero(mask)
        scanned += len(rows)
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            for number, scores in enumerate(queries @ floats_of(segment, block, whole=mask is None).T):
                best = top_of(scores, wanted)
                ids[number].append(segment.rows[block[best]])
                similarities[number].append(scores[best])
    return [merged(i, s, wanted, scanned) for i, s in zip(ids, similarities, strict=True)]


def codes_of_many(
    segments: Sequence[Segment],
    queries: Queries,
    wanted: int,
    allowed: NDArray[np.int64] | None,
    codebook: Codebook,
    depths: CodeDepths,
) -> list[Candidates]:
    """For each query the `wanted` nearest by Hamming candidates, ordering and rescoring; `by_codes` for many."""
    from cmrcli.codes.hamming import nearest_batch

    codes = codebook.encode(queries)
    found: list[list[NearCodes]] = [[] for _ in queries]
    scanned = 0
    for number, segment in enumerate(segments):
        mask = alive_mask(segment, allowed)
        scanned += len(segment.rows)
        if len(segment.rows) and (mask is None or mask.any()):
            rows, distances = nearest_batch(codes, segment.codes, depths.hamming, mask)
            for near, own_rows, own_distances in zip(found, rows, distances, strict=True):
                near.append(NearCodes(number, own_rows, own_distances))
    return [
        ordered_and_rescored(segments, near, query, wanted, codebook, depths, scanned)
        for query, near in zip(queries, found, strict=True)
    ]


def graph_of_many(
    segments: Sequence[Segment],
    graphs: Mapping[str, Graph],
    queries: Queries,
    wanted: int,
    codebook: Codebook,
    depths: CodeDepths,
) -> list[Candidates]:
    """The graph of each segment that has one in `graphs` (by segment id), codes for the others. No filters."""
    ids: list[list[NDArray[np.int64]]] = [[] for _ in queries]
    similarities: list[list[NDArray[np.float32]]] = [[] for _ in queries]
    scanned = 0
    for segment in segments:
        if segment.id not in graphs:
            continue
        # The dead are in the graph still: ask for as many more, and drop them here.
        dead = 0 if segment.dead is None else int(segment.dead.sum())
        rows, scores = graphs[segment.id].search(queries, wanted + min(dead, wanted))
        scanned += rows.shape[1]
        fragments = segment.rows[rows]
        for number in range(len(queries)):
            if segment.dead is None:
                ids[number].append(fragments[number])
                similarities[number].append(scores[number])
            else:
                keep = ~segment.dead[rows[number]]
                ids[number].append(fragments[number][keep])
                similarities[number].append(scores[number][keep])
    others = [segment for segment in segments if segment.id not in graphs]
    if not others:
        return [merged(i, s, wanted, scanned) for i, s in zip(ids, similarities, strict=True)]
    rest = codes_of_many(others, queries, wanted, None, codebook, depths)
    return [
        merged([*i, r.fragment_ids], [*s, r.similarities], wanted, scanned + r.scanned)
        for i, s, r in zip(ids, similarities, rest, strict=True)
    ]

"""Choosing `ef` of a graph that was just built: the smallest that reaches a recall, and the time of a query with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cmrcli.store.graph import HnswIndex
from cmrcli.store.vectors import StoredVectors

Vectors = NDArray[np.float16] | NDArray[np.float32] | StoredVectors

BLOCK_ROWS = 1_024  # bounds the float32 copies, and how long Ctrl-C waits while building: about a second
SEED = 20_240_501
RECALL_AT = 10
EFS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
SAMPLE_QUERIES = 200


def choose_ef(index: HnswIndex, vectors: Vectors, target_recall: float) -> tuple[int, float, float]:
    """The smallest of EFS that finds so much of the exact nearest ten, what it finds, and microseconds a query.

    Queries are no copies of what is indexed, which would be found too easily: all lie between two random
    rows, and half of them are moved away by a random direction of length one, as the sentence that means a
    picture lies away from it. Each half has to reach the target; `recall` is the worse of the two.
    """
    rng = np.random.default_rng(SEED)
    ends = rng.integers(0, len(vectors), (2, SAMPLE_QUERIES))
    share = rng.uniform(0.5, 0.9, (SAMPLE_QUERIES, 1)).astype(np.float32)
    near, far = (np.asarray(vectors[rows], dtype=np.float32) for rows in ends)
    queries = share * near + (1 - share) * far
    away = rng.normal(size=queries[::2].shape).astype(np.float32)
    queries[::2] += away / np.linalg.norm(away, axis=1, keepdims=True)
    queries /= np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
    k = min(RECALL_AT, len(vectors))
    bounds = _exact_bounds(vectors, queries, k)
    recall, query_us = 0.0, 0.0
    index.set_num_threads(1)  # in this thread, whose processor time does not depend on what else runs
    for ef in EFS:
        index.set_ef(max(ef, k))
        began = time.thread_time()
        try:
            _, distances = index.knn_query(queries, k=k)
        except RuntimeError:  # fewer than k reached
            continue
        query_us = (time.thread_time() - began) * 1e6 / SAMPLE_QUERIES
        # As near as the k-th exact row counts as found: equal vectors are equally good.
        found = 1.0 - distances >= bounds[:, np.newaxis] - 1e-5
        recall = min(float(found[::2].mean()), float(found[1::2].mean()))
        if recall >= target_recall:
            return ef, recall, query_us
    return EFS[-1], recall, query_us


def _exact_bounds(vectors: Vectors, queries: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """(q,) similarity of the k-th nearest row."""
    best = np.full((len(queries), k), -np.inf, dtype=np.float32)
    for _, block in blocks(vectors):
        scores = np.concatenate([best, queries @ block.T], axis=1)
        best = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k:]
    return cast("NDArray[np.float32]", best.min(axis=1))


def blocks(vectors: Vectors, first: int = 0) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first row, rows as float32) of the vectors from row `first` on, one block after another."""
    for start in range(first, len(vectors), BLOCK_ROWS):
        yield start, np.ascontiguousarray(vectors[start : start + BLOCK_ROWS], dtype=np.float32)

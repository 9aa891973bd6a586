"""Asking the fragments of the best items, phrase by phrase (alignment.py), for the one query that is looked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cmrcli.searching.alignment import Aligned, Asked, align, pool
from cmrcli.searching.answer import Explanation
from cmrcli.searching.parts import parts_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.searching.candidates import Candidates
    from cmrcli.searching.fusion import Ranking
    from cmrcli.searching.looking import Task
    from cmrcli.searching.query_encoder import QueryEncoder
    from cmrcli.searching.vector_signal import VectorSignal
    from cmrcli.store import Reader


class FragmentSignal:
    """The phrases of one query and what of an index answers each of them."""

    def __init__(self, reader: Reader, queries: QueryEncoder, vectors: VectorSignal, task: Task) -> None:
        """Encodes the phrases; `task` has its vector already."""
        self._reader = reader
        self._vectors = vectors
        self._task = task
        assert task.vector is not None
        started = time.perf_counter()
        self._asked: Asked = parts_of(
            task.wanted.query,
            task.wanted.phrases,
            task.vector,
            queries.encoder(reader.encoder),
            queries.examples(reader.encoder) if task.wanted.query.like else None,
        )
        task.explanation.stage("phrases", started, len(self._asked.phrases))

    def align(
        self, depth: int, allowed: NDArray[np.int64] | None, candidates: Candidates, words: Ranking | None
    ) -> Aligned:
        """The best items of the query, of each phrase and of the words, by how well their fragments answer.

        Args:
            depth: fragments wanted for each phrase.
            allowed: (n,) int64, ascending: fragments that pass the filter; None without one.
            candidates: of the query as a whole.
        """
        wanted, plan, explanation = self._task.wanted, self._task.plan, self._task.explanation
        started = time.perf_counter()
        # Each phrase takes the stages that the whole query has shown.
        unsaid = [Explanation() for _ in self._asked.phrases]
        found = [
            candidates, *self._vectors.candidates_of_many(self._asked.vectors, plan, depth, allowed, unsaid)
        ]  # fmt: skip
        explanation.stage("seek", started, sum(one.scanned for one in found[1:]))
        started = time.perf_counter()
        leave_out = wanted.withheld.fragments if wanted.withheld else frozenset()
        rankings = [self._items_in_order(one.fragment_ids.tolist(), leave_out) for one in found]
        if words is not None:
            rankings.append([item for item, _ in words.hits])
        parts = self._reader.fragments_in(pool(rankings, wanted.k))
        aligned = align(
            self._asked,
            parts,
            self._reader.segments,
            self._reader.codebook,
            self._vectors.calibration,
            wanted.hubness,
            leave_out,
        )
        explanation.stage("align", started, aligned.fragments)
        return aligned

    def _items_in_order(self, fragment_ids: list[int], leave_out: frozenset[int]) -> list[int]:
        items = self._reader.items_of([number for number in fragment_ids if number not in leave_out])
        return [items[number] for number in fragment_ids if number in items]

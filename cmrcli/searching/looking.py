"""Looking for one query, or for many at once: both signals, deeper and deeper, until there are enough results."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cmrcli.errors import EmbeddingError, UsageError
from cmrcli.searching.answer import Answer, Explanation
from cmrcli.searching.assembly import Wanted, assemble
from cmrcli.searching.vector_signal import way_at
from cmrcli.searching.word_signal import ask_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.searching.alignment import Aligned
    from cmrcli.searching.candidates import Candidates
    from cmrcli.searching.fragment_signal import FragmentSignal
    from cmrcli.searching.plan import Plan
    from cmrcli.searching.query import Query
    from cmrcli.searching.query_encoder import QueryEncoder
    from cmrcli.searching.vector_signal import VectorSignal
    from cmrcli.store import Reader

DEEPER = 8  # times as many, where a depth was not enough


@dataclass(slots=True)
class Task:
    """One query to be answered.

    Attributes:
        vector: (dim,) float32, the query's own; None while it has not been made.
        candidates: of the plan's depth, where they have been found already.
    """

    wanted: Wanted
    plan: Plan
    explanation: Explanation
    vector: NDArray[np.float32] | None = None
    candidates: Candidates | None = None

    @property
    def depth(self) -> int:
        """Fragments wanted from the vectors, items from the words, to begin with."""
        if not self.wanted.phrases:
            return self.plan.depth
        from cmrcli.searching.alignment import DEPTH

        return max(self.plan.depth, DEPTH)


class Looker:
    """Answers from one open index."""

    def __init__(self, reader: Reader, queries: QueryEncoder, vectors: VectorSignal) -> None:
        self._reader = reader
        self._queries = queries
        self._vectors = vectors

    def query_vector(self, query: Query) -> NDArray[np.float32]:
        """(dim,) float32, see QueryEncoder.vector."""
        return self._queries.vector(query, self._reader.encoder)

    def look(self, task: Task, allowed: NDArray[np.int64] | None) -> Answer:
        """The best items for one query.

        Many tiles of few drawings, negatives, or files that this user may not read can use up any depth.

        Args:
            allowed: (n,) int64, ascending: fragments that pass the filter; None without one.
        """
        wanted, plan, explanation, living = task.wanted, task.plan, task.explanation, self._vectors.living
        depth = task.depth
        fragments: FragmentSignal | None = None
        while True:
            # Words first: the encoder may be loading meanwhile.
            words = ask_words(self._reader, wanted, depth, explanation) if plan.words else None
            self._encode(task)
            vector = task.vector if plan.vectors is not None else None
            # As many more as will be left out.
            deep = depth + (0 if wanted.withheld is None else len(wanted.withheld.fragments))
            candidates, task.candidates = task.candidates, None
            if vector is not None and candidates is None:
                candidates = self._vectors.candidates(vector, plan, deep, allowed, explanation)
            started = time.perf_counter()
            among = living if allowed is None else len(allowed)
            evidence = self._vectors.evidence(vector, candidates, plan, wanted, among)
            aligned: Aligned | None = None
            if wanted.phrases and vector is not None and candidates is not None:
                fragments = fragments or self._fragments(task)
                aligned = fragments.align(deep, allowed, candidates, words)
                started = time.perf_counter()
            assembled = assemble(self._reader, wanted, candidates, words, evidence, aligned, among)
            explanation.stage("assemble", started, len(assembled.results))
            more_words = words is not None and len(words.hits) >= depth
            # A graph may come back short without having seen everything.
            more_vectors = candidates is not None and (
                len(candidates.fragment_ids) >= deep or way_at(plan, deep) == "graph"
            )
            if assembled.final or not (more_words or more_vectors):
                return Answer(assembled.results, assembled.hidden, explanation, assembled.doubted)
            depth *= DEEPER

    def _fragments(self, task: Task) -> FragmentSignal:
        from cmrcli.searching.fragment_signal import FragmentSignal

        return FragmentSignal(self._reader, self._queries, self._vectors, task)

    def look_together(
        self, tasks: Sequence[Task], allowed: NDArray[np.int64] | None
    ) -> list[Answer | UsageError | EmbeddingError]:
        """`look` for each, the vectors of all asked at once; in the place of one that cannot be asked, why not."""
        answers: list[Answer | UsageError | EmbeddingError] = []
        refused: dict[int, UsageError | EmbeddingError] = {}
        for number, task in enumerate(tasks):
            try:
                self._encode(task)
            except (UsageError, EmbeddingError) as error:
                refused[number] = error
        self._find_together([task for number, task in enumerate(tasks) if number not in refused], allowed)
        for number, task in enumerate(tasks):
            try:
                answers.append(refused[number] if number in refused else self.look(task, allowed))
            except (UsageError, EmbeddingError) as error:
                answers.append(error)
        return answers

    def _encode(self, task: Task) -> None:
        if task.vector is None and task.plan.vectors is not None and self._vectors.living:
            started = time.perf_counter()
            task.vector = self.query_vector(task.wanted.query)
            task.explanation.stage("encode", started, 1)

    def _find_together(self, tasks: Sequence[Task], allowed: NDArray[np.int64] | None) -> None:
        import numpy as np

        groups: dict[tuple[str, int], list[Task]] = {}
        for task in tasks:
            if task.vector is not None and task.plan.vectors is not None:
                groups.setdefault((task.plan.vectors, task.depth), []).append(task)
        for group in groups.values():
            plan, depth = group[0].plan, group[0].depth
            vectors = np.stack([task.vector for task in group if task.vector is not None])
            told = [task.explanation for task in group]
            found = self._vectors.candidates_of_many(vectors, plan, depth, allowed, told)
            for task, candidates in zip(group, found, strict=True):
                task.candidates = candidates

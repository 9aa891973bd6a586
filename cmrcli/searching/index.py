"""An index opened for searching: the one class behind `cmrcli search` and `cmrcli.open_index`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from cmrcli.errors import EmbeddingError, UsageError
from cmrcli.searching import costs
from cmrcli.searching import plan as plans
from cmrcli.searching.answer import Answer, Explanation, tell_all
from cmrcli.searching.assembly import Wanted
from cmrcli.searching.looking import Looker, Task
from cmrcli.searching.parts import phrases_to_align
from cmrcli.searching.query import Query, looks_like_code
from cmrcli.searching.query_encoder import QueryEncoder
from cmrcli.searching.results import Result
from cmrcli.searching.vector_signal import VectorSignal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.calibration.null import Calibration
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.store import Filter, Reader, Withheld

FUSIONS = ("calibrated", "rrf")
MAX_K = 1_000


class Index:
    """An index, open for reading. Use as a context manager.

    The vectors are those of the moment it was opened. Words, names and places are looked up in the catalog of the
    moment of the search: what was removed since is not found, what was added is found by its words alone.

    >>> with cmrcli.open_index() as index:                       # doctest: +SKIP
    ...     results = index.search("hex flange bolt", k=5)
    """

    def __init__(
        self, folder: Path, encoder: str | Path | None = None, threads: int = 0, expect_text: bool = False
    ) -> None:
        self._queries = QueryEncoder(encoder, threads, expect_text)
        from cmrcli.store import open_reader

        try:
            self._reader: Reader = open_reader(folder)
        except BaseException:
            self._queries.close()
            raise
        self._vectors = VectorSignal(self._reader)
        self._looker = Looker(self._reader, self._queries, self._vectors)
        self._costs: costs.Costs | None = None
        self._answered = self._expected = 0
        self.folder = folder

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives everything back: the catalog, and the process that read examples."""
        self._queries.close()
        self._reader.close()

    @property
    def reader(self) -> Reader:
        """The store's view that this index answers from."""
        return self._reader

    @property
    def encoder(self) -> DualEncoder:
        """The encoder that the index was made with, loaded when first needed."""
        return self._queries.encoder(self._reader.encoder)

    @property
    def calibration(self) -> Calibration | None:
        """What chance scores in this index; None where that is not known. Read when first needed."""
        return self._vectors.calibration

    def query_vector(self, query: Query) -> NDArray[np.float32]:
        """(dim,) float32: the mean of words and examples, pushed away from the negatives, L2-normalised."""
        return self._looker.query_vector(query)

    def search(
        self,
        query: str | Query,
        k: int = 10,
        mode: str = "auto",
        filter: Filter | None = None,
        min_score: float | None = None,
        min_confidence: float | None = None,
        fusion: str = "calibrated",
        hubness: bool = True,
        fragments: str = "auto",
    ) -> list[Result]:
        """The best items for a query, best first; at most `k`, fewer when fewer remain.

        Args:
            query: words, or a Query with examples and negatives.
            k: results wanted, 1 to 1000.
            mode: auto (words and vectors, the vectors by the cheapest way), vectors, exact, codes, hamming, graph,
                words.
            filter: restricts to kinds, folders, extensions, modification times.
            min_score: drops results below it (Result.score says what the number means).
            min_confidence: drops results that are less likely right, 0..1; needs a calibrated index. None drops
                nothing; only a part number that no words of the index have is not found in mode auto (CODE_LEAST).
            fusion: of words and vectors: calibrated (as far as the index is), or rrf.
            hubness: whether items that match everything are corrected for.
            fragments: whether each phrase of the query (an example's parts) is looked for in its own part of an item:
                on, off, or auto: in mode auto, where the words name several things.

        Raises:
            UsageError, EncoderError, IndexDamaged.
        """
        return self.answer(
            query, k, mode, filter, min_score,
            min_confidence=min_confidence, fusion=fusion, hubness=hubness, fragments=fragments,
        ).results  # fmt: skip

    def answer(
        self,
        query: str | Query,
        k: int = 10,
        mode: str = "auto",
        filter: Filter | None = None,
        min_score: float | None = None,
        withheld: Withheld | None = None,
        vector: NDArray[np.float32] | None = None,
        min_confidence: float | None = None,
        fusion: str = "calibrated",
        hubness: bool = True,
        fragments: str = "auto",
    ) -> Answer:
        """`search` with what it did and what it had to hide.

        Args:
            withheld: words of one item that must not help to find it: what an evaluation has made the query of.
            vector: the query's own (`query_vector`), where it has been made before.
        """
        self._refuse(k, mode, min_confidence, fusion)
        query = Query(text=query) if isinstance(query, str) else query
        wanted = Wanted(
            query, k, filter, min_score, min_confidence, fusion, hubness, withheld,
            phrases_to_align(query, fragments, mode), _doubtful(query, mode, min_confidence),
        )  # fmt: skip
        explanation = Explanation()
        allowed = self._allowed(filter, [explanation])
        plan = self._plan(wanted, mode, allowed, self._coming(), explanation)
        self._count_answered(1)
        return self._looker.look(Task(wanted, plan, explanation, vector), allowed)

    def answer_many(
        self,
        queries: Sequence[str | Query],
        k: int = 10,
        mode: str = "auto",
        filter: Filter | None = None,
        min_score: float | None = None,
        min_confidence: float | None = None,
        fusion: str = "calibrated",
        hubness: bool = True,
        fragments: str = "auto",
    ) -> list[Answer | UsageError | EmbeddingError]:
        """`answer` for each, in order, all looked for together; the error of one that cannot be asked in its place.

        Memory grows by some KiB a query: ask a few hundred at a time, and say with `expect` what comes after them.

        Raises:
            UsageError: arguments that make no sense for any query. EncoderError, IndexDamaged.
        """
        self._refuse(k, mode, min_confidence, fusion)
        explanations = [Explanation() for _ in queries]
        allowed = self._allowed(filter, explanations)
        coming = max(len(queries), self._coming())
        tasks: list[Task] = []
        answers: dict[int, Answer | UsageError | EmbeddingError] = {}
        for number, (asked, explanation) in enumerate(zip(queries, explanations, strict=True)):
            try:
                query = Query(text=asked) if isinstance(asked, str) else asked
                wanted = Wanted(
                    query, k, filter, min_score, min_confidence, fusion, hubness, None,
                    phrases_to_align(query, fragments, mode), _doubtful(query, mode, min_confidence),
                )  # fmt: skip
                plan = self._plan(wanted, mode, allowed, coming, explanation)
                tasks.append(Task(wanted, plan, explanation))
            except UsageError as error:
                answers[number] = error
        self._count_answered(len(queries))
        looked_for = (number for number in range(len(queries)) if number not in answers)
        answers |= zip(looked_for, self._looker.look_together(tasks, allowed), strict=True)
        return [answers[number] for number in range(len(queries))]

    def expect(self, queries: int) -> None:
        """Says how many queries will be asked from now on: what costs once may pay for all of them together.

        Never needed: without it, as many are expected as have been answered.
        """
        self._expected = queries

    def _coming(self) -> int:
        return max(1, self._expected, self._answered)

    def _count_answered(self, queries: int) -> None:
        self._answered += queries
        self._expected = max(0, self._expected - queries)

    def _refuse(self, k: int, mode: str, min_confidence: float | None, fusion: str) -> None:
        if not 1 <= k <= MAX_K:
            raise UsageError(f"-k {k} is out of range", f"ask for 1 to {MAX_K} results")
        if fusion not in FUSIONS:
            raise UsageError(f"unknown fusion {fusion!r}", "fusions: " + ", ".join(FUSIONS))
        if min_confidence is not None and mode == "hamming":
            raise UsageError("codes alone give no confidence", "leave out --min-confidence, or take --mode codes")
        if min_confidence is not None and mode != "words" and self.calibration is None:
            raise UsageError(
                "the index is not calibrated: it is too small, or was made by an older version",
                "leave out --min-confidence, or run cmrcli index again",
            )

    def _allowed(self, filter: Filter | None, explanations: Sequence[Explanation]) -> NDArray[np.int64] | None:
        """Fragments that pass, ascending; None without a filter."""
        if filter is None:
            return None
        started = time.perf_counter()
        allowed = self._reader.fragment_ids(filter)
        tell_all(explanations, "filter", started, len(allowed))
        return allowed

    def _plan(
        self, wanted: Wanted, mode: str, allowed: NDArray[np.int64] | None, coming: int, explanation: Explanation
    ) -> plans.Plan:
        from cmrcli.codes.codebook import DEFAULT_OVERSAMPLING

        query, codebook = wanted.query, self._reader.codebook
        passing = None if allowed is None else len(allowed)
        asked = plans.Asked(mode, wanted.k, passing, coming, bool(query.text), bool(query.like))
        held = self._vectors.held(graphs=coming > 1 or mode == "graph")
        oversampling = codebook.oversampling if codebook is not None else DEFAULT_OVERSAMPLING
        if self._costs is None:
            self._costs = costs.kept() or costs.DEFAULTS
        explanation.costs_measured = self._costs is not costs.DEFAULTS
        explanation.plan = plan = plans.choose(asked, held, oversampling, self._costs)
        return plan


def _doubtful(query: Query, mode: str, min_confidence: float | None) -> bool:
    """Whether the nearest things are no answer where no words have what was asked: a part number."""
    return min_confidence is None and mode == "auto" and not query.like and looks_like_code(query.text)

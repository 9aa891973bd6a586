"""An index opened for searching: the one class behind `cmrcli search` and `cmrcli.open_index`."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from cmrcli.errors import UsageError
from cmrcli.searching import plan as plans
from cmrcli.searching.answer import Answer, Explanation
from cmrcli.searching.assembly import Wanted, assemble
from cmrcli.searching.query import Query
from cmrcli.searching.query_encoder import QueryEncoder
from cmrcli.searching.results import Result
from cmrcli.searching.vector_signal import VectorSignal, way_at
from cmrcli.searching.word_signal import ask_words

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
        self._answered = 0
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
        return self._queries.vector(query, self._reader.encoder)

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
    ) -> list[Result]:
        """The best items for a query, best first; at most `k`, fewer when fewer remain.

        Args:
            query: words, or a Query with examples and negatives.
            k: results wanted, 1 to 1000.
            mode: auto (words and vectors, the vectors by the cheapest way), vectors, exact, codes, hamming, graph,
                words.
            filter: restricts to kinds, folders, extensions, modification times.
            min_score: drops results below it (Result.score says what the number means).
            min_confidence: drops results that are less likely right, 0..1; needs a calibrated index.
            fusion: of words and vectors: calibrated (as far as the index is), or rrf.
            hubness: whether items that match everything are corrected for.

        Raises:
            UsageError, EncoderError, IndexDamaged.
        """
        return self.answer(
            query, k, mode, filter, min_score, min_confidence=min_confidence, fusion=fusion, hubness=hubness
        ).results

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
    ) -> Answer:
        """`search` with what it did and what it had to hide.

        Args:
            withheld: words of one item that must not help to find it: what an evaluation has made the query of.
            vector: the query's own (`query_vector`), where it has been made before.
        """
        if not 1 <= k <= MAX_K:
            raise UsageError(f"-k {k} is out of range", f"ask for 1 to {MAX_K} results")
        query = Query(text=query) if isinstance(query, str) else query
        if fusion not in FUSIONS:
            raise UsageError(f"unknown fusion {fusion!r}", "fusions: " + ", ".join(FUSIONS))
        if min_confidence is not None and mode == "hamming":
            raise UsageError("codes alone give no confidence", "leave out --min-confidence, or take --mode codes")
        if min_confidence is not None and mode != "words" and self.calibration is None:
            raise UsageError(
                "the index is not calibrated: it is too small, or was made by an older version",
                "leave out --min-confidence, or run cmrcli index again",
            )
        explanation = Explanation()
        allowed = None
        if filter is not None:
            started = time.perf_counter()
            allowed = self._reader.fragment_ids(filter)
            explanation.stage("filter", started, len(allowed))
        from cmrcli.codes.codebook import DEFAULT_OVERSAMPLING

        codebook = self._reader.codebook
        plan = plans.choose(
            mode,
            k,
            self._vectors.living,
            None if allowed is None else len(allowed),
            self._answered,
            self._vectors.has_graphs,
            bool(query.text),
            bool(query.like),
            codebook.oversampling if codebook is not None else DEFAULT_OVERSAMPLING,
            self._vectors.codes_only,
        )
        self._answered += 1
        explanation.plan = plan
        wanted = Wanted(query, k, filter, min_score, min_confidence, fusion, hubness, withheld)
        return self._look(wanted, plan, allowed, vector, explanation)

    def _look(
        self,
        wanted: Wanted,
        plan: plans.Plan,
        allowed: NDArray[np.int64] | None,
        vector: NDArray[np.float32] | None,
        explanation: Explanation,
    ) -> Answer:
        """Asks both signals, deeper and deeper, until there are enough results or no more to be had.

        Many tiles of few drawings, negatives, or files that this user may not read can use up any depth.
        """
        depth = plan.depth
        while True:
            # Words first: the encoder may be loading meanwhile.
            words = ask_words(self._reader, wanted, depth, explanation) if plan.words else None
            if vector is None and plan.vectors is not None and self._vectors.living:
                started = time.perf_counter()
                vector = self.query_vector(wanted.query)
                explanation.stage("encode", started, 1)
            # As many more as will be left out.
            deep = depth + (0 if wanted.withheld is None else len(wanted.withheld.fragments))
            candidates = None
            if vector is not None and plan.vectors is not None:
                candidates = self._vectors.candidates(vector, plan, deep, allowed, explanation)
            started = time.perf_counter()
            among = self._vectors.living if allowed is None else len(allowed)
            evidence = self._vectors.evidence(vector, candidates, plan, wanted, among)
            assembled = assemble(self._reader, wanted, candidates, words, evidence)
            explanation.stage("assemble", started, len(assembled.results))
            more_words = words is not None and len(words.hits) >= depth
            # A graph may come back short without having seen everything.
            more_vectors = candidates is not None and (
                len(candidates.fragment_ids) >= deep or way_at(plan, deep) == "graph"
            )
            if assembled.final or not (more_words or more_vectors):
                return Answer(assembled.results, assembled.hidden, explanation)
            depth *= 8

"""An index opened for searching: the one class behind `cmrcli search` and `cmrcli.open_index`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from cmrcli.errors import UsageError
from cmrcli.searching import plan as plans
from cmrcli.searching.assembly import Wanted, assemble
from cmrcli.searching.query import Query, looks_like_code
from cmrcli.searching.results import Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.calibration.null import Calibration
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.searching.candidates import Candidates
    from cmrcli.searching.example import ExampleReader
    from cmrcli.searching.fusion import Ranking
    from cmrcli.searching.guess import EncoderGuess
    from cmrcli.store import Filter, Reader, Withheld
    from cmrcli.store.graph import Graph

WITHOUT_WEIGHT = 0.5  # how far a negative text pushes the query vector away, of its own length
SHORTEST = 1e-6  # of a query vector: below it is nothing but what rounding left
CODE_WEIGHT = 4.0  # words count this much more when the query is a part number: vectors know nothing of those
FUSIONS = ("calibrated", "rrf")
MAX_K = 1_000


@dataclass(slots=True)
class Explanation:
    """What a search did, for `--explain`.

    Attributes:
        stages: (stage, milliseconds, how many) in order.
        others: (words of the query, the other names that were looked for besides).
    """

    plan: plans.Plan | None = None
    stages: list[tuple[str, float, int]] = field(default_factory=list)
    others: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def stage(self, name: str, started: float, count: int) -> None:
        self.stages.append((name, (time.perf_counter() - started) * 1000, count))


@dataclass(slots=True)
class Answer:
    """Results of one query, best first, and what the caller should know of it.

    `hidden` counts items that would have been shown if their file could be read now by this user.
    """

    results: list[Result]
    hidden: int
    explanation: Explanation


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
        self._encoder_wish = encoder
        self._threads = threads
        self._encoder: DualEncoder | None = None
        self._guess: EncoderGuess | None = None
        if expect_text:
            from cmrcli.searching.guess import EncoderGuess

            self._guess = EncoderGuess(encoder, threads)
        from cmrcli.store import open_reader

        try:
            self._reader: Reader = open_reader(folder)
        except BaseException:
            self._join_guess()
            raise
        self._living = sum(
            len(segment.rows) - (0 if segment.dead is None else int(segment.dead.sum()))
            for segment in self._reader.segments
        )
        self._graphs: dict[str, Graph] | None = None
        self._examples: ExampleReader | None = None
        self._calibration: Calibration | None = None
        self._calibration_read = False
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
        if self._examples is not None:
            self._examples.close()
            self._examples = None
        self._join_guess()
        self._reader.close()

    def _join_guess(self) -> None:
        if self._guess is not None:
            self._guess.join()

    @property
    def reader(self) -> Reader:
        """The store's view that this index answers from."""
        return self._reader

    @property
    def encoder(self) -> DualEncoder:
        """The encoder that the index was made with, loaded when first needed."""
        if self._encoder is None and self._guess is not None:
            self._encoder = self._guess.encoder(self._reader.encoder.digest)
        if self._encoder is None:
            from cmrcli.encoders.dual import DualEncoder
            from cmrcli.encoders.locate import matching

            identity = self._reader.encoder
            manifest = matching(identity.name, identity.digest, self._encoder_wish)
            self._encoder = DualEncoder(manifest, threads=self._threads)
        return self._encoder

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
            min_confidence: drops results that are less likely right, 0..1; needs a calibrated index. None drops
                nothing; only a part number that no words of the index have is not found in mode auto (CODE_LEAST).
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
            self._living,
            None if allowed is None else len(allowed),
            self._answered,
            any(segment.graph_path is not None for segment in self._reader.segments),
            bool(query.text),
            bool(query.like),
            codebook.oversampling if codebook is not None else DEFAULT_OVERSAMPLING,
            self._codes_only,
        )
        self._answered += 1
        explanation.plan = plan
        doubtful = min_confidence is None and mode == "auto" and not query.like and looks_like_code(query.text)
        wanted = Wanted(query, k, filter, min_score, min_confidence, fusion, hubness, withheld, doubtful)
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
            words = self._ask_words(wanted, depth, explanation) if plan.words else None
            if vector is None and plan.vectors is not None and self._living:
                started = time.perf_counter()
                vector = self.query_vector(wanted.query)
                explanation.stage("encode", started, 1)
            # As many more as will be left out.
            deep = depth + (0 if wanted.withheld is None else len(wanted.withheld.fragments))
            candidates = None
            if vector is not None and plan.vectors is not None:
                candidates = self._candidates(vector, plan, deep, allowed, explanation)
            started = time.perf_counter()
            among = self._living if allowed is None else len(allowed)
            evidence = self._evidence(vector, candidates, plan, wanted, among)
            assembled = assemble(self._reader, wanted, candidates, words, evidence)
            explanation.stage("assemble", started, len(assembled.results))
            more_words = words is not None and len(words.hits) >= depth
            # A graph may come back short without having seen everything.
            more_vectors = candidates is not None and (
                len(candidates.fragment_ids) >= deep or _way(plan, deep) == "graph"
            )
            if assembled.final or not (more_words or more_vectors):
                return Answer(assembled.results, assembled.hidden, explanation)
            depth *= 8

    # -- vectors ---------------------------------------------------------------------------------------------

    def query_vector(self, query: Query) -> NDArray[np.float32]:
        """(dim,) float32: the mean of words and examples, pushed away from the negatives, L2-normalised."""
        import numpy as np

        parts: list[NDArray[np.float32]] = []
        texts = [*([query.text] if query.text else []), *query.without]
        encoded = self.encoder.encode_texts(texts) if texts else np.empty((0, self._reader.encoder.dim), np.float32)
        if query.text:
            parts.append(encoded[0])
        if query.like:
            parts += [self._example_reader().vector(example) for example in query.like]
        vector: NDArray[np.float32] = np.mean(parts, axis=0)
        for negative in encoded[len(texts) - len(query.without) :]:
            vector = vector - WITHOUT_WEIGHT * negative
        length = float(np.linalg.norm(vector))
        if length < SHORTEST:
            raise UsageError("the query has no direction left", "say less of what it is not")
        return (vector / length).astype(np.float32)

    def _example_reader(self) -> ExampleReader:
        if self._examples is None:
            from cmrcli.searching.example import ExampleReader

            self._examples = ExampleReader(self.encoder)
        return self._examples

    def _candidates(
        self,
        vector: NDArray[np.float32],
        plan: plans.Plan,
        depth: int,
        allowed: NDArray[np.int64] | None,
        explanation: Explanation,
    ) -> Candidates:
        from cmrcli.searching import candidates as ways

        started = time.perf_counter()
        segments = self._reader.segments
        codebook = self._reader.codebook
        way = _way(plan, depth)
        depths = ways.CodeDepths(max(plan.candidates, 2 * depth), plan.rescored)
        if way == "exact" or codebook is None:
            found = ways.by_exact(segments, vector, depth, allowed)
        elif way == "hamming":
            found = ways.by_hamming(segments, vector, depth, allowed, codebook)
        elif way == "graph":
            found = ways.by_graph(segments, self._open_graphs(), vector, depth, codebook, depths)
        else:
            found = ways.by_codes(segments, vector, depth, allowed, codebook, depths, explanation.stage)
        explanation.stage(way, started, found.scanned)
        return found

    @property
    def _codes_only(self) -> bool:
        return any(segment.kept_vectors is None for segment in self._reader.segments)

    @property
    def calibration(self) -> Calibration | None:
        """What chance scores in this index; None where that is not known. Read when first needed."""
        if not self._calibration_read:
            self._calibration_read = True
            data = self._reader.calibration()
            if data is not None:
                from cmrcli.calibration.null import Calibration

                self._calibration = Calibration.from_bytes(data)
        return self._calibration

    def _evidence(
        self,
        vector: NDArray[np.float32] | None,
        candidates: Candidates | None,
        plan: plans.Plan,
        wanted: Wanted,
        among: int,
    ) -> NDArray[np.float32] | None:
        """Of each candidate; None where nothing is known, as of shares of equal bits."""
        if vector is None or candidates is None or plan.vectors == "hamming" or self.calibration is None:
            return None
        from cmrcli.searching.evidence import of_similarities

        passages = self._reader.passages_among(candidates.fragment_ids.tolist())
        # The bank is of texts: what pictures score with everything is another matter.
        hubness = wanted.hubness and not wanted.query.like and not self._codes_only
        return of_similarities(self.calibration, vector, candidates, passages, self._reader.segments, among, hubness)

    def _open_graphs(self) -> dict[str, Graph]:
        """Every sound graph, read once. A damaged one is left out: its segment's codes are scanned instead."""
        if self._graphs is None:
            from cmrcli.store.graph import GraphExpectation, load

            self._graphs = {}
            identity = self._reader.encoder
            for segment in self._reader.segments:
                if segment.graph_path is None:
                    continue
                expect = GraphExpectation(identity.dim, len(segment.rows), identity.digest)
                graph = load(segment.graph_path, expect)
                if graph is not None:
                    self._graphs[segment.id] = graph
        return self._graphs

    # -- words -----------------------------------------------------------------------------------------------

    def _ask_words(self, wanted: Wanted, depth: int, explanation: Explanation) -> Ranking:
        from cmrcli.searching.evidence import of_words
        from cmrcli.searching.fusion import Ranking

        started = time.perf_counter()
        text = wanted.query.text
        is_code = looks_like_code(text)
        others = [] if is_code else _other_names(text)
        explanation.others = others
        hits = self._reader.words(text, depth, wanted.filter, wanted.withheld, others)
        weight = CODE_WEIGHT if is_code else 1.0
        explanation.stage("words", started, len(hits))
        coverage = [hit.coverage for hit in hits]
        evidence = of_words(hits, self._reader.item_count(), is_code)
        return Ranking("words", weight, [(hit.item_id, hit.score) for hit in hits], coverage, evidence)


def _other_names(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """What things in the text are called besides: (words of the text, other names) pairs, as the index writes them."""
    from cmrcli.lexicon.expansion import other_names
    from cmrcli.store.normalise import normalise

    return [(typed, tuple(dict.fromkeys(map(normalise, names)))) for typed, names in other_names(normalise(text))]


def _way(plan: plans.Plan, depth: int) -> str:
    """How the vectors are asked at this depth."""
    if plan.vectors == "graph" and depth > plans.GRAPH_DEPTH:
        return "codes"
    return plan.vectors or "exact"

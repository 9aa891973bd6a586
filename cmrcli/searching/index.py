"""An index opened for searching: the one class behind `cmrcli search` and `cmrcli.open_index`."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from cmrcli.errors import CmrcliError, EmbeddingError, UsageError
from cmrcli.searching import plan as plans
from cmrcli.searching.query import Query, looks_like_code
from cmrcli.searching.results import Result, Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.searching.candidates import Candidates
    from cmrcli.searching.example import ExampleReader
    from cmrcli.searching.fusion import Ranking
    from cmrcli.store import FilePlace, Filter, FragmentHit, Reader
    from cmrcli.store.graph import Graph

WITHOUT_WEIGHT = 0.5  # how far a negative text pushes the query vector away, of its own length
CODE_WEIGHT = 4.0  # words count this much more when the query is a part number: vectors know nothing of those
MAX_K = 1_000


@dataclass(slots=True)
class Explanation:
    """What a search did, for `--explain`: the plan, and (stage, milliseconds, how many) in order."""

    plan: plans.Plan | None = None
    stages: list[tuple[str, float, int]] = field(default_factory=list)
    hidden: int = 0

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


class _EncoderGuess:
    """The encoder that the index was most likely made with, loading its text tower while the index opens.

    Saves a one-shot search a tenth of a second on two processors. A wrong guess costs that much and no more.
    """

    def __init__(self, wish: str | Path | None, threads: int) -> None:
        self._wish, self._threads = wish, threads
        self._encoder: DualEncoder | None = None
        self._thread = threading.Thread(target=self._load, name="cmrcli-encoder", daemon=True)
        self._thread.start()

    def encoder(self, digest: str) -> DualEncoder | None:
        """The guessed encoder if it is the one of this digest and could be loaded. Waits for it."""
        self._thread.join()
        right = self._encoder is not None and self._encoder.manifest.digest == digest
        return self._encoder if right else None

    def _load(self) -> None:
        from cmrcli.encoders.dual import DualEncoder
        from cmrcli.encoders.locate import resolve
        from cmrcli.encoders.manifest import load_manifest

        with contextlib.suppress(CmrcliError):  # said again, and heard, when the encoder is asked for
            encoder = DualEncoder(load_manifest(resolve(self._wish)), threads=self._threads)
            encoder.prepare_text()
            self._encoder = encoder


class Index:
    """An index, open for reading. Use as a context manager; answers come from one consistent state.

    >>> with cmrcli.open_index() as index:                       # doctest: +SKIP
    ...     results = index.search("hex flange bolt", k=5)
    """

    def __init__(
        self, folder: Path, encoder: str | Path | None = None, threads: int = 0, expect_text: bool = False
    ) -> None:
        self._encoder_wish = encoder
        self._threads = threads
        self._encoder: DualEncoder | None = None
        self._guess: _EncoderGuess | None = _EncoderGuess(encoder, threads) if expect_text else None
        from cmrcli.store import open_reader

        self._reader: Reader = open_reader(folder)
        self._graphs: dict[str, Graph] | None = None
        self._examples: ExampleReader | None = None
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
        self._reader.close()

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
    ) -> list[Result]:
        """The best items for a query, best first; at most `k`, fewer when fewer remain.

        Args:
            query: words, or a Query with examples and negatives.
            k: results wanted, 1 to 1000.
            mode: auto (words and vectors, the vectors by the cheapest way), vectors, exact, codes, graph, words.
            filter: restricts to kinds, folders, extensions, modification times.
            min_score: drops results below it (Result.score says what the number means).

        Raises:
            UsageError, EncoderError, IndexDamaged.
        """
        return self.answer(query, k, mode, filter, min_score).results

    def answer(
        self,
        query: str | Query,
        k: int = 10,
        mode: str = "auto",
        filter: Filter | None = None,
        min_score: float | None = None,
    ) -> Answer:
        """`search` with what it did and what it had to hide."""
        if not 1 <= k <= MAX_K:
            raise UsageError(f"-k {k} is out of range", f"ask for 1 to {MAX_K} results")
        query = Query(text=query) if isinstance(query, str) else query
        explanation = Explanation()
        allowed = None
        if filter is not None:
            started = time.perf_counter()
            allowed = self._reader.fragment_ids(filter)
            explanation.stage("filter", started, len(allowed))
        rows = sum(len(segment.rows) for segment in self._reader.segments)
        plan = plans.choose(
            mode,
            k,
            rows,
            None if allowed is None else len(allowed),
            self._answered,
            any(segment.graph_path is not None for segment in self._reader.segments),
            bool(query.text),
        )
        self._answered += 1
        explanation.plan = plan
        word_ranking = self._ask_words(query, plan, filter, explanation) if plan.words else None
        vector = None
        if plan.vectors is not None and rows:
            started = time.perf_counter()
            vector = self._query_vector(query)
            explanation.stage("encode", started, 1)
        results: list[Result] = []
        depth = plan.depth
        while True:
            candidates = None if vector is None else self._candidates(vector, plan, depth, allowed, explanation)
            results, hidden = self._assemble(query, k, candidates, word_ranking, filter, min_score, explanation)
            explanation.hidden = hidden
            exhausted = candidates is None or len(candidates.fragment_ids) < depth
            # Many tiles of few drawings, or files this user may not read, can use up the depth: look deeper.
            if len(results) >= k or exhausted or depth >= plans.MAX_DEPTH:
                return Answer(results, hidden, explanation)
            depth = min(depth * 8, plans.MAX_DEPTH)

    # -- vectors ---------------------------------------------------------------------------------------------

    def _query_vector(self, query: Query) -> NDArray[np.float32]:
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
        if not np.isfinite(length) or length == 0.0:
            raise EmbeddingError("the query has no direction left", "say less of what it is not")
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
        if plan.vectors == "exact" or codebook is None:
            found = ways.by_exact(segments, vector, depth, allowed)
        elif plan.vectors == "graph":
            found = ways.by_graph(
                segments, self._open_graphs(), vector, depth, codebook, max(plan.candidates, 4 * depth)
            )
        else:
            found = ways.by_codes(segments, vector, depth, allowed, codebook, max(plan.candidates, 4 * depth))
        explanation.stage(plan.vectors or "exact", started, found.scanned)
        return found

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

    def _ask_words(self, query: Query, plan: plans.Plan, filter: Filter | None, explanation: Explanation) -> Ranking:
        from cmrcli.searching.fusion import Ranking

        started = time.perf_counter()
        hits = self._reader.words(query.text, plan.depth, filter)
        weight = CODE_WEIGHT if looks_like_code(query.text) else 1.0
        explanation.stage("words", started, len(hits))
        coverage = [hit.coverage for hit in hits]
        return Ranking("words", weight, [(hit.item_id, hit.score) for hit in hits], coverage)

    # -- results ---------------------------------------------------------------------------------------------

    def _assemble(
        self,
        query: Query,
        k: int,
        candidates: Candidates | None,
        word_ranking: Ranking | None,
        filter: Filter | None,
        min_score: float | None,
        explanation: Explanation,
    ) -> tuple[list[Result], int]:
        from cmrcli.searching.fusion import Ranking, fuse

        started = time.perf_counter()
        rankings = [] if word_ranking is None else [word_ranking]
        best: dict[int, FragmentHit] = {}
        if candidates is not None:
            hits = self._reader.fragments([int(i) for i in candidates.fragment_ids])
            by_item: list[tuple[int, float]] = []
            for fragment_id, similarity in zip(candidates.fragment_ids, candidates.similarities, strict=True):
                hit = hits.get(int(fragment_id))
                if hit is not None and hit.item_id not in best:
                    best[hit.item_id] = hit
                    by_item.append((hit.item_id, float(similarity)))
            rankings.append(Ranking("vectors", 1.0, by_item))
        fused = fuse(rankings)
        if query.without:
            dropped = self._items_with(query.without)
            fused = [row for row in fused if row[0] not in dropped]
        if min_score is not None:
            fused = [row for row in fused if row[1] >= min_score]
        only_words = [item for item, _, _ in fused if item not in best]
        best |= self._reader.whole_fragments(only_words)
        fused = [row for row in fused if row[0] in best]
        results, hidden = self._with_places(query, k, fused, best, filter)
        explanation.stage("assemble", started, len(results))
        return results, hidden

    def _with_places(
        self,
        query: Query,
        k: int,
        fused: Sequence[tuple[int, float, dict[str, tuple[float, int]]]],
        best: dict[int, FragmentHit],
        filter: Filter | None,
    ) -> tuple[list[Result], int]:
        """The first `k` items with a file that this user can read now; how many before them had none."""
        results: list[Result] = []
        hidden = 0
        for start in range(0, len(fused), 4 * k):
            stretch = fused[start : start + 4 * k]
            places = self._reader.places([best[item].content_id for item, _, _ in stretch], filter)
            for item, score, signals in stretch:
                hit = best[item]
                at = places.get(hit.content_id, [])
                readable = [place for place in at if os.access(place.path, os.R_OK)]
                if not readable:
                    hidden += bool(at)
                    continue
                results.append(_result(query, len(results) + 1, hit, readable, score, signals))
                if len(results) == k:
                    return results, hidden
        return results, hidden

    def _items_with(self, texts: Sequence[str]) -> set[int]:
        """Items that hold every word of one of the texts."""
        return {
            hit.item_id for text in texts for hit in self._reader.words(text, plans.MAX_DEPTH) if hit.coverage >= 1.0
        }


def _result(
    query: Query,
    rank: int,
    hit: FragmentHit,
    places: Sequence[FilePlace],
    score: float,
    signals: dict[str, tuple[float, int]],
) -> Result:
    first, *others = places
    path = os.fsdecode(first.path)
    return Result(
        query=query.shown,
        rank=rank,
        path=path,
        root=os.fsdecode(first.root),
        relpath=os.fsdecode(first.relpath) or os.path.basename(path),
        page=hit.page,
        box=hit.box,
        kind=hit.kind,
        score=score,
        signals=tuple(Signal(name, *signals[name]) for name in sorted(signals)),
        passage=hit.text,
        label=hit.label,
        title=hit.title,
        duplicates=tuple(os.fsdecode(place.path) for place in others),
        mtime_ns=first.mtime_ns,
    )

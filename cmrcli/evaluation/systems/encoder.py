"""An encoder asked over the gallery that a truth brings, without an index.

Modes:

* exact: float32 inner products with the whole gallery.
* codes: sign codes fitted to the gallery, as many Hamming candidates as a search takes, rescored with the vectors.
* hamming: the codes alone; the score is minus the distance.
* graph: HNSW with the parameters of an index's segments.

exact and hamming know the rank of every document (`whole`), as the hashing literature's mAP needs it; of the others
the first k are all that there is. The folds of a gallery are galleries of their own: each has its codes and its graph.

Costs: `warm` is the time to encode one query plus that to find its first k, each query alone, after one that warms up;
reading and decoding the file of a query by example is not in it, nor is anything that an index does besides (catalog,
grouping). It is measured for at most SAMPLE queries, evenly spread. `bytes_per_item` is what an index would read for
it: vectors in half precision, codes, graph; nothing else. `build_s` is what was taken to make codes or graph.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.answers import Answers, Ranking, outcome_of, ranked
from cmrcli.evaluation.costs.latency import latency_of
from cmrcli.evaluation.report import Cost, Latency
from cmrcli.evaluation.systems.matrix import precedence_of, search_all
from cmrcli.evaluation.systems.nearest import Codes, Searcher, searcher_of
from cmrcli.evaluation.systems.vectors import LineVectors, Progress, Vectors
from cmrcli.evaluation.truth import Gallery, Part

if TYPE_CHECKING:
    from cmrcli.corpus.items import Limits
    from cmrcli.encoders.dual import DualEncoder

MODES = ("exact", "codes", "hamming", "graph")
SAMPLE = 100  # queries whose latency is measured
REPEATS = 3  # timed searches of each


@dataclass(frozen=True, slots=True)
class Prepared:
    """A part with its vectors.

    Attributes:
        queries: (q, dim) float32, L2-normalised, in the order of the topics.
        gallery: (n, dim) likewise, in the order of the documents.
        encode_s: topic number -> seconds to encode it alone, of the sample.
    """

    part: Part
    queries: Vectors
    gallery: Vectors
    encode_s: Mapping[int, float]


class EncoderSystem:
    """One encoder. What it has encoded is kept for the next part, as long as this object lives."""

    def __init__(self, encoder: DualEncoder, limits: Limits | None = None) -> None:
        self._encoder = encoder
        self._vectors = LineVectors(encoder, limits)

    def prepare(self, part: Part, progress: Progress | None = None) -> Prepared:
        """Encodes the gallery and the topics.

        Args:
            progress: called with "pictures" or "texts", how many are encoded, how many are to be.

        Raises:
            UsageError: a part without a gallery, relevant documents outside it, or pictures that cannot be read.
            EncoderError, EmbeddingError: of the encoder.
        """
        gallery = _gallery_of(part)
        _check_held(part, gallery)
        documents = self._vectors.of_groups(gallery.lines, progress)
        queries = self._vectors.of_lines([topic.text for topic in part.topics], progress)
        return Prepared(part, queries, documents, self._encode_times(part))

    def answer(self, prepared: Prepared, mode: str, k: int) -> tuple[Answers, Cost]:
        """The first k documents of every topic, their outcomes, and what the mode costs.

        Raises:
            UsageError: an unknown mode, or "graph" where hnswlib is not installed or the disk is full.
        """
        if mode not in MODES:
            raise UsageError(f"an encoder has no mode {mode!r}", "modes: " + ", ".join(MODES))
        part, gallery = prepared.part, _gallery_of(prepared.part)
        with TemporaryDirectory(prefix="cmrcli-eval-") as folder:
            began = time.perf_counter()
            folds: _Folds = {}
            for number, fold in enumerate(dict.fromkeys(topic.fold for topic in part.topics)):
                rows = _rows_of(gallery, fold)
                vectors = prepared.gallery if len(rows) == len(prepared.gallery) else prepared.gallery[rows]
                searcher = searcher_of(mode, vectors, Path(folder, f"graph-{number}"))
                folds[fold] = searcher, [gallery.documents[row] for row in rows]
            build_s = time.perf_counter() - began
            answers = _answers(mode, folds, prepared, k)
            warm = _latency(folds, prepared, k)
        held = sum(len(documents) for _, documents in folds.values())
        cost = Cost(
            warm=warm,
            bytes_per_item=sum(searcher.bytes for searcher, _ in folds.values()) / held,
            build_s=None if mode == "exact" else build_s,
        )
        return answers, cost

    def _encode_times(self, part: Part) -> dict[int, float]:
        numbers = np.unique(np.linspace(0, len(part.topics) - 1, min(SAMPLE, len(part.topics))).round().astype(int))
        lines = {int(number): part.topics[number].text for number in numbers}
        examples = dict(self._vectors.read([line for n, line in lines.items() if part.topics[n].by_example]))
        times: dict[int, float] = {}
        for number, line in lines.items():
            content = examples.get(line, line)
            for _ in range(1 if times else 2):  # the first run warms up
                began = time.perf_counter()
                if isinstance(content, str):
                    self._encoder.encode_texts([content])
                else:
                    self._encoder.encode_images(content[np.newaxis])
                times[number] = time.perf_counter() - began
        return times


_Folds = dict[int | None, tuple[Searcher, list[str]]]  # fold -> what answers it, and its documents by row


def _answers(mode: str, folds: _Folds, prepared: Prepared, k: int) -> Answers:
    if mode == "exact":
        return _all_of(prepared.part, prepared.queries, prepared.gallery, k, float)
    if mode == "hamming":
        # As vectors of 1 and -1, two codes have the inner product bits - 2 * distance, exact in float32.
        queries, gallery, bits = _signs(folds, prepared)
        return _all_of(prepared.part, queries, gallery, k, lambda product: (product - bits) / 2)
    return _all_by(folds, prepared, k)


def _all_of(part: Part, queries: Vectors, vectors: Vectors, k: int, score: Callable[[float], float]) -> Answers:
    """The whole gallery ranked; `score` of an inner product is what the run says."""
    gallery = _gallery_of(part)
    row_of = {document: row for row, document in enumerate(gallery.documents)}
    matches = search_all(
        queries,
        vectors,
        min(k, len(gallery.documents)),
        _RelevantRows(part, row_of),
        precedence=precedence_of(gallery.documents),
        own=[-1 if topic.own is None else row_of.get(topic.own, -1) for topic in part.topics],
        query_folds=[topic.fold for topic in part.topics],
        gallery_folds=gallery.folds,
    )
    answers = Answers(whole=True)
    for topic, rows, products, outcome in zip(part.topics, matches.rows, matches.scores, matches.outcomes, strict=True):
        found = rows >= 0
        documents = tuple(gallery.documents[row] for row in rows[found])
        answers.run[topic.id] = Ranking(documents, tuple(map(score, products[found].tolist())))
        answers.outcomes[topic.id] = outcome
    return answers


def _signs(folds: _Folds, prepared: Prepared) -> tuple[Vectors, Vectors, int]:
    """Codes of queries and gallery as vectors of 1 and -1, each fold by its own centre, and their bits."""
    part = prepared.part
    of_queries, of_gallery = np.empty_like(prepared.queries), np.empty_like(prepared.gallery)
    for fold, (searcher, _) in folds.items():
        assert isinstance(searcher, Codes)
        rows = _rows_of(_gallery_of(part), fold)
        numbers = [number for number, topic in enumerate(part.topics) if topic.fold == fold]
        of_gallery[rows] = np.where(prepared.gallery[rows] > searcher.centre, 1, -1)
        of_queries[numbers] = np.where(prepared.queries[numbers] > searcher.centre, 1, -1)
    return of_queries, of_gallery, prepared.gallery.shape[1]


def _all_by(folds: _Folds, prepared: Prepared, k: int) -> Answers:
    answers = Answers()
    for number, topic in enumerate(prepared.part.topics):
        ranking = ranked(_asked(folds, prepared, number, k))
        answers.run[topic.id] = ranking
        answers.outcomes[topic.id] = outcome_of(ranking, prepared.part.qrels[topic.id])
    return answers


def _asked(folds: _Folds, prepared: Prepared, number: int, k: int) -> list[tuple[str, float]]:
    """The first k documents of one topic with their scores, itself left out."""
    topic = prepared.part.topics[number]
    searcher, documents = folds[topic.fold]
    rows, scores = searcher.nearest(prepared.queries[number], k + (topic.own is not None))
    found = ((documents[row], score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True))
    return [(document, score) for document, score in found if document != topic.own][:k]


def _latency(folds: _Folds, prepared: Prepared, k: int) -> Latency | None:
    seconds = []
    for number, encode_s in prepared.encode_s.items():
        timed = []
        for _ in range(REPEATS + 1):
            began = time.perf_counter()
            _asked(folds, prepared, number, k)
            timed.append(time.perf_counter() - began)
        seconds.append(encode_s + median(timed[1:]))
    return latency_of(seconds)


class _RelevantRows(Sequence[Mapping[int, int]]):
    """Gallery row -> grade, topic by topic; made when asked for, since classes would fill the memory with them."""

    def __init__(self, part: Part, row_of: Mapping[str, int]) -> None:
        self._part = part
        self._row_of = row_of

    def __len__(self) -> int:
        return len(self._part.topics)

    @overload
    def __getitem__(self, number: int) -> Mapping[int, int]: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Mapping[int, int]]: ...
    def __getitem__(self, number: int | slice) -> Mapping[int, int] | Sequence[Mapping[int, int]]:
        if isinstance(number, slice):
            return [self[one] for one in range(len(self))[number]]
        judged = self._part.qrels[self._part.topics[number].id]
        return {self._row_of[document]: grade for document, grade in judged.items() if grade > 0}


def _gallery_of(part: Part) -> Gallery:
    if part.gallery is None:
        what = f"the ground truth {part.name} names no gallery".replace("  ", " ")
        raise UsageError(what, "evaluate an index instead")
    return part.gallery


def _check_held(part: Part, gallery: Gallery) -> None:
    held = set(gallery.documents)
    relevant = {document for grades in part.qrels.values() for document, grade in grades.items() if grade > 0}
    if outside := sorted(relevant - held):
        what = f"{len(outside):,} relevant documents are not in the gallery: {display_path(outside[0])}"
        raise UsageError(what, "judge documents of the gallery")


def _rows_of(gallery: Gallery, fold: int | None) -> NDArray[np.int64]:
    if fold is None or gallery.folds is None:
        return np.arange(len(gallery.documents))
    return np.flatnonzero(np.asarray(gallery.folds) == fold)

"""The ways to the nearest fragments, against a plain matrix product."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmrcli.codes.fitting import fit, fit_sign
from cmrcli.codes.ordering import FloatQuery
from cmrcli.searching.batches import codes_of_many, exact_of_many, graph_of_many
from cmrcli.searching.candidates import CodeDepths, by_codes, by_exact, by_hamming
from cmrcli.store import Segment

DIM = 32


def unit(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    vectors = rng.normal(size=(count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def segments() -> list[Segment]:
    """Three segments, fragment ids ascending and with gaps; a third of the second one's rows are dead."""
    rng = np.random.default_rng(0)
    parts = [unit(rng, count).astype(np.float16) for count in (300, 200, 1)]
    codebook = fit_sign(np.concatenate(parts).astype(np.float32))
    made, start = [], 10
    for number, vectors in enumerate(parts):
        rows = np.arange(start, start + 2 * len(vectors), 2, dtype=np.int64)
        dead = np.arange(len(vectors)) % 3 == 0 if number == 1 else None
        made.append(Segment(f"s{number}", rows, vectors, codebook.encode(vectors), dead, None))
        start = int(rows[-1]) + 7
    return made


def naive(segments: list[Segment], query: NDArray[np.float32], allowed: set[int] | None) -> list[tuple[int, float]]:
    found = []
    for segment in segments:
        for row, fragment in enumerate(segment.rows):
            alive = segment.dead is None or not segment.dead[row]
            if alive and (allowed is None or int(fragment) in allowed):
                found.append((int(fragment), float(segment.vectors[row] @ query)))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


@pytest.mark.parametrize("filtered", [False, True])
def test_exact_equals_the_plain_product(segments: list[Segment], filtered: bool) -> None:
    query = unit(np.random.default_rng(1), 1)[0]
    every = np.concatenate([segment.rows for segment in segments])
    allowed = np.sort(every[::4]) if filtered else None
    expected = naive(segments, query, None if allowed is None else set(allowed.tolist()))
    found = by_exact(segments, query, 25, allowed)
    assert found.fragment_ids.tolist() == [fragment for fragment, _ in expected[:25]]
    assert found.similarities.tolist() == pytest.approx([score for _, score in expected[:25]], abs=1e-6)


def test_codes_that_rescore_everything_equal_exact(segments: list[Segment]) -> None:
    query = unit(np.random.default_rng(2), 1)[0]
    codebook = fit_sign(np.concatenate([segment.vectors[:] for segment in segments]))
    exact = by_exact(segments, query, 10, None)
    codes = by_codes(segments, query, 10, None, codebook, CodeDepths(10_000, 10_000))
    assert codes.fragment_ids.tolist() == exact.fragment_ids.tolist()


def test_codes_with_few_candidates_lose_little_and_never_show_the_dead(segments: list[Segment]) -> None:
    rng = np.random.default_rng(3)
    codebook = fit_sign(np.concatenate([segment.vectors[:] for segment in segments]))
    dead = {int(i) for s in segments if s.dead is not None for i in s.rows[s.dead]}
    kept = 0
    for query in unit(rng, 30):
        exact = set(by_exact(segments, query, 10, None).fragment_ids.tolist())
        codes = set(by_codes(segments, query, 10, None, codebook, CodeDepths(160, 120)).fragment_ids.tolist())
        assert not codes & dead
        kept += len(exact & codes)
    assert kept >= 0.9 * 300


def test_the_float_query_orders_the_candidates_between_the_two_steps(segments: list[Segment]) -> None:
    """Those rescored are the best by the estimate, of all segments together."""
    codebook = fit_sign(np.concatenate([segment.vectors[:] for segment in segments]))
    told: list[tuple[str, int]] = []
    for query in unit(np.random.default_rng(6), 5):
        estimates = {
            int(fragment): float(cosine)
            for segment in segments
            for fragment, cosine, dead in zip(
                segment.rows,
                FloatQuery(codebook, query).cosines(segment.codes),
                np.zeros(len(segment.rows), bool) if segment.dead is None else segment.dead,
                strict=True,
            )
            if not dead
        }
        best = sorted(estimates, key=lambda fragment: -estimates[fragment])[:30]
        found = by_codes(
            segments, query, 30, None, codebook, CodeDepths(10_000, 30), lambda s, _, n: told.append((s, n))
        )
        assert sorted(found.fragment_ids.tolist()) == sorted(best)
        exact = dict(naive(segments, query, set(best)))
        assert found.similarities.tolist() == pytest.approx([exact[int(i)] for i in found.fragment_ids], abs=1e-6)
        assert found.similarities.tolist() == sorted(found.similarities.tolist(), reverse=True)
    assert told[:3] == [("hamming", 501), ("order", 434), ("rescore", 30)]


@pytest.mark.parametrize("method", ["sign", "rotation"])
def test_codes_alone_answer_with_what_they_estimate(segments: list[Segment], method: str) -> None:
    vectors = np.concatenate([segment.vectors for segment in segments])
    codebook = fit(method, vectors, 4 * DIM if method == "rotation" else 0)
    alone = [
        Segment(
            s.id,
            s.rows,
            None,
            codebook.encode(s.vectors),
            s.dead,
            None,
            codebook.factors(s.vectors) if beside else None,
        )
        for s in segments
        for beside in [codebook.factors_per_row > 0]
    ]
    shared = 0
    for query in unit(np.random.default_rng(7), 20):
        found = by_codes(alone, query, 10, None, codebook, CodeDepths(10_000, 0))
        exact = dict(naive(segments, query, None))
        assert found.similarities.tolist() == sorted(found.similarities.tolist(), reverse=True)
        shared += len(set(found.fragment_ids.tolist()) & set(list(exact)[:10]))
    assert shared >= (100 if method == "rotation" else 50)  # of 200; chance finds 5


@pytest.mark.parametrize("filtered", [False, True])
def test_hamming_equals_counting_bits_one_by_one(segments: list[Segment], filtered: bool) -> None:
    query = unit(np.random.default_rng(6), 1)[0]
    vectors = np.concatenate([segment.vectors[:] for segment in segments])
    codebook = fit_sign(vectors)
    allowed = np.sort(np.concatenate([segment.rows for segment in segments])[::3]) if filtered else None
    expected = []
    for segment in segments:
        for row, fragment in enumerate(segment.rows.tolist()):
            if (segment.dead is None or not segment.dead[row]) and (allowed is None or fragment in allowed):
                same = (segment.vectors[row] > codebook.centre) == (query > codebook.centre)
                expected.append((fragment, int(same.sum()) / DIM))
    expected.sort(key=lambda pair: (-pair[1], pair[0]))
    for segment in segments:  # not one vector is read
        segment.kept_vectors = np.full(segment.vectors.shape, np.nan, np.float16)
    found = by_hamming(segments, query, 40, allowed, codebook)
    assert found.fragment_ids.tolist() == [fragment for fragment, _ in expected[:40]]
    assert found.similarities.tolist() == [share for _, share in expected[:40]]
    assert len(set(found.similarities.tolist())) < 40, "ties, by fragment"


@pytest.mark.parametrize("way", ["exact", "codes", "hamming"])
def test_nothing_allowed_and_no_segments_give_nothing(segments: list[Segment], way: str) -> None:
    query = unit(np.random.default_rng(4), 1)[0]
    codebook = fit_sign(segments[0].vectors)
    nothing = np.empty(0, dtype=np.int64)
    for parts, allowed in ((segments, nothing), ([], None)):
        if way == "exact":
            assert len(by_exact(parts, query, 5, allowed).fragment_ids) == 0
        elif way == "hamming":
            assert len(by_hamming(parts, query, 5, allowed, codebook).fragment_ids) == 0
        else:
            assert len(by_codes(parts, query, 5, allowed, codebook, CodeDepths(50, 50)).fragment_ids) == 0


class WholeGraph:
    """Stands for a graph: answers exactly, the dead included, as hnswlib would."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self.vectors = vectors

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        scores = queries @ self.vectors.T
        rows = np.argsort(-scores, axis=1)[:, :k]
        return rows.astype(np.int64), np.take_along_axis(scores, rows, axis=1)


def test_graphs_and_codes_together_equal_exact(segments: list[Segment]) -> None:
    query = unit(np.random.default_rng(5), 1)[0]
    codebook = fit_sign(segments[0].vectors)
    graphs = {"s1": WholeGraph(segments[1].vectors[:])}  # the segment with dead rows
    depths = CodeDepths(10_000, 10_000)
    [found] = graph_of_many(segments, graphs, query[None], 20, codebook, depths)  # type: ignore[arg-type]
    exact = by_exact(segments, query, 20, None)
    assert found.fragment_ids.tolist() == exact.fragment_ids.tolist()


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("way", ["exact", "codes"])
def test_many_queries_at_once_find_what_each_finds_alone(segments: list[Segment], way: str, filtered: bool) -> None:
    queries = unit(np.random.default_rng(8), 9)
    codebook = fit_sign(np.concatenate([segment.vectors[:] for segment in segments]))
    allowed = np.sort(np.concatenate([segment.rows for segment in segments])[::3]) if filtered else None
    depths = CodeDepths(60, 30)
    if way == "exact":
        together = exact_of_many(segments, queries, 12, allowed)
        alone = [by_exact(segments, query, 12, allowed) for query in queries]
    else:
        together = codes_of_many(segments, queries, 12, allowed, codebook, depths)
        alone = [by_codes(segments, query, 12, allowed, codebook, depths) for query in queries]
    assert len(together) == 9
    for one, other in zip(together, alone, strict=True):
        assert one.fragment_ids.tolist() == other.fragment_ids.tolist() and one.scanned == other.scanned
        assert one.similarities.tolist() == pytest.approx(other.similarities.tolist(), abs=1e-6)


def test_many_queries_of_graphs_find_what_each_finds_exactly(segments: list[Segment]) -> None:
    queries = unit(np.random.default_rng(9), 5)
    codebook = fit_sign(segments[0].vectors)
    graphs = {segment.id: WholeGraph(segment.vectors[:]) for segment in segments}
    for there in (graphs, {"s1": graphs["s1"]}, {}):
        depths = CodeDepths(10_000, 10_000)
        found = graph_of_many(segments, there, queries, 20, codebook, depths)  # type: ignore[arg-type]
        for query, one in zip(queries, found, strict=True):
            assert one.fragment_ids.tolist() == by_exact(segments, query, 20, None).fragment_ids.tolist()


@pytest.mark.parametrize("way", ["exact", "codes", "graph"])
def test_many_queries_of_no_segments_find_nothing(way: str, segments: list[Segment]) -> None:
    queries = unit(np.random.default_rng(9), 3)
    codebook = fit_sign(segments[0].vectors)
    depths = CodeDepths(50, 50)
    if way == "exact":
        found = exact_of_many([], queries, 5, None)
    elif way == "codes":
        found = codes_of_many([], queries, 5, None, codebook, depths)
    else:
        found = graph_of_many([], {}, queries, 5, codebook, depths)
    assert [len(one.fragment_ids) for one in found] == [0, 0, 0]

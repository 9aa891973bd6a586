"""Whatever the plan, the nearest fragments are those of exact search, but for the share that a plan may miss."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cmrcli import Index
from cmrcli.codes.codebook import DEFAULT_OVERSAMPLING
from cmrcli.searching.answer import Explanation
from cmrcli.searching.costs import DEFAULTS
from cmrcli.searching.plan import Asked, Plan, choose
from cmrcli.store import open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.records import EncoderIdentity

pytest.importorskip("hnswlib")

DIM, ROWS = 64, 2_400
ENCODER = EncoderIdentity("tiny", "cd" * 32, DIM)
LEAST = {"exact": 1.0, "codes": 0.98, "graph": 0.96}  # what the defaults promise of real vectors is 0.99 and 0.98


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[np.float32]]:
    """Two segments of clusters, some rows dead, graphs over both; and queries near the clusters."""
    folder = tmp_path_factory.mktemp("made") / "index"
    rng = np.random.default_rng(3)
    centres = unit(rng.normal(size=(60, DIM)).astype(np.float32))
    places = rng.integers(60, size=ROWS + 40)
    vectors = unit(centres[places] + 0.09 * rng.normal(size=(ROWS + 40, DIM)).astype(np.float32))
    with open_writer(folder, ENCODER) as writer:
        root = writer.add_root(b"/made").id
        writer.set_graphs("always")
        for first, last in ((0, 1_700), (1_700, ROWS)):
            added = Batch()
            for number in range(first, last):
                digest = number.to_bytes(16, "little")
                item = NewItem(None, "photo", fragments=[NewFragment("whole", vectors[number])])
                added.contents.append(NewContent(digest, "png", [item]))
                added.files.append(FileUpdate(root, b"", b"%d.png" % number, 1, 1, digest))
            writer.commit(added)
        dead = [file.id for name, file in writer.files_in(root, b"").items() if int(name[:-4]) % 16 == 0]
        writer.commit(Batch(removed_file_ids=dead))
        assert writer.maintain().graphs_built == 2
    return folder, vectors[ROWS:]


@pytest.fixture
def index(made: tuple[Path, NDArray[np.float32]]) -> Iterator[Index]:
    with Index(made[0]) as opened:
        yield opened


def fragments(index: Index, mode: str, queries: NDArray[np.float32], together: bool) -> list[list[int]]:
    signal = index._vectors
    plan = choose(Asked(mode, 10), signal.held(graphs=True), DEFAULT_OVERSAMPLING, DEFAULTS)
    assert plan.vectors == mode
    told = [Explanation() for _ in queries]
    if together:
        found = signal.candidates_of_many(queries, plan, plan.depth, None, told)
    else:
        found = [signal.candidates(q, plan, plan.depth, None, e) for q, e in zip(queries, told, strict=True)]
    assert all(any(name == mode for name, _, _ in explanation.stages) for explanation in told)
    return [candidates.fragment_ids[:10].tolist() for candidates in found]


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
@pytest.mark.parametrize("mode", list(LEAST))
def test_every_plan_finds_the_exact_ten(
    index: Index, made: tuple[Path, NDArray[np.float32]], mode: str, together: bool
) -> None:
    queries = made[1]
    exact = fragments(index, "exact", queries, together=False)
    found = fragments(index, mode, queries, together)
    shared = sum(len(set(one) & set(other)) for one, other in zip(exact, found, strict=True))
    assert shared >= LEAST[mode] * 10 * len(queries)
    dead = {int(i) for s in index.reader.segments if s.dead is not None for i in s.rows[s.dead]}
    assert dead and not dead & {fragment for one in found for fragment in one}


def ways(index: Index, queries: int) -> list[str | None]:
    plans: list[Plan] = []
    for _ in range(queries):
        explanation = Explanation()
        from cmrcli.searching.assembly import Wanted
        from cmrcli.searching.query import Query

        plans.append(index._plan(Wanted(Query("x"), 10), "auto", None, index._coming(), explanation))
        index._count_answered(1)
    return [plan.vectors for plan in plans]


@pytest.fixture
def nothing_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact search is never unnoticed, and the graphs take some queries to pay."""
    from cmrcli.searching import costs, plan

    monkeypatch.setattr(plan, "UNNOTICED_US", 0)
    monkeypatch.setattr(costs, "kept", lambda: costs.Costs(exact_ns=1e3, scan_ns=1e3, load_ns=200.0))


def test_graphs_are_read_once_enough_queries_came(index: Index, nothing_is_free: None) -> None:
    chosen = ways(index, 200)
    turn = chosen.index("graph")
    assert 1 < turn < 199 and chosen == ["codes"] * turn + ["graph"] * (200 - turn)


def test_graphs_are_read_at_once_for_queries_that_are_expected(index: Index, nothing_is_free: None) -> None:
    index.expect(10_000)
    assert ways(index, 2) == ["graph", "graph"]


def test_a_graph_in_memory_costs_nothing_to_read(
    index: Index, made: tuple[Path, NDArray[np.float32]], nothing_is_free: None
) -> None:
    assert ways(index, 1) == ["codes"]
    fragments(index, "graph", made[1][:1], together=False)
    assert ways(index, 1) == ["graph"]


@pytest.mark.parametrize("damage", ["flipped", "no description", "all"])
def test_a_damaged_graph_is_passed_by(made: tuple[Path, NDArray[np.float32]], tmp_path: Path, damage: str) -> None:
    shutil.copytree(made[0], tmp_path / "index")
    paths = sorted((tmp_path / "index").glob("segments/*/graph.hnsw"))
    for path in paths if damage == "all" else paths[:1]:
        if damage == "no description":
            path.with_name("graph.json").unlink()
        else:
            raw = path.read_bytes()
            path.write_bytes(raw[:500] + bytes([raw[500] ^ 1]) + raw[501:])
    with Index(tmp_path / "index") as index:
        exact = fragments(index, "exact", made[1], together=False)
        found = fragments(index, "graph", made[1], together=True)
        shared = sum(len(set(one) & set(other)) for one, other in zip(exact, found, strict=True))
        assert shared >= 0.96 * 10 * len(made[1])
        left = 0 if damage == "all" else 1
        assert len(index._vectors.held(graphs=True).graphs) == left

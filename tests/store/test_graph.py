"""The graph against exact search, and every way in which hnswlib's file may lie about itself."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cmrcli.errors import EmbeddingError
from cmrcli.store import graph, graph_building, graph_tuning
from cmrcli.store.graph import GraphExpectation

pytest.importorskip("hnswlib")

DIM = 24
EXPECT = GraphExpectation(DIM, 700, "digest")


def unit_vectors(n: int, seed: int = 0, dim: int = DIM) -> np.ndarray:
    """Around the same twelve centres whatever the seed."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(12, dim)) + 0.5
    vectors = centres[rng.integers(0, 12, n)] + 0.6 * rng.normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    path = tmp_path_factory.mktemp("segment") / "graph.hnsw"
    vectors = unit_vectors(700)
    assert graph_building.build(vectors, path, "digest") is not None
    return path, vectors


@pytest.fixture
def copy(built: tuple[Path, np.ndarray], tmp_path: Path) -> Path:
    for file in (built[0], graph.sidecar(built[0])):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / "graph.hnsw"


def test_finds_what_exact_search_finds(built: tuple[Path, np.ndarray]) -> None:
    path, vectors = built
    loaded = graph.load(path, EXPECT)
    assert loaded is not None and loaded.info.recall >= 0.98
    queries = unit_vectors(50, seed=9).astype(np.float32)
    rows, similarities = loaded.search(queries, 10)
    exact = queries @ vectors.astype(np.float32).T
    nearest = np.argsort(-exact, axis=1)[:, :10]
    shared = sum(len(set(a.tolist()) & set(b.tolist())) for a, b in zip(rows, nearest, strict=True))
    assert shared >= 0.95 * 500
    assert np.allclose(similarities, np.take_along_axis(exact, rows, axis=1), atol=1e-5)
    assert (np.diff(similarities, axis=1) <= 1e-6).all()


def test_the_description_is_complete_and_private(built: tuple[Path, np.ndarray]) -> None:
    path, _ = built
    document = json.loads(graph.sidecar(path).read_text())
    assert document["format"] == 2 and document["metric"] == "ip"
    assert (document["dim"], document["rows"], document["encoder_digest"]) == (DIM, 700, "digest")
    assert (document["m"], document["ef_construction"]) == (16, 200) and document["ef"] in graph_tuning.EFS
    assert document["size_bytes"] == path.stat().st_size
    assert document["target_recall"] == 0.98 and document["build_s"] > 0 and document["query_us"] > 0
    assert sorted(os.listdir(path.parent)) == ["graph.hnsw", "graph.json"]
    for file in (path, graph.sidecar(path)):
        assert file.stat().st_mode & 0o777 == 0o600


def test_one_thread_gives_the_same_bytes(built: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, vectors = built
    graph_building.build(vectors, tmp_path / "graph.hnsw", "digest")
    assert (tmp_path / "graph.hnsw").read_bytes() == path.read_bytes()


def test_k_is_clamped_to_the_rows(tmp_path: Path) -> None:
    vectors = unit_vectors(3)
    graph_building.build(vectors, tmp_path / "graph.hnsw", "digest")
    loaded = graph.load(tmp_path / "graph.hnsw", GraphExpectation(DIM, 3, "digest"))
    assert loaded is not None
    rows, _ = loaded.search(vectors[:2].astype(np.float32), 50)
    assert rows.shape == (2, 3) and sorted(rows[0].tolist()) == [0, 1, 2] and rows[1, 0] == 1
    assert loaded.search(vectors[:2].astype(np.float32), 0)[0].shape == (2, 0)


def test_more_than_ef_can_be_asked_for(built: tuple[Path, np.ndarray]) -> None:
    loaded = graph.load(built[0], EXPECT)
    assert loaded is not None
    rows, _ = loaded.search(unit_vectors(1, seed=3).astype(np.float32), 600, ef=10)
    assert len(set(rows[0].tolist())) == rows.shape[1] >= 300


def test_very_many_equal_vectors_are_no_error(tmp_path: Path) -> None:
    vectors = np.repeat(unit_vectors(2), 400, axis=0)
    info = graph_building.build(vectors, tmp_path / "graph.hnsw", "digest")
    assert info is not None
    loaded = graph.load(tmp_path / "graph.hnsw", GraphExpectation(DIM, 800, "digest"))
    assert loaded is not None
    rows, similarities = loaded.search(vectors[:1].astype(np.float32), 700)
    assert 0 < rows.shape[1] <= 700 and similarities[0, 0] == pytest.approx(1, abs=1e-2)


def test_queries_of_another_dimension_are_refused(built: tuple[Path, np.ndarray]) -> None:
    loaded = graph.load(built[0], EXPECT)
    assert loaded is not None
    for queries in (np.zeros((1, DIM - 1), np.float32), np.zeros(DIM, np.float32)):
        with pytest.raises(EmbeddingError):
            loaded.search(queries, 3)


@pytest.mark.parametrize(
    "expect",
    [
        GraphExpectation(DIM * 2, 700, "digest"),
        GraphExpectation(DIM, 699, "digest"),
        GraphExpectation(DIM, 700, "x"),
    ],
)
def test_the_graph_of_other_vectors_is_not_used(built: tuple[Path, np.ndarray], expect: GraphExpectation) -> None:
    assert graph.load(built[0], expect) is None
    assert "other vectors" in str(graph.fault(built[0], expect))


def test_any_flipped_bit_or_lost_byte_means_no_graph(copy: Path) -> None:
    sound = copy.read_bytes()
    assert graph.fault(copy, EXPECT) is None
    for place in (0, 17, len(sound) // 2, len(sound) - 1):
        copy.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        assert graph.load(copy, EXPECT) is None
        assert "checksum" in str(graph.fault(copy, EXPECT))
    for length in (0, 100, len(sound) - 1):
        copy.write_bytes(sound[:length])
        assert graph.load(copy, EXPECT) is None
        assert f"{length} bytes" in str(graph.fault(copy, EXPECT))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"format": 3}', "\x00", '{"format": 1, "dim": "24"}', "[" * 9000]
)
def test_a_damaged_description_means_no_graph(copy: Path, text: str) -> None:
    graph.sidecar(copy).write_text(text)
    assert graph.load(copy, EXPECT) is None
    assert "unreadable" in str(graph.fault(copy, EXPECT))


@pytest.mark.parametrize("name", ["graph.hnsw", "graph.json"])
def test_a_missing_file_means_no_graph(copy: Path, name: str) -> None:
    (copy.parent / name).unlink()
    assert graph.load(copy, EXPECT) is None
    assert "cannot be read" in str(graph.fault(copy, EXPECT))


def test_without_hnswlib_there_is_no_graph(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hnswlib", None)
    assert not graph.available()
    assert graph.load(copy, EXPECT) is None
    assert graph_building.build(unit_vectors(5), copy.parent / "other.hnsw", "digest") is None


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    folder.mkdir()
    graph_building.build(unit_vectors(20), folder / "graph.hnsw", "digest")
    assert graph.load(folder / "graph.hnsw", GraphExpectation(DIM, 20, "digest")) is not None


def test_a_rebuild_that_fails_leaves_the_old_graph(copy: Path) -> None:
    bad = unit_vectors(50)
    bad[20, 3] = np.nan
    with pytest.raises(EmbeddingError, match="rows 0 to 49"):
        graph_building.build(bad, copy, "digest")
    assert sorted(os.listdir(copy.parent)) == ["graph.hnsw", "graph.json"]
    assert graph.load(copy, EXPECT) is not None


def test_a_disk_that_is_full_is_noticed(tmp_path: Path) -> None:
    # hnswlib itself says nothing: without the read-back the truncated file would be renamed into place.
    program = """
import resource, sys
import numpy as np
from pathlib import Path
from cmrcli.store import graph_building
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    graph_building.build(np.load(sys.argv[1]), Path(sys.argv[2]), "digest")
except OSError as error:
    print("refused:", error)
"""
    vectors = tmp_path / "vectors.npy"
    np.save(vectors, unit_vectors(700))
    folder = tmp_path / "segment"
    folder.mkdir()
    command = [sys.executable, "-c", program, str(vectors), str(folder / "graph.hnsw")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refused:")
    assert os.listdir(folder) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 60_000


def test_progress_counts_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_tuning, "BLOCK_ROWS", 300)
    seen: list[int] = []
    graph_building.build(unit_vectors(700), tmp_path / "graph.hnsw", "digest", progress=seen.append)
    assert seen == [300, 600, 700]


def test_the_description_of_an_early_version_is_read(copy: Path) -> None:
    document = json.loads(graph.sidecar(copy).read_text())
    for name in ("target_recall", "build_s", "query_us"):
        del document[name]
    graph.sidecar(copy).write_text(json.dumps(document | {"format": 1}))
    loaded = graph.load(copy, EXPECT)
    assert loaded is not None and (loaded.info.target_recall, loaded.info.build_s) == (0.98, None)
    assert graph.described(copy, EXPECT) == loaded.info
    assert graph_building.retune(unit_vectors(700), copy, EXPECT, 0.99)
    tuned = graph.load(copy, EXPECT)
    assert tuned is not None and (tuned.info.target_recall, tuned.info.build_s) == (0.99, None)


@pytest.mark.parametrize("added", [{"query_us": "7"}, {"build_s": -1.0}, {"target_recall": True}, {"query_us": 1e99}])
def test_a_description_of_nonsense_means_no_graph(copy: Path, added: dict[str, object]) -> None:
    document = json.loads(graph.sidecar(copy).read_text())
    graph.sidecar(copy).write_text(json.dumps(document | added))
    assert graph.load(copy, EXPECT) is None and graph.described(copy, EXPECT) is None


def test_a_higher_target_takes_a_larger_ef(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(3_000, 48)).astype(np.float32)  # without any structure: hard to search
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    easy = graph_building.build(vectors, tmp_path / "graph.hnsw", "digest", target_recall=0.6)
    assert easy is not None and easy.recall >= 0.6
    expect = GraphExpectation(48, 3_000, "digest")
    assert graph_building.retune(vectors, tmp_path / "graph.hnsw", expect, 0.99)
    hard = graph.load(tmp_path / "graph.hnsw", expect)
    assert hard is not None and hard.info.ef > easy.ef and hard.info.recall >= 0.99
    assert hard.info.sha256 == easy.sha256, "tuned, not built again"
    assert not graph_building.retune(vectors, tmp_path / "none.hnsw", expect, 0.99)


def test_a_graph_of_the_first_rows_is_continued(
    built: tuple[Path, np.ndarray], copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = np.concatenate([built[1], unit_vectors(200, seed=5)])
    monkeypatch.setattr(graph_tuning, "BLOCK_ROWS", 100)
    added: list[int] = []
    graph_building.build(vectors, copy, "digest", progress=added.append)
    assert added == [800, 900], "only the rows that are new"
    loaded = graph.load(copy, GraphExpectation(DIM, 900, "digest"))
    assert loaded is not None and loaded.info.recall >= 0.98
    rows, _ = loaded.search(vectors[::10].astype(np.float32), 1)
    assert (rows[:, 0] == np.arange(0, 900, 10)).mean() > 0.97


@pytest.mark.parametrize("what", ["vectors", "file", "larger"])
def test_a_graph_of_anything_else_is_not_continued(built: tuple[Path, np.ndarray], copy: Path, what: str) -> None:
    vectors = np.concatenate([built[1], unit_vectors(200, seed=5)])
    if what == "vectors":
        vectors[13] = vectors[14]
    elif what == "file":
        sound = copy.read_bytes()
        copy.write_bytes(sound[:99] + bytes([sound[99] ^ 1]) + sound[100:])
    else:
        vectors = vectors[:500]
    added: list[int] = []
    graph_building.build(vectors, copy, "digest", progress=added.append)
    assert added == [len(vectors)], "from the first row"
    assert graph.load(copy, GraphExpectation(DIM, len(vectors), "digest")) is not None

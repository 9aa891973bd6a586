"""Graphs of an index as its settings want them: built once, continued, tuned, removed, and never in the way."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from cmrcli.errors import UsageError
from cmrcli.store import check, graph, graph_keeping, graph_settings, open_reader, open_writer
from cmrcli.store.batches import Batch
from cmrcli.store.graph_settings import GraphSettings
from tests.store.samples import ENCODER, batch

pytest.importorskip("hnswlib")


@pytest.fixture(autouse=True)
def small_segments_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_settings, "AUTO_ROWS", 20)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """One segment of 48 rows, with its graph."""
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, range(8)))
        assert writer.maintain().graphs_built == 1
    return tmp_path


def graphs(index: Path) -> list[Path]:
    return sorted(index.glob("segments/*/graph.hnsw"))


def append(index: Path, numbers: range) -> int:
    """Graphs that the run after this commit builds."""
    with open_writer(index, ENCODER) as writer:
        writer.commit(batch(writer.roots()[0].id, numbers))
        return writer.maintain().graphs_built


def test_a_run_that_appends_leaves_other_graphs_alone(index: Path) -> None:
    (old,) = graphs(index)
    before = old.stat().st_mtime_ns, old.stat().st_ino
    assert append(index, range(8, 13)) == 1
    assert len(graphs(index)) == 2 and (old.stat().st_mtime_ns, old.stat().st_ino) == before


def test_never_removes_and_stays_so_until_told(index: Path) -> None:
    with open_writer(index, ENCODER) as writer:
        writer.set_graphs("never")
        writer.maintain()
        assert writer.graph_settings == GraphSettings("never", 0.98)
    assert graphs(index) == [] == sorted(index.glob("segments/*/graph.json"))
    assert append(index, range(8, 16)) == 0
    with open_writer(index, ENCODER) as writer:
        writer.set_graphs("auto")
        assert writer.maintain().graphs_built == 2
    assert check(index) == []


def test_always_takes_small_segments_too(index: Path) -> None:
    assert append(index, range(8, 9)) == 0
    with open_writer(index, ENCODER) as writer:
        writer.set_graphs("always")
        assert writer.maintain().graphs_built == 1
    assert len(graphs(index)) == 2


def test_another_recall_tunes_without_building(index: Path) -> None:
    (path,) = graphs(index)
    built = path.stat().st_mtime_ns
    with open_writer(index, ENCODER) as writer:
        writer.set_graphs(target_recall=0.9)
        assert writer.maintain().graphs_built == 0
        assert writer.graph_settings == GraphSettings("auto", 0.9)
    assert json.loads(graph.sidecar(path).read_text())["target_recall"] == 0.9
    assert path.stat().st_mtime_ns == built
    assert check(index) == []


@pytest.mark.parametrize(("mode", "recall"), [("sometimes", None), (None, 0.2), (None, 1.0), (None, float("nan"))])
def test_settings_that_do_not_exist_are_refused(index: Path, mode: str | None, recall: float | None) -> None:
    with open_writer(index, ENCODER) as writer:
        with pytest.raises(UsageError):
            writer.set_graphs(mode, recall)  # type: ignore[arg-type]
        assert writer.graph_settings == GraphSettings()


@pytest.mark.parametrize(("mode", "recall"), [("often", "0.97"), ("", "much"), ("auto", "nan"), ("auto", "7")])
def test_settings_of_another_version_become_the_defaults(index: Path, mode: str, recall: str) -> None:
    connection = sqlite3.connect(index / "catalog.sqlite")
    connection.execute("INSERT INTO meta VALUES ('graph', ?), ('graph_recall', ?)", (mode, recall))
    connection.commit()
    connection.close()
    with open_writer(index, ENCODER) as writer:
        assert writer.graph_settings == GraphSettings("auto", 0.97 if recall == "0.97" else 0.98)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no graph", "no description", "no sense"])
def test_a_damaged_graph_is_built_again(index: Path, damage: str) -> None:
    (path,) = graphs(index)
    sound = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(sound[:-9])
    elif damage == "flipped":
        path.write_bytes(sound[:200] + bytes([sound[200] ^ 1]) + sound[201:])
        later = graph.sidecar(path).stat().st_mtime_ns + 10**9
        os.utime(path, ns=(later, later))
    elif damage == "no graph":
        path.unlink()
    elif damage == "no description":
        graph.sidecar(path).unlink()
    else:
        graph.sidecar(path).write_text("{}")
    with open_writer(index, ENCODER) as writer:
        assert writer.maintain().graphs_built == 1
        assert writer.maintain().graphs_built == 0
    assert path.read_bytes() == sound and check(index) == []


def test_a_merge_hands_the_graph_of_its_beginning_down(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[int] = []
    begun = graph_keeping.hand_down

    def spy(folder: Path, segments: list[object], rows: np.ndarray, target: Path) -> None:
        begun(folder, segments, rows, target)  # type: ignore[arg-type]
        handed.append(graph.read_sidecar(target / "graph.json").rows)

    monkeypatch.setattr(graph_keeping, "hand_down", spy)
    monkeypatch.setattr(graph_settings, "AUTO_ROWS", 40)
    for first in (8, 10, 12):
        append(index, range(first, first + 2))
    assert handed == [48]
    (path,) = graphs(index)
    with open_reader(index) as reader:
        (segment,) = reader.segments
        loaded = graph.load(path, graph.GraphExpectation(ENCODER.dim, len(segment.rows), ENCODER.digest))
        assert loaded is not None and loaded.info.rows == len(segment.rows) == 84
        found, _ = loaded.search(segment.vectors[:], 1)
        same = segment.vectors[found[:, 0]] == segment.vectors
        assert same.all(axis=1).mean() > 0.95
    assert check(index) == []


def test_a_graph_that_a_fifth_of_is_dead_is_built_anew(index: Path) -> None:
    with open_writer(index, ENCODER) as writer:
        files = list(writer.files_in(writer.roots()[0].id, b"drawings").values())
        writer.commit(Batch(removed_file_ids=[file.id for file in files[:1]]))
        assert writer.maintain().graphs_built == 0, "an eighth is dead"
        writer.commit(Batch(removed_file_ids=[file.id for file in files[1:2]]))
        report = writer.maintain()
        assert (report.graphs_built, report.rows_dropped) == (1, 12)
    (path,) = graphs(index)
    assert json.loads(graph.sidecar(path).read_text())["rows"] == 36
    assert check(index) == []


def test_a_full_disk_costs_the_graph_and_nothing_else(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = graphs(index)
    path.unlink()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cmrcli.store.graph_building.write_sidecar", full)
    with open_writer(index, ENCODER) as writer:
        assert writer.maintain().graphs_built == 0
    assert graphs(index) == [] and [f.severity for f in check(index) if f.severity == "error"] == []

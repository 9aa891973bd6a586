"""Latency, bytes, build time and environment of a small index, in processes of their own where that is the point."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import cmrcli
from cmrcli.errors import CmrcliError, UsageError
from cmrcli.evaluation.costs import build as building
from cmrcli.evaluation.costs import environment, latency, measure_cost
from cmrcli.evaluation.costs.disk import bytes_read_by
from cmrcli.evaluation.costs.processes import Done, run_module
from cmrcli.searching import Index
from cmrcli.searching.plan import MODES
from cmrcli.store import Filter, Segment

LINES = ["hydraulic pump", "seal ring", "red", "歯車"]


@pytest.fixture
def index(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> Iterator[Index]:
    with cmrcli.open_index(indexed[1], tiny_encoder_folder, threads=1) as opened:
        yield opened


class Clock:
    """Stands for `time`: every search takes the next of the given seconds."""

    def __init__(self, seconds: list[float]) -> None:
        self.now, self.seconds = 0.0, iter(seconds)

    def perf_counter(self) -> float:
        return self.now


def test_the_time_of_a_query_is_the_median_of_its_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    # One uncounted and three counted searches for each of two queries; the third cannot be asked.
    clock = Clock([9, 0.1, 0.7, 0.2, 9, 0.4, 0.3, 8])

    class Slow:
        def search(self, query, k, mode, filter=None):
            if query.text == "no":
                raise UsageError("no direction")
            clock.now += next(clock.seconds)

    monkeypatch.setattr(latency, "time", clock)
    told: list[tuple[int, int]] = []
    found = latency.warm(Slow(), "exact", 5, ["a", "no", "b"], 3, progress=lambda *step: told.append(step))  # type: ignore[arg-type]
    assert found is not None and found.queries == 2 and told == [(1, 3), (2, 3), (3, 3)]
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == pytest.approx((300, 390, 398))
    assert found.queries_per_s == pytest.approx(2 / 0.6)


def test_enough_is_timed_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches of one second: after 30 s, 30 queries of those from the beginning to the end of the lines."""
    clock, asked = Clock([]), []

    class Slow:
        def search(self, query, k, mode, filter=None):
            clock.now += 1
            asked.append(int(query.text))

    monkeypatch.setattr(latency, "time", clock)
    found = latency.warm(Slow(), "exact", 5, [str(number) for number in range(300)], 1)  # type: ignore[arg-type]
    assert found is not None and found.queries == 30 == len(set(asked))
    for third in range(3):
        assert 8 <= len({number for number in asked if number // 100 == third}) <= 12
    assert sorted(latency._spread([str(n) for n in range(300)]), key=int) == [str(n) for n in range(300)]


def test_nothing_to_time(index: Index, indexed: tuple[Path, Path]) -> None:
    picture = f"image:{indexed[0]}/photos/red.png"
    assert latency.warm(index, "words", 5, [picture]) is None
    assert latency.cold(indexed[1], "words", 5, [picture, "-"]) == (None, ())
    assert latency.latency_of([]) is None
    with pytest.raises(UsageError, match="0 repeats"):
        latency.warm(index, "words", 5, LINES, repeats=0)


def test_lines_are_chosen_evenly() -> None:
    lines = [str(number) for number in range(10)]
    assert latency.evenly(lines, 4) == ["0", "3", "6", "9"]
    assert latency.evenly(lines, 10) == latency.evenly(lines, 99) == lines
    assert len(set(latency.evenly([str(n) for n in range(10_007)], 500))) == 500


def test_cold_processes_ask_what_was_asked(
    indexed: tuple[Path, Path], tiny_encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def watched(module: str, arguments: list[str], given: bytes, timeout_s: float) -> Done:
        asked.append(arguments)
        done = run_module(module, arguments, given, timeout_s)
        assert done.code == 0, done.said
        return done

    monkeypatch.setattr(latency, "run_module", watched)
    picture = f"{indexed[0]}/spec.pdf#2"
    lines = ["--help", "-", f"image:{picture}", "red"]
    found, notes = latency.cold(indexed[1], "exact", 3, lines, tiny_encoder_folder, 1, processes=2)
    assert notes == () and found is not None and found.queries == 2
    assert 0 < found.p50_ms <= found.p99_ms
    assert [arguments[-2:] for arguments in asked] == [["--", "--help"], ["--", "--help"], ["--", "red"]]
    found, notes = latency.cold(indexed[1], "exact", 3, [f"image:{picture}"], tiny_encoder_folder, 1, processes=1)
    assert notes == () and found is not None and asked[-1][-2:] == ["--like", picture]


def test_cold_failures_are_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, [note] = latency.cold(tmp_path / "no index", "words", 3, LINES, processes=2)
    assert found is None and "cold latency of mode words" in note and "no index at" in note and "\n" not in note

    def hangs(*_: object) -> Done:
        raise CmrcliError("a process took longer than 120 s")

    monkeypatch.setattr(latency, "run_module", hangs)
    assert latency.cold(tmp_path, "words", 3, LINES)[1] == (
        "measuring cold latency of mode words: a process took longer than 120 s",
    )


def test_a_fresh_process_imports_nothing_from_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cmrcli.py").write_text("raise SystemExit(77)")
    (tmp_path / "json.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    done = run_module("cmrcli", ["--version"], b"", 60)
    assert done.code == 0 and cmrcli.__version__ in done.out.decode()
    with pytest.raises(CmrcliError, match="longer than 0 s"):
        run_module("timeit", ["-n", "1", "import time; time.sleep(30)"], b"", 0.2)
    with pytest.raises(CmrcliError, match="could not be started"):
        run_module("cmrcli", ["a\0b"], b"", 1)
    assert Done(3, b"", b"").said == "exit status 3"


@pytest.mark.parametrize("mode", MODES)
def test_the_cost_of_every_mode(index: Index, mode: str) -> None:
    cost, notes = measure_cost(index, mode, LINES, 3, 1, cold=False, memory=False)
    assert notes == ()
    assert cost.warm is not None and cost.warm.queries == len(LINES)
    assert 0 < cost.warm.p50_ms <= cost.warm.p95_ms <= cost.warm.p99_ms
    assert cost.cold is None and cost.resident is None
    assert cost.bytes_per_item is not None and cost.bytes_per_item > 0
    assert (cost.build_s is None) == (mode in ("words", "auto"))
    assert (cost.build_s == 0) == (mode == "exact")


def test_fresh_processes_that_fail_leave_notes(index: Index, tmp_path: Path) -> None:
    index.folder = tmp_path / "gone"
    cost, notes = measure_cost(index, "words", LINES, 3, 1)
    assert cost.warm is not None and cost.cold is None and cost.resident is None
    assert ["cold latency" in notes[0], "memory of mode words failed" in notes[1]] == [True, True]


def test_memory_and_cold_latency_of_a_mode(index: Index, tiny_encoder_folder: Path) -> None:
    cost, notes = measure_cost(index, "words", LINES[:1], 3, 1, encoder=tiny_encoder_folder, threads=1)
    assert notes == () and cost.cold is not None and cost.cold.queries == 1
    assert cost.resident is not None and 10 << 20 < cost.resident.peak_bytes < 1 << 30
    assert cost.resident.queries == 1 and cost.resident.first_query_ms > 0


def test_warm_latency_searches_as_the_evaluation_did(index: Index, indexed: tuple[Path, Path]) -> None:
    seen = []
    index.search = lambda query, k, mode, filter: seen.append((query.text, k, mode, filter))  # type: ignore[method-assign,assignment,misc]
    scope = Filter(under=(bytes(indexed[0] / "photos"),))
    latency.warm(index, "codes", 7, ["red"], 2, scope)
    assert seen == [("red", 7, "codes", scope)] * 3


def test_bytes_that_a_mode_reads() -> None:
    held = {"catalog": 1, "vectors": 10, "codes": 100, "rows": 1_000, "graphs": 10_000, "other": 100_000}
    read = {mode: bytes_read_by(mode, held) for mode in MODES}
    assert read == {
        "exact": 1_011,
        "codes": 1_111,
        "hamming": 1_101,
        "graph": 11_111,
        "words": 1,
        "auto": 111_111,
        "vectors": 111_111,
    }


def test_codes_of_many_rows_are_scaled(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sum(len(segment.rows) for segment in index.reader.segments)
    encoded: list[int] = []
    clock = Clock([])

    class Codebook:
        def encode(self, vectors):
            encoded.append(len(vectors))
            clock.now += 0.5 * len(vectors)

    monkeypatch.setattr(building, "time", clock)
    monkeypatch.setattr(index.reader, "codebook", Codebook())
    assert building.build_seconds(index, "hamming") == (0.5 * rows, ())
    monkeypatch.setattr(building, "MEASURED_CODES", 3)
    seconds, [note] = building.build_seconds(index, "codes")
    assert seconds == pytest.approx(0.5 * rows) and f"measured on 3 of {rows} rows" in note
    assert encoded == [rows, 3]


def test_graphs_are_built_once_more_if_they_are_small(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codebook = index.reader.codebook
    assert codebook is not None
    half = vectors.astype(np.float16)
    graph_path = tmp_path / "graph.hnsw"
    segment = Segment("s", np.arange(300, dtype=np.int64), half, codebook.encode(half), None, graph_path)
    monkeypatch.setattr(index.reader, "segments", [segment])
    codes, _ = building.build_seconds(index, "codes")
    graph, notes = building.build_seconds(index, "graph")
    assert notes == () and codes is not None and graph is not None and graph > 0 < codes
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(building, "MEASURED_GRAPH", 299)
    seconds, [note] = building.build_seconds(index, "graph")
    assert seconds is None and "300 rows are not built once more" in note
    assert building.build_seconds(index, "codes")[0] is not None


def test_threads_and_cores() -> None:
    assert environment.threads(3) == 3
    assert environment.threads(0) == environment.cores() >= 1
    if hasattr(os, "sched_getaffinity"):
        assert environment.cores() == len(os.sched_getaffinity(0))
    assert environment.versions()["numpy"] == np.__version__

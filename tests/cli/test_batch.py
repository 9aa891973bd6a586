"""Queries on stdin: read as they arrive, looked for together, answered in order."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cmrcli.cli import batch
from cmrcli.errors import CmrcliError
from cmrcli.searching import Query
from tests.cli.running import Cli, lines


class Chunks(io.RawIOBase):
    """A pipe that holds what is written to it bit by bit."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = list(chunks)

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        chunk = self._chunks.pop(0) if self._chunks else b""
        target[: len(chunk)] = chunk
        return len(chunk)


def blocks(monkeypatch: pytest.MonkeyPatch, *chunks: bytes) -> list[list[str]]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Chunks(*chunks)), encoding="utf-8"))
    return [
        [query.shown if isinstance(query, Query) else f"! {query}" for query in block] for block, _ in batch.blocks(())
    ]


def test_what_has_arrived_is_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    assert blocks(monkeypatch, b"a\nb\n", b"c\n") == [["a", "b"], ["c"]]
    assert blocks(monkeypatch, b"a\nb", b"b\nc") == [["a"], ["bb"], ["c"]]
    assert blocks(monkeypatch) == []


def test_lines_end_as_in_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert blocks(monkeypatch, b"a\r\nb\rc\n") == [["a", "b", "c"]]
    assert blocks(monkeypatch, b"a\r", b"\nb\r\n") == [["a", "b"]]
    assert blocks(monkeypatch, b"\xef\xbb\xbfa\n") == [["a"]]


def test_characters_may_arrive_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = "歯車\n".encode()
    assert blocks(monkeypatch, *(raw[i : i + 1] for i in range(len(raw)))) == [["歯車"]]
    assert blocks(monkeypatch, "歯車\n".encode("cp932")) == [["歯車"]]


def test_an_empty_line_is_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert blocks(monkeypatch, b"a\n\nb\n") == [["a", "! the query is empty", "b"]]


def test_no_block_is_larger_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "BLOCK_QUERIES", 3)
    found = blocks(monkeypatch, b"".join(b"%d\n" % number for number in range(8)))
    assert found == [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]]


def test_a_file_tells_how_many_queries_are_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "queries").write_bytes(b"0000001\n" * 20_000)
    with open(tmp_path / "queries", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        coming = [number for _, number in batch.blocks(())]
    assert coming[0] == 20_000 and coming == sorted(coming, reverse=True) and coming[-1] <= batch.BLOCK_QUERIES
    with open(os.devnull, encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert list(batch.blocks(())) == []


def test_together_each_query_finds_what_it_finds_alone(cli: Cli, tmp_path: Path) -> None:
    queries = ["red", "blue pump", "flange", "青", "M8x20"]
    (tmp_path / "queries").write_text("\n".join([*queries[:2], "", *queries[2:]]))
    with open(tmp_path / "queries", "rb") as file:
        together = lines(cli("search", "-", "--format", "jsonl", "--kind", "photo", "-k", "3", stdin=file.read()))
    results = [entry for entry in together if entry["type"] == "result"]
    assert [entry["line"] for entry in together if entry["type"] == "error"] == [3]
    for query in queries:
        alone = lines(cli("search", query, "--format", "jsonl", "--kind", "photo", "-k", "3"))
        expected = [(entry["rank"], entry["relpath"]) for entry in alone if entry["type"] == "result"]
        found = [(entry["rank"], entry["relpath"]) for entry in results if entry["query"] == query]
        assert found == expected and found


def test_who_waits_for_each_answer_gets_it(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> None:
    command = [sys.executable, "-m", "cmrcli", "search", "-", "--format", "tsv", "-k", "1", "--mode", "vectors"]
    command += ["--index", str(indexed[1]), "--encoder", str(tiny_encoder_folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        for query in (b"red", b"blue"):
            process.stdin.write(query + b"\n")
            process.stdin.flush()
            assert query + b".png" in process.stdout.readline()
        process.stdin.close()


def test_explain_names_the_plan_its_estimates_and_its_stages(cli: Cli) -> None:
    done = cli("search", "red", "--explain", "-k", "1")
    said = done.stderr.decode()
    assert "plan for 'red': " in said and "every vector is multiplied" in said
    estimated = next(line for line in said.splitlines() if "estimated" in line)
    assert "exact" in estimated and "codes" in estimated and " ms" in estimated
    rows = [line.removeprefix("cmrcli:").split() for line in said.splitlines()]
    stages = {row[0]: int(row[3]) for row in rows if len(row) == 4 and row[2] == "ms"}
    assert {"words", "encode", "exact", "assemble"} <= stages.keys() and stages["exact"] > 8


def test_python_asks_many_at_once(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> None:
    import cmrcli

    with cmrcli.open_index(indexed[1], tiny_encoder_folder, threads=1) as index:
        answers = index.answer_many(["red", "  ", Query("blue", without=("green",)), "flange"], k=2)
        assert isinstance(answers[1], CmrcliError)
        sound = ("red", Query("blue", without=("green",)), "flange")
        for query, answer in zip(sound, [answers[0], *answers[2:]], strict=True):
            assert not isinstance(answer, CmrcliError)
            alone = index.search(query, k=2)
            assert [(r.relpath, r.rank) for r in answer.results] == [(r.relpath, r.rank) for r in alone]
        assert index.answer_many([]) == []

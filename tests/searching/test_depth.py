"""How deep a search looks: as deep as it takes for k results, and no deeper than can matter."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import cmrcli
from cmrcli.searching import Index, assembly
from cmrcli.searching import plan as plans

EVERY_ITEM = 8  # of the small office


@pytest.fixture
def index(indexed: tuple[Path, Path], tiny_encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The small office, of which a search asks for two fragments at first."""
    monkeypatch.setattr(plans, "GRAPH_DEPTH", 2)
    with cmrcli.open_index(indexed[1], tiny_encoder_folder, threads=1) as opened:
        yield opened


def rounds(index: Index, **wanted: object) -> int:
    answer = index.answer("red", **wanted)  # type: ignore[arg-type]
    return sum(name == "assemble" for name, _, _ in answer.explanation.stages)


@pytest.mark.parametrize("mode", ["exact", "codes", "hamming", "graph", "vectors", "auto"])
def test_every_item_can_be_asked_for(index: Index, mode: str) -> None:
    """Items have many fragments each, so k items need more than k fragments."""
    found = [(result.relpath, result.page) for result in index.search("red", k=100, mode=mode)]
    assert len(found) == len(set(found)) == EVERY_ITEM


def test_enough_is_enough(index: Index) -> None:
    assert rounds(index, k=1, mode="vectors") == 1


def test_a_score_that_nothing_deeper_can_reach_ends_the_search(index: Index) -> None:
    every = index.search("red", k=100, mode="vectors")
    assert rounds(index, k=100, mode="vectors", min_score=every[0].score) == 1
    assert len(index.search("red", k=100, mode="vectors", min_score=every[5].score)) == 6


def test_words_look_past_files_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_encoder_folder: Path
) -> None:
    """60 files whose words rank first cannot be read now; the 61st can."""
    from cmrcli.indexing import IndexOptions, index_paths

    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.txt").write_text(f"pump {number}")
    (folder / "last.txt").write_text("pumpjack " + "a long text about something else " * 40)
    index_paths(tmp_path / "index", [bytes(folder)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, *rest: path.endswith(b"last.txt") and allowed(path, *rest))
    with cmrcli.open_index(tmp_path / "index", tiny_encoder_folder, threads=1) as index:
        answer = index.answer("pump", mode="words")
    assert [result.relpath for result in answer.results] == ["last.txt"]
    assert answer.hidden == 60


def test_a_share_that_is_gone_does_not_hold_a_search_up(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(assembly, "MAX_HIDDEN", 2)
    answer = index.answer("red", k=1, mode="vectors")
    assert answer.results == []
    assert 2 <= answer.hidden < EVERY_ITEM

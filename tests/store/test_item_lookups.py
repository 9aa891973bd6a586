"""Items by path, kind and words; a filter's answer is kept until the catalog changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmrcli.store import Filter, Reader, open_reader


@pytest.fixture
def reader(indexed: tuple[Path, Path]) -> Iterator[Reader]:
    with open_reader(indexed[1]) as opened:
        yield opened


def test_items_at_a_path(reader: Reader, indexed: tuple[Path, Path]) -> None:
    spec, red = (os.fsencode(indexed[0] / name) for name in ("spec.pdf", "photos/red.png"))
    assert [(card.page, card.kind) for card in reader.items_at(spec)] == [(1, "page"), (2, "page")]
    assert [card.page for card in reader.items_at(spec, 2)] == [2]
    assert reader.items_at(spec, 3) == reader.items_at(spec + b"x") == reader.items_at(b"/elsewhere/spec.pdf") == []
    [card] = reader.items_at(red, 1)
    assert (card.page, card.kind, card.width_px, card.height_px) == (None, "photo", 160, 120)
    assert reader.items_at(red) == [card] == reader.item_cards([card.item_id, 10**9])


def test_a_root_that_is_one_file(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    from cmrcli.indexing import IndexOptions, index_paths

    alone = tmp_path / "alone.txt"
    alone.write_text("A lonely text.")
    index_paths(tmp_path / "index", [bytes(alone)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    with open_reader(tmp_path / "index") as reader:
        assert [card.kind for card in reader.items_at(bytes(alone))] == ["text"]
        assert reader.items_at(bytes(alone) + b"/alone.txt") == reader.items_at(bytes(tmp_path / "other")) == []


def test_items_by_kind_and_their_passages(reader: Reader) -> None:
    ids = reader.item_ids()
    assert {kind: len(numbers) for kind, numbers in ids.items()} == {"drawing": 1, "page": 2, "photo": 3, "text": 2}
    passages = reader.passages_of([number for numbers in ids.values() for number in numbers.tolist()])
    assert set(passages) == {*ids["page"].tolist(), *ids["text"].tolist()}
    texts = [text for item in passages.values() for text in item.values()]
    assert sum("pump P-200" in text for text in texts) == 1
    assert set(reader.items_of([fragment for item in passages.values() for fragment in item]).values()) == set(passages)


def test_items_with_a_phrase(reader: Reader, indexed: tuple[Path, Path]) -> None:
    [bolts] = reader.items_at(os.fsencode(indexed[0] / "notes" / "bolts.md"))
    assert reader.items_with_phrase("Hex  FLANGE bolt", 5) == [bolts.item_id]
    assert reader.items_with_phrase("flange hex", 5) == []
    assert reader.items_with_phrase("bolts", 5, titles=True) == [bolts.item_id]
    assert reader.items_with_phrase('bol" OR "pump', 5) == reader.items_with_phrase("ab", 5) == []


def test_a_filter_is_resolved_again_after_a_change(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    from cmrcli.indexing import IndexOptions, index_paths

    folder = tmp_path / "office"
    folder.mkdir()
    (folder / "a.txt").write_text("A kettle.")
    options = IndexOptions(encoder=str(tiny_encoder_folder), threads=1)
    index_paths(tmp_path / "index", [bytes(folder)], options)
    with open_reader(tmp_path / "index") as reader:
        wanted = Filter(under=(bytes(folder),))
        assert len(reader.fragment_ids(wanted)) == 1
        assert reader.fragment_ids(Filter(under=(bytes(folder),))) is reader.fragment_ids(wanted)
        assert len(reader.fragment_ids(Filter(under=(bytes(tmp_path / "x"),)))) == 0
        (folder / "sub").mkdir()
        (folder / "sub" / "b.txt").write_text("A second kettle.")
        index_paths(tmp_path / "index", [bytes(folder)], options)
        assert len(reader.fragment_ids(wanted)) == 2
        assert len(reader.words("kettle", 5, wanted)) == 2

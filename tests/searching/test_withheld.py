"""What is withheld of an item does not help to find it; whatever is left of it does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import cmrcli
from cmrcli.searching import Index
from cmrcli.store import Filter, Withheld

SECRET = "The quokka valve closes at forty bar."
WITHIN = 3  # passages that the text below has before and after the one with the secret


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_encoder_folder: Path) -> Path:
    """A long text and a PDF that tell the secret, and an unrelated text; the index lies beside."""
    from cmrcli.indexing import IndexOptions, index_paths
    from tests.offices import make_pdf

    place = tmp_path_factory.mktemp("withheld")
    office = place / "office"
    office.mkdir()
    filler = ["Gears of steel turn slowly in oil, " * 12, "Bolts and nuts hold the wooden cover, " * 11]
    paragraphs = [*filler, SECRET + " " + "It has a wide seat. " * 15, *filler]
    (office / "long.md").write_text("# Wombat manual\n\n" + "\n\n".join(paragraphs) + "\n", encoding="utf-8")
    (office / "other.txt").write_text("Kettles heat water.\n", encoding="utf-8")
    make_pdf(office / "sheet.pdf", ["The numbat pump lifts forty litres.", "An empty page of the numbat."])
    index_paths(place / "index", [bytes(office)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    return place


@pytest.fixture
def index(folder: Path, tiny_encoder_folder: Path) -> Iterator[Index]:
    with cmrcli.open_index(folder / "index", tiny_encoder_folder, threads=1) as opened:
        yield opened


def item_at(index: Index, relpath: str, page: int | None = None) -> tuple[int, dict[int, str]]:
    [found] = index.reader.items_at(os.fsencode(f"{index.folder.parent}/office/{relpath}"), page)
    return found.item_id, index.reader.passages_of([found.item_id])[found.item_id]


def found(index: Index, query: str, mode: str, withheld: Withheld | None, **more: object) -> dict[str, float]:
    answer = index.answer(query, 10, mode, withheld=withheld, **more)  # type: ignore[arg-type]
    return {f"{r.relpath}#{r.page}" if r.page else r.relpath: r.score for r in answer.results}


def test_a_text_without_its_words_cannot_be_found_by_them(index: Index) -> None:
    item, passages = item_at(index, "long.md")
    assert len(passages) > WITHIN
    everything = Withheld(item, frozenset(passages))
    assert list(found(index, SECRET, "words", None)) == ["long.md", "sheet.pdf#1"]  # "forty"
    assert list(found(index, SECRET, "words", everything)) == ["sheet.pdf#1"]
    assert "long.md" in found(index, SECRET, "exact", None)
    for mode in ("exact", "codes", "hamming", "graph", "vectors"):
        assert "long.md" not in found(index, SECRET, mode, everything), mode
    assert "long.md" not in found(index, SECRET, "auto", everything)


def test_its_title_is_withheld_and_its_name_is_not(index: Index) -> None:
    item, passages = item_at(index, "long.md")
    everything = Withheld(item, frozenset(passages))
    assert list(found(index, "wombat", "words", None)) == ["long.md"]
    assert found(index, "wombat", "words", everything) == {}
    assert list(found(index, "long", "words", everything)) == ["long.md"]


def test_the_other_passages_still_count(index: Index) -> None:
    item, passages = item_at(index, "long.md")
    [secret] = [number for number, text in passages.items() if "quokka" in text]
    only_that = Withheld(item, frozenset([secret]))
    assert found(index, "quokka", "words", only_that) == {}
    assert list(found(index, "gears in oil", "words", only_that)) == ["long.md"]
    # A filter by folder makes every item below it a candidate before its words are looked at.
    office = Filter(under=(os.fsencode(index.folder.parent / "office"),))
    assert found(index, "quokka", "words", only_that, filter=office) == {}
    assert found(index, SECRET, "exact", only_that)["long.md"] < found(index, SECRET, "exact", None)["long.md"]


def test_a_page_without_its_words_is_found_by_its_picture(index: Index) -> None:
    item, passages = item_at(index, "sheet.pdf", 1)
    everything = Withheld(item, frozenset(passages))
    query = "The numbat pump lifts forty litres."
    assert next(iter(found(index, query, "exact", None))) == "sheet.pdf#1"
    without = found(index, query, "exact", everything)
    assert "sheet.pdf#1" in without and next(iter(without)) != "sheet.pdf#1"
    assert "sheet.pdf#1" not in found(index, query, "words", everything)
    assert "sheet.pdf#2" in found(index, query, "words", everything)


def test_what_is_withheld_of_one_leaves_the_others_as_they_were(index: Index) -> None:
    item, passages = item_at(index, "long.md")
    plain = found(index, "numbat forty water", "auto", None)
    withheld = found(index, "numbat forty water", "exact", Withheld(item, frozenset(passages)))
    exact = found(index, "numbat forty water", "exact", None)
    assert plain and {name: exact[name] for name in withheld} == withheld
    assert set(exact) - set(withheld) == {"long.md"}

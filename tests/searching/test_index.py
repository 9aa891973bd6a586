"""Searching a small office: across modalities, with filters, negatives, examples, permissions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import cmrcli
from cmrcli import Example, Filter, Index, Query
from cmrcli.errors import EncoderError, IndexMissing, UsageError


@pytest.fixture
def index(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> Iterator[Index]:
    with cmrcli.open_index(indexed[1], tiny_encoder_folder, threads=1) as opened:
        yield opened


@pytest.mark.parametrize(("colour", "name"), [("red", "red"), ("緑", "green"), ("青い", "blue")])
def test_a_word_finds_the_photo_of_that_colour(index: Index, colour: str, name: str) -> None:
    first = index.search(colour, mode="vectors")[0]
    assert first.relpath == f"photos/{name}.png"
    assert [signal.name for signal in first.signals] == ["vectors"]
    assert first.score == first.signals[0].score


def test_an_example_finds_its_like(index: Index, indexed: tuple[Path, Path], tmp_path: Path) -> None:
    from tests.offices import make_photo

    make_photo(tmp_path / "other red.png", (200, 40, 45), seed=5)
    results = index.search(Query(like=(Example(str(tmp_path / "other red.png")),)))
    assert results[0].relpath == "photos/red.png"


def test_a_pdf_page_can_be_the_example(index: Index, indexed: tuple[Path, Path], tmp_path: Path) -> None:
    spec = str(indexed[0] / "spec.pdf")
    copy = shutil.copyfile(spec, tmp_path / "copy.pdf")
    [first, *_] = index.search(Query(like=(Example(str(copy), 2),)))
    assert (first.relpath, first.page) == ("spec.pdf", 2)
    with pytest.raises(UsageError, match="no page 3"):
        index.search(Query(like=(Example(spec, 3),)))


def test_an_example_is_no_answer_to_itself(index: Index, indexed: tuple[Path, Path]) -> None:
    red, spec = indexed[0] / "photos" / "red.png", indexed[0] / "spec.pdf"
    found = [result.relpath for result in index.search(Query(like=(Example(str(red)),)))]
    assert "photos/red.png" not in found and len(found) == 7
    pages = {(r.relpath, r.page) for r in index.search(Query(like=(Example(str(spec), 2),)))}
    assert ("spec.pdf", 1) in pages and ("spec.pdf", 2) not in pages


def test_words_and_vectors_meet_in_one_result(index: Index) -> None:
    first = index.search("hex flange bolt")[0]
    assert first.relpath == "notes/bolts.md"
    assert {signal.name: signal.rank for signal in first.signals} == {"words": 1, "vectors": 1}
    assert first.score == pytest.approx(1.0)
    assert "flange" in first.passage


def test_a_part_number_finds_its_page_first(index: Index) -> None:
    first = index.search("p200")[0]
    assert (first.relpath, first.page, first.kind) == ("spec.pdf", 1, "page")
    assert index.search("6204ZZ")[0].relpath == "notes/歯車.txt"
    assert index.search("歯車")[0].relpath == "notes/歯車.txt"
    assert index.search("NBR")[0].page == 2


def test_modes_agree_on_a_small_index(index: Index) -> None:
    exact = [(r.relpath, r.page) for r in index.search("blue pump", mode="exact")]
    assert exact == [(r.relpath, r.page) for r in index.search("blue pump", mode="codes")]
    assert exact == [(r.relpath, r.page) for r in index.search("blue pump", mode="graph")]
    assert len(exact) == 8, "every item once"


def test_codes_alone_find_what_is_near_and_say_how_near(index: Index) -> None:
    answer = index.answer("red", mode="hamming")
    assert [name for name, _, _ in answer.explanation.stages] == ["encode", "hamming", "assemble"]
    assert answer.results[0].relpath == "photos/red.png" and len(answer.results) == 8
    shares = [result.score for result in answer.results]
    assert shares == sorted(shares, reverse=True)
    assert all(share * 64 == round(share * 64) for share in shares), "bits of 64 that are equal"


def test_filters(index: Index, indexed: tuple[Path, Path]) -> None:
    office = indexed[0]
    kinds = {result.kind for result in index.search("red", filter=Filter(kinds=frozenset({"text"})))}
    assert kinds == {"text"}
    under = index.search("red", filter=Filter(under=(bytes(office / "photos"),)))
    assert {result.relpath for result in under} == {f"photos/{name}.png" for name in ("red", "green", "blue")}
    pdfs = index.search("red", filter=Filter(extensions=frozenset({"pdf"})))
    assert [(result.relpath) for result in pdfs] == ["spec.pdf", "spec.pdf"]
    newest = max(os.stat(path).st_mtime_ns for path in office.rglob("*"))
    assert index.search("red", filter=Filter(since_ns=newest + 1)) == []
    assert len(index.search("red", filter=Filter(until_ns=newest + 1))) == 8


def test_negatives_push_away(index: Index) -> None:
    def scores(query: Query) -> dict[str, float]:
        return {result.relpath: result.score for result in index.search(query, mode="vectors")}

    plain, without = scores(Query("red blue")), scores(Query("red blue", without=("青",)))
    assert without["photos/red.png"] > plain["photos/red.png"]
    assert without["photos/blue.png"] < plain["photos/blue.png"] - 0.2


def test_min_score_drops_the_rest(index: Index) -> None:
    every = index.search("red", mode="vectors")
    kept = index.search("red", mode="vectors", min_score=every[2].score)
    assert kept == every[:3]
    assert index.search("red", mode="vectors", min_score=1.01) == []


def test_only_files_that_the_user_may_read_are_shown(
    index: Index, indexed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = os.fsencode(indexed[0] / "photos" / "red.png")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, *rest: path != secret and allowed(path, *rest))
    answer = index.answer("red", mode="vectors", k=2)
    assert "photos/red.png" not in [result.relpath for result in answer.results]
    assert [result.rank for result in answer.results] == [1, 2]
    assert answer.hidden == 1


def test_all_hidden_looks_deeper_and_then_gives_up(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    answer = index.answer("red", k=1)
    assert (answer.results, answer.hidden) == ([], 8)


def test_duplicates_are_named_beside_their_twin(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    from cmrcli.indexing import IndexOptions, index_paths
    from tests.offices import make_office

    office = make_office(tmp_path / "office")
    (office / "a copy.md").write_bytes((office / "notes" / "bolts.md").read_bytes())
    index_paths(tmp_path / "index", [bytes(office)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    with cmrcli.open_index(tmp_path / "index", tiny_encoder_folder) as opened:
        [result] = opened.search("flange", mode="words")
    assert result.relpath == "a copy.md"
    assert result.duplicates == (str(office / "notes" / "bolts.md"),)


def test_what_is_said_when_it_cannot_be_done(index: Index, indexed: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        cmrcli.open_index(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="empty"):
        index.search("  ")
    with pytest.raises(UsageError, match="out of range"):
        index.search("red", k=0)
    with pytest.raises(UsageError, match="unknown mode"):
        index.search("red", mode="magic")
    with pytest.raises(UsageError, match="needs words"):
        index.search(Query(like=(Example(str(indexed[0] / "spec.pdf")),)), mode="words")
    with pytest.raises(UsageError, match="cannot search by example"):
        index.search(Query("pump", like=(Example(str(indexed[0] / "spec.pdf")),)), mode="words")
    with pytest.raises(UsageError, match="there is no file"):
        index.search(Query(like=(Example(str(tmp_path / "no.png")),)))
    with pytest.raises(UsageError, match="there is no file"):
        index.search(Query(like=(Example("a\0b"),)))
    with pytest.raises(UsageError, match="is a folder"):
        index.search(Query(like=(Example(str(tmp_path)),)))
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UsageError, match="cannot search by"):
        index.search(Query(like=(Example(str(tmp_path / "bad.png")),)))
    with cmrcli.open_index(indexed[1]) as bundled, pytest.raises(EncoderError, match="tiny"):
        bundled.search("red")


def test_words_alone_need_no_encoder(indexed: tuple[Path, Path]) -> None:
    with cmrcli.open_index(indexed[1]) as opened:
        assert opened.search("flange", mode="words")[0].relpath == "notes/bolts.md"


def test_fields_of_a_result_line(index: Index, indexed: tuple[Path, Path]) -> None:
    fields = index.search("NBR")[0].to_json()
    assert set(fields) >= {"query", "rank", "path", "root", "relpath", "page", "box", "kind", "score", "signals"}
    assert fields["path"] == str(indexed[0] / "spec.pdf")
    assert (fields["root"], fields["relpath"], fields["page"], fields["box"]) == (str(indexed[0]), "spec.pdf", 2, None)
    assert fields["signals"][0].keys() == {"name", "score", "rank"}

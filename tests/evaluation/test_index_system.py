"""A small index asked by the topics of a truth: documents, own documents, galleries, what is unanswered and refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import cmrcli
from cmrcli.errors import UsageError
from cmrcli.evaluation.answers import Outcome, Ranking
from cmrcli.evaluation.systems.index import IndexSystem, fallback_note
from cmrcli.evaluation.truth import Gallery, Part, Topic
from cmrcli.searching import index as searching
from cmrcli.store import Withheld

Office = tuple[Path, Path]


@pytest.fixture
def system(indexed: Office, tiny_encoder_folder: Path) -> Iterator[IndexSystem]:
    with IndexSystem(indexed[1], tiny_encoder_folder, threads=1) as opened:
        yield opened


def part_of(*asked: tuple[str, dict[str, int]], **more: object) -> Part:
    topics = tuple(Topic(f"q{n}", text) for n, (text, _) in enumerate(asked))
    return Part("", topics, {f"q{n}": grades for n, (_, grades) in enumerate(asked)}, **more)  # type: ignore[arg-type]


def pictures(*paths: str, under: str | None) -> dict[str, object]:
    lines = tuple((f"image:{path}",) for path in paths)
    return {"gallery": Gallery(paths, lines), "under": None if under is None else Path(under)}


def test_a_ranking_has_documents_scores_and_outcomes(system: IndexSystem) -> None:
    part = part_of(("hydraulic pump P-200", {"spec.pdf#1": 2, "photos/red.png": 0}), ("seal ring NBR", {"spec.pdf": 1}))
    told: list[tuple[int, int]] = []
    answers = system.answer(part, "words", 5, lambda done, of: told.append((done, of)))
    assert answers.run["q0"].documents[0] == "spec.pdf#1"
    assert answers.run["q1"].documents[0] == "spec.pdf"
    assert answers.outcomes["q0"] == Outcome((1,), (2,), (2,), len(answers.run["q0"].documents))
    assert list(answers.run["q0"].scores) == sorted(answers.run["q0"].scores, reverse=True)
    assert told == [(1, 2), (2, 2)] and answers.notes == [] and not answers.whole


def test_pages_of_one_file_take_one_place_and_more_is_asked_for(system: IndexSystem) -> None:
    answers = system.answer(part_of(("pump seal ring", {"spec.pdf": 1})), "exact", 7)
    documents = answers.run["q0"].documents
    assert len(documents) == len(set(documents)) == 7, "8 items are 7 files"
    assert "spec.pdf" in documents and not any("#" in document for document in documents)


def test_short_rankings_are_told(system: IndexSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MAX_K", 2)
    answers = system.answer(part_of(("spare parts: seal ring NBR 70, P-200", {"spec.pdf": 1})), "words", 2)
    assert answers.run["q0"].documents == ("spec.pdf",)
    assert answers.notes == ["1 rankings have fewer than 2 documents: a search gives no more results"]


def test_equal_scores_stand_as_the_tie_rule_says(system: IndexSystem) -> None:
    """Hamming distances tie; search itself leaves such items in the order in which they were indexed."""
    ranking = system.answer(part_of(("red hex", {"photos/red.png": 1})), "hamming", 8).run["q0"]
    assert len(set(ranking.scores)) < len(ranking.scores)
    rows = [(score, name.encode()) for score, name in zip(ranking.scores, ranking.documents, strict=True)]
    assert rows == sorted(rows, reverse=True)


def test_a_query_is_no_answer_to_itself(system: IndexSystem, indexed: Office, tmp_path: Path) -> None:
    red = str(indexed[0] / "photos" / "red.png")
    copy = str(shutil.copyfile(red, tmp_path / "red.png"))
    judged = {"q": {"photos/blue.png": 1}}
    plain = Part("", (Topic("q", f"image:{copy}"),), judged)
    own = Part("", (Topic("q", f"image:{copy}", own="photos/red.png"),), judged)
    with_it, without = (system.answer(part, "exact", 3).run["q"].documents for part in (plain, own))
    assert with_it[0] == "photos/red.png"
    assert len(without) == 3 and without[:2] == with_it[1:]


def test_a_query_is_encoded_once_for_all_modes(system: IndexSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    part = part_of(("red", {"photos/red.png": 1}))
    first = {mode: system.answer(part, mode, 5).run for mode in ("exact", "words", "auto")}
    monkeypatch.setattr(type(system.index), "query_vector", None)
    assert {mode: system.answer(part, mode, 5).run for mode in first} == first


def test_words_cannot_look_for_a_picture(system: IndexSystem, indexed: Office) -> None:
    part = part_of((f"image:{indexed[0]}/photos/red.png", {"photos/green.png": 1}), ("pump", {"spec.pdf": 1}))
    answers = system.answer(part, "words", 5)
    assert answers.unanswered == {"q0"} and answers.run["q0"] == Ranking((), ())
    assert answers.outcomes["q0"] == Outcome((), (), (1,), 0)
    assert answers.run["q1"].documents == ("spec.pdf",)


def test_an_example_that_cannot_be_read_ends_it(system: IndexSystem, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        system.answer(part_of((f"image:{tmp_path}/no.png", {"spec.pdf": 1})), "exact", 5)


def test_files_that_cannot_be_read_now_are_told(system: IndexSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, *_: not path.endswith(b"red.png"))
    answers = system.answer(part_of(("red", {"photos/red.png": 1})), "exact", 3)
    assert "photos/red.png" not in answers.run["q0"].documents
    assert answers.notes == ["1 results were hidden: their files cannot be read now"]


@pytest.mark.parametrize("mode", ["exact", "codes", "hamming", "graph", "auto"])
def test_a_gallery_is_all_that_is_found(system: IndexSystem, indexed: Office, mode: str) -> None:
    folder = f"{indexed[0]}/photos"
    red, green, blue = (f"{folder}/{name}.png" for name in ("red", "green", "blue"))
    whole = system.answer(part_of(("red", {red: 1}), **pictures(red, green, blue, under=folder)), mode, 5)
    assert set(whole.run["q0"].documents) == {red, green, blue} and whole.run["q0"].documents[0] == red
    assert system.scope(part_of(("red", {red: 1}))) is None
    # The folder holds more than the gallery: the nearest of the others must not take its places.
    some = system.answer(part_of(("red", {blue: 1}), **pictures(green, blue, under=str(indexed[0]))), mode, 1)
    assert len(some.run["q0"].documents) == 1 and some.run["q0"].documents[0] in (green, blue)


def test_leaving_one_out_of_a_gallery(system: IndexSystem, indexed: Office) -> None:
    paths = [f"{indexed[0]}/photos/{name}.png" for name in ("red", "green", "blue")]
    topics = tuple(Topic(f"q{n}", f"image:{path}", own=path) for n, path in enumerate(paths))
    qrels = {f"q{n}": {other: 1 for other in paths if other != path} for n, path in enumerate(paths)}
    part = Part("", topics, qrels, **pictures(*paths, under=f"{indexed[0]}/photos"))  # type: ignore[arg-type]
    answers = system.answer(part, "exact", 3)
    for number, path in enumerate(paths):
        assert set(answers.run[f"q{number}"].documents) == set(paths) - {path}


def test_what_an_index_cannot_answer(system: IndexSystem, indexed: Office, tmp_path: Path) -> None:
    red = f"{indexed[0]}/photos/red.png"
    texts = Gallery(("a caption",), (("a caption",),))
    folds = Gallery((red,), ((f"image:{red}",),), folds=(0,))
    office = indexed[0]
    cases = {
        "texts": part_of(("x", {"a caption": 1}), gallery=texts, under=office),
        "folds": part_of(("x", {red: 1}), gallery=folds, under=office),
        "no one folder": part_of(("x", {red: 1}), **pictures(red, under=None)),
        "none of the folders": part_of(("x", {red: 1}), **pictures(red, under=f"{office}x")),
    }
    for reason, part in cases.items():
        assert reason in system.refusal(part)
        with pytest.raises(UsageError, match=reason):
            system.answer(part, "exact", 5)
    assert system.refusal(part_of(("x", {red: 1}), **pictures(red, under=str(office)))) == ""
    assert system.refusal(part_of(("x", {red: 1}))) == ""


def test_absent_documents(system: IndexSystem, indexed: Office) -> None:
    part = part_of(("x", {"spec.pdf": 1, "gone.pdf": 2, "not relevant.pdf": 0}))
    assert system.absent(part) == ("gone.pdf",)
    red, gone = f"{indexed[0]}/photos/red.png", f"{indexed[0]}/photos/gone.png"
    assert system.absent(part_of(("x", {red: 1}), **pictures(red, gone, under=str(indexed[0])))) == (gone,)
    with pytest.raises(UsageError, match="none of the 1 relevant documents is in the index"):
        system.absent(part_of(("x", {"gone.pdf": 1})))


def test_groups_of_documents(system: IndexSystem, indexed: Office) -> None:
    documents = ["spec.pdf#2", "spec.pdf", "photos/red.png", f"{indexed[0]}/notes/bolts.md", "gone.png"]
    assert system.groups(documents) == {
        "spec.pdf#2": {"kind": "page", "folder": "."},
        "spec.pdf": {"kind": "page", "folder": "."},
        "photos/red.png": {"kind": "photo", "folder": "photos"},
        f"{indexed[0]}/notes/bolts.md": {"kind": "text", "folder": "notes"},
    }


def test_what_is_withheld_comes_from_the_topic(system: IndexSystem, indexed: Office) -> None:
    bolts, spec = f"{indexed[0]}/notes/bolts.md", f"{indexed[0]}/spec.pdf"
    judged = {"q": {"notes/bolts.md": 1}}
    query = "hex flange bolt"
    plain = system.answer(Part("", (Topic("q", query),), judged), "words", 5)
    held = system.answer(Part("", (Topic("q", query, withheld=(bolts, None)),), judged), "words", 5)
    assert plain.run["q"].documents == ("notes/bolts.md",)
    # "bolts" is its name still; "flange" and "hex" are gone with its text.
    assert held.run["q"].documents == ("notes/bolts.md",) and held.run["q"].scores < plain.run["q"].scores
    [card] = system.index.reader.items_at(os.fsencode(spec), 2)
    [passage] = system.index.reader.passages_of([card.item_id])[card.item_id]
    assert system.withheld(Topic("q", "x", withheld=(spec, 2))) == Withheld(card.item_id, frozenset([passage]))
    assert system.withheld(Topic("q", "x", withheld=(spec, 3))) is None
    assert system.withheld(Topic("q", "x")) is None


def test_only_the_passage_of_the_query_is_withheld(
    system: IndexSystem, indexed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        type(system.index.reader), "passages_of", lambda _, ids: {ids[0]: {n: f"p{n}" for n in range(10, 16)}}
    )
    spec = (f"{indexed[0]}/spec.pdf", 1)
    for passage, fragments in ((0, {10}), (2, {12}), (5, {15}), (None, set(range(10, 16)))):
        held = system.withheld(Topic("q", "x", withheld=spec, withheld_passage=passage))
        assert held is not None and held.fragments == fragments


def test_an_open_index_stays_open(indexed: Office, tiny_encoder_folder: Path) -> None:
    with cmrcli.open_index(indexed[1], tiny_encoder_folder, threads=1) as index:
        with IndexSystem(index) as system:
            assert system.index is index
        assert index.search("flange", mode="words")


def test_a_mode_that_falls_back_says_so(system: IndexSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    index = system.index
    for mode in ("exact", "codes", "hamming", "words", "auto", "vectors"):
        assert fallback_note(index, mode) is None
    assert fallback_note(index, "graph") == "no segment has a graph: codes were scanned"
    [segment, *_] = index.reader.segments
    monkeypatch.setattr(segment, "graph_path", Path("graph.hnsw"))
    monkeypatch.setattr(index.reader, "segments", [segment])
    assert fallback_note(index, "graph") is None
    assert "filtered" in (fallback_note(index, "graph", filtered=True) or "")
    monkeypatch.setattr("cmrcli.store.graph.available", lambda: False)
    assert "hnswlib" in (fallback_note(index, "graph") or "")
    monkeypatch.setattr(index.reader, "codebook", None)
    assert fallback_note(index, "hamming") == "the index has no codes: hamming is exact"

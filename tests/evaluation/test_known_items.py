"""Queries made of a corpus: what is asked, what is not, and that repeating itself finds nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest

import cmrcli
from cmrcli.errors import UnreadableFile, UsageError
from cmrcli.evaluation.systems.index import IndexSystem
from cmrcli.evaluation.truth import Part, Truth
from cmrcli.evaluation.truths.altered import AlterTask, Workshop, alter
from cmrcli.evaluation.truths.known_items import known_items
from cmrcli.evaluation.truths.sentences import sentences_of
from cmrcli.indexing import IndexOptions, index_paths
from cmrcli.store import open_reader
from tests.offices import make_pdf, make_photo

ANIMALS = ("wombat", "numbat", "quokka", "bilby", "dingo", "koala")
SHAPES = ("plate", "bracket", "flange", "housing", "coupling")
COLOURS = ((220, 30, 30), (30, 150, 50), (30, 60, 210))


def long_text(animal: str) -> str:
    """Eight paragraphs, each about as long as a passage; every sentence names the animal and its paragraph."""
    paragraphs = []
    for number in ("one", "two", "three", "four", "five", "six", "seven", "eight"):
        sentences = [f"The {animal} holds {number} pieces of {word} in its pouch." for word in ANIMALS + SHAPES]
        paragraphs.append(" ".join(sentences[:7]))
    return f"# Manual of the {animal}\n\n" + "\n\n".join(paragraphs) + "\n"


def make_corpus(folder: Path) -> Path:
    for name in ("texts", "drawings", "photos"):
        (folder / name).mkdir(parents=True)
    for animal in ANIMALS:
        (folder / "texts" / f"about {animal}.md").write_text(long_text(animal), encoding="utf-8")
    (folder / "texts" / "short.txt").write_text("Too short to be asked about anything.", encoding="utf-8")
    for number, shape in enumerate(SHAPES):
        lines = "".join(f'<rect x="{20 + 30 * i}" y="20" width="20" height="{60 + 40 * number}"/>' for i in range(8))
        body = f'<g fill="none" stroke="black">{lines}</g><text x="20" y="380" font-size="14">Sheet of a {shape}</text>'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"><title>Cast {shape} assembly</title>'
        (folder / "drawings" / f"{number}.svg").write_text(f"{svg}{body}</svg>", encoding="utf-8")
    shutil.copyfile(folder / "drawings" / "0.svg", folder / "drawings" / "cast-plate-assembly.svg")  # the same bytes
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"><title>Turned shaft</title>'
    svg += '<path d="M10 10H390V390H10Z" fill="none" stroke="black"/></svg>'
    (folder / "drawings" / "turned_shaft.svg").write_text(svg, encoding="utf-8")  # its path says its title
    for twin in ("a", "b"):  # two drawings of one title
        tag = svg.replace("Turned shaft", "Common title").replace("390H10", f"{390 - ord(twin)}H10")
        (folder / "drawings" / f"twin {twin}.svg").write_text(tag, encoding="utf-8")
    for number, colour in enumerate(COLOURS):
        make_photo(folder / "photos" / f"{number}.png", colour, seed=number)
    PIL.Image.new("RGB", (20, 20), "red").save(folder / "photos" / "icon.png")
    pages = ["Every gasket of this pump is made of soft rubber.", "The motor turns the impeller at full speed."]
    make_pdf(folder / "spec.pdf", pages)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, tiny_encoder_folder: Path) -> tuple[Path, Path]:
    """(folder, index)"""
    place = tmp_path_factory.mktemp("known")
    folder = make_corpus(place / "corpus")
    index_paths(place / "index", [bytes(folder)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    return folder, place / "index"


@pytest.fixture(scope="module")
def truth(corpus: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Truth:
    with open_reader(corpus[1]) as reader:
        return known_items(reader, tmp_path_factory.mktemp("altered"), seed=1, sample=50)


def part_of(truth: Truth, name: str) -> Part:
    [part] = [part for part in truth.parts if part.name == name]
    return part


def asked(part: Part, corpus: Path) -> dict[str, str]:
    """Document below the corpus -> the query that has to find it."""
    found = {}
    for topic in part.topics:
        [(document, grade)] = part.qrels[topic.id].items()
        assert grade == 1 and document.startswith(f"{corpus}/")
        found[document.removeprefix(f"{corpus}/")] = topic.text
    return found


def test_parts_and_what_they_ask(truth: Truth, corpus: tuple[Path, Path]) -> None:
    assert truth.kind == "self"
    names = [part.name for part in truth.parts]
    assert names == ["passage -> page", "title -> drawing", "crop -> picture", "copy -> picture"]
    texts = asked(part_of(truth, "passage -> page"), corpus[0])
    assert set(texts) == {"spec.pdf#1", "spec.pdf#2", *(f"texts/about {animal}.md" for animal in ANIMALS)}
    assert texts["spec.pdf#2"] == "The motor turns the impeller at full speed."
    for animal in ANIMALS:
        text = texts[f"texts/about {animal}.md"]
        assert text.startswith(f"The {animal} holds") and text in long_text(animal)
    titles = asked(part_of(truth, "title -> drawing"), corpus[0])
    expected = {f"drawings/{number}.svg": f"Cast {shape} assembly" for number, shape in enumerate(SHAPES)}
    del expected["drawings/0.svg"]  # a copy of it is called cast-plate-assembly.svg
    assert titles == expected


def test_topics_have_groups_and_distinct_ids(truth: Truth) -> None:
    ids = [topic.id for topic in truth.topics]
    assert len(ids) == len(set(ids)) and all(len(name.split()) == 1 for name in ids)
    groups = {tuple(sorted(topic.groups)) for topic in truth.topics if not topic.by_example}
    usual = ("folder", "kind", "language", "length", "modality")
    assert groups == {usual, (*usual[:3], "left", *usual[3:])}
    assert {t.groups["left"] for t in part_of(truth, "passage -> page").topics} == {"passages", "picture"}
    assert {topic.groups["folder"] for topic in truth.topics} == {"texts", "drawings", "photos", "."}
    assert {topic.groups["kind"] for topic in truth.topics} == {"text", "drawing", "photo", "page"}


def test_why_no_more_could_be_asked(truth: Truth) -> None:
    texts, titles, crops, copies = truth.notes
    made = "queries, all that could be made of what is indexed; left out:"
    assert texts == f"passage -> page: 8 {made} too little text (2)"
    assert titles == f"title -> drawing: 4 {made} another has the same title (2), the path says the title (2)"
    assert crops.endswith(f"{made} too few pixels (1)") and copies.endswith(f"{made} too few pixels (1)")


def test_what_is_withheld(truth: Truth, corpus: tuple[Path, Path]) -> None:
    for topic in part_of(truth, "passage -> page").topics:
        assert topic.withheld is not None
        path, page = topic.withheld
        assert {f"{path}#{page}" if page else path: 1} == part_of(truth, "passage -> page").qrels[topic.id]
        assert (topic.withheld_passage is None) == path.endswith("spec.pdf")
    assert all(t.withheld and t.withheld_passage is None for t in part_of(truth, "title -> drawing").topics)
    assert all(t.withheld is None and t.by_example for t in part_of(truth, "crop -> picture").topics)


def test_repeating_itself_finds_nothing(truth: Truth, corpus: tuple[Path, Path], tiny_encoder_folder: Path) -> None:
    """Asked in the usual way, the words of each item find it at once; withheld, they do not find it at all."""
    with IndexSystem(corpus[1], tiny_encoder_folder, threads=1) as system:
        for name in ("passage -> page", "title -> drawing"):
            part = part_of(truth, name)
            for topic in part.topics:
                [wanted] = part.qrels[topic.id]
                plain = system.index.search(topic.text, 1, "words")[0]
                assert wanted in (plain.path, f"{plain.path}#{plain.page}")
                held = system.withheld(topic)
                assert held is not None
                words = system.index.answer(topic.text, 50, "words", withheld=held).results
                found = [r for r in words if wanted in (r.path, f"{r.path}#{r.page}")]
                if name == "title -> drawing" or wanted.endswith((".pdf#1", ".pdf#2")):
                    assert found == [], wanted
                else:  # what the other passages and the name say is fair; the sentence itself is not theirs
                    [result] = found
                    assert result.score < plain.score
                vectors = system.index.answer(topic.text, 50, "exact", withheld=held)
                passages = [r.passage for r in vectors.results if wanted in (r.path, f"{r.path}#{r.page}")]
                assert len(passages) == 1 and topic.text not in passages[0]


@pytest.mark.parametrize("mode", ["exact", "codes"])
def test_altered_pictures_find_their_originals(
    truth: Truth, corpus: tuple[Path, Path], tiny_encoder_folder: Path, mode: str
) -> None:
    """The tiny encoder knows colours and little else: a copy finds its photo first, a crop among the first two."""
    with IndexSystem(corpus[1], tiny_encoder_folder, threads=1) as system:
        for name, last in (("copy -> picture", 1), ("crop -> picture", 2)):
            part = part_of(truth, name)
            answers = system.answer(part, mode, 5)
            photos = [topic.id for topic in part.topics if topic.groups["kind"] == "photo"]
            assert len(photos) == len(COLOURS)
            for topic_id in photos:
                (rank,) = answers.outcomes[topic_id].ranks
                assert rank <= last, name
        assert system.answer(part, "words", 5).unanswered == {topic.id for topic in part.topics}


def test_the_same_seed_asks_the_same(corpus: tuple[Path, Path], truth: Truth, tmp_path: Path) -> None:
    def made(seed: int, folder: Path) -> tuple[list[tuple[str, object]], list[bytes]]:
        folder.mkdir()
        with open_reader(corpus[1]) as reader:
            again = known_items(reader, folder, seed=seed, sample=3)
        assert [len(part.topics) for part in again.parts] == [3, 3, 3, 3]
        assert all(note.endswith(": 3 queries") for note in again.notes)
        topics = [
            (os.path.basename(topic.text), *part.qrels[topic.id]) for part in again.parts for topic in part.topics
        ]
        return topics, [path.read_bytes() for path in sorted(folder.iterdir())]

    first = made(7, tmp_path / "first")
    assert first == made(7, tmp_path / "second")
    assert first != made(8, tmp_path / "third")
    assert len(first[1]) == 6


def test_a_grown_index_is_asked_the_same_and_more(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    folder, index = make_corpus(tmp_path / "corpus"), tmp_path / "index"
    options = IndexOptions(encoder=str(tiny_encoder_folder), threads=1)

    def made(name: str, sample: int) -> dict[str, dict[str, tuple[str, dict[str, int]]]]:
        index_paths(index, [bytes(folder)], options)
        (tmp_path / name).mkdir()
        with open_reader(index) as reader:
            truth = known_items(reader, tmp_path / name, sample=sample)
        return {
            part.name: {t.id: (os.path.basename(t.text), {**part.qrels[t.id]}) for t in part.topics}
            for part in truth.parts
        }

    first = made("first", 50)["passage -> page"]
    few = made("few", 4)["passage -> page"]
    assert few.items() < first.items(), "a smaller sample is part of a larger one"
    (folder / "texts" / "about possum.md").write_text(long_text("possum"), encoding="utf-8")
    grown = made("grown", 50)["passage -> page"]
    assert first.items() < grown.items() and len(grown) == len(first) + 1
    assert len(few.keys() & made("grown few", 4)["passage -> page"].keys()) >= 3, "one item in, at most one out"


def test_kinds_take_turns(corpus: tuple[Path, Path], tmp_path: Path) -> None:
    with open_reader(corpus[1]) as reader:
        truth = known_items(reader, tmp_path, sample=4)
    kinds = [topic.groups["kind"] for topic in part_of(truth, "passage -> page").topics]
    assert sorted(kinds) == ["page", "page", "text", "text"], "though there are three times as many texts"


def test_a_large_index_is_not_looked_at_whole(
    corpus: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmrcli.evaluation.truths.known_items.MAX_LOOKED_AT", 4)
    with open_reader(corpus[1]) as reader:
        truth = known_items(reader, tmp_path, sample=50)
    assert sum(len(part.topics) for part in truth.parts) <= 16
    assert "not looked at (6)" in truth.notes[0], "3 pages and 7 texts"


def test_too_small_a_corpus_is_refused(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(2):
        make_photo(folder / f"{number}.png", COLOURS[number], seed=number)
    index_paths(tmp_path / "index", [bytes(folder)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    with open_reader(tmp_path / "index") as reader, pytest.raises(UsageError, match="only 4 queries") as refused:
        known_items(reader, tmp_path)
    assert "index more files" in refused.value.remedy and "\n" not in str(refused.value)


def test_files_that_are_gone_or_damaged_are_counted(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    for number in range(6):
        make_photo(folder / f"{number}.png", COLOURS[number % 3], seed=number)
    index_paths(tmp_path / "index", [bytes(folder)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    (folder / "0.png").unlink()
    (folder / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with open_reader(tmp_path / "index") as reader:
        truth = known_items(reader, tmp_path, sample=6)
    assert [len(part.topics) for part in truth.parts] == [4, 4]
    assert (
        truth.notes[2]
        == "crop -> picture: 4 queries, all that could be made of what is indexed; left out: cannot be read now (2)"
    )
    # With fewer wanted, another takes the damaged one's place.
    with open_reader(tmp_path / "index") as reader:
        again = known_items(reader, tmp_path, sample=4)
    assert [len(part.topics) for part in again.parts] == [4, 4]


def make_sheet(path: Path) -> None:
    """A large empty sheet with a small dense drawing in one corner."""
    image = PIL.Image.new("L", (900, 700), 255)
    draw = PIL.ImageDraw.Draw(image)
    for step in range(0, 200, 8):
        draw.line((20 + step, 20, 20 + step, 220), fill=0)
    image.save(path)


def task(path: Path, alteration: str, seed: int) -> AlterTask:
    return AlterTask(seed, bytes(path), None, alteration, (seed,))  # type: ignore[arg-type]


def opened(data: bytes) -> PIL.Image.Image:
    import io

    image = PIL.Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    return image.convert("L")


def test_a_crop_is_a_part_with_something_in_it(tmp_path: Path) -> None:
    make_sheet(tmp_path / "sheet.png")
    sizes = set()
    for seed in range(12):
        crop = opened(alter(task(tmp_path / "sheet.png", "crop", seed)))
        sizes.add(crop.size)
        assert 0.3 * 900 <= crop.width <= 900 and 0.3 * 700 <= crop.height <= 700
        assert np.asarray(crop).min() < 100, "never the empty paper alone"
    assert len(sizes) > 6


def test_a_copy_is_the_whole_picture_smaller(tmp_path: Path) -> None:
    make_sheet(tmp_path / "sheet.png")
    original = np.asarray(PIL.Image.open(tmp_path / "sheet.png"), dtype=np.float64)
    for seed in range(3):
        copy = opened(alter(task(tmp_path / "sheet.png", "copy", seed)))
        assert 0.5 * 900 - 1 <= copy.width <= 0.9 * 900 + 1
        assert abs(copy.width / copy.height - 900 / 700) < 0.02
        again = np.asarray(copy.resize((900, 700)), dtype=np.float64)
        assert np.abs(again.mean(axis=0) - original.mean(axis=0)).mean() < 12


def test_hostile_files_cost_one_task_each(tmp_path: Path) -> None:
    make_sheet(tmp_path / "sheet.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    names = ("sheet.png", "notes.txt", "bad.jpg", "gone.png", "sheet.png")
    tasks = [AlterTask(n, bytes(tmp_path / name), None, "copy", (0,)) for n, name in enumerate(names)]
    with Workshop(1) as workshop:
        done = {task.number: answer for task, answer in workshop.altered(tasks)}
    assert sorted(done) == [0, 1, 2, 3, 4]
    assert isinstance(done[0], bytes) and done[0] == done[4]
    assert all(isinstance(done[number], UnreadableFile) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        ("cut off before. The pump lifts water out of the pit. And cut off", ["The pump lifts water out of the pit."]),
        ("歯車の材質はS45Cである。表面は高周波焼入れとし、硬度はHRC50とする。", None),
        ("M8 M10 M12 12 14 16 18 20 22 24 26 28 30 32", []),
        ("Item quantity material washer nut bolt " * 12, None),
        ("image:/etc/passwd is what this text is called by its evil author", []),
        ("short.", []),
    ],
)
def test_what_of_a_passage_can_be_asked(passage: str, expected: list[str] | None) -> None:
    found = sentences_of(passage)
    if expected is None:
        assert found and all(sentence in passage and len(sentence.encode()) >= 24 for sentence in found)
    else:
        assert found == expected


def test_the_whole_way_in_an_open_index(corpus: tuple[Path, Path], truth: Truth, tiny_encoder_folder: Path) -> None:
    with cmrcli.open_index(corpus[1], tiny_encoder_folder, threads=1) as index, IndexSystem(index) as system:
        for part in truth.parts:
            assert system.absent(part) == () and system.refusal(part) == ""
            assert set(system.answer(part, "auto", 10).outcomes) == {topic.id for topic in part.topics}

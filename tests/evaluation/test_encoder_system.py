"""An encoder over a gallery against plain NumPy: vectors, answers of every mode, folds, and what is refused."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.manifest import load_manifest
from cmrcli.encoders.preprocess import fit
from cmrcli.errors import EmbeddingError, UsageError
from cmrcli.evaluation.answers import Answers, Ranking, outcome_of
from cmrcli.evaluation.systems.encoder import MODES, EncoderSystem, Prepared
from cmrcli.evaluation.systems.vectors import LineVectors, Vectors
from cmrcli.evaluation.truth import Gallery, Part, Topic
from cmrcli.evaluation.truths import read_truth
from tests.offices import COLOURS, make_pdf

HAS_GRAPH = importlib.util.find_spec("hnswlib") is not None


@pytest.fixture(scope="module")
def encoder(tiny_encoder_folder: Path) -> DualEncoder:
    return DualEncoder(load_manifest(tiny_encoder_folder), threads=1)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per colour with four pictures each, with bands of other colours: no two scores are nearly equal."""
    root = tmp_path_factory.mktemp("photos") / "colours"
    for row, (colour, rgb) in enumerate(COLOURS.items()):
        (root / colour).mkdir(parents=True)
        for number, band in enumerate([(250, 230, 30), (130, 40, 160), (120, 70, 30), (250, 130, 180)]):
            pixels = np.full((120, 160, 3), rgb, np.uint8)
            pixels[:, : 7 * (number + 1) + 3 * row] = band
            PIL.Image.fromarray(pixels).save(root / colour / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def system(encoder: DualEncoder) -> EncoderSystem:
    return EncoderSystem(encoder)


@pytest.fixture(scope="module")
def prepared(photos: Path, system: EncoderSystem) -> tuple[Prepared, Prepared]:
    """By name and leave-one-out."""
    by_name, by_picture = read_truth([photos]).parts
    return system.prepare(by_name), system.prepare(by_picture)


def naive(prepared: Prepared, k: int) -> Iterator[tuple[Topic, Ranking]]:
    """Every query against every document that it may find, one by one; the whole gallery ranked."""
    gallery = prepared.part.gallery
    assert gallery is not None
    folds = gallery.folds or [None] * len(gallery.documents)
    for topic, query in zip(prepared.part.topics, prepared.queries, strict=True):
        scored = [
            (float(np.dot(vector, query)), document)
            for document, vector, fold in zip(gallery.documents, prepared.gallery, folds, strict=True)
            if document != topic.own and (topic.fold is None or fold == topic.fold)
        ]
        scored.sort(key=lambda one: -one[0])
        yield topic, Ranking(tuple(d for _, d in scored[:k]), tuple(s for s, _ in scored[:k]))


def assert_exact(answers: Answers, prepared: Prepared, k: int) -> None:
    for topic, wanted in naive(prepared, len(prepared.gallery)):
        found = answers.run[topic.id]
        assert found.documents == wanted.documents[:k]
        assert found.scores == pytest.approx(wanted.scores[:k], abs=1e-5)
        assert answers.outcomes[topic.id] == outcome_of(wanted, prepared.part.qrels[topic.id])


def test_pictures_are_encoded_as_the_index_does(photos: Path, encoder: DualEncoder) -> None:
    path = photos / "red" / "0.png"
    pixels = fit(PIL.Image.open(path), encoder.manifest.image)
    (vector,) = LineVectors(encoder).of_lines([f"image:{path}"])
    np.testing.assert_allclose(vector, encoder.encode_images(pixels[None])[0], atol=1e-6)


def test_lines_are_encoded_once_and_keep_their_order(
    photos: Path, encoder: DualEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"image:{photos}/blue/1.png", "red", f"image:{photos}/red/0.png", "red", f"image:{photos}/blue/1.png"]
    vectors = LineVectors(encoder)
    first = vectors.of_lines(lines)
    np.testing.assert_array_equal(first[0], first[4])  # the same line, not only the same picture
    np.testing.assert_allclose(first[1], encoder.encode_texts(["red"])[0], atol=1e-6)
    assert first[1] @ first[2] > 0.9 > first[1] @ first[0]
    monkeypatch.setattr(encoder, "encode_texts", None)
    monkeypatch.setattr(encoder, "encode_images", None)
    np.testing.assert_array_equal(vectors.of_lines(lines[::-1]), first[::-1])


def test_pages_and_texts_stand_for_files_that_have_them(tmp_path: Path, encoder: DualEncoder) -> None:
    make_pdf(tmp_path / "two.pdf", ["a", "a longer page with other words on it " * 2])
    (tmp_path / "red.txt").write_text("red")
    lines = [f"image:{tmp_path}/two.pdf", *(f"image:{tmp_path}/two.pdf#{page}" for page in (1, 2))]
    first, one, two = LineVectors(encoder).of_lines(lines)
    np.testing.assert_allclose(first, one, atol=1e-5)
    assert not np.allclose(one, two)
    (text,) = LineVectors(encoder).of_lines([f"image:{tmp_path}/red.txt"])
    np.testing.assert_allclose(text, encoder.encode_texts(["red"])[0], atol=1e-6)


def test_vectors_are_the_same_in_every_run(photos: Path, encoder: DualEncoder) -> None:
    lines = [f"image:{path}" for path in sorted(photos.rglob("*.png"))]
    runs = [LineVectors(encoder).of_lines(lines).tobytes() for _ in range(3)]
    assert len(set(runs)) == 1


def test_all_that_cannot_be_read_is_counted_and_named(photos: Path, tmp_path: Path, encoder: DualEncoder) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png"):
        (tmp_path / name).write_bytes(b"no picture")
    (tmp_path / "d.png").write_bytes(b"")
    make_pdf(tmp_path / "one.pdf", ["x"])
    names = [*(tmp_path / name for name in ("d.png", "b.png")), photos / "red" / "0.png", tmp_path / "one.pdf"]
    lines = [f"image:{name}" for name in names[:3]] + [f"image:{names[3]}#2"]
    with pytest.raises(UsageError) as refused:
        LineVectors(encoder).of_lines(lines)
    message = str(refused.value)
    assert message.startswith("3 pictures of the ground truth cannot be read: ") and "\n" not in message
    assert f"{names[0]} (zero bytes" in message and f"{names[1]} (not readable as its format" in message
    assert f"{names[3]}#2 (" in message and "red/0.png" not in message


def test_a_class_is_the_mean_of_its_prompts(encoder: DualEncoder) -> None:
    groups = [("red", "a red photo"), ("blue",), ("green thing", "a green", "green of all")]
    means = LineVectors(encoder).of_groups(groups)
    for group, mean in zip(groups, means, strict=True):
        wanted = np.mean([encoder.encode_texts([text])[0] for text in group], axis=0)
        np.testing.assert_allclose(mean, wanted / np.linalg.norm(wanted), atol=1e-5)


def test_prompts_that_cancel_out(encoder: DualEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def opposite(texts: Sequence[str]) -> Vectors:
        return np.stack([np.eye(encoder.dim, dtype=np.float32)[0] * (-1) ** number for number in range(len(texts))])

    monkeypatch.setattr(encoder, "encode_texts", opposite)
    with pytest.raises(EmbeddingError, match="the prompts of 'a' cancel"):
        LineVectors(encoder).of_groups([("a", "b")])


def test_exact_ranks_the_whole_gallery(prepared: tuple[Prepared, Prepared], system: EncoderSystem) -> None:
    for part in prepared:
        answers, cost = system.answer(part, "exact", 5)
        assert answers.whole and set(answers.outcomes) == {topic.id for topic in part.part.topics}
        assert_exact(answers, part, 5)
        assert cost.bytes_per_item == 2 * system._encoder.dim and cost.build_s is None
        assert cost.warm is not None and cost.warm.queries == len(part.part.topics)
        assert 0 < cost.warm.p50_ms <= cost.warm.p95_ms <= cost.warm.p99_ms


def test_colours_find_their_photos(prepared: tuple[Prepared, Prepared], system: EncoderSystem) -> None:
    answers, _ = system.answer(prepared[0], "exact", 4)
    assert [answers.outcomes[topic.id].ranks for topic in prepared[0].part.topics] == [(1, 2, 3, 4)] * 3


@pytest.mark.parametrize("mode", ["codes", "graph"])
def test_with_candidates_for_all_nothing_is_missed(
    prepared: tuple[Prepared, Prepared], system: EncoderSystem, mode: str
) -> None:
    if mode == "graph" and not HAS_GRAPH:
        pytest.skip("hnswlib is not installed")
    for part in prepared:
        answers, cost = system.answer(part, mode, 11)
        assert not answers.whole
        for topic, wanted in naive(part, 11):
            assert answers.run[topic.id].documents == wanted.documents
            assert answers.run[topic.id].scores == pytest.approx(wanted.scores, abs=1e-5)
            assert answers.outcomes[topic.id] == outcome_of(wanted, part.part.qrels[topic.id])
        assert cost.build_s is not None and cost.build_s > 0
        if mode == "codes":
            assert cost.bytes_per_item == 2 * 64 + 8


def distances_of(prepared: Prepared) -> dict[str, list[tuple[float, str]]]:
    """Of each topic: minus the distance of the codes and the document, by the tie rule; bit by bit."""
    gallery = prepared.part.gallery
    assert gallery is not None
    centre = prepared.gallery.mean(axis=0)
    found = {}
    for topic, query in zip(prepared.part.topics, prepared.queries, strict=True):
        scored = [
            (-float(np.count_nonzero((vector > centre) != (query > centre))), document)
            for document, vector in zip(gallery.documents, prepared.gallery, strict=True)
            if document != topic.own
        ]
        found[topic.id] = sorted(scored, reverse=True)
    return found


def test_codes_alone_rank_all_by_distance(prepared: tuple[Prepared, Prepared], system: EncoderSystem) -> None:
    for part in prepared:
        answers, cost = system.answer(part, "hamming", 5)
        assert answers.whole and cost.bytes_per_item == 8  # 64 dimensions
        for topic, scored in distances_of(part).items():
            whole = Ranking(tuple(document for _, document in scored), tuple(score for score, _ in scored))
            assert answers.run[topic] == Ranking(whole.documents[:5], whole.scores[:5])
            assert answers.outcomes[topic] == outcome_of(whole, part.part.qrels[topic])


def test_few_candidates_lose_only_what_the_codes_miss(
    prepared: tuple[Prepared, Prepared], system: EncoderSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cmrcli.evaluation.systems import nearest

    monkeypatch.setattr(nearest, "_depths", lambda wanted: (wanted, wanted))
    answers, _ = system.answer(prepared[0], "codes", 6)
    for topic, scored in distances_of(prepared[0]).items():
        distance_of = {document: score for score, document in scored}
        found = answers.run[topic]
        assert sorted(distance_of[document] for document in found.documents) == [score for score, _ in scored[5::-1]]
        assert list(found.scores) == sorted(found.scores, reverse=True)


@pytest.mark.parametrize("mode", MODES)
def test_a_query_finds_nothing_outside_its_fold(photos: Path, system: EncoderSystem, mode: str) -> None:
    if mode == "graph" and not HAS_GRAPH:
        pytest.skip("hnswlib is not installed")
    whole = read_truth([photos]).parts[0]
    assert whole.gallery is not None
    folds = tuple(number % 2 for number in range(len(whole.gallery.documents)))
    fold_of = dict(zip(whole.gallery.documents, folds, strict=True))
    topics = tuple(replace(topic, fold=number % 2) for number, topic in enumerate(whole.topics))
    qrels = {
        topic.id: {document: 1 for document in whole.qrels[topic.id] if fold_of[document] == topic.fold}
        for topic in topics
    }
    part = replace(whole, topics=topics, qrels=qrels, gallery=replace(whole.gallery, folds=folds))
    made = system.prepare(part)
    answers, cost = system.answer(made, mode, 10)
    for topic in topics:
        documents = answers.run[topic.id].documents
        assert len(documents) == 6 and {fold_of[document] for document in documents} == {topic.fold}
        assert answers.outcomes[topic.id].retrieved == 6 and answers.outcomes[topic.id].ideal == (1, 1)
    if mode == "exact":
        assert_exact(answers, made, 10)
    if mode == "codes":
        assert cost.bytes_per_item == 2 * 64 + 8


def test_more_is_asked_for_than_there_is(prepared: tuple[Prepared, Prepared], system: EncoderSystem) -> None:
    for mode in MODES:
        if mode != "graph" or HAS_GRAPH:
            answers, _ = system.answer(prepared[1], mode, 1000)
            assert {len(ranking.documents) for ranking in answers.run.values()} == {11}


def test_progress_reaches_its_end(photos: Path, encoder: DualEncoder) -> None:
    said: list[tuple[str, int, int]] = []
    EncoderSystem(encoder).prepare(read_truth([photos]).parts[0], lambda *step: said.append(step))
    assert ("pictures", 12, 12) in said and ("texts", 3, 3) in said


def test_what_is_refused(prepared: tuple[Prepared, Prepared], system: EncoderSystem) -> None:
    with pytest.raises(UsageError, match="no mode 'words'"):
        system.answer(prepared[0], "words", 10)
    with pytest.raises(UsageError, match="names no gallery"):
        system.prepare(Part("", (Topic("q", "red"),), {"q": {"a": 1}}))
    stray = replace(prepared[0].part, qrels={**prepared[0].part.qrels, "c1": {"elsewhere.png": 1}})
    with pytest.raises(UsageError, match=r"1 relevant documents are not in the gallery: elsewhere\.png"):
        system.prepare(stray)


def test_where_there_can_be_no_graph(
    prepared: tuple[Prepared, Prepared], system: EncoderSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cmrcli.store import graph, graph_building

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with (
        monkeypatch.context() as patched,
        pytest.raises(UsageError, match=r"the graph cannot be written to .*No space"),
    ):
        patched.setattr(graph_building, "build", full)
        system.answer(prepared[0], "graph", 10)
    monkeypatch.setattr(graph, "available", lambda: False)
    with pytest.raises(UsageError, match="no mode graph without hnswlib"):
        system.answer(prepared[0], "graph", 10)


def test_texts_can_be_a_gallery(system: EncoderSystem, photos: Path) -> None:
    gallery = Gallery(("red", "green", "blue"), (("red",), ("green", "a green thing"), ("blue",)))
    topics = (Topic("1", f"image:{photos}/green/0.png"), Topic("2", f"image:{photos}/blue/3.png"))
    part = Part("image -> class", topics, {"1": {"green": 1}, "2": {"blue": 1}}, gallery)
    answers, _ = system.answer(system.prepare(part), "exact", 1)
    assert [answers.run[topic.id].documents for topic in topics] == [("green",), ("blue",)]

"""Fragment alignment: MaxSim as it is defined, its bounds, and what a search makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest

import cmrcli
from cmrcli import Example, Index, Query
from cmrcli.calibration.null import calibrate
from cmrcli.codes.fitting import fit_sign
from cmrcli.errors import UsageError
from cmrcli.searching.alignment import ANCHOR, MAX_ITEMS, Aligned, Asked, align, pool, reorder
from cmrcli.searching.answer import Answer
from cmrcli.searching.fusion import Ranking
from cmrcli.store import Segment
from cmrcli.store.records import ItemFragment
from tests.tiny_encoder import COLOURS, Colour

DIM = 64
ROLES = ("whole", "tile", "tile", "passage")


def units(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.normal(size=(count, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def made(seed: int, items: int = 6) -> tuple[Asked, list[ItemFragment], Segment]:
    rng = np.random.default_rng(seed)
    fragments = [
        ItemFragment(10 * item + part, item, role) for item in range(1, items) for part, role in enumerate(ROLES)
    ]
    rows = np.array([fragment.fragment_id for fragment in fragments])
    vectors = units(rng, len(rows)).astype(np.float16)
    codes = fit_sign(vectors.astype(np.float32)).encode(vectors.astype(np.float32))
    segment = Segment("s", rows, vectors, codes, None, None, None)
    queries = units(rng, 3)
    return Asked(("one", "two"), queries[:2], queries[2], True), fragments, segment


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_maxsim_with_the_whole_as_anchor(seed: int) -> None:
    asked, fragments, segment = made(seed)
    aligned = align(asked, fragments, [segment], None, None, hubness=False)
    vectors = segment.vectors[:].astype(np.float64)
    for item, score in aligned.scores:
        own = [row for row, fragment in enumerate(fragments) if fragment.item_id == item]
        maxsim = np.mean([max(vectors[row] @ phrase for row in own) for phrase in asked.vectors])
        anchor = max(vectors[row] @ asked.whole for row in own if fragments[row].role != "tile")
        assert score == pytest.approx((maxsim + ANCHOR * anchor) / (1 + ANCHOR), abs=1e-3)
        for number, (_, part, cosine) in enumerate(aligned.matches[item]):
            best = max(own, key=lambda row: vectors[row] @ asked.vectors[number])
            assert part == fragments[best].fragment_id
            assert cosine == pytest.approx(vectors[best] @ asked.vectors[number], abs=1e-3)
        assert aligned.nearest[item] == fragments[max(own, key=lambda row: vectors[row] @ asked.whole)].fragment_id
    assert [score for _, score in aligned.scores] == sorted((score for _, score in aligned.scores), reverse=True)
    assert len(aligned.scores) == 5 and aligned.fragments == 20


def test_fragments_that_must_not_help_and_those_that_are_not_there_yet_do_not() -> None:
    asked, fragments, segment = made(1)
    late = [*fragments, ItemFragment(999, 1, "tile"), ItemFragment(1000, 99, "whole")]
    aligned = align(asked, late, [segment], None, None, hubness=False, leave_out={10, 11, 12, 13})
    assert {item for item, _ in aligned.scores} == {2, 3, 4, 5}


def test_calibrated_passages_do_not_win_by_their_scale() -> None:
    rng = np.random.default_rng(0)
    asked, fragments, segment = made(2, items=40)
    spoken = np.array([fragment.role == "passage" for fragment in fragments])
    cone = units(rng, 1)[0]

    def text(vectors: np.ndarray) -> np.ndarray:  # texts are near to all texts, and far from pictures
        moved = vectors + cone
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)

    vectors = segment.vectors[:]
    vectors[spoken] = text(vectors[spoken])
    segment.kept_vectors = vectors.astype(np.float16)
    asked = Asked(asked.phrases, text(asked.vectors), text(asked.whole[None])[0], True)
    calibration = calibrate(text(units(rng, 64)), vectors[~spoken], vectors[spoken])

    def passages(aligned: Aligned) -> int:
        return sum(part % 10 == 3 for matches in aligned.matches.values() for _, part, _ in matches)

    plain = passages(align(asked, fragments, [segment], None, None, hubness=False))
    fair = passages(align(asked, fragments, [segment], None, calibration, hubness=True))
    assert plain > 60 and fair < 40  # of 78; a quarter of the fragments are passages


def test_codes_alone_give_about_the_same_order() -> None:
    asked, fragments, segment = made(3, items=30)
    codebook = fit_sign(segment.vectors[:])
    exact = align(asked, fragments, [segment], None, None, hubness=False)
    segment.kept_vectors = None
    told = align(asked, fragments, [segment], codebook, None, hubness=False)
    there = {item: place for place, (item, _) in enumerate(exact.scores)}
    places = np.array([there[item] for item, _ in told.scores])
    assert np.corrcoef(places, np.arange(len(places)))[0, 1] > 0.5


def test_the_pool_prefers_what_several_rankings_have_and_is_bounded() -> None:
    assert pool([[1, 2, 3], [9, 3, 4]], 10)[0] == 3
    assert pool([[5, 5, 5, 6]], 10) == [5, 6]
    assert len(pool([range(1_000)], 10)) == MAX_ITEMS
    assert len(pool([range(1_000)], 300)) == 300


def test_what_was_not_aligned_stays_behind_in_its_order() -> None:
    aligned = Aligned([(7, 9.0), (8, 5.0)], True, {}, {7: [], 8: []}, 2)
    ranking = Ranking("vectors", 1.0, [(1, 0.9), (8, 0.8), (2, 0.7)], None, [6.0, 1.0, -1.0], -2.0)
    made = reorder(ranking, aligned, among=2, share=1.0)
    assert [item for item, _ in made.hits] == [7, 8, 1, 2]
    assert list(made.evidence or ()) == sorted(made.evidence or (), reverse=True)
    assert [score for _, score in made.hits] == sorted((score for _, score in made.hits), reverse=True)


# -- searches ----------------------------------------------------------------------------------------------------

SHEETS = {"rg": ("red", "green"), "rb": ("red", "blue"), "gb": ("green", "blue"), "yg": ("yellow", "green")}


def draw_sheet(path: Path, left: Colour, right: Colour) -> None:
    """A big disc of one colour, a small one of another in the upper right corner."""
    image = PIL.Image.new("RGB", (1000, 700), "white")
    draw = PIL.ImageDraw.Draw(image)
    draw.circle((330, 380), 240, fill=left)
    draw.circle((920, 80), 50, fill=right)
    image.save(path)


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory, tiny_encoder_folder: Path) -> Path:
    from cmrcli.indexing import IndexOptions, index_paths

    place = tmp_path_factory.mktemp("sheets")
    (place / "files").mkdir()
    for name, (left, right) in SHEETS.items():
        draw_sheet(place / "files" / f"{name}.png", COLOURS[left], COLOURS[right])
    index_paths(place / "index", [bytes(place / "files")], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    return place


@pytest.fixture
def index(sheets: Path, tiny_encoder_folder: Path) -> Iterator[Index]:
    with cmrcli.open_index(sheets / "index", tiny_encoder_folder, threads=1) as opened:
        yield opened


@pytest.mark.parametrize("name", SHEETS)
def test_the_sheet_with_both_things_is_first_and_says_where_they_are(index: Index, name: str) -> None:
    big, small = SHEETS[name]
    first = index.search(f"{big} with {small} in the corner")[0]
    assert first.relpath == f"{name}.png"
    assert {signal.name for signal in first.signals} == {"fragments"}
    assert [match.phrase for match in first.matches] == [big, small]
    box = first.matches[1].box
    assert box is not None and box[0] < 0.92 < box[2] and box[1] < 0.11 < box[3] and box[2] - box[0] < 0.2
    assert first.matches[1].score > 0.5


def test_japanese_phrases_too(index: Index) -> None:
    first = index.search("隅に青がある赤")[0]
    assert first.relpath == "rb.png" and [match.phrase for match in first.matches] == ["青", "赤"]


def test_one_thing_and_off_and_other_modes_are_asked_as_a_whole(index: Index) -> None:
    assert index.search("red")[0].matches == ()
    assert index.search("red with green", fragments="off")[0].matches == ()
    assert index.search("red with green", mode="exact")[0].matches == ()
    [first, *_] = index.search("red with green", mode="exact", fragments="on")
    assert len(first.matches) == 2 and first.score == first.signals[0].score
    assert len(index.search("red", fragments="on")[0].matches) == 1


def test_every_plan_gives_the_same_alignment(index: Index) -> None:
    query = "blue and yellow"
    by_mode = [index.search(query, mode=mode, fragments="on") for mode in ("exact", "codes", "graph", "vectors")]
    assert len({tuple((r.relpath, round(r.score, 5), r.matches) for r in results) for results in by_mode}) == 1


def test_a_batch_is_aligned_as_each_query_alone(index: Index) -> None:
    queries = ["red with blue in the corner", "red", "yellow, green"]
    for query, answer in zip(queries, index.answer_many(queries), strict=True):
        assert isinstance(answer, Answer)
        alone = index.search(query)
        assert [(r.relpath, round(r.score, 5), r.matches) for r in answer.results] == [
            (r.relpath, round(r.score, 5), r.matches) for r in alone
        ]
        assert bool(alone[0].matches) == (query != "red")


def test_parts_of_an_example_are_aligned_when_asked_for(index: Index, tmp_path: Path) -> None:
    example = tmp_path / "like.png"
    draw_sheet(example, COLOURS["red"], COLOURS["blue"])
    query = Query(like=(Example(str(example)),))
    assert index.search(query)[0].matches == ()
    first = index.search(query, fragments="on")[0]
    assert first.relpath == "rb.png" and len(first.matches) == 2
    assert all(match.phrase.startswith(f"image:{example} 0.") for match in first.matches)


def test_filters_and_explanations_hold(index: Index, sheets: Path) -> None:
    from cmrcli import Filter

    answer = index.answer("red with green", filter=Filter(under=(bytes(sheets / "files" / "rb.png"),)))
    assert [result.relpath for result in answer.results] == ["rb.png"]
    stages = {name: count for name, _, count in answer.explanation.stages}
    assert stages["phrases"] == 2 and stages["align"] == 3


def test_what_cannot_be_aligned_is_said(index: Index) -> None:
    with pytest.raises(UsageError, match="compares no fragments"):
        index.search("red and green", mode="words", fragments="on")
    with pytest.raises(UsageError, match="unknown choice"):
        index.search("red", fragments="maybe")
    assert index.search("red and green", mode="words", fragments="auto") == []

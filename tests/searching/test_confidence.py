"""Confidence in whole searches: of an index large enough to be calibrated, and of one that is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import cmrcli
from cmrcli.errors import UsageError
from cmrcli.searching import Index
from cmrcli.store import check, open_reader


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, tiny_encoder_folder: Path) -> Path:
    """The index of the small office and 80 short notes: enough to be calibrated."""
    from cmrcli.indexing import IndexOptions, index_paths
    from tests.offices import make_office

    place = tmp_path_factory.mktemp("many")
    office = make_office(place / "office")
    for number in range(80):
        (office / f"note-{number}.txt").write_text(
            f"Entry {number} of the log: {chr(97 + number % 26) * 9} was seen.\n"
        )
    index_paths(place / "index", [bytes(office)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    return place / "index"


@pytest.fixture
def index(many: Path, tiny_encoder_folder: Path) -> Iterator[Index]:
    with cmrcli.open_index(many, tiny_encoder_folder, threads=1) as opened:
        yield opened


def test_a_run_leaves_a_calibration_and_the_next_one_need_not(many: Path, tiny_encoder_folder: Path) -> None:
    from cmrcli.store import open_writer

    with open_reader(many) as reader:
        before = reader.calibration()
    assert before is not None
    with open_writer(many, None) as writer:
        assert not writer.calibration_due()
    assert check(many) == []


@pytest.mark.parametrize("mode", ["auto", "vectors", "exact", "codes", "words"])
def test_every_result_has_a_confidence_and_a_minimum_keeps_those_above(index: Index, mode: str) -> None:
    every = index.search("hex flange bolt M8x25", k=100, mode=mode)
    sure = [result.confidence for result in every]
    assert sure and all(one is not None and 0 <= one <= 1 for one in sure)
    if mode == "auto":
        assert sure == sorted(sure, reverse=True) and [result.score for result in every] == sure
    middle = sorted(one for one in sure if one is not None)[len(sure) // 2]
    kept = index.search("hex flange bolt M8x25", k=100, mode=mode, min_confidence=middle)
    assert {result.path for result in kept} <= {result.path for result in every}
    assert all(result.confidence is not None and result.confidence >= middle for result in kept)


def test_a_part_number_that_is_there_is_nearly_certain(index: Index) -> None:
    first, *others = index.search("A-1023-02")
    assert first.relpath == "notes/bolts.md" and first.confidence is not None and first.confidence > 0.9
    assert all(result.confidence is not None and result.confidence < 0.5 for result in others)


def test_nothing_is_found_under_a_confidence_that_nothing_reaches(index: Index) -> None:
    assert index.search("A-9999-77", min_confidence=0.999) == []


def test_a_part_number_that_is_not_there_is_not_found(index: Index) -> None:
    assert index.search("A-9999-77") == index.search("ZQ 9999X") == []
    assert index.search("A-9999-77", min_confidence=0), "the nearest are shown to who asks for them"
    assert index.search("A-9999-77", mode="vectors") and index.search("A-9999-77", fusion="rrf")
    assert index.search("A-1023-02 ZQ-9999X")[0].relpath == "notes/bolts.md", "one of two is there"
    # Said apart from a search that comes out empty for another reason, so that a person knows what to do.
    assert index.answer("QX-9914-77").doubted and not index.answer("QX-9914-77", min_confidence=1.0).doubted


def test_ranks_are_fused_where_that_is_asked_for(index: Index) -> None:
    fused = index.search("hex flange bolt", fusion="rrf")
    assert fused[0].score == pytest.approx(1.0) and fused[0].confidence is not None
    assert index.search("hex flange bolt", hubness=False)[0].relpath == fused[0].relpath == "notes/bolts.md"
    with pytest.raises(UsageError, match="fusion"):
        index.search("hex flange bolt", fusion="magic")


def test_codes_alone_give_no_confidence(index: Index) -> None:
    assert {result.confidence for result in index.search("red", mode="hamming")} == {None}
    with pytest.raises(UsageError, match="confidence"):
        index.search("red", mode="hamming", min_confidence=0.5)


def test_a_small_index_is_not_calibrated_and_says_so(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> None:
    with cmrcli.open_index(indexed[1], tiny_encoder_folder, threads=1) as small:
        results = small.search("hex flange bolt")
        assert results[0].confidence is None and results[0].score == pytest.approx(1.0), "ranks are fused"
        with pytest.raises(UsageError, match="not calibrated"):
            small.search("red", min_confidence=0.5)


def test_an_index_of_an_older_version_is_searched_as_before(
    many: Path, tiny_encoder_folder: Path, tmp_path: Path
) -> None:
    import shutil
    import sqlite3

    old = tmp_path / "old"
    shutil.copytree(many, old)
    connection = sqlite3.connect(old / "catalog.sqlite")
    connection.execute("DROP TABLE calibration")
    connection.commit()
    connection.close()
    assert check(old) == []
    with cmrcli.open_index(old, tiny_encoder_folder, threads=1) as index:
        assert index.search("hex flange bolt")[0].confidence is None
    from cmrcli.indexing import IndexOptions, index_paths

    index_paths(old, [], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    with cmrcli.open_index(old, tiny_encoder_folder, threads=1) as index:
        assert index.search("hex flange bolt")[0].confidence is not None

"""The made-up office through the whole program with the bundled encoder: what the first hour with cmrcli looks like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import cmrcli
from cmrcli.indexing import IndexOptions, index_paths
from cmrcli.samples import sample_truth, write_sample_corpus
from cmrcli.searching import Example, Index, Query
from cmrcli.searching.query import looks_like_code
from cmrcli.store import Filter, check


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Index]]:
    place = tmp_path_factory.mktemp("office")
    files = write_sample_corpus(place / "files")
    report = index_paths(place / "index", [bytes(place / "files")], IndexOptions())
    assert (report.exit_code, report.added, report.failed) == (0, len(files), 0)
    assert report.recognised == 2, "one copy and one renamed copy"
    assert check(place / "index") == []
    with cmrcli.open_index(place / "index") as index:
        yield place / "files", index


@pytest.mark.parametrize(("number", "relpath"), [pair for pair in sample_truth() if looks_like_code(pair[0])])
def test_a_part_number_finds_its_drawing_first(office: tuple[Path, Index], number: str, relpath: str) -> None:
    for spelling in (number, number.lower().replace("-", ""), number.replace("-", " ")):
        assert relpath in [result.relpath for result in office[1].search(spelling, k=3)], spelling


def test_questions_find_their_page(office: tuple[Path, Index]) -> None:
    asked = [pair for pair in sample_truth() if pair[1].startswith(("specs/", "notes/", "仕様書/", "見積/"))]
    found = sum(relpath in [result.relpath for result in office[1].search(query, k=3)] for query, relpath in asked)
    assert len(asked) >= 10
    assert found >= 0.9 * len(asked), f"{found} of {len(asked)}"


def test_a_drawing_finds_pictures_and_a_picture_drawings(office: tuple[Path, Index]) -> None:
    """Not how good they are (make bench says that), but that pictures are found by pictures of another kind."""
    folder, index = office
    for example, kind in (("drawings/dxf/GR-1885G.dxf", "photo"), ("photos/IMG_1252.jpg", "drawing")):
        only = Filter(frozenset({kind}), (), frozenset(), None, None)
        results = index.search(Query(like=(Example(str(folder / example)),)), k=5, filter=only)
        assert len(results) == 5
        assert {result.kind for result in results} == {kind}
        assert all(signal.name == "vectors" for result in results for signal in result.signals)
        assert len({round(result.score, 4) for result in results}) > 1, "an encoder that tells pictures apart"

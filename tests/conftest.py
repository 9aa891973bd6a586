"""What every test may use: the tiny encoder, made once for the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the tests': the user's is neither read nor changed."""
    folder, before = tmp_path_factory.mktemp("cache"), os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="session")
def tiny_encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny encoder. Shared by all tests: copy it before changing anything in it."""
    from tests.tiny_encoder import make_tiny_encoder

    return make_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A small office: three coloured photos, a line drawing, notes in English and Japanese, a two-page PDF."""
    from tests.offices import make_office

    return make_office(tmp_path / "office")


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, tiny_encoder_folder: Path) -> tuple[Path, Path]:
    """(office, index): shared by all tests that only search."""
    from cmrcli.indexing import IndexOptions, index_paths
    from tests.offices import make_office

    place = tmp_path_factory.mktemp("indexed")
    office = make_office(place / "office")
    index_paths(place / "index", [bytes(office)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    return office, place / "index"

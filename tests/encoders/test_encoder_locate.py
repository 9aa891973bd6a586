"""Which folder an encoder's name leads to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cmrcli.encoders import locate
from cmrcli.encoders.manifest import load_manifest
from cmrcli.errors import EncoderError
from tests.tiny_encoder import make_tiny_encoder


@pytest.fixture
def places(tiny_encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose bundled encoder is the tiny one, and an empty data folder."""
    package = tmp_path / "site-packages" / "cmrcli"
    shutil.copytree(tiny_encoder_folder, package / "_bundled" / locate.BUNDLED_NAME)
    monkeypatch.setattr(locate, "_PACKAGE", package)
    monkeypatch.setattr(locate, "data_folder", lambda: tmp_path / "data" / "models")
    return tmp_path


def test_the_bundled_encoder_is_found_in_a_wheel_and_in_a_checkout(places: Path) -> None:
    wheel = places / "site-packages" / "cmrcli" / "_bundled" / locate.BUNDLED_NAME
    assert locate.resolve(None) == locate.bundled() == locate.resolve(locate.BUNDLED_NAME) == wheel
    checkout = places / "site-packages" / "models" / locate.BUNDLED_NAME
    checkout.parent.mkdir()
    wheel.rename(checkout)
    assert locate.bundled() == checkout
    shutil.rmtree(checkout)
    with pytest.raises(EncoderError, match="bundled encoder is missing"):
        locate.resolve(None)


def test_folders_and_names(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate.installed() == []
    mine = make_tiny_encoder(places / "data" / "models" / "mine", variant=1)
    (places / "data" / "models" / "unfinished").mkdir()
    (places / "data" / "models" / "README").write_text("not an encoder")
    assert locate.installed() == [mine]
    assert locate.resolve("mine") == mine
    assert locate.resolve(mine) == locate.resolve(str(mine)) == mine.resolve()
    monkeypatch.chdir(mine.parent)
    assert locate.resolve("./mine") == mine.resolve()


@pytest.mark.parametrize("name", ["nothing", "/nowhere/at/all", "../mine", "a\0b", ""])
def test_what_leads_nowhere_says_what_there_is(places: Path, name: str) -> None:
    make_tiny_encoder(places / "data" / "models" / "mine")
    with pytest.raises(EncoderError) as caught:
        locate.resolve(name)
    assert caught.value.remedy
    if name == "nothing":
        assert "cmr-small-4, mine" in str(caught.value)


def test_a_folder_without_manifest(places: Path) -> None:
    with pytest.raises(EncoderError, match=r"has no model\.toml"):
        locate.resolve(places)


def test_matching_finds_the_encoder_of_an_index_by_its_digest(places: Path) -> None:
    bundled = load_manifest(locate.bundled())
    assert locate.matching("any", bundled.digest).folder == bundled.folder
    other = load_manifest(make_tiny_encoder(places / "elsewhere", variant=1))
    with pytest.raises(EncoderError, match="which is not here") as caught:
        locate.matching("tiny", other.digest)
    assert f"--index DIR with {locate.BUNDLED_NAME}" in caught.value.remedy
    assert locate.matching("tiny", other.digest, other.folder).folder == other.folder.resolve()
    broken = places / "data" / "models" / "broken"
    broken.mkdir(parents=True)
    (broken / "model.toml").write_text("format = 1")
    shutil.copytree(other.folder, places / "data" / "models" / "other")
    assert locate.matching("tiny", other.digest).folder.name == "other"
    with pytest.raises(EncoderError, match="is not the encoder"):
        locate.matching("tiny", bundled.digest, "other")


def test_the_data_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(tmp_path))
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    folder = locate.data_folder()
    assert folder.parts[-2:] == ("cmrcli", "models") and folder.is_relative_to(tmp_path)

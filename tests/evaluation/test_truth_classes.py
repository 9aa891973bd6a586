"""A folder per class: who is asked for what, and which folders are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.evaluation.truths import read_truth
from tests import rights


def folders(root: Path, **pictures: str) -> Path:
    """A folder per keyword with the files named."""
    for name, files in pictures.items():
        (root / name).mkdir(parents=True)
        for file in files.split():
            (root / name / file).touch()
    return root


def test_names_find_their_pictures_and_pictures_each_other(tmp_path: Path) -> None:
    root = folders(tmp_path / "parts", hex_bolt="2.png 1.JPG", 歯車="a.dxf", nut="n1.pdf n2.webp n3.svg")
    truth = read_truth([root])
    by_name, by_picture = truth.parts
    assert truth.kind == "classes"
    assert (by_name.name, by_picture.name) == ("class name -> image", "image -> image (leave one out)")
    assert [topic.text for topic in by_name.topics] == ["hex bolt", "nut", "歯車"]
    bolts = [f"{root}/hex_bolt/1.JPG", f"{root}/hex_bolt/2.png"]
    nuts = [f"{root}/nut/n{number}" for number in ("1.pdf", "2.webp", "3.svg")]
    assert by_name.gallery is not None and by_name.gallery is by_picture.gallery
    assert by_name.gallery.documents == (*bolts, *nuts, f"{root}/歯車/a.dxf")
    assert by_name.gallery.lines[0] == (f"image:{bolts[0]}",)
    assert dict(by_name.qrels["c1"]) == dict.fromkeys(bolts, 1) and by_name.under == root
    assert by_name.topics[2].groups == {
        "modality": "text",
        "length": "1 word",
        "language": "ja",
        "class": "歯車",
    }
    asked = {topic.own: topic for topic in by_picture.topics}
    assert list(asked) == [*bolts, *nuts]  # the one picture of 歯車 has no other
    assert asked[bolts[0]].text == f"image:{bolts[0]}" and asked[bolts[0]].groups["class"] == "hex bolt"
    assert dict(by_picture.qrels[asked[bolts[0]].id]) == {bolts[1]: 1}
    others = by_picture.qrels[asked[nuts[1]].id]
    assert dict(others) == {nuts[0]: 1, nuts[2]: 1} and len(others) == 2
    assert list(others.items()) == [(nuts[0], 1), (nuts[2], 1)] and list(others.values()) == [1, 1]
    assert list(others) == list(others.keys()) == [nuts[0], nuts[2]]
    assert nuts[1] not in others and others.get(nuts[1], 0) == 0 and others[nuts[0]] == 1
    assert by_picture.macro == "class" and by_picture.measures[0] == "mAP" and "mAP@R" in by_picture.measures
    assert truth.notes == ("1 classes have one picture, which is not asked for others of its class: 歯車",)


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    root = folders(tmp_path / "root", a="1.png 2.png Thumbs.db notes.txt .hidden .DS_Store", b="1.png")
    (root / "README").touch()
    (root / ".git").mkdir()
    truth = read_truth([root])
    assert len(truth.parts[0].topics) == 2 and len(truth.parts[1].topics) == 2
    assert "6 files that are no pictures were left out: 3 hidden, " in truth.notes[0]
    assert "..." in truth.notes[0]


def test_without_a_second_picture_anywhere_nothing_is_left_out(tmp_path: Path) -> None:
    truth = read_truth([folders(tmp_path / "root", a="1.png", b="1.png")])
    assert [part.name for part in truth.parts] == ["class name -> image"]
    assert "2 classes have one picture" in truth.notes[0]


def test_a_name_in_the_form_of_a_mac_is_asked_composed(tmp_path: Path) -> None:
    decomposed = {"\u304b\u3099": "1.png"}
    truth = read_truth([folders(tmp_path / "root", **decomposed)])
    assert truth.topics[0].text == "\u304c"
    assert "\u304b\u3099" in next(iter(truth.parts[0].qrels["c1"]))


def test_wrong_folders(tmp_path: Path) -> None:
    empty = folders(tmp_path / "empty")
    empty.mkdir()
    _refused(lambda: read_truth([empty]), "holds no folder of a class", "a folder named after it")
    bare = folders(tmp_path / "bare", a="1.png", b="notes.txt")
    _refused(lambda: read_truth([bare]), "bare/b holds no picture", "remove the folder")
    nested = folders(tmp_path / "nested", train="1.png")
    (nested / "train" / "bolt").mkdir()
    _refused(lambda: read_truth([nested]), "train/bolt is a folder within a class folder", "are the classes")
    same = folders(tmp_path / "same", hex_bolt="1.png", **{"hex-bolt": "1.png"})
    _refused(lambda: read_truth([same]), "both ask for 'hex bolt'", "one folder")
    nameless = folders(tmp_path / "nameless", _="1.png")
    _refused(lambda: read_truth([nameless]), "the name is no query", "what its pictures show")
    example = folders(tmp_path / "example", **{"image:x": "1.png"})
    _refused(lambda: read_truth([example]), "the name is no query", "what its pictures show")
    _refused(lambda: read_truth([tmp_path / "none"]), "there is no", "check the path")


def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    root = folders(tmp_path / "root", a="1.png")
    (root / "a").chmod(0)
    try:
        with rights.of_a_user():
            _refused(lambda: read_truth([root]), "cannot read", "can be read")
    finally:
        (root / "a").chmod(0o700)


def _refused(read: Callable[[], object], message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        read()
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert remedy in refused.value.remedy

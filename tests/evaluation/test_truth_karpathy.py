"""Karpathy-split JSON: who finds whom under which protocol, and what a broken file is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmrcli.errors import UsageError
from cmrcli.evaluation.truths import karpathy, read_truth


def entry(name: str, captions: int = 5, split: str = "test", **more: Any) -> dict[str, Any]:
    sentences = [{"raw": f"caption {number} of\n {name}", "tokens": []} for number in range(captions)]
    return {"filename": name, "split": split, "sentences": sentences, "imgid": 7, **more}


def data_set(folder: Path, *entries: dict[str, Any], pictures: bool = True) -> Path:
    path = folder / "dataset.json"
    path.write_text(json.dumps({"dataset": "made up", "images": entries}), encoding="utf-8")
    for one in entries if pictures else ():
        at = folder / one.get("filepath", "") / one["filename"]
        at.parent.mkdir(exist_ok=True)
        at.touch()
    return path


def test_both_directions_of_the_split(tmp_path: Path) -> None:
    path = data_set(tmp_path, entry("a.jpg"), entry("x.jpg", split="train"), entry("b.jpg", captions=4))
    truth = read_truth([path])
    by_text, by_image = truth.parts
    assert (truth.kind, truth.sources) == ("karpathy", (path,))
    assert (by_text.name, by_image.name) == ("text -> image", "image -> text")
    a, b = str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")
    assert by_text.gallery is not None and by_text.gallery.documents == (a, b)
    assert by_text.gallery.lines == ((f"image:{a}",), (f"image:{b}",))
    assert by_text.gallery.folds is None and by_text.under == tmp_path
    assert [topic.id for topic in by_text.topics] == ["1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4"]
    assert by_text.topics[5].text == "caption 0 of b.jpg"
    assert by_text.qrels["1.5"] == {a: 1} and by_text.qrels["2.1"] == {b: 1}
    assert [topic.text for topic in by_image.topics] == [f"image:{a}", f"image:{b}"]
    assert by_image.qrels["2"] == {"2.1": 1, "2.2": 1, "2.3": 1, "2.4": 1}
    assert by_image.gallery is not None
    lines = dict(zip(by_image.gallery.documents, by_image.gallery.lines, strict=True))
    assert lines["2.1"] == ("caption 0 of b.jpg",) and len(lines) == 9 and by_image.under is None
    assert by_text.measures == ("success@1", "success@5", "success@10", "median-rank")
    assert any("1 images have fewer than 5 captions" in note for note in truth.notes)


def test_coco_lies_in_folders_and_has_a_sixth_caption(tmp_path: Path) -> None:
    path = data_set(tmp_path, entry("1.jpg", captions=6, filepath="val2014"), entry("2.jpg", filepath="val2014"))
    pictures = tmp_path / "val2014"
    elsewhere = (tmp_path / "elsewhere").resolve()
    pictures.rename(elsewhere)
    (elsewhere / "val2014").mkdir()
    (elsewhere / "1.jpg").rename(elsewhere / "val2014" / "1.jpg")
    truth = read_truth([path], images=elsewhere)
    by_text = truth.parts[0]
    assert by_text.gallery is not None
    assert by_text.gallery.documents == (f"{elsewhere}/val2014/1.jpg", f"{elsewhere}/2.jpg")
    assert len(by_text.topics) == 10 and "1.6" not in by_text.qrels
    assert any("1 images have more than 5 captions: the first 5 count" in note for note in truth.notes)


def test_five_folds_in_the_order_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(karpathy, "FOLD_IMAGES", 2)
    path = data_set(tmp_path, *(entry(f"{9 - number}.jpg", captions=1 + number % 2) for number in range(10)))
    whole_text, whole_image, fold_text, fold_image = read_truth([path]).parts
    assert [part.name for part in (whole_text, whole_image)] == ["text -> image, whole", "image -> text, whole"]
    assert fold_text.name == "text -> image, 1k five folds" and fold_text.under is None
    assert fold_text.gallery is not None and fold_image.gallery is not None and whole_text.gallery is not None
    assert whole_text.gallery.folds is None and {topic.fold for topic in whole_text.topics} == {None}
    assert fold_text.gallery.folds == (0, 0, 1, 1, 2, 2, 3, 3, 4, 4)
    assert fold_image.gallery.folds == (0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)
    fold_of = dict(zip(fold_text.gallery.documents, fold_text.gallery.folds, strict=True))
    assert all(fold_of[document] == topic.fold for topic in fold_text.topics for document in fold_text.qrels[topic.id])
    assert [part.name for part in read_truth([path], protocol="whole").parts] == ["text -> image", "image -> text"]
    assert [part.name for part in read_truth([path], protocol="1k-5fold").parts] == [fold_text.name, fold_image.name]


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ('{\n "images": [,]}', ".json:2:13: bad JSON", "correct it there"),
        ('{"images": [\n', ".json:2:1: bad JSON", "get the file again"),
        ("[" * 100_000, "JSON nested too deep", '"images"'),
        ('{"images": ' + "1" * 5_000 + "}", "bad JSON: Exceeds the limit", '"images"'),
        ("[]", 'no list "images"', '"images"'),
        ('{"images": {}}', 'no list "images"', '"images"'),
        ('{"images": [1]}', 'no list "images"', '"images"'),
        ('{"images": []}', "has no image of the split 'test'", "none"),
        (json.dumps({"images": [entry("a", split="val")]}), "has no image of the split 'test'", "val (1)"),
        (json.dumps({"images": [entry("")]}), "images[0]: no filename", '"filename"'),
        (json.dumps({"images": [entry("../a.jpg")]}), "images[0]: ../a.jpg leads out of the folder", "--images DIR"),
        (json.dumps({"images": [entry("/etc/passwd")]}), "images[0]: /etc/passwd leads out", "--images DIR"),
        (json.dumps({"images": [entry("a.jpg", captions=0)]}), "images[0]: no sentences", "needs a caption"),
        (json.dumps({"images": [entry("a.jpg", sentences=[{"raw": " "}])]}), 'a sentence without "raw"', '"raw"'),
        (json.dumps({"images": [entry("a.jpg", sentences=[{"raw": "image: x"}])]}), "begins with image:", "reword"),
        (
            json.dumps({"images": [entry(f"{n}.jpg") for n in range(5)]}),
            "5 of 5 pictures are not in",
            "--images DIR",
        ),
        (b"\xff\xfe{", "is not UTF-8", "UTF-8"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str | bytes, message: str, remedy: str) -> None:
    path = tmp_path / "dataset.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    _refused(lambda: read_truth([path]), message, remedy)


def test_missing_pictures_are_named_and_counted(tmp_path: Path) -> None:
    path = data_set(tmp_path, *(entry(f"{number}.jpg") for number in range(6)))
    for number in (1, 3, 4, 5):
        (tmp_path / f"{number}.jpg").unlink()
    _refused(lambda: read_truth([path]), "4 of 6 pictures are not in", "--images DIR")
    _refused(lambda: read_truth([path]), ": 1.jpg, 3.jpg, 4.jpg ...", "--images DIR")


def test_wrong_options(tmp_path: Path) -> None:
    path = data_set(tmp_path, entry("a.jpg"), entry("a.jpg", split="val"), entry("b.jpg"), entry("b.jpg"))
    _refused(lambda: read_truth([path]), "images[3]: b.jpg is images[2] already", "keep one")
    _refused(lambda: read_truth([path], split="val", protocol="5k"), "unknown protocol '5k'", "whole")
    _refused(lambda: read_truth([path], split="val", protocol="1k-5fold"), "1 images of the split 'val'", "whole")
    assert len(read_truth([path], split="val").topics) == 6
    _refused(lambda: read_truth([tmp_path / "x.json"], "karpathy"), "x.json: No such file", "name a file")


def _refused(read: Callable[[], object], message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        read()
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert remedy in refused.value.remedy

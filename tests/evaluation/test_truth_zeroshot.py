"""Zero-shot folders: which folder is which class, prompts, shards, and what is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.evaluation.truths import read_truth, shards
from tests.evaluation.test_truth_classes import folders


def benchmark(root: Path, classes: str, templates: str | None = None, **pictures: str) -> Path:
    folders(root, **pictures)
    root.mkdir(exist_ok=True)
    (root / "classnames.txt").write_text(classes, encoding="utf-8")
    if templates is not None:
        (root / "zeroshot_classification_templates.txt").write_text(templates, encoding="utf-8")
    return root


def shard(root: Path, name: str, *members: tuple[str, bytes]) -> Path:
    (root / "test").mkdir(exist_ok=True)
    path = root / "test" / name
    with tarfile.open(path, "w") as archive:
        for member, data in members:
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def classes_of(root: Path) -> dict[str, str]:
    """Picture, from the root -> class."""
    (part,) = read_truth([root]).parts
    found = {}
    for topic in part.topics:
        ((document, grade),) = part.qrels[topic.id].items()
        assert grade == 1 and topic.groups["class"] == document
        found[topic.query().like[0].path.removeprefix(f"{root}/")] = document
    return found


def test_folders_named_like_classes_and_averaged_prompts(tmp_path: Path) -> None:
    pictures = {"test/hex_bolt": "1.png 2.png", "test/nut": "1.png"}
    root = benchmark(tmp_path / "z", "nut\nhex bolt\nwasher\n\n", "a {c}.\n\n the {c}!\n", **pictures)
    truth = read_truth([root])
    (part,) = truth.parts
    assert (truth.kind, part.name, part.macro) == ("zeroshot", "image -> class", "class")
    assert part.measures == ("success@1", "success@5") and part.under is None
    assert part.gallery is not None
    assert part.gallery.documents == ("nut", "hex bolt", "washer")
    assert part.gallery.lines[1] == ("a hex bolt.", "the hex bolt!")
    assert classes_of(root) == {
        "test/hex_bolt/1.png": "hex bolt",
        "test/hex_bolt/2.png": "hex bolt",
        "test/nut/1.png": "nut",
    }
    assert truth.sources == (root, root / "classnames.txt", root / "zeroshot_classification_templates.txt")
    assert truth.notes == ("1 of 3 classes have no picture; pictures can be taken for them",)


def test_without_templates_and_without_test(tmp_path: Path) -> None:
    root = benchmark(tmp_path / "z", "nut\nbolt", nut="1.png", bolt="1.png Thumbs.db")
    truth = read_truth([root])
    gallery = truth.parts[0].gallery
    assert gallery is not None and gallery.lines == (("a photo of a nut.",), ("a photo of a bolt.",))
    assert "the prompt is 'a photo of a {c}.'" in truth.notes[0]
    assert "1 files that are no pictures were left out: 1 .db" in truth.notes[1]  # classnames.txt is no such file


def test_folders_in_the_order_of_the_lines(tmp_path: Path) -> None:
    root = benchmark(tmp_path / "z", "tench\ngoldfish\nshark\n", n1="a.png", n3="b.png", n2="c.png")
    assert classes_of(root) == {"n1/a.png": "tench", "n2/c.png": "goldfish", "n3/b.png": "shark"}
    assert any("folder i, by name" in note for note in read_truth([root]).notes)


def test_a_class_that_is_listed_twice(tmp_path: Path) -> None:
    root = benchmark(tmp_path / "z", "crane\nbolt\ncrane\n", n1="a.png", n2="b.png", n3="c.png")
    assert classes_of(root) == {"n1/a.png": "crane (line 1)", "n2/b.png": "bolt", "n3/c.png": "crane (line 3)"}
    gallery = read_truth([root]).parts[0].gallery
    assert gallery is not None and gallery.lines[0] == gallery.lines[2] == ("a photo of a crane.",)


@pytest.mark.parametrize(
    ("classes", "templates", "names", "message", "remedy"),
    [
        ("", None, "a", "classnames.txt:1: holds no class", "one class a line"),
        ("a\n\nb\n", None, "a", "classnames.txt:2: a line without a class", "number"),
        ("a\n", "photo\n", "a", "templates.txt:1: the prompt 'photo' has no {c}", "where the class goes"),
        ("a\n", "x {c}\n\nimage:{c}\n", "a", "templates.txt:3: the prompt begins with image:", "reword"),
        ("a\n", "\n", "a", "templates.txt: holds no prompt", "remove the file"),
        ("a\nb\n", None, "a c", "z/c is named like no class", "like the classes"),
        ("a\nb\n", None, "x y z", "holds 3 class folders for 2 lines", "one for each line"),
        ("\n".join("abcdefghijk"), None, "0 1 2 3 4 5 6 7 8 9 10", "sort as 0, 1, 10", "leading zeros"),
        ("a\n", None, "", "holds no folder of a class", "a folder named after it"),
    ],
)
def test_wrong_folders(
    tmp_path: Path, classes: str, templates: str | None, names: str, message: str, remedy: str
) -> None:
    root = benchmark(tmp_path / "z", classes, templates, **dict.fromkeys(names.split(), "1.png"))
    _refused(lambda: read_truth([root]), message, remedy)


def test_numbers_with_leading_zeros_are_in_order(tmp_path: Path) -> None:
    names = [f"{number:02}" for number in range(11)]
    root = benchmark(tmp_path / "z", "\n".join("abcdefghijk"), **dict.fromkeys(names, "1.png"))
    assert classes_of(root)["10/1.png"] == "k"


def test_shards_are_unpacked_under_names_of_our_own(tmp_path: Path) -> None:
    root, scratch = benchmark(tmp_path / "z", "nut\nbolt\n"), tmp_path / "scratch"
    scratch.mkdir()
    shard(root, "1.tar", ("s2.png", b"third"), ("s2.cls", b"1\n"))
    shard(root, "0.tar", ("../up.png", b"first"), ("../up.cls", b"1"), ("/b.jpg", b"second"), ("/b.cls", b"0"))
    truth = read_truth([root], scratch=scratch)
    (part,) = truth.parts
    paths = [Path(topic.query().like[0].path) for topic in part.topics]
    assert [path.read_bytes() for path in paths] == [b"first", b"second", b"third"]
    assert all(path.is_relative_to(scratch) for path in paths) and not (tmp_path / "up.png").exists()
    assert [dict(part.qrels[topic.id]) for topic in part.topics] == [{"bolt": 1}, {"nut": 1}, {"bolt": 1}]
    assert truth.sources == (root, root / "classnames.txt")


@pytest.mark.parametrize(
    ("members", "message", "remedy"),
    [
        ((("a.png", b"x"),), "a has no class", "KEY.cls"),
        ((("a.cls", b"0"),), "a has no picture", "KEY.cls"),
        ((("a.png", b"x"), ("a.cls", b"2")), "a.cls names class 2 of 2", "counted from 0"),
        ((("a.png", b"x"), ("a.cls", b"nut")), "a.cls is no number", "counted from 0"),
        ((("a.png", b"x"), ("a.cls", b"0" * 40)), "a.cls has 40 bytes", "get the archive again"),
        ((("a.png", b"x"), ("a.png", b"y"), ("a.cls", b"0")), "a.png is there twice", "get it again"),
        ((("a.png", b"x" * 200), ("a.cls", b"0")), "a.png has 200 bytes", "get the archive again"),
        ((("a.json", b"{}"),), "holds no picture", "KEY.jpg"),
    ],
)
def test_wrong_shards(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    members: tuple[tuple[str, bytes], ...],
    message: str,
    remedy: str,
) -> None:
    monkeypatch.setattr(shards, "MAX_PICTURE_BYTES", 100)
    root = benchmark(tmp_path / "z", "nut\nbolt\n")
    shard(root, "0.tar", *members)
    _refused(lambda: read_truth([root], scratch=tmp_path), message, remedy)


def test_shards_that_are_damaged_too_much_or_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = benchmark(tmp_path / "z", "nut\n")
    path = shard(root, "0.tar", ("a.png", b"x" * 2000), ("a.cls", b"0"))
    _refused(lambda: read_truth([root]), "0.tar is an archive", "unpack the archives")
    monkeypatch.setattr(shards, "MAX_BYTES", 1000)
    _refused(lambda: read_truth([root], scratch=_new(tmp_path / "1")), "more than", "unpack it by hand")
    path.write_bytes(path.read_bytes()[:1000])
    _refused(lambda: read_truth([root], scratch=_new(tmp_path / "2")), "0.tar: damaged archive", "again")
    path.write_bytes(b"no archive" * 100)
    _refused(lambda: read_truth([root], scratch=_new(tmp_path / "3")), "0.tar: damaged archive", "again")
    _refused(lambda: read_truth([root], scratch=path), "cannot be unpacked", "free space")


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _refused(read: Callable[[], object], message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        read()
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert remedy in refused.value.remedy

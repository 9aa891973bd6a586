"""Which format a ground truth is in, told from what is named; and that its word can be overruled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.evaluation.truths import KINDS, read_truth
from tests.evaluation.test_truth_classes import folders


def made(folder: Path, kind: str) -> list[Path]:
    """A small ground truth of a kind."""
    if kind == "trec":
        (folder / "queries.tsv").write_text("q\tbolt\n")
        (folder / "qrels.txt").write_text("q 0 a.png 1\n")
        return [folder / "queries.tsv", folder / "qrels.txt"]
    if kind == "pairs":
        (folder / "truth.csv").write_text("query,path\nbolt,a.png\n")
        return [folder / "truth.csv"]
    if kind == "karpathy":
        (folder / "a.png").touch()
        images = [{"filename": "a.png", "split": "test", "sentences": [{"raw": "a bolt"}]}]
        (folder / "DATASET.JSON").write_text(json.dumps({"images": images}))
        return [folder / "DATASET.JSON"]
    root = folders(folder / "root", bolt="1.png 2.png")
    if kind == "zeroshot":
        (root / "classnames.txt").write_text("bolt\n")
    return [root]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_from_its_paths(tmp_path: Path, kind: str) -> None:
    paths = made(tmp_path, kind)
    told, named = read_truth(paths), read_truth(paths, kind)
    assert told.kind == named.kind == kind and told.sources == named.sources
    for part in told.parts:
        ids = [topic.id for topic in part.topics]
        assert ids and len(ids) == len(set(ids)) and set(part.qrels) == set(ids)
        assert all(len(name.split()) == 1 for name in ids)
        assert all(any(grade > 0 for grade in grades.values()) for grades in part.qrels.values())
        assert all(topic.query().shown for topic in part.topics)
        if part.gallery is not None:
            documents = set(part.gallery.documents)
            assert len(documents) == len(part.gallery.documents) == len(part.gallery.lines)
            assert all(grades.keys() <= documents for grades in part.qrels.values())


def test_a_folder_with_class_names_can_still_be_a_folder_per_class(tmp_path: Path) -> None:
    truth = read_truth(made(tmp_path, "zeroshot"), "classes")
    assert truth.kind == "classes" and "1 .txt" in truth.notes[0]


def test_relative_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, "classes")
    monkeypatch.chdir(tmp_path)
    part = read_truth(["root"]).parts[0]
    assert part.under == tmp_path / "root"
    assert all(Path(document).is_absolute() for document in part.qrels["c1"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "karpathy"])
def test_options_of_another_kind_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UsageError, match=f"{kind} takes no --split"):
        read_truth(made(tmp_path, kind), split="val")

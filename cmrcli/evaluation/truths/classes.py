"""A folder per class: the class's name finds its pictures, and each picture finds the others of its class.

The name of a folder is the query, `_` and `-` read as blanks. Leave-one-out is how the hashing literature reports mAP
from image to image: every picture is asked of all others, itself left out; right are those of its class.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.truth import Gallery, Part, Topic, Truth
from cmrcli.evaluation.truths.folders import ClassFolder, class_folders
from cmrcli.evaluation.truths.groups import groups_of
from cmrcli.evaluation.truths.lines import PathLike
from cmrcli.searching.query import IMAGE_PREFIX, parse_line

BY_NAME = ("R-precision", "mAP", "precision@10", "success@1")
LEAVE_ONE_OUT = ("mAP", "hash-mAP@1000", "mAP@R", "R-precision", "precision@100", "success@1")


def read_classes(folder: PathLike) -> Truth:
    """Parts "class name -> image" and "image -> image (leave one out)"; documents are absolute paths.

    A class of one picture has nothing to find for that picture: it is not asked, and a note says so. Where no class
    has two, there is no second part.

    Raises:
        UsageError: as `class_folders`; two folders whose names ask the same.
    """
    root = os.path.abspath(folder)
    found = class_folders(root)
    texts = _texts(found.folders)
    documents = tuple(path for one in found.folders for path in one.pictures)
    gallery = Gallery(documents, tuple((IMAGE_PREFIX + path,) for path in documents))
    members = [dict.fromkeys(one.pictures, 1) for one in found.folders]
    by_name = tuple(Topic(f"c{n}", text, {**groups_of(text), "class": text}) for n, text in enumerate(texts, 1))
    name_qrels = {topic.id: grades for topic, grades in zip(by_name, members, strict=True)}
    parts = [Part("class name -> image", by_name, name_qrels, gallery, Path(root), BY_NAME)]
    notes = list(found.notes)
    asked: list[Topic] = []
    qrels: dict[str, Mapping[str, int]] = {}
    number = 0
    for text, grades in zip(texts, members, strict=True):
        for path in grades:
            number += 1
            if len(grades) > 1:
                line = IMAGE_PREFIX + path
                topic = Topic(f"i{number}", line, {**groups_of(line), "class": text}, own=path)
                asked.append(topic)
                qrels[topic.id] = _Others(grades, path)
    if asked:
        name = "image -> image (leave one out)"
        parts.append(Part(name, tuple(asked), qrels, gallery, Path(root), LEAVE_ONE_OUT, macro="class"))
    single = [text for text, grades in zip(texts, members, strict=True) if len(grades) == 1]
    if single:
        shown = ", ".join(map(display_path, single[:3])) + (" ..." if len(single) > 3 else "")
        notes.append(f"{len(single):,} classes have one picture, which is not asked for others of its class: {shown}")
    return Truth("classes", tuple(parts), (Path(root),), tuple(notes))


def name_text(name: str) -> str:
    """The words of a folder's or a class's name."""
    return " ".join(unicodedata.normalize("NFC", name).replace("_", " ").replace("-", " ").split())


def _texts(folders: tuple[ClassFolder, ...]) -> list[str]:
    """What each folder's name asks."""
    seen: dict[str, str] = {}
    for folder in folders:
        shown = display_path(folder.path)
        text = name_text(folder.name)
        if not text or text.startswith(IMAGE_PREFIX):
            raise UsageError(f"{shown}: the name is no query", "name the folder by what its pictures show")
        try:
            text = parse_line(text).text
        except UsageError as error:
            raise UsageError(f"{shown}: {error}", "rename the folder in UTF-8") from None
        if text in seen:
            raise UsageError(f"{shown} and {display_path(seen[text])} both ask for {text!r}", "put them in one folder")
        seen[text] = folder.path
    return list(seen)


class _Others(Mapping[str, int]):
    """The grades of a class without one of its pictures: a view, since a copy for each would grow quadratically."""

    __slots__ = ("_grades", "_own")

    def __init__(self, grades: Mapping[str, int], own: str) -> None:
        self._grades = grades
        self._own = own

    def __getitem__(self, document: str) -> int:
        if document == self._own:
            raise KeyError(document)
        return self._grades[document]

    def __iter__(self) -> Iterator[str]:
        return (document for document in self._grades if document != self._own)

    def __len__(self) -> int:
        return len(self._grades) - 1

    # From a passing copy: ten times as fast as Mapping's own, which look every document up.
    def items(self) -> ItemsView[str, int]:
        return self._copy().items()

    def values(self) -> ValuesView[int]:
        return self._copy().values()

    def _copy(self) -> dict[str, int]:
        copy = dict(self._grades)
        del copy[self._own]
        return copy

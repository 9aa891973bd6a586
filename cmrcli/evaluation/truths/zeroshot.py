"""Zero-shot classification folders, as CLIP_benchmark exports them: which class does a picture show?

    classnames.txt                            one class a line
    zeroshot_classification_templates.txt     one prompt a line, {c} stands for the class; may be missing
    test/CLASS/*.jpg  or  CLASS/*.jpg         pictures in a folder per class
    test/0.tar ...                            or in webdataset shards: N.jpg beside N.cls, the number of its class

A folder is the class of its name (`_` and `-` count as blanks), or, where no folder is named like a class, folder i in
the order of names is line i. A class is the normalised mean of its prompts' unit vectors. success@1 is the accuracy
(acc@1); `macro` over "class" the mean of the classes' recalls.

Source: Radford et al. 2021, arXiv:2103.00020, 3.1 (prompts and their mean).
"""

from __future__ import annotations

import os
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.truth import Gallery, Part, Topic, Truth
from cmrcli.evaluation.truths.classes import name_text
from cmrcli.evaluation.truths.folders import ClassFolder, ClassFolders, class_folders
from cmrcli.evaluation.truths.groups import groups_of
from cmrcli.evaluation.truths.lines import PathLike, numbered_lines, read_text, wrong
from cmrcli.evaluation.truths.shards import read_shards, shards_in
from cmrcli.searching.query import IMAGE_PREFIX

CLASSNAMES = "classnames.txt"
TEMPLATES = "zeroshot_classification_templates.txt"
DEFAULT_TEMPLATE = "a photo of a {c}."
PLACE = "{c}"
PICTURES = "test"
MEASURES = ("success@1", "success@5")


def read_zeroshot(folder: PathLike, scratch: PathLike | None = None) -> Truth:
    """The one part "image -> class"; documents are the classes' names (of equal ones with their line).

    Args:
        folder: holds classnames.txt.
        scratch: an existing folder that shards are unpacked to, and that must stay until the evaluation is over;
            None: shards are refused.

    Raises:
        UsageError: a file that cannot be read or is malformed, folders that fit no class, as `class_folders`, or as
            `read_shards`.
    """
    root = os.path.abspath(folder)
    sources = [Path(root), Path(root, CLASSNAMES)]
    names = _class_names(sources[1])
    templates = [DEFAULT_TEMPLATE]
    notes = []
    if os.path.exists(written := os.path.join(root, TEMPLATES)):
        sources.append(Path(written))
        templates = _templates(written)
    else:
        notes.append(f"there is no {TEMPLATES}: the prompt is {DEFAULT_TEMPLATE!r}")
    pictures, more = _pictures(root, names, scratch)
    notes += more
    documents = _documents(names)
    empty = len(names) - len({number for _, number in pictures})
    if empty:
        notes.append(f"{empty:,} of {len(names):,} classes have no picture; pictures can be taken for them")
    prompts = tuple(tuple(template.replace(PLACE, name) for template in templates) for name in names)
    topics, qrels = [], {}
    for number, (path, of) in enumerate(pictures, 1):
        line = IMAGE_PREFIX + path
        topics.append(Topic(f"i{number}", line, {**groups_of(line), "class": documents[of]}))
        qrels[f"i{number}"] = {documents[of]: 1}
    gallery = Gallery(documents, prompts)
    part = Part("image -> class", tuple(topics), qrels, gallery, None, MEASURES, macro="class")
    return Truth("zeroshot", (part,), tuple(sources), tuple(notes))


def _class_names(path: Path) -> list[str]:
    """The lines, without blank ones at the end."""
    names = [line.strip() for line in read_text(path).rstrip().split("\n")]
    for number, name in enumerate(names, 1):
        if not name:
            what = "a line without a class" if any(names) else "holds no class"
            raise wrong(path, number, what, "write one class a line: the line's number is the class's")
    return names


def _templates(path: str) -> list[str]:
    templates = []
    for number, line in numbered_lines(path):
        template = line.strip()
        if PLACE not in template:
            raise wrong(path, number, f"the prompt {template!r} has no {PLACE}", f"write {PLACE} where the class goes")
        if template.startswith(IMAGE_PREFIX):
            raise wrong(path, number, f"the prompt begins with {IMAGE_PREFIX}", "reword it: that asks by example")
        templates.append(template)
    if not templates:
        raise UsageError(f"{display_path(path)}: holds no prompt", f"write one, or remove the file: {DEFAULT_TEMPLATE}")
    return templates


def _documents(names: list[str]) -> tuple[str, ...]:
    """Published lists name a few classes twice; a document needs a name of its own."""
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    return tuple(f"{name} (line {number})" if name in twice else name for number, name in enumerate(names, 1))


def _pictures(root: str, names: list[str], scratch: PathLike | None) -> tuple[list[tuple[str, int]], list[str]]:
    """(path, class from 0) of every picture, and notes."""
    below = os.path.join(root, PICTURES)
    place = below if os.path.isdir(below) else root
    shards = shards_in(place)
    if shards:
        return read_shards(shards, len(names), scratch), []
    found = class_folders(place, (CLASSNAMES, TEMPLATES))
    numbers, note = _numbers(place, found, names)
    pairs = [(path, n) for one, n in zip(found.folders, numbers, strict=True) for path in one.pictures]
    return pairs, [*found.notes, *note]


def _numbers(place: str, found: ClassFolders, names: list[str]) -> tuple[list[int], list[str]]:
    """The class of each folder, and a note where their order tells it."""
    folders = found.folders
    number_of = {name_text(name): number for number, name in enumerate(names)}
    unique = len(number_of) == len(names)
    strange = [folder for folder in folders if name_text(folder.name) not in number_of]
    if unique and not strange:
        return [number_of[name_text(folder.name)] for folder in folders], []
    shown = display_path(place)
    if unique and len(strange) < len(folders):
        what = f"{display_path(strange[0].path)} is named like no class of {CLASSNAMES}"
        raise UsageError(what, "name all folders like the classes, or none of them")
    if len(folders) != len(names):
        what = f"{shown} holds {len(folders):,} class folders for {len(names):,} lines of {CLASSNAMES}"
        raise UsageError(what, "name the folders like the classes, or let there be one for each line, in its order")
    if _order_misleads(folders):
        what = f"{shown}: numbered folders sort as {folders[0].name}, {folders[1].name}, {folders[2].name} ..."
        raise UsageError(what, "name the folders like the classes, or give the numbers leading zeros")
    return list(range(len(folders))), [f"folder i, by name, is taken for line i of {CLASSNAMES}"]


def _order_misleads(folders: tuple[ClassFolder, ...]) -> bool:
    """Whether folders are numbered so that their order by name is not that of the numbers (0, 1, 10, 2)."""
    names = [folder.name for folder in folders]
    if not all(name.isascii() and name.isdigit() for name in names):
        return False
    numbers = [int(name) for name in names]
    return numbers != sorted(numbers)

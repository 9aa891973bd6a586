"""Pictures in a folder per class, as `classes` and `zeroshot` read them.

What a class folder may hold is pictures: files whose extension a reader of cmrcli takes as a picture (drawings and PDFs
too; of a file with pages the first counts). Hidden files and files of other extensions (Thumbs.db, notes.txt) are left
out and counted in a note; a folder within a class folder is refused, since it is most likely a mistake in naming the
root.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cmrcli.corpus.readers.formats import FORMATS
from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.truths.lines import unreadable

_NO_PICTURES = ("text", "markdown")
_SHOWN = 3  # extensions that a note names


@dataclass(frozen=True, slots=True)
class ClassFolder:
    """`name` of the folder, and the absolute paths of its pictures by name; at least one."""

    name: str
    path: str
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassFolders:
    """By name; `notes` say what was left out."""

    folders: tuple[ClassFolder, ...]
    notes: tuple[str, ...]


def class_folders(root: str, besides: Iterable[str] = ()) -> ClassFolders:
    """The class folders of a root and their pictures.

    Args:
        root: absolute.
        besides: names of files in the root that have been read already.

    Raises:
        UsageError: not readable, no class folder, a class folder without a picture or with folders in it.
    """
    left_out: Counter[str] = Counter()
    folders = []
    for entry in _entries(root):
        if entry.is_dir() and not _hidden(entry):
            folders.append(_class_folder(entry, left_out))
        elif entry.name not in besides:
            left_out[_sort_of(entry)] += 1
    if not folders:
        remedy = "give each class a folder named after it, with its pictures"
        raise UsageError(f"{display_path(root)} holds no folder of a class", remedy)
    if not left_out:
        return ClassFolders(tuple(folders), ())
    sorts = [f"{count:,} {sort}" for sort, count in left_out.most_common(_SHOWN)]
    more = ", ..." if len(left_out) > _SHOWN else ""
    note = f"{left_out.total():,} files that are no pictures were left out: {', '.join(sorts)}{more}"
    return ClassFolders(tuple(folders), (note,))


def _class_folder(folder: os.DirEntry[str], left_out: Counter[str]) -> ClassFolder:
    pictures = []
    for entry in _entries(folder.path):
        if _hidden(entry):
            left_out["hidden"] += 1
        elif entry.is_dir():
            remedy = "name the folder whose folders are the classes"
            raise UsageError(f"{display_path(entry.path)} is a folder within a class folder", remedy)
        elif entry.is_file() and is_picture(entry.name):
            pictures.append(entry.path)
        else:
            left_out[_sort_of(entry)] += 1
    if not pictures:
        raise UsageError(f"{display_path(folder.path)} holds no picture", "put pictures in it, or remove the folder")
    return ClassFolder(folder.name, folder.path, tuple(pictures))


def is_picture(name: str) -> bool:
    """Whether the extension is that of a picture."""
    return FORMATS.get(_extension(name), _NO_PICTURES[0]) not in _NO_PICTURES


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise unreadable(folder, error) from None


def _hidden(entry: os.DirEntry[str]) -> bool:
    return entry.name.startswith(".")


def _sort_of(entry: os.DirEntry[str]) -> str:
    """How a note calls what was left out."""
    if _hidden(entry):
        return "hidden"
    extension = _extension(entry.name)
    return f".{display_path(extension)}" if extension else "without extension"


def _extension(name: str) -> str:
    return os.path.splitext(name)[1][1:].lower()

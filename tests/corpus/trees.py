"""Small trees of files, made and walked."""

import os
from collections.abc import Iterable
from pathlib import Path

from cmrcli.corpus.walk import WalkedDirectory, WalkRules, walk


def make(root: Path, *names: str) -> Path:
    """`root` with small files of these relative names, each holding its own name."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def paths(folders: Iterable[WalkedDirectory]) -> list[str]:
    """Relative paths of all files, in the order of the walk."""
    return [os.fsdecode(b"/".join(filter(None, [f.dir, f.name]))) for d in folders for f in d.files]


def walked(root: Path, rules: WalkRules = WalkRules()) -> list[str]:
    """The same of a walk that must see everything."""
    folders = list(walk(os.fsencode(root), rules))
    assert all(folder.error is None for folder in folders)
    return paths(folders)

"""A tree of tiny files that looks like an office's: 1,000 folders, names of drawings, photos, specifications.

The files hold a line each: they are listed, compared and checked for being readable, never opened. Made once
and kept under .bench/.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import CACHE

FILES = 100_000
FOLDERS = 1_000
SEED = 20

PROJECTS = ("pump-station", "gearbox", "conveyor", "press", "boiler", "crane", "mixer", "turbine", "chiller", "lathe")
SHELVES = ("drawings", "photos", "specifications", "as-built", "suppliers")
PARTS = (
    "flange", "bolt", "shaft", "bracket", "housing", "gear", "washer", "spring", "valve", "elbow", "plate", "cover",
    "spacer", "bushing", "lever", "hook", "frame", "nozzle", "piston", "seal",
)  # fmt: skip
SHAPES = ("hex", "round", "square", "long", "short", "slotted", "welded", "cast", "bent", "split")


def tree() -> Path:
    """Folder of FILES files in FOLDERS folders three levels deep."""
    root = CACHE / f"tree-{FILES}-{SEED}"
    if not root.is_dir():
        beside = root.with_suffix(".unfinished")
        shutil.rmtree(beside, ignore_errors=True)
        for number, (folder, name) in enumerate(_names()):
            where = beside / folder
            if number % (FILES // FOLDERS) == 0:
                where.mkdir(parents=True)
            with open(where / name, "xb", buffering=0) as file:
                file.write(b"file %d of a benchmark\n" % number)
        beside.rename(root)
    return root


def linked_tree(times: int) -> Path:
    """The tree under `times` names, by links: as many paths to files that exist, without as many files."""
    root = CACHE / f"tree-{FILES}-{SEED}-times-{times}"
    target = tree()
    root.mkdir(exist_ok=True)
    for number in range(times):
        link = root / f"volume-{number}"
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(target, root), target_is_directory=True)
    return root


def _names() -> Iterator[tuple[str, str]]:
    """(folder, file name) of every file, folder by folder."""
    chance = random.Random(SEED)
    for folder in range(FOLDERS):
        shelf = SHELVES[folder % len(SHELVES)]
        project = PROJECTS[folder // len(SHELVES) % len(PROJECTS)]
        where = f"{project}/{2000 + folder // (len(SHELVES) * len(PROJECTS))}/{shelf}"
        for number in range(FILES // FOLDERS):
            part, shape = chance.choice(PARTS), chance.choice(SHAPES)
            if shelf == "photos":
                name = f"IMG_{folder:04}_{number:03}.jpg"
            elif shelf == "specifications":
                name = f"spec {shape} {part} {folder:03}-{number:03}.pdf"
            else:
                part_number = f"{chance.choice('ABCDE')}-{chance.randrange(10_000):04}-{number:02}"
                name = f"{part_number}_{part}.{chance.choice(('dxf', 'pdf', 'png'))}"
            yield where, name

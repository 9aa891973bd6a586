"""Walking 100,000 files, as a ratio to a bare os.scandir + stat of the same tree in the same run, warm.

    python tests/bench/walk.py [FILES]

The tree (500 folders on two levels, empty files) is made in a temporary folder and removed. Rounds of both
walks alternate; printed are the medians and the ratio of the medians, without rules and with a `.cmrignore`
of six patterns at the top.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cmrcli.corpus.walk import walk

ROUNDS = 7
FILES_PER_FOLDER = 200
IGNORE = "# backups\n*.bak\n*.tmp\nold/\n/build\n!keep.bak\n**/drafts/*.dxf\n"


def main(files: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = os.fsencode(folder)
        _make(root, files)
        _compare("without rules", root, files)
        (Path(folder) / ".cmrignore").write_text(IGNORE)
        _compare("with a .cmrignore of 6 patterns", root, files)


def _make(root: bytes, files: int) -> None:
    for number in range(files // FILES_PER_FOLDER):
        folder = b"%s/group-%02d/folder-%03d" % (root, number // 25, number)
        os.makedirs(folder)
        for name in range(FILES_PER_FOLDER):
            os.close(os.open(b"%s/drawing-%05d.dxf" % (folder, name), os.O_CREAT | os.O_WRONLY))


def _compare(label: str, root: bytes, files: int) -> None:
    bare: list[float] = []
    ours: list[float] = []
    for _ in range(ROUNDS):
        bare.append(_seconds(lambda: _bare_walk(root), files))
        ours.append(_seconds(lambda: sum(len(folder.files) for folder in walk(root)), files))
    ratio = statistics.median(ours) / statistics.median(bare)
    print(
        f"{label}: {files} files, bare {statistics.median(bare):.3f} s, "
        f"walk {statistics.median(ours):.3f} s, ratio {ratio:.2f}"
    )


def _seconds(count: Callable[[], int], files: int) -> float:
    start = time.perf_counter()
    found = count()
    elapsed = time.perf_counter() - start
    if found - files not in (0, 1):  # the bare walk also sees the .cmrignore
        raise SystemExit(f"{found} files found of {files}")
    return elapsed


def _bare_walk(root: bytes) -> int:
    count = 0
    stack = [root]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)

"""`make demo`: makes a small engineering office by code, indexes it and finds things across modalities.

Every search is printed as the command that made it, with its output; nothing is chosen or edited after the fact.

    python tests/demo.py FOLDER
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

SEARCHES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("a sentence finds a drawing, a scan, a picture", ("gate valve with a handwheel", "-k", "5")),
    ("a sentence finds pictures that have no words at all", ("ball bearing", "--kind", "photo", "-k", "3")),
    ("a drawing finds the picture of the part", ("--like", "drawings/dxf/GR-1885G.dxf", "--kind", "photo", "-k", "3")),
    ("a picture finds the drawing of the part", ("--like", "photos/IMG_1252.jpg", "--kind", "drawing", "-k", "3")),
    ("a part number finds its drawing, however it is written", ("sh3591d", "-k", "3")),
    ("a question finds the page of a specification", ("tightening torque of M16 bolts", "-k", "3")),
    ("Japanese finds drawings", ("軸受箱の図面", "-k", "3")),
    ("Japanese finds pictures", ("歯車", "--kind", "photo", "-k", "3")),
)


def main() -> None:
    from cmrcli.samples import write_sample_corpus

    folder = Path(sys.argv[1])
    office = folder / "office"
    shutil.rmtree(folder, ignore_errors=True)
    print(f"making a small engineering office in {office} ...", flush=True)
    print(f"{len(write_sample_corpus(office))} files")
    environment = {**os.environ, "CMRCLI_INDEX": str((folder / "index").absolute())}
    for title, arguments in (
        ("index it", ("index", ".")),
        *((title, ("search", *search)) for title, search in SEARCHES),
        ("what the index holds", ("status",)),
    ):
        print(f"\n# {title}\n$ cmrcli {' '.join(shlex.quote(argument) for argument in arguments)}", flush=True)
        done = subprocess.run([sys.executable, "-m", "cmrcli", *arguments], cwd=office, env=environment)
        if done.returncode > 1:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()

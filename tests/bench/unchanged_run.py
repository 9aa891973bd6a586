"""`cmrcli index` when nothing has changed: 100,000 files in 1,000 folders, against a bare walk of the same tree.

    cmrcli index .bench/tree-100000-... --index COPY --quiet
    python tests/bench/bare_walk.py .bench/tree-100000-...          (the floor: os.scandir + stat, a fresh process)

The index is that of cold_search: its catalog was filled through the store's writer with the true size and time of
every file (made_index.py), so no file is read. It is used through a copy, settled by one run that does not
count. Both are whole processes, start-up included; they take turns.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from pathlib import Path

from tests.bench import made_index, made_tree
from tests.bench.measure import CACHE, HERE, cmrcli, percentiles, python, take_turns, walls
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

ROUNDS = 7
MOST = 5.0


def run(full: bool) -> Record:
    made = made_index.made_index(made_tree.FILES)
    record = Record("unchanged_run", "cmrcli index FOLDER", made_index.SEED)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="unchanged-") as folder:
        index = Path(folder, "index")
        shutil.copytree(made.folder, index)
        settled = run_once(cmrcli("index", made.root, "--index", index, "--format", "json"))
        files = json.loads(settled.stdout)["summary"]["files"]
        assert files["unchanged"] == files["seen"] == made_tree.FILES, files
        commands = {
            "bare walk": python(HERE / "bare_walk.py", made.root),
            "unchanged run": cmrcli("index", made.root, "--index", index, "--quiet"),
        }
        timings = take_turns(commands, ROUNDS)
    medians = {name: statistics.median(walls(runs)) for name, runs in timings.items()}
    record.figures = [
        Figure("wall / bare walk, 100,000 files", medians["unchanged run"] / medians["bare walk"], "x", at_most=MOST),
        Figure("peak memory", max(t.peak_bytes for t in timings["unchanged run"]) / 1e6, "MB"),
    ]
    record.samples = {name: percentiles(walls(runs)) for name, runs in timings.items()}
    return record

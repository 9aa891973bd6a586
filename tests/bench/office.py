"""A small real office: ../shared/corpora/office indexed and searched.

    cmrcli index ../shared/corpora/office --index NEW --format json
    cmrcli search QUERY --index NEW --format jsonl

Counts, time, bytes an item; whether every query answers, and how the first index compares with a second run that
finds nothing changed. Says nothing about quality: that is `cmrcli eval`. Skipped where the corpus is absent.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench.measure import CACHE, SHARED, cmrcli, percentiles, walls
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

FOLDER = SHARED / "corpora" / "office"
QUERIES = ("hex flange bolt", "wiring diagram", "floor plan", "a photo of a dog", "歯車")
ABSENT = "M8"  # no text of the corpus has it


def run(full: bool) -> Record | None:
    if not FOLDER.is_dir():
        print("\noffice   skipped: ../shared/corpora/office is not there")
        return None
    record = Record("office", "cmrcli index ../shared/corpora/office", 0)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="office-") as folder:
        index = Path(folder, "index")
        again = cmrcli("index", FOLDER, "--index", index, "--format", "json")
        first = run_once(again, expected=(0, 3))
        second = run_once(again)
        summary = json.loads(first.stdout)["summary"]
        searches = {
            query: run_once(cmrcli("search", query, "--index", index, "--format", "jsonl"), expected=(0, 1))
            for query in (*QUERIES, ABSENT)
        }
        index_bytes = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
    corpus = [os.path.join(where, name) for where, _, names in os.walk(FOLDER) for name in names]
    corpus_bytes = sum(map(os.path.getsize, corpus))
    record.figures = [
        Figure("files", summary["files"]["seen"]),
        Figure("files that could not be read", summary["files"]["failed"]),
        Figure("items", summary["items"]),
        Figure("fragments", summary["fragments"]),
        Figure("first run", first.wall_s, "s"),
        Figure("items a second", summary["items"] / first.wall_s, "/s"),
        Figure("run with nothing changed", second.wall_s, "s"),
        Figure("index bytes an item", index_bytes / max(1, summary["items"]), "B"),
        Figure("index / corpus bytes", index_bytes / corpus_bytes),
        Figure("queries without an answer", sum(searches[query].exit_code == 1 for query in QUERIES), at_most=0),
        Figure("answers to a part number that no text has", int(searches[ABSENT].exit_code == 0), at_most=0),
        Figure("cold search, median", statistics.median(walls(list(searches.values()))), "s"),
    ]
    record.samples["cold search"] = percentiles(walls(list(searches.values())))
    record.details = {
        "skipped": summary["skipped"],
        "unsupported": summary["unsupported"],
        "extensions": dict(Counter(Path(path).suffix.lower() for path in corpus).most_common()),
        "first results": {query: _first(timing.stdout) for query, timing in searches.items()},
    }
    for query, result in record.details["first results"].items():
        print(f"    {query:<20} {result}")
    return record


def _first(stdout: bytes) -> str:
    line = json.loads(stdout.splitlines()[0])
    page = f"#{line['page']}" if line.get("page") else ""
    return f"{line['relpath']}{page}" if line["type"] == "result" else "nothing"

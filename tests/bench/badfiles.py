"""What one run makes of damaged, encrypted and odd files, against a careful reader's judgement of each.

    cmrcli index ../shared/badfiles/files --index NEW --format jsonl

manifest.tsv says ok, unreadable, encrypted or unsure of every file. Agreement: an ok file is in the index; an
unreadable or encrypted one is one `error` line with a cause (encrypted: that cause); an unsure one is either. A
file of a type that cmrcli does not read (EPS, say) is never opened: an ok one disagrees, any other agrees when its
extension is counted in the summary. Never is a file passed over in silence. The run must exit with 3.
Skipped where ../shared/badfiles is absent.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections import Counter
from pathlib import Path

from cmrcli.store import open_reader
from tests.bench.measure import CACHE, SHARED, cmrcli
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

FOLDER = SHARED / "badfiles"


def run(full: bool) -> Record | None:
    manifest = FOLDER / "manifest.tsv"
    if not manifest.is_file():
        print("\nbadfiles   skipped: ../shared/badfiles is not there")
        return None
    with open(manifest, encoding="utf-8", newline="") as file:
        expected = {
            row["path"]: row["expected"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        }
    record = Record("badfiles", "cmrcli index ../shared/badfiles/files --format jsonl", 0)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="badfiles-") as folder:
        index = Path(folder, "index")
        timing = run_once(cmrcli("index", FOLDER / "files", "--index", index, "--format", "jsonl"), expected=range(256))
        lines = [json.loads(line) for line in timing.stdout.splitlines()]
        indexed = _indexed(index)
    causes: dict[str, list[str]] = {}
    for line in lines:
        if line["type"] == "error":
            relpath = os.path.relpath(line["path"], (FOLDER / "files").resolve())
            causes.setdefault(relpath, []).append(line["cause"])
    unsupported = set(lines[-1]["unsupported"])
    table: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    for path, judgement in sorted(expected.items()):
        outcome = _outcome(path, indexed, causes, unsupported)
        table[judgement, outcome.partition(":")[0]] += 1
        if not _agrees(judgement, outcome):
            wrong.append(f"{path}: {judgement}, but {outcome}")
    record.figures = [
        Figure("agreement", 1 - len(wrong) / len(expected), "", at_least=1.0),
        Figure("files passed over in silence", sum(n for (_, o), n in table.items() if o == "silence"), "", at_most=0),
        Figure("exit code off 3 by", abs(timing.exit_code - 3), "", at_most=0),
        Figure("wall", timing.wall_s, "s"),
    ]
    record.details = {"table": {f"{j} -> {o}": n for (j, o), n in sorted(table.items())}, "wrong": wrong}
    for line, count in record.details["table"].items():
        print(f"    {line:<40} {count:>4}")
    for line in wrong:
        print(f"    {line}")
    return record


def _indexed(index: Path) -> set[str]:
    """Paths, relative to the root, whose content the index holds."""
    with open_reader(index) as reader:
        return {
            os.fsdecode(os.path.join(state.dir, state.name))
            for root in reader.roots()
            for folder in reader.directories(root.id)
            for state in reader.files_in(root.id, folder).values()
            if state.content_id is not None
        }


def _outcome(path: str, indexed: set[str], causes: dict[str, list[str]], unsupported: set[str]) -> str:
    if path in causes:
        several = "" if len(causes[path]) == 1 else " (and more lines)"
        part = "indexed, some pages failed" if path in indexed else "reported"
        return f"{part}: {causes[path][0]}{several}"
    if path in indexed:
        return "indexed"
    return "unsupported" if os.path.splitext(path)[1][1:].lower() in unsupported else "silence"


def _agrees(judgement: str, outcome: str) -> bool:
    sort, _, cause = outcome.partition(": ")
    if judgement == "ok":
        return sort.startswith("indexed")
    if judgement == "encrypted":
        return sort == "reported" and cause == "encrypted"
    if judgement == "unreadable":
        return (sort == "reported" and not cause.endswith("(and more lines)")) or sort == "unsupported"
    return sort != "silence"

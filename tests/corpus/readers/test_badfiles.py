"""Real files gone wrong, from the test suites of other projects; what a careful reader makes of each is known."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from cmrcli.corpus.items import Limits
from cmrcli.corpus.readers import read
from cmrcli.corpus.workers import WorkerPool
from cmrcli.errors import UnreadableFile

FOLDER = Path(__file__).parents[4] / "shared/badfiles"

pytestmark = pytest.mark.skipif(not (FOLDER / "manifest.tsv").exists(), reason="needs ../shared/badfiles")


def test_every_bad_file_is_read_or_reported_as_a_careful_reader_would() -> None:
    with (FOLDER / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) > 100
    expected = {os.fsencode(FOLDER / "files" / row["path"]): row for row in rows}
    disagreements = []
    with WorkerPool(read, 2, Limits()) as pool:
        for path in expected:
            pool.submit(path)
        for _ in expected:
            path, result = pool.next_done()
            row = expected[path]
            got = result.cause if isinstance(result, UnreadableFile) else "ok"
            if not isinstance(result, UnreadableFile):
                assert result.items, row["path"]
            agrees = {
                "ok": got == "ok",
                "encrypted": got == "encrypted",
                "unreadable": got in ("damaged", "too-large", "no-content", "empty"),
                "unsure": got not in ("crash", "timeout", "memory"),
            }[row["expected"]]
            if not agrees:
                disagreements.append(f"{row['path']}: {got}, not {row['expected']} ({row['why']}): {result}")
    assert not disagreements, "\n".join(disagreements)

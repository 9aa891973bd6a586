"""The progress line of `cmrcli index`."""

from __future__ import annotations

import time
from pathlib import Path

from cmrcli.cli.progress import Progress
from cmrcli.indexing.report import RunReport


def counted(progress: Progress) -> None:
    """Waits for the count that runs beside; it has a handful of files to see."""
    deadline = time.monotonic() + 10
    while progress._total is None and time.monotonic() < deadline:
        time.sleep(0.01)


def test_remaining_time_follows_from_the_share_done(office: Path) -> None:
    with Progress([bytes(office)]) as progress:
        counted(progress)
        progress.update(RunReport(seen=2, added=2, items=2))
        assert progress.line(elapsed_s=10.0) == "2 of 7 files, 2 read (0.2/s), about 25 s left"


def test_a_root_that_is_a_file_is_one_file(office: Path) -> None:
    with Progress([bytes(office / "spec.pdf")]) as progress:
        counted(progress)
        progress.update(RunReport(seen=1, added=1, items=2))
        assert progress.line(elapsed_s=2.0).startswith("1 of 1 files, ")


def test_a_walk_without_news_shows_what_it_has_seen(office: Path) -> None:
    with Progress([bytes(office)]) as progress:
        counted(progress)
        assert progress.line(elapsed_s=1.0) == "looking ... 7 files"
        report = RunReport()
        progress.update(report)
        report.seen = report.unchanged = 5
        assert progress.line(elapsed_s=1.0).startswith("5 of 7 files, 0 read")
        progress.stage("maintain")
        assert progress.line(elapsed_s=1.0) == "putting the index in order ..."


def test_without_paths_the_roots_of_the_index_are_counted(indexed: tuple[Path, Path], tmp_path: Path) -> None:
    from cmrcli.cli.index import _known_roots

    assert _known_roots(indexed[1]) == [bytes(indexed[0])]
    assert _known_roots(tmp_path / "none") == []

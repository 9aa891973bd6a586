"""Runs of `index` over a small office: what is read, what is recognised, what leaves, what is refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cmrcli.errors import EncoderError, IndexMissing, UsageError
from cmrcli.indexing import IndexOptions, index_paths
from cmrcli.indexing.report import RunReport
from cmrcli.indexing.run import RunOptions
from cmrcli.searching import open_index
from cmrcli.store import check, open_reader
from tests.offices import COLOURS, make_photo

OFFICE_FILES, OFFICE_ITEMS = 7, 8

Indexer = Callable[..., RunReport]


def names(tmp_path: Path, tiny: Path, query: str, **options: object) -> list[str]:
    with open_index(tmp_path / "index", tiny) as index:
        return [result.relpath for result in index.search(query, **options)]  # type: ignore[arg-type]


def test_first_run_reads_all_and_the_second_nothing(run: Indexer, office: Path, tmp_path: Path) -> None:
    first = run(office)
    assert (first.added, first.items, first.exit_code) == (OFFICE_FILES, OFFICE_ITEMS, 0)
    second = run(office)
    assert (second.unchanged, second.added, second.items, second.bytes_read) == (OFFICE_FILES, 0, 0, 0)
    assert run().unchanged == OFFICE_FILES, "without paths, all roots are visited"
    assert check(tmp_path / "index") == []


def test_changed_file_replaces_its_old_content(
    run: Indexer, office: Path, tmp_path: Path, tiny_encoder_folder: Path
) -> None:
    run(office)
    (office / "notes" / "bolts.md").write_text("A castle nut and a split pin.", encoding="utf-8")
    report = run(office)
    assert (report.changed, report.added, report.unchanged) == (1, 0, OFFICE_FILES - 1)
    assert names(tmp_path, tiny_encoder_folder, "castle nut", mode="words") == ["notes/bolts.md"]
    assert names(tmp_path, tiny_encoder_folder, "flange", mode="words") == []


def test_renames_and_copies_are_recognised_and_not_encoded_again(run: Indexer, office: Path, tmp_path: Path) -> None:
    fragments = run(office).fragments
    (office / "photos" / "red.png").rename(office / "photos" / "umbenannt.png")
    shutil.copyfile(office / "photos" / "blue.png", office / "copy of blue.png")
    report = run(office)
    assert (report.added, report.recognised, report.removed, report.fragments) == (2, 2, 1, 0)
    with open_reader(tmp_path / "index") as reader:
        statistics = reader.statistics()
        assert (statistics.files, statistics.contents, statistics.fragments) == (
            OFFICE_FILES + 1,
            OFFICE_FILES,
            fragments,
        )


def test_equal_files_of_one_run_share_their_content(run: Indexer, office: Path, tmp_path: Path) -> None:
    for copy in range(5):
        shutil.copyfile(office / "spec.pdf", office / f"spec {copy}.pdf")
    report = run(office)
    assert (report.added, report.recognised, report.items) == (OFFICE_FILES + 5, 5, OFFICE_ITEMS)


def test_deleted_files_leave_the_results(run: Indexer, office: Path, tmp_path: Path, tiny_encoder_folder: Path) -> None:
    run(office)
    assert "notes/bolts.md" in names(tmp_path, tiny_encoder_folder, "flange bolt")
    (office / "notes" / "bolts.md").unlink()
    shutil.rmtree(office / "drawings")
    assert run(office).removed == 2
    assert "notes/bolts.md" not in names(tmp_path, tiny_encoder_folder, "flange bolt", k=50)
    assert check(tmp_path / "index") == []


@pytest.mark.parametrize("emptied", [False, True], ids=["missing", "empty"])
def test_a_root_that_is_gone_or_empty_deletes_nothing(
    run: Indexer, office: Path, tmp_path: Path, emptied: bool
) -> None:
    run(office)
    office.rename(tmp_path / "elsewhere")
    if emptied:
        office.mkdir()
    report = run(office)
    assert (report.exit_code, report.removed, len(report.held_back)) == (4, 0, 1)
    with open_reader(tmp_path / "index") as reader:
        assert reader.statistics().files == OFFICE_FILES
    if emptied:
        assert run(office, accept_deletions=True).removed == OFFICE_FILES


def test_most_of_a_large_root_gone_at_once_is_refused_unless_accepted(run: Indexer, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number}.txt").write_text(f"note number {number}")
    run(folder)
    for number in range(25):
        (folder / f"{number}.txt").unlink()
    refused = run(folder)
    assert (refused.exit_code, refused.removed) == (4, 0)
    assert refused.held_back[0].files == 25
    accepted = run(folder, accept_deletions=True)
    assert (accepted.exit_code, accepted.removed) == (0, 25)


def test_a_large_folder_that_only_moved_is_no_loss(run: Indexer, tmp_path: Path) -> None:
    folder = tmp_path / "many" / "old name"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"{number}.txt").write_text(f"note number {number}")
    run(tmp_path / "many")
    folder.rename(tmp_path / "many" / "new name")
    report = run(tmp_path / "many")
    assert (report.exit_code, report.recognised, report.removed, report.fragments) == (0, 30, 30, 0)


def test_an_empty_mount_point_inside_a_root_deletes_nothing(run: Indexer, tmp_path: Path) -> None:
    share = tmp_path / "root" / "share" / "a"
    share.mkdir(parents=True)
    for number in range(40):
        (tmp_path / "root" / f"{number}.txt").write_text(f"own note {number}")
    for number in range(12):
        (share / f"{number}.txt").write_text(f"note on the share {number}")
    run(tmp_path / "root")
    shutil.rmtree(share)  # the mount point itself, root/share, stays behind, empty
    report = run(tmp_path / "root")
    assert (report.exit_code, report.removed) == (4, 0)
    assert report.held_back[0].path.endswith(b"root/share")


def test_files_behind_a_link_whose_target_is_gone_stay(run: Indexer, office: Path, tmp_path: Path) -> None:
    share = tmp_path / "share"
    (share / "deep").mkdir(parents=True)
    (share / "deep" / "note.txt").write_text("a note on the share")
    (office / "mounted").symlink_to(share)
    run(office)
    shutil.move(share, tmp_path / "unmounted")
    report = run(office)
    assert (report.removed, report.exit_code, len(report.unlistable)) == (0, 3, 1)


def test_interrupted_run_keeps_what_was_committed_and_goes_on(
    tmp_path: Path, office: Path, tiny_encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmrcli.indexing.run.COMMIT_SECONDS", 0.0)
    options = IndexOptions(encoder=str(tiny_encoder_folder), threads=1, run=RunOptions(workers=1))

    def interrupt(report: RunReport) -> None:
        if report.items >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_paths(tmp_path / "index", [bytes(office)], options, progress=interrupt)
    assert check(tmp_path / "index") == []
    with open_reader(tmp_path / "index") as reader:
        before = reader.statistics().files
    assert 0 < before < OFFICE_FILES
    report = index_paths(tmp_path / "index", [], options)
    assert (report.unchanged, report.added) == (before, OFFICE_FILES - before)


def test_killed_run_leaves_a_whole_index(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(120):
        make_photo(folder / f"{number}.png", COLOURS["red"], seed=number)
    command = [sys.executable, "-m", "cmrcli", "index", str(folder), "--index", str(tmp_path / "index")]
    command += ["--encoder", str(tiny_encoder_folder), "--workers", "1"]
    for wait_s in (0.5, 0.9):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with suppress(IndexMissing):  # killed before there was one
            assert [finding for finding in check(tmp_path / "index") if finding.severity == "error"] == []
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open_reader(tmp_path / "index") as reader:
        assert reader.statistics().files == 120
    assert check(tmp_path / "index") == []


def test_unreadable_files_are_reported_once_and_retried_on_demand(run: Indexer, office: Path) -> None:
    (office / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 40)
    (office / "empty.pdf").touch()
    (office / "model.step").write_text("ISO-10303-21;")
    first = run(office)
    assert first.exit_code == 3
    assert first.skipped() == {"damaged": 1, "empty": 1}
    assert first.unsupported == {"step": 1}
    again = run(office)
    assert (again.exit_code, again.known_failed, again.failed) == (0, 2, 0)
    retried = run(office, retry=True)
    assert (retried.exit_code, retried.known_failed) == (0, 2), "the same failure is no news"
    shutil.copyfile(office / "photos" / "red.png", office / "broken.png")
    mended = run(office)
    assert (mended.changed, mended.known_failed) == (1, 1)


def test_seen_is_the_sum_of_its_parts(run: Indexer, office: Path) -> None:
    (office / "broken.png").write_bytes(b"\x89PNG")
    (office / "a.dwg").write_bytes(b"AC1015")
    for report in (run(office), run(office)):
        parts = report.unchanged + report.added + report.changed + report.failed + report.known_failed
        assert report.seen == parts + sum(report.unsupported.values()) == OFFICE_FILES + 2


def test_dry_run_changes_nothing(run: Indexer, office: Path, tmp_path: Path) -> None:
    report = run(office, dry_run=True)
    assert report.added == OFFICE_FILES
    assert not (tmp_path / "index").exists()
    run(office)
    before = (tmp_path / "index" / "catalog.sqlite").read_bytes()
    (office / "spec.pdf").unlink()
    assert run(office, dry_run=True).removed == 1
    (tmp_path / "another root").mkdir()
    run(tmp_path / "another root", dry_run=True)
    assert (tmp_path / "index" / "catalog.sqlite").read_bytes() == before


def test_a_folder_inside_a_root_refreshes_that_part_only(run: Indexer, office: Path, tmp_path: Path) -> None:
    run(office)
    (office / "notes" / "new.md").write_text("A new note.")
    (office / "spec.pdf").unlink()
    report = run(office / "notes")
    assert (report.added, report.removed, report.seen) == (1, 0, 3)
    with open_reader(tmp_path / "index") as reader:
        assert [root.path for root in reader.roots()] == [bytes(office)]


def test_a_folder_named_beside_its_root_is_read_once(run: Indexer, office: Path) -> None:
    report = run(office, office / "notes", office)
    assert (report.seen, report.added) == (OFFICE_FILES, OFFICE_FILES)


def test_a_root_around_another_leaves_it_its_files(run: Indexer, office: Path, tmp_path: Path) -> None:
    run(office / "notes")
    report = run(office)
    assert report.added == OFFICE_FILES - 2
    with open_reader(tmp_path / "index") as reader:
        assert reader.statistics().files == OFFICE_FILES


def test_an_index_inside_its_root_is_not_indexed(office: Path, tiny_encoder_folder: Path) -> None:
    options = IndexOptions(encoder=str(tiny_encoder_folder), threads=1)
    for _ in range(2):
        report = index_paths(office / "index", [bytes(office)], options)
        assert (report.seen, sum(report.unsupported.values())) == (OFFICE_FILES, 0)


def test_a_single_file_can_be_a_root(run: Indexer, office: Path, tmp_path: Path, tiny_encoder_folder: Path) -> None:
    assert run(office / "notes" / "bolts.md").added == 1
    assert run().unchanged == 1
    with open_index(tmp_path / "index", tiny_encoder_folder) as index:
        [result] = index.search("flange")
    assert (result.path, result.relpath) == (str(office / "notes" / "bolts.md"), "bolts.md")


def test_what_only_this_run_leaves_out_stays_and_what_is_ignored_for_good_leaves(run: Indexer, office: Path) -> None:
    run(office)
    assert run(office, rules=_rules(include=("*.md",))).removed == 0
    (office / ".cmrignore").write_text("*.pdf\n")
    assert run(office).removed == 1


def _rules(**options: tuple[str, ...]) -> object:
    from cmrcli.corpus.walk import WalkRules

    return WalkRules(**options)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that takes any bytes as a name")
def test_names_that_are_not_utf8_come_through_intact(run: Indexer, tmp_path: Path, tiny_encoder_folder: Path) -> None:
    folder = bytes(tmp_path / "bytes")
    os.mkdir(folder)
    odd = os.path.join(folder, b"bolt \xff\x82\n.txt")
    with open(odd, "wb") as file:
        file.write(b"an odd hexagon")
    assert run(folder).added == 1
    with open_index(tmp_path / "index", tiny_encoder_folder) as index:
        [result] = index.search("hexagon")
    assert os.fsencode(result.path) == odd
    fields = result.to_json()
    assert "\\xff" in fields["path"]
    import base64

    assert base64.b64decode(fields["path_b64"]) == odd


def test_pages_that_kill_their_reader_cost_those_pages_only(
    run: Indexer, tmp_path: Path, office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmrcli.indexing.run.read_fragments", _crash_on_page_two)
    report = run(office / "spec.pdf")
    assert (report.exit_code, report.items, report.skipped()) == (3, 1, {})
    assert [(failure.page, failure.cause) for failure in report.page_failures] == [(2, "crash")]
    with open_reader(tmp_path / "index") as reader:
        assert reader.statistics().items == 1


def _crash_on_page_two(task: object) -> object:
    from cmrcli.corpus.fragments import ReadTask, read_fragments

    assert isinstance(task, ReadTask)
    last = task.first + task.count - 1
    if task.first <= 2 <= last:
        os._exit(1)
    return read_fragments(task)


def test_usage_errors_name_the_next_step(run: Indexer, tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="no index"):
        run()
    with pytest.raises(UsageError, match="does not exist"):
        run(tmp_path / "nowhere")


def test_another_encoder_is_refused(run: Indexer, office: Path, tmp_path: Path) -> None:
    from tests.tiny_encoder import make_tiny_encoder

    run(office)
    other = make_tiny_encoder(tmp_path / "other", variant=1)
    with pytest.raises(EncoderError, match="not the encoder"):
        index_paths(tmp_path / "index", [bytes(office)], IndexOptions(encoder=str(other)))


def test_a_folder_that_cannot_be_listed_is_news_once(run: Indexer, office: Path, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (share / "note.txt").write_text("a note on the share")
    (office / "mounted").symlink_to(share)
    run(office)
    shutil.rmtree(share)
    assert [run(office).exit_code for _ in range(3)] == [3, 0, 0]


def test_every_change_is_in_the_journal(run: Indexer, office: Path, tmp_path: Path, tiny_encoder_folder: Path) -> None:
    from cmrcli.indexing.binarize import binarize
    from cmrcli.indexing.forget import forget
    from cmrcli.store import open_writer

    run(office)
    binarize(tmp_path / "index")
    assert forget(tmp_path / "index", bytes(office)) == OFFICE_FILES
    with open_writer(tmp_path / "index", None) as writer:
        lines = [(line.arguments.split()[0], line.ended_ns is not None) for line in writer.runs()]
    assert lines == [("forget", True), ("binarize", True), ("index", True)]

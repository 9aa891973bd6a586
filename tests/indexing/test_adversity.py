"""Runs of `index` when things change under their feet, fail halfway or are not what they were."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cmrcli.corpus.fragments import ReadFile, ReadTask, read_fragments
from cmrcli.errors import IndexMissing, UnreadableFile, UsageError
from cmrcli.indexing.report import RunReport
from cmrcli.store import open_reader
from tests.offices import make_pdf

Indexer = Callable[..., RunReport]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def test_a_copy_whose_original_is_then_edited(run: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy is sent off as known; the original's new content is committed before the answer comes."""
    monkeypatch.setattr("cmrcli.indexing.run.COMMIT_SECONDS", 0.0)
    (folder / "a.txt").write_text("first words")
    run(folder)
    shutil.copyfile(folder / "a.txt", folder / "b.txt")
    (folder / "a.txt").write_text("other and longer words")
    report = run(folder)
    assert (report.added, report.changed) == (1, 1)


def test_a_page_without_a_usable_vector_does_not_end_the_run(
    run: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encoder that has no vector for a blank page (constant picture) costs that page, not the run."""
    import PIL.Image

    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.errors import EmbeddingError

    encode = DualEncoder.encode_images

    def without_blanks(self: DualEncoder, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        if any(picture.min() == picture.max() for picture in pixels):
            raise EmbeddingError("NaN")
        return encode(self, pixels)

    monkeypatch.setattr(DualEncoder, "encode_images", without_blanks)
    pages = [PIL.Image.radial_gradient("L"), PIL.Image.new("L", (256, 256), 255)]
    pages[0].save(folder / "two.tif", save_all=True, append_images=pages[1:])
    assert run(folder).items == 1


def _io_from_page_nine(task: ReadTask) -> ReadFile:
    if task.first >= 9:
        raise UnreadableFile("io", "Input/output error")
    return read_fragments(task)


def test_a_share_that_fails_amid_a_file_is_tried_again(
    run: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_pdf(folder / "a.pdf", [f"page {n}" for n in range(1, 15)])
    with monkeypatch.context() as patch:
        patch.setattr("cmrcli.indexing.run.read_fragments", _io_from_page_nine)
        assert run(folder).exit_code == 3
    run(folder, retry=True)
    with open_reader(tmp_path / "index") as reader:
        assert reader.statistics().items == 14


def _crash_on_2_to_4(task: ReadTask) -> ReadFile:
    if task.first <= 4 and task.first + task.count - 1 >= 2:
        os._exit(1)
    return read_fragments(task)


def test_pages_given_up_are_never_silent(run: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmrcli.indexing.run.read_fragments", _crash_on_2_to_4)
    make_pdf(folder / "a.pdf", [f"page {n}" for n in range(1, 9)])
    report = run(folder)
    assert report.items == 1
    assert [failure.page for failure in report.page_failures] == [2, 3, 4, 5]
    assert "later pages" in report.page_failures[-1].detail
    assert report.exit_code == 3


def _crash_on_page_one(task: ReadTask) -> ReadFile:
    if task.first == 1:
        os._exit(1)
    return read_fragments(task)


def test_a_first_page_that_crashes_costs_that_page_only(
    run: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmrcli.indexing.run.read_fragments", _crash_on_page_one)
    make_pdf(folder / "a.pdf", [f"page {n}" for n in range(1, 5)])
    assert run(folder).items == 3


def _replaced_between(task: ReadTask) -> ReadFile:
    import cmrcli.corpus.fragments as module

    digest = module.digest_of

    def swap(path: bytes) -> bytes:
        found = digest(path)
        if path.endswith(b"/a.txt"):
            with open(path, "wb") as file:
                file.write(b"castle nuts of tomorrow")
        return found

    module.digest_of = swap
    try:
        return read_fragments(task)
    finally:
        module.digest_of = digest


def test_a_file_replaced_between_hash_and_reading(
    run: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """b.txt has the bytes that a.txt had when it was hashed: it must not be found by a.txt's later words."""
    (folder / "a.txt").write_text("hex bolts of today")
    shutil.copyfile(folder / "a.txt", folder / "b.txt")
    with monkeypatch.context() as patch:
        patch.setattr("cmrcli.indexing.run.read_fragments", _replaced_between)
        run(folder)
    run(folder)
    with open_reader(tmp_path / "index") as reader:
        hits = reader.words("hex bolts", 10)
    assert len(hits) == 1 and hits[0].coverage == 1.0


def test_a_file_root_that_became_a_folder(run: Indexer, folder: Path) -> None:
    single = folder / "notes.txt"
    single.write_text("some words")
    run(single)
    single.unlink()
    single.mkdir()
    (single / "a.txt").write_text("other words")
    report = run(single)
    assert report.skipped() == {}


def test_a_dry_run_says_what_the_run_will_do_with_a_moved_folder(run: Indexer, folder: Path) -> None:
    old = folder / "old"
    old.mkdir()
    for number in range(30):
        (old / f"{number}.txt").write_text(f"note number {number}")
    run(folder)
    old.rename(folder / "new")
    dry = run(folder, dry_run=True)
    real = run(folder)
    assert (dry.exit_code, dry.removed) == (real.exit_code, real.removed)


def test_hidden_files_indexed_on_purpose_survive_the_nightly_run(run: Indexer, folder: Path) -> None:
    from cmrcli.corpus.walk import WalkRules

    (folder / ".plan.txt").write_text("secret plan")
    (folder / "open.txt").write_text("open plan")
    run(folder, rules=WalkRules(hidden=True))
    assert run().removed == 0


def test_seen_is_the_sum_of_what_became_of_the_files(
    run: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmrcli.indexing.run.read_fragments", _crash_on_2_to_4)
    make_pdf(folder / "a.pdf", [f"page {n}" for n in range(1, 9)])
    r = run(folder)
    assert r.seen == r.unchanged + r.added + r.changed + r.failed + r.known_failed + sum(r.unsupported.values())


def test_include_takes_nothing_away_and_refuses_nothing(run: Indexer, folder: Path) -> None:
    from cmrcli.corpus.walk import WalkRules

    (folder / "leaf").mkdir()
    for number in range(12):
        (folder / "leaf" / f"{number}.txt").write_text(f"note number {number}")
    run(folder)
    assert run(folder, rules=WalkRules(include=("*.md",))).exit_code == 0


def test_an_inbox_emptied_into_another_folder_is_no_loss(run: Indexer, folder: Path) -> None:
    (folder / "inbox").mkdir()
    (folder / "done").mkdir()
    for number in range(12):
        (folder / "inbox" / f"{number}.txt").write_text(f"note number {number}")
    run(folder)
    for number in range(12):
        (folder / "inbox" / f"{number}.txt").rename(folder / "done" / f"{number}.txt")
    report = run(folder)
    assert (report.exit_code, report.recognised, report.removed) == (0, 12, 12)


def test_a_cmrignore_further_up_holds_for_a_part_of_the_root(run: Indexer, folder: Path) -> None:
    (folder / "secret").mkdir()
    (folder / "secret" / "pay.txt").write_text("salary list")
    (folder / "open.txt").write_text("open words")
    (folder / ".cmrignore").write_text("secret/\n")
    run(folder)
    assert run(folder / "secret").added == 0


def test_a_run_killed_before_the_first_table_can_be_repeated(run: Indexer, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "index" / "segments").mkdir(parents=True)
    (tmp_path / "index" / "catalog.sqlite").touch()
    (folder / "a.txt").write_text("some words")
    assert run(folder).added == 1


def test_a_path_that_does_not_exist_leaves_no_trace(run: Indexer, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        run(folder, tmp_path / "typo")
    assert not (tmp_path / "index").exists()


def test_a_file_root_inside_a_folder_root_is_one_file(run: Indexer, folder: Path, tmp_path: Path) -> None:
    (folder / "a.txt").write_text("some words")
    run(folder / "a.txt")
    run(folder)
    with open_reader(tmp_path / "index") as reader:
        assert reader.statistics().files == 1


def test_a_transient_failure_keeps_what_was_known(run: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.txt").write_text("some words")
    run(folder)
    (folder / "a.txt").write_text("some other words")
    monkeypatch.setattr("cmrcli.indexing.run.read_fragments", _io_always)
    run(folder)
    with open_reader(folder.parent / "index") as reader:
        assert reader.statistics().items == 1


def _io_always(task: ReadTask) -> ReadFile:
    raise UnreadableFile("io", "locked by another program")


def test_accepted_deletions_include_a_root_that_is_gone(run: Indexer, folder: Path) -> None:
    (folder / "a.txt").write_text("some words")
    run(folder)
    shutil.rmtree(folder)
    assert run(accept_deletions=True).exit_code == 0


def test_a_dry_run_without_an_index_and_without_paths_is_refused(run: Indexer) -> None:
    with pytest.raises(IndexMissing):
        run(dry_run=True)

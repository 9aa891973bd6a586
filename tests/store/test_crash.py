"""Failing at every step, and being killed at any: afterwards the old or the new state is whole, never anything else."""

from __future__ import annotations

import errno
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cmrcli.errors import CmrcliError, IndexMissing
from cmrcli.store import check, open_reader, open_writer
from cmrcli.store.batches import Batch
from cmrcli.store.writer import Writer
from tests.store.samples import ENCODER, batch, content, state, update

DISK_CALLS = ("open", "write", "fsync", "rename", "mkdir", "link", "ftruncate")
MOST_STEPS = 400


class FailingDisk:
    """Lets `step - 1` calls that change the disk succeed; the next one, and all after it, fail."""

    def __init__(self, step: int, number: int) -> None:
        self.left = step
        self.number = number

    def wrap(self, call: Callable[..., object]) -> Callable[..., object]:
        def failing(*arguments: object, **options: object) -> object:
            self.left -= 1
            if self.left <= 0:
                raise OSError(self.number, os.strerror(self.number))
            return call(*arguments, **options)

        return failing


@contextmanager
def failing_disk(step: int, number: int = errno.ENOSPC) -> Iterator[FailingDisk]:
    disk = FailingDisk(step, number)
    with pytest.MonkeyPatch.context() as patch:
        for name in DISK_CALLS:
            patch.setattr(os, name, disk.wrap(getattr(os, name)))
        yield disk


def started(folder: Path, segments: int = 4) -> Writer:
    """An index of a few segments, with dead rows and the leftover of a killed run."""
    writer = open_writer(folder, ENCODER)
    root = writer.add_root(b"/data")
    for number in range(segments):
        writer.commit(batch(root.id, [number]))
    gone = writer.files_in(root.id, b"drawings")[b"part-0.pdf"].id
    writer.commit(Batch(removed_file_ids=[gone]))
    (folder / "segments" / "000099-00000000.unfinished").mkdir(mode=0o700)
    return writer


def commit_more(writer: Writer) -> None:
    """Adds two contents, changes a file, removes one: all that a commit can do."""
    (root,) = writer.roots()
    gone = writer.files_in(root.id, b"drawings")[b"part-1.pdf"].id
    more = batch(root.id, [7, 8])
    more.contents.append(content(9))
    more.files.append(update(root.id, b"drawings", b"part-2.pdf", 9, 5_000))
    writer.commit(Batch(more.contents, more.files, [gone]))


def maintain(writer: Writer) -> None:
    assert writer.maintain().segments_after == 1


def new_codes(writer: Writer) -> None:
    from cmrcli.codes.fitting import fit_sign

    with open_reader(writer.folder) as reader:
        codebook = fit_sign(reader.segments[0].vectors[:2])
    writer.rewrite_codes(codebook)
    with open_reader(writer.folder) as reader:
        assert reader.codebook is not None and (reader.codebook.centre == codebook.centre).all()


def drop_vectors(writer: Writer) -> None:
    from cmrcli.codes import fit

    if writer.codes_only:
        return
    with open_reader(writer.folder) as reader:
        codebook = fit("rotation", reader.segments[0].vectors)
    writer.rewrite_codes(codebook, drop_vectors=True)


def to_int8(writer: Writer) -> None:
    writer.keep_vectors_as("i8")


def only_leftovers(folder: Path) -> bool:
    """Whether check() finds nothing worse than what a killed run leaves."""
    findings = check(folder)
    return all(f.severity == "note" and f.path.startswith("segments/") for f in findings)


@pytest.mark.parametrize(
    ("action", "segments"), [(commit_more, 3), (maintain, 4), (new_codes, 2), (drop_vectors, 2), (to_int8, 2)]
)
def test_each_call_to_the_disk_may_fail(tmp_path: Path, action: Callable[[Writer], None], segments: int) -> None:
    started(tmp_path / "start", segments).close()
    before = state(tmp_path / "start")
    shutil.copytree(tmp_path / "start", tmp_path / "done")
    with open_writer(tmp_path / "done", ENCODER) as writer:
        action(writer)
    after = state(tmp_path / "done")
    assert (before != after) == (action in (commit_more, drop_vectors, to_int8))
    for step in range(1, MOST_STEPS):
        index = tmp_path / f"step-{step}"
        shutil.copytree(tmp_path / "start", index)
        with open_writer(index, ENCODER) as writer:
            told = False
            try:
                with failing_disk(step) as disk:
                    action(writer)
            except CmrcliError as error:
                told = True
                assert "No space left on device" in str(error) and "\n" not in str(error) and error.remedy
            failed = disk.left <= 0  # but not told, where only the files of replaced segments could not be removed
            assert state(index) == (before if told else after)
            assert only_leftovers(index)
            if failed:
                action(writer)  # the same writer may try again
            writer.maintain()
            assert state(index) == after
        assert check(index) == []
        shutil.rmtree(index)
        if not failed:
            assert step > 5
            return
    raise AssertionError("never succeeded")


def test_making_an_index_may_fail_at_each_call(tmp_path: Path) -> None:
    for step in range(1, MOST_STEPS):
        index = tmp_path / f"step-{step}"
        try:
            with failing_disk(step) as disk:
                open_writer(index, ENCODER).close()
        except CmrcliError as error:
            assert "No space left on device" in str(error)
        if disk.left > 0:
            assert step > 3
            break
        with pytest.raises(IndexMissing):
            open_reader(index)
        with open_writer(index, ENCODER) as writer:
            writer.commit(batch(writer.add_root(b"/data").id, [1]))
        assert check(index) == []
    else:
        raise AssertionError("never succeeded")


@pytest.mark.parametrize("action", [commit_more, maintain, to_int8])
def test_the_catalog_may_fail_at_any_moment(tmp_path: Path, action: Callable[[Writer], None]) -> None:
    started(tmp_path / "start").close()
    before = state(tmp_path / "start")
    step, failures = 1, 0
    while True:
        index = tmp_path / f"step-{step}"
        shutil.copytree(tmp_path / "start", index)
        with open_writer(index, ENCODER) as writer:
            # SQLite calls this every 40 of its instructions; 1 interrupts the statement.
            answers = itertools.chain(itertools.repeat(0, step), itertools.repeat(1))
            writer.connection.set_progress_handler(answers.__next__, 40)
            try:
                action(writer)
                succeeded = True
            except CmrcliError:
                succeeded = False
            writer.connection.set_progress_handler(None, 0)
            if not succeeded:
                failures += 1
                assert state(index) == before
                assert only_leftovers(index)
                action(writer)
            assert (state(index) != before) == (action in (commit_more, to_int8))
        assert only_leftovers(index)
        shutil.rmtree(index)
        if succeeded:
            break
        step += max(1, step // 6)
    assert failures >= 5


def test_a_real_full_disk_leaves_the_old_state(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands in for a full disk: SQLite's own writes fail, too."""
    resource = pytest.importorskip("resource")
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from cmrcli.errors import CmrcliError\n"
        "from cmrcli.store import open_writer\n"
        "from tests.store.samples import ENCODER, batch\n"
        "writer = open_writer(Path(sys.argv[1]), ENCODER)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "try:\n"
        "    writer.commit(batch(1, range(100, 400)))\n"
        "except CmrcliError as error:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "    sys.exit(f'told: {error}')\n"
    )
    assert resource.RLIM_INFINITY is not None
    started(tmp_path).close()
    before = state(tmp_path)
    for limit in (50_000, 400_000):  # the vectors do not fit; the vectors fit, the catalog's journal does not
        run = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), str(limit)], capture_output=True, text=True, timeout=120
        )
        assert run.returncode == 1 and run.stderr.startswith("told: cannot write the index"), run.stderr
        assert state(tmp_path) == before
        assert only_leftovers(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """A process that commits, removes and compacts without end is killed some times over."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cmrcli.store import open_writer\n"
        "from cmrcli.store.batches import Batch\n"
        "from tests.store.samples import ENCODER, batch\n"
        "with open_writer(Path(sys.argv[1]), ENCODER) as writer:\n"
        "    root = writer.add_root(b'/data')\n"
        "    print('started', flush=True)\n"
        "    first = writer.file_count(root.id)\n"
        "    for number in range(first, first + 100_000):\n"
        "        writer.commit(batch(root.id, [number]))\n"
        "        if number % 5 == 4:\n"
        "            writer.maintain()\n"
        "        print(number, flush=True)\n"
    )
    chance = random.Random(5)
    files = 0
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None and process.stderr is not None
        told = process.stdout.readline()
        assert told == "started\n", process.stderr.read()
        time.sleep(0.05 + 0.4 * chance.random())
        process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        assert only_leftovers(tmp_path), check(tmp_path)
        with open_reader(tmp_path) as reader:
            now = reader.statistics().files
        # Everything that was told is there, and at most the one batch that was under way besides.
        promised = int(lines[-1]) + 1 if lines else files
        assert promised <= now <= promised + 1
        files = now
    assert files >= 3
    with open_writer(tmp_path, ENCODER) as writer:
        writer.maintain()
    assert check(tmp_path) == []
    with open_writer(tmp_path / "fresh", ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/data").id, range(files)))
    shutil.move(tmp_path / "fresh", fresh := tmp_path.with_name(tmp_path.name + "-fresh"))
    assert state(tmp_path) == state(fresh)

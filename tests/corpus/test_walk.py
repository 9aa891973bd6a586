"""Walking: complete, in order, once each, and honest about what it could not see."""

import errno
import inspect
import os
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmrcli.corpus.walk import WalkRules, walk
from tests.corpus.trees import make, paths, walked

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and odd names as POSIX has them")


def test_files_come_sorted_before_subfolders_with_size_and_time(tmp_path: Path) -> None:
    make(tmp_path, "b.png", "a.dxf", "z/last.pdf", "c/d/e.txt", "c/a.txt")
    os.utime(tmp_path / "a.dxf", ns=(5, 1_700_000_000_123_456_789))
    folders = list(walk(os.fsencode(tmp_path)))
    assert [folder.dir for folder in folders] == [b"", b"c", b"c/d", b"z"]
    assert paths(folders) == ["a.dxf", "b.png", "c/a.txt", "c/d/e.txt", "z/last.pdf"]
    first = folders[0].files[0]
    assert (first.dir, first.name, first.size_bytes) == (b"", b"a.dxf", 5)
    assert first.mtime_ns == (tmp_path / "a.dxf").stat().st_mtime_ns


names = st.sampled_from(["a", "b", "c.png", "d.pdf", "é", "図面"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.lists(names, min_size=1, max_size=4).map("/".join), max_size=12))
def test_finds_what_a_naive_walk_finds(tmp_path_factory: pytest.TempPathFactory, files: set[str]) -> None:
    root = tmp_path_factory.mktemp("tree")
    for name in sorted(files):
        if not any(other.startswith(name + "/") for other in files):
            make(root, name)
    expected = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    assert sorted(walked(root)) == expected


def test_hidden_and_system_names_are_skipped_unless_asked_for(tmp_path: Path) -> None:
    make(tmp_path, "a.png", ".b.png", ".git/c", "Thumbs.db", "Desktop.ini", "$RECYCLE.BIN/d.png")
    make(
        tmp_path,
        "@eaDir/e.png",
        "System Volume Information/f",
        "~$report.docx",
        "x/.DS_Store",
        "x/~backup.png",
    )
    assert walked(tmp_path) == ["a.png", "x/~backup.png"]
    assert len(walked(tmp_path, WalkRules(hidden=True))) == 11


def test_a_hidden_root_is_walked(tmp_path: Path) -> None:
    assert walked(make(tmp_path / ".archive", "a.png")) == ["a.png"]


@posix
def test_names_that_are_not_utf8_stay_as_they_are(tmp_path: Path) -> None:
    name = b"zeichnung-\xe4\xff\n.png"
    (tmp_path / os.fsdecode(b"\xfe")).mkdir()
    (tmp_path / os.fsdecode(b"\xfe/" + name)).write_bytes(b"x")
    (folder,) = [f for f in walk(os.fsencode(tmp_path), WalkRules(exclude=("*.pdf",))) if f.files]
    assert (folder.dir, folder.files[0].name) == (b"\xfe", name)


def test_a_root_that_is_a_file_gives_itself_whatever_the_rules(tmp_path: Path) -> None:
    file = make(tmp_path, ".a.png") / ".a.png"
    assert walked(file, WalkRules(exclude=("*.png",))) == [".a.png"]


def test_a_missing_root_is_an_error_not_an_empty_folder(tmp_path: Path) -> None:
    (folder,) = walk(os.fsencode(tmp_path / "gone"))
    assert folder.dir == b"" and folder.files == [] and folder.error


@posix
def test_links_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    root = make(tmp_path / "root", "real/a.png", "deep/er/b.png")
    make(tmp_path / "outside", "c.png", "sub/d.png")
    (root / "a-link").symlink_to("real")  # sorts before the real folder, but comes after it
    (root / "deep/er/up").symlink_to(root)
    (root / "self").symlink_to("self")
    (root / "broken").symlink_to("nowhere")
    (root / "file").symlink_to("real/a.png")
    (root / "out1").symlink_to(tmp_path / "outside")
    (root / "out2").symlink_to(tmp_path / "outside")
    assert walked(root) == ["file", "deep/er/b.png", "real/a.png", "out1/c.png", "out1/sub/d.png"]
    assert walked(root, WalkRules(follow_symlinks=False)) == ["deep/er/b.png", "real/a.png"]
    # A link up and out of the root does not bring the root's own files again.
    (root / "parent").symlink_to(tmp_path)
    assert len(walked(root)) == len(set(walked(root))) == 5


@posix
def test_pipes_and_sockets_are_never_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to("pipe.png")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.png")
        assert walked(tmp_path) == ["a.png"]


def fail_on(monkeypatch: pytest.MonkeyPatch, ending: bytes, error: OSError) -> None:
    """Makes listing a folder whose path ends so fail."""
    scandir = os.scandir

    def failing(path: bytes) -> "os._ScandirIterator[bytes]":
        if path.endswith(ending):
            raise error
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "denied"), FileNotFoundError(errno.ENOENT, "gone")])
def test_a_folder_that_cannot_be_listed_is_reported_and_the_walk_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    make(tmp_path, "a/x.png", "b/x.png", "c/x.png")
    fail_on(monkeypatch, b"/b", error)
    folders = list(walk(os.fsencode(tmp_path)))
    assert paths(folders) == ["a/x.png", "c/x.png"]
    assert [(f.dir, f.error) for f in folders if f.error] == [(b"b", error.strerror)]


def test_a_folder_that_vanishes_during_the_walk_is_reported(tmp_path: Path) -> None:
    make(tmp_path, "a/x.png", "b/x.png")
    steps = walk(os.fsencode(tmp_path))
    assert [next(steps).dir, next(steps).dir] == [b"", b"a"]
    (tmp_path / "b/x.png").unlink()
    (tmp_path / "b").rmdir()
    (last,) = steps
    assert last.dir == b"b" and last.error


class _Entry:
    """A directory entry whose file cannot be looked at."""

    def __init__(self, name: bytes, error: OSError) -> None:
        self.name, self._error = name, error

    def is_file(self, follow_symlinks: bool = True) -> bool:
        return True

    def stat(self, follow_symlinks: bool = True) -> os.stat_result:
        raise self._error


@pytest.mark.parametrize(("number", "reported"), [(errno.EIO, True), (errno.EACCES, True), (errno.ENOENT, False)])
def test_a_file_that_cannot_be_looked_at_is_no_deletion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reported: bool
) -> None:
    make(tmp_path, "a.png")
    scandir = os.scandir

    class Listing(list["os.DirEntry[bytes] | _Entry"]):
        def __enter__(self) -> "Listing":
            return self

        def __exit__(self, *_: object) -> None: ...

    def with_bad_file(path: bytes) -> Listing:
        with scandir(path) as entries:
            return Listing([*entries, _Entry(b"b.png", OSError(number, "share lost"))])

    monkeypatch.setattr(os, "scandir", with_bad_file)
    (folder,) = walk(os.fsencode(tmp_path))
    assert [file.name for file in folder.files] == [b"a.png"]
    assert folder.error == ("b.png: share lost" if reported else None)


def test_depth_costs_no_recursion(tmp_path: Path) -> None:
    make(tmp_path, "/".join("d" * 200) + "/a.png")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        folders = list(walk(os.fsencode(tmp_path)))
    finally:
        sys.setrecursionlimit(limit)
    assert len(folders) == 201 and len(paths(folders)) == 1

"""Which relevant documents an index cannot find: by any spelling that a result would meet."""

from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.evaluation.systems.absent import absent_documents
from cmrcli.store.records import FileState, Root


class Catalog:
    """Two folders and a single file as roots; `broken.png` could not be read."""

    FILES = {  # noqa: RUF012
        (1, b"a"): [b"one.pdf", b"broken.png", "\u30d5\u3099.png".encode(), b"caf\xe9.png", b"x#3"],
        (2, b""): [b"two.png"],
        (3, b""): [b"alone.svg"],
    }

    def roots(self) -> list[Root]:
        return [Root(1, b"/office"), Root(2, b"/"), Root(3, b"/tmp/alone.svg", True)]

    def files_in(self, root_id: int, folder: bytes) -> dict[bytes, FileState]:
        names = self.FILES.get((root_id, folder), [])
        return {n: FileState(1, folder, n, 1, 1, None if n == b"broken.png" else 7) for n in names}


def test_every_spelling_that_a_result_meets_is_known() -> None:
    documents = [
        "a/one.pdf",
        "a/one.pdf#9",
        "/office/a/one.pdf#1",
        "a/\u30d6.png",
        "a/caf\udce9.png",
        "a/x#3",
    ]
    documents += ["two.png", "/two.png", "alone.svg", "/tmp/alone.svg"]
    assert absent_documents(Catalog(), documents) == ()


def test_unread_unknown_and_misplaced_files_are_absent() -> None:
    absent = ["a/broken.png", "one.pdf", "office/a/one.pdf", "/elsewhere/a/one.pdf", "a", "#1"]
    assert absent_documents(Catalog(), [*absent, "two.png", *absent]) == tuple(sorted(absent))


def test_an_index_that_holds_none_of_them_is_the_wrong_one() -> None:
    with pytest.raises(UsageError, match=r"none of the 4 relevant documents .*: b, c, d \.\.\.$") as refused:
        absent_documents(Catalog(), ["e", "b", "c", "d", "b"])
    assert "relpath" in refused.value.remedy


def test_a_real_index_knows_its_files(indexed: tuple[Path, Path]) -> None:
    from cmrcli.store import open_reader

    relevant = ["spec.pdf#2", "photos/red.png", "photos/violet.png", "notes/歯車.txt"]
    with open_reader(indexed[1]) as reader:
        assert absent_documents(reader, relevant) == ("photos/violet.png",)

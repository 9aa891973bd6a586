"""Damage of every sort: check() names the file, opening refuses or works, nothing crashes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cmrcli.errors import CmrcliError, IndexDamaged, IndexFormatError
from cmrcli.store import check, open_reader, open_writer
from tests.store.samples import ENCODER, batch

SEGMENT_FILES = ("vectors.f16", "codes.u64", "rows.i64", "manifest.json")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine") / "index"
    with open_writer(folder, ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/data").id, range(4)))
    assert check(folder) == []
    return folder


@pytest.fixture
def index(pristine: Path, tmp_path: Path) -> Path:
    shutil.copytree(pristine, tmp_path / "index")
    return tmp_path / "index"


def flip(path: Path, at: int = -1) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 if at < 0 else at] ^= 0x10
    path.write_bytes(raw)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0" * 8)


@pytest.mark.parametrize("damage", [flip, truncate, lengthen, Path.unlink])
@pytest.mark.parametrize("name", SEGMENT_FILES)
def test_check_names_the_damaged_file_of_a_segment(index: Path, name: str, damage: Callable[[Path], None]) -> None:
    (path,) = index.glob(f"segments/*/{name}")
    damage(path)
    findings = check(index)
    assert findings[0].severity == "error" and findings[0].remedy
    assert findings[0].path == path.relative_to(index).as_posix()
    if damage is flip and name != "manifest.json":
        open_reader(index).close()  # opening reads no checksums
    else:
        with pytest.raises(CmrcliError) as told:
            open_reader(index).close()
            raise IndexDamaged("a flipped bit in white space of the manifest")
        assert isinstance(told.value, (IndexDamaged, IndexFormatError))


def test_a_whole_segment_is_missing(index: Path) -> None:
    (folder,) = index.glob("segments/*")
    shutil.rmtree(folder)
    assert check(index)[0].path == f"segments/{folder.name}/manifest.json"
    with pytest.raises(IndexDamaged, match="missing"):
        open_reader(index)


@pytest.mark.parametrize(
    "known",
    [b"Hex flange bolt M8x20", b"hex flange bolt m8x20", b"Sheet 2", b"part-3.pdf", "軸受".encode()],
    ids=["passage", "words", "label", "name", "japanese"],
)
def test_check_finds_a_flipped_bit_in_what_the_catalog_keeps(index: Path, known: bytes) -> None:
    catalog = index / "catalog.sqlite"
    raw = catalog.read_bytes()
    at = raw.index(known)
    while at >= 0:
        catalog.write_bytes(raw[: at + 2] + bytes([raw[at + 2] ^ 0x01]) + raw[at + 3 :])
        findings = check(index)
        assert findings and findings[0].severity == "error" and findings[0].path == "catalog.sqlite", at
        at = raw.find(known, at + 1)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE file SET size_bytes = size_bytes + 1 WHERE id = 1",
        "UPDATE file SET mtime_ns = 0 WHERE id = 2",
        "UPDATE item SET page = 9 WHERE id = 1",
        "UPDATE fragment SET x0 = 0.5 WHERE id = 2",
        "UPDATE content SET checksum = x'00' WHERE id = 1",
        "UPDATE codebook SET data = data || x'00'",
        "UPDATE segment SET dead_rows = 1",
        "UPDATE segment SET dead = x'010000', dead_rows = 1",
        "UPDATE counter SET next = 1 WHERE name = 'item'",
        "UPDATE words SET text = 'other words' WHERE item_id = 1",
        "UPDATE directory SET words = 'elsewhere'",
        "DELETE FROM fragment WHERE id = 3",
        "DELETE FROM item WHERE id = 2",
        "DELETE FROM file WHERE id = 1",
        "DELETE FROM content WHERE id = 1",
        "DELETE FROM words WHERE item_id = 1",
        "DELETE FROM meta WHERE key = 'encoder_dim'",
        "INSERT INTO fragment SELECT id + 1000, item_id, role, x0, y0, x1, y1, text FROM fragment WHERE id = 1",
        "DELETE FROM text_words_data WHERE id > 10",
    ],
)
def test_check_finds_rows_that_do_not_fit_each_other(index: Path, change: str) -> None:
    connection = sqlite3.connect(index / "catalog.sqlite")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(change)
    connection.commit()
    connection.close()
    assert [finding.severity for finding in check(index)][:1] == ["error"]


def test_damage_met_in_the_middle_of_a_search_is_told_as_damage(index: Path) -> None:
    with open_reader(index) as reader:
        assert reader.words("bolt", 5)
    catalog = index / "catalog.sqlite"
    raw = catalog.read_bytes()
    connection = sqlite3.connect(catalog)
    pages = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name IN ('fragment', 'words', 'file')"
    ).fetchall()
    connection.close()
    for (page,) in pages:
        start = (page - 1) * 4096
        raw = raw[:start] + b"\xff" * 4096 + raw[start + 4096 :]
    catalog.write_bytes(raw)
    with open_reader(index) as reader:
        for ask in (lambda: reader.words("bolt", 5), lambda: reader.fragments([1, 2, 3]), lambda: reader.places([1])):
            with pytest.raises(IndexDamaged, match="malformed"):
                ask()
    assert check(index)[0].path == "catalog.sqlite"


def test_a_catalog_that_is_none(index: Path) -> None:
    catalog = index / "catalog.sqlite"
    raw = catalog.read_bytes()
    catalog.write_bytes(b"not a database, but long enough to be looked at" * 100)
    assert check(index)[0].path == "catalog.sqlite"
    with pytest.raises(IndexDamaged, match="damaged"):
        open_reader(index)
    with pytest.raises(IndexDamaged, match="damaged"):
        open_writer(index, ENCODER)
    catalog.write_bytes(raw[: len(raw) // 3])
    assert check(index)[0].severity == "error"
    catalog.write_bytes(raw[:4096] + bytes(4096) + raw[8192:])
    assert check(index)[0].path == "catalog.sqlite"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("PRAGMA user_version = 2", "has format 2"),
        ("PRAGMA application_id = 7", "no index"),
        ("UPDATE meta SET value = '[\"second-encoder\"]' WHERE key = 'reader_features'", "second-encoder"),
    ],
)
def test_a_newer_format_is_refused_politely(index: Path, change: str, words: str) -> None:
    connection = sqlite3.connect(index / "catalog.sqlite")
    connection.execute(change)
    connection.commit()
    connection.close()
    for refuse in (open_reader, lambda folder: open_writer(folder, ENCODER), check):
        with pytest.raises(IndexFormatError, match=words) as told:
            refuse(index)
        assert told.value.remedy


def test_features_of_writers_stop_writers_only(index: Path) -> None:
    connection = sqlite3.connect(index / "catalog.sqlite")
    connection.execute("UPDATE meta SET value = '[\"query-log\"]' WHERE key = 'writer_features'")
    connection.commit()
    connection.close()
    with pytest.raises(IndexFormatError, match="query-log"):
        open_writer(index, ENCODER)
    with open_reader(index) as reader:
        assert reader.words("bolt", 1)


def test_a_segment_of_a_newer_format_is_refused(index: Path) -> None:
    (path,) = index.glob("segments/*/manifest.json")
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"reader_features": ["float8"]}))
    with pytest.raises(IndexFormatError, match="does not know"):
        open_reader(index)


def test_strangers_and_leftovers_are_notes(index: Path) -> None:
    (index / "notes.txt").write_text("mine")
    (index / "segments" / "000007-deadbeef.unfinished").mkdir()
    (index / "segments" / "000008-deadbeef").mkdir()
    findings = check(index)
    assert {finding.path for finding in findings} == {
        "notes.txt",
        "segments/000007-deadbeef.unfinished",
        "segments/000008-deadbeef",
    }
    assert {finding.severity for finding in findings} == {"note"}
    with open_writer(index, ENCODER) as writer:
        assert writer.maintain().leftovers_removed == 2
    assert [finding.path for finding in check(index)] == ["notes.txt"]

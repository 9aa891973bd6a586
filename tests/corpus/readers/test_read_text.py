"""Plain text: encodings of English, Japanese and Western European offices, and files that only pretend."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import read
from cmrcli.errors import UnreadableFile

JAPANESE = "部品番号 A-1023-02\n材質は炭素鋼で、軸受けの内径は８ミリメートルです。歯車と軸。ボルト\n"
ENGLISH = "Part A-1023-02\nhex flange bolt, M8 x 40\n"
FRENCH = "Pièce n° 12 : boîtier à brides, Ø 40 – déjà vérifié\n"
GERMAN = "Größe: 40 mm, Maßstab 1:2, für Präzisionsgeräte\n"


def only(tmp_path: Path, data: bytes, name: str = "a.txt", **limits: int) -> ReaderItem:
    (tmp_path / name).write_bytes(data)
    (item,) = read(os.fsencode(tmp_path / name), limits=Limits(**limits)).items
    assert item.image is None and item.page is None
    return item


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((text, code) for text in (JAPANESE, ENGLISH, FRENCH) for code in ("utf-8", "utf-8-sig", "utf-16")),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (ENGLISH, "utf-16-le"),
        (ENGLISH, "utf-16-be"),
        (FRENCH, "cp1252"),
        (GERMAN, "latin-1"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str, tmp_path: Path) -> None:
    assert only(tmp_path, text.encode(encoding)).text == text


def test_short_japanese_labels_are_told_apart(tmp_path: Path) -> None:
    for word in ("軸受", "歯車の図面", "ボルト一覧"):
        assert only(tmp_path, word.encode("cp932")).text == word


def test_line_ends_are_unified(tmp_path: Path) -> None:
    assert only(tmp_path, b"a\r\nb\rc\n").text == "a\nb\nc\n"


def test_a_markdown_heading_is_the_title(tmp_path: Path) -> None:
    assert only(tmp_path, b"intro\n\n# Gear pump #\n\n## x\n", "a.md").title == "Gear pump"
    assert only(tmp_path, b"Gear pump\n=========\n", "a.md").title == "Gear pump"
    assert only(tmp_path, b"# not a heading here\n", "a.txt").title == ""
    assert read(os.fsencode(tmp_path / "a.md")).format == "markdown"


def test_long_texts_are_cut_and_noted_not_refused(tmp_path: Path) -> None:
    item = only(tmp_path, ("軸" * 200_000).encode(), text_chars=1_000)
    assert item.text == "軸" * 1_000 and item.notes == ["text cut at 1000 characters"]


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 4,
        b"\x7fELF" + bytes(60),
        b"MZ\x90\0\x03\0\0\0",
        b"PK\x03\x04" + b"abc" * 50,
        b"abc\0\0\0def" * 9,
    ],
)
def test_binary_files_with_a_text_files_name_are_damaged(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as failure:
        only(tmp_path, data)
    assert failure.value.cause == "damaged"


def test_white_space_alone_is_no_content(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as failure:
        only(tmp_path, b" \n\t\n")
    assert failure.value.cause == "no-content"

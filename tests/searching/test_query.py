"""How a question is read: examples with pages, batch lines, part numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.searching.query import Example, Query, looks_like_code, parse_example, parse_line


def test_examples_with_and_without_a_page(tmp_path: Path) -> None:
    assert parse_example("a/b.pdf#3") == Example("a/b.pdf", 3)
    assert parse_example("a/b.pdf") == Example("a/b.pdf")
    assert parse_example("a#b.pdf#0") == Example("a#b.pdf#0"), "pages count from 1"
    odd = tmp_path / "drawing#2"
    odd.touch()
    assert parse_example(str(odd)) == Example(str(odd)), "a file of that very name wins"


def test_batch_lines() -> None:
    assert parse_line("hex bolt\n") == Query("hex bolt", shown="hex bolt")
    by_image = parse_line("image:photos/a b.jpg\r\n")
    assert by_image.like == (Example("photos/a b.jpg"),)
    assert (by_image.text, by_image.shown) == ("", "image:photos/a b.jpg")
    with pytest.raises(UsageError, match="empty"):
        parse_line("  \n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("M8x25", True),
        ("SUS304", True),
        ("A-1023-02", True),
        ("6204ZZ", True),
        ("Ａ－１０２３", True),
        ("M8x25 SUS304", True),
        ("SUS 304", True),
        ("ＨＢ 2833B", True),
        ("JIS B 0405", True),
        ("M8 bolt", False),
        ("room 12", False),
        ("bolt", False),
        ("hex bolt M8x25", False),
        ("歯車", False),
        ("the 4 main parts of pump 3", False),
    ],
)
def test_part_numbers_are_told_from_words(text: str, code: bool) -> None:
    assert looks_like_code(text) is code


def test_what_results_call_the_query() -> None:
    assert Query("bolt", (Example("x.pdf", 2),), ("rust",)).shown == "bolt image:x.pdf#2 not:rust"


def test_batch_lines_of_windows() -> None:
    assert parse_line("\ufeffbolt\n").text == "bolt"
    shift_jis = "軸受".encode("cp932").decode("utf-8", "surrogateescape")
    assert parse_line(shift_jis + "\r\n").text == "軸受"
    with pytest.raises(UsageError, match="neither"):
        parse_line("図\udc81\n")
    assert looks_like_code("FL−2939G"), "a minus sign as Japanese keyboards write it"

"""Sheets: self-contained, escaped, bounded; thumbnails are decoded in a worker, from the folders that are meant."""

from __future__ import annotations

import base64
import io
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from cmrcli.errors import UsageError
from cmrcli.evaluation.shown import sheet
from cmrcli.evaluation.shown.sheet import (
    Block,
    Panel,
    blocks_of,
    compared_blocks,
    comparison_blocks,
    save_sheet,
    to_html,
    worst_blocks,
)
from cmrcli.evaluation.shown.thumbnails import EDGE_PX, Thumbnails
from cmrcli.evaluation.truth import Topic
from cmrcli.evaluation.verdicts.compare import compare, compare_rows
from tests.evaluation.made_reports import answers_of, evaluation, from_queries, part_of

HOSTILE = "<script>alert(1)</script>\"' onerror=x \u202e\x00\x1b[31m caf\udce9 ]]>"


class Seen(HTMLParser):
    """Elements with their attributes, and all words outside of the style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def jpeg(size: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), "red").save(file, "JPEG")
    return file.getvalue()


def nothing(_: str) -> None:
    return None


def made(query: str = "q", text: str = "bolt", found: tuple[str, ...] = ("a.png", "b.png"), sides: int = 1) -> Block:
    part = part_of([Topic(query, text)], {query: ["b.png", "lost.png"]})
    answers = answers_of(part, {query: found})
    return Block(query, text, "", part.qrels[query], tuple(Panel(f"side {n}", answers, 0.5) for n in range(sides)))


def test_what_was_found_what_is_relevant_and_what_is_missing() -> None:
    seen = Seen(to_html("worst", "mAP", [made()], nothing))
    assert [attributes.get("class") for attributes in seen.of("li")] == [None, "relevant", "relevant"]
    words = " ".join(" ".join(seen.words).split())
    assert re.search(r"bolt .*1\. +a\.png .*2\. +relevant +b\.png .*not shown above .*lost\.png", words)


def test_side_by_side_shows_five_of_each_and_alone_ten() -> None:
    found = tuple(f"d{n}.png" for n in range(20))
    assert len(Seen(to_html("t", "mAP", [made(found=found, sides=2)], nothing)).of("li")) == 2 * 5 + 2
    assert len(Seen(to_html("t", "mAP", [made(found=found)], nothing)).of("li")) == 10 + 2


def test_nothing_outside_is_asked_for_and_nothing_runs() -> None:
    block = made(text="image:/pictures/query.png")
    text = to_html("t", "mAP", [block], lambda _: jpeg())
    seen = Seen(text)
    assert {tag for tag, _ in seen.elements}.isdisjoint({"script", "link", "iframe", "object", "base", "form", "a"})
    sources = [attributes["src"] for attributes in seen.of("img")]
    assert len(sources) == 4 and all(source and source.startswith("data:image/jpeg;base64,") for source in sources)
    assert base64.b64decode((sources[0] or "").partition(",")[2]) == jpeg()
    assert any("default-src 'none'" in (attributes.get("content") or "") for attributes in seen.of("meta"))
    assert "url(" not in text and "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize("place", ["title", "measure", "query", "text", "document", "panel", "note"])
def test_names_are_only_names(place: str) -> None:
    query = HOSTILE if place == "query" else "q"
    document = HOSTILE if place == "document" else "a.png"
    part = part_of([Topic(query, "x")], {query: ["b.png"]})
    panel = Panel(HOSTILE if place == "panel" else "p", answers_of(part, {query: [document]}), 0.5)
    block = Block(
        query,
        HOSTILE if place == "text" else "x",
        HOSTILE if place == "note" else "",
        part.qrels[query],
        (panel,),
    )
    text = to_html(HOSTILE if place == "title" else "t", HOSTILE if place == "measure" else "mAP", [block], nothing)
    seen = Seen(text)
    assert not seen.of("script") and all("onerror" not in attributes for _, attributes in seen.elements)
    assert "\u202e" not in text and "\x00" not in text and "\x1b" not in text
    assert "alert(1)" in " ".join(seen.words) + " ".join(str(a) for _, a in seen.elements)
    text.encode("utf-8")


def test_what_is_no_jpeg_or_too_large_is_not_shown() -> None:
    for data in (b"<svg onload=x>", b"", b"\xff\xd8" + b"x" * sheet.MAX_THUMBNAIL_BYTES):
        seen = Seen(to_html("t", "mAP", [made()], lambda _, data=data: data))  # type: ignore[misc]
        assert not seen.of("img") and "no picture" in seen.words


def test_a_sheet_is_bounded_and_says_what_is_left_out() -> None:
    noise = b"\xff\xd8" + random.Random(0).randbytes(50_000)
    name = '"' * 1_000
    blocks = [made(f"q{n}", name, tuple(f"{n}{name}{m}" for m in range(20)), sides=1 + n % 2) for n in range(100)]
    text = to_html("t", "mAP", blocks, lambda _: noise)
    assert 7_000_000 < len(text.encode("utf-8")) <= sheet.MAX_BYTES
    seen = Seen(text)
    assert len(seen.of("section")) == sheet.MAX_QUERIES
    words = " ".join(seen.words)
    assert "The first 40 of 100 queries" in words and re.search(r"[1-9][0-9]* pictures are left out", words)
    assert "There is no query" in to_html("t", "mAP", [], nothing)


def test_the_words_alone_stay_within_what_is_set_aside_for_them() -> None:
    name = '"' * 1_000
    blocks = [made(f"q{n}{name}", name, tuple(f"{n}{name}{m}" for m in range(20))) for n in range(40)]
    assert len(to_html("t", "mAP", blocks, nothing).encode("utf-8")) < sheet.WORDS_BYTES


def test_the_worst_queries_come_first() -> None:
    values = {"q0": 0.9, "q1": 0.0, "q2": 0.5, "q3": 0.0}
    row = from_queries("exact", {q: {"success@1": v, "mAP": 0.1 if q == "q3" else v} for q, v in values.items()})
    part = part_of([Topic(q, f"text of {q}") for q in values], {q: ["a"] for q in values})
    blocks = worst_blocks(row, part, answers_of(part, {}), 3)
    assert [block.query for block in blocks] == ["q1", "q3", "q2"]
    assert blocks[0].text == "text of q1" and blocks[2].panels[0].value == 0.5
    ranks = from_queries("exact", {"q0": {"median-rank": 9.0}, "q1": {"median-rank": 2.0}})
    assert worst_blocks(ranks, part, answers_of(part, {}), 1)[0].query == "q0"


def test_each_part_is_shown_in_the_mode_that_did_best() -> None:
    queries = {"q0": {"mAP": 0.5}}
    good = {"q0": {"mAP": 0.9}}
    parts = [part_of([Topic("q0", "x")], {"q0": ["a"]}, name) for name in ("one", "two")]
    rows = [
        from_queries("exact", queries, "one"),
        from_queries("codes", good, "one"),
        from_queries("exact", good, "two"),
    ]
    answers = {(one.part, one.system, one.mode): answers_of(parts[0], {}) for one in rows}
    assert [block.panels[0].title for block in blocks_of(rows, parts, answers)] == ["one: codes", "two: exact"]


def test_losses_and_gains_in_turn() -> None:
    old = from_queries("exact", {"q0": {"mAP": 0.5}, "q1": {"mAP": 0.5}, "q2": {"mAP": 0.5}, "q3": {"mAP": 0.5}})
    new = from_queries("codes", {"q0": {"mAP": 0.1}, "q1": {"mAP": 0.9}, "q2": {"mAP": 0.8}, "q3": {"mAP": 0.5}})
    part = part_of([Topic(f"q{n}", f"text {n}") for n in range(4)], {f"q{n}": ["a"] for n in range(4)})
    answers = answers_of(part, {"q0": ["a"]})
    blocks = compared_blocks(compare_rows(old, new), part, answers, answers)
    assert [(block.query, block.note, block.text) for block in blocks] == [
        ("q0", "worse", "text 0"),
        ("q1", "better", "text 1"),
        ("q2", "better", "text 2"),
    ]
    assert [panel.value for panel in blocks[0].panels] == [0.5, 0.1]
    assert [panel.title for panel in blocks[0].panels] == ["exact", "codes"]


def test_every_row_of_a_comparison_gets_its_share() -> None:
    values = {f"q{n}": {"mAP": 0.5} for n in range(30)}
    worse = {f"q{n}": {"mAP": 0.5 - n / 100} for n in range(30)}
    parts = [part_of([Topic(query, "x") for query in values], {query: ["a"] for query in values}, "p")]
    names = [f"mode{n}" for n in range(8)]
    old, new = (evaluation([from_queries(name, of, "p") for name in names]) for of in (values, worse))
    answers = {("p", "index", name): answers_of(parts[0], {}) for name in names[:-1]}
    blocks = comparison_blocks(compare(old, new), parts, answers, answers)
    titles = [block.panels[0].title for block in blocks]
    assert {title: titles.count(title) for title in titles} == dict.fromkeys(names[:-1], 40 // 7)
    assert blocks[0].query == "q29"


def test_it_is_written_or_refused(tmp_path: Path) -> None:
    save_sheet(tmp_path / "sheet.html", "t", "mAP", [made()], nothing)
    assert (tmp_path / "sheet.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(UsageError, match="cannot write"):
        save_sheet(tmp_path, "t", "mAP", [made()], nothing)
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.html"]


def test_thumbnails_of_an_office(office: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    Image.new("RGB", (400, 300), "blue").save(outside)
    (office / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    Image.new("RGB", (400, 300), "blue").save(office / "wide.png")
    pdf = next(office.rglob("*.pdf"))
    note = next(file for file in office.rglob("*") if file.suffix in (".md", ".txt"))
    with Thumbnails([office]) as thumbnail:
        for document in (str(office / "wide.png"), "wide.png", f"{pdf}#2"):
            data = thumbnail(document)
            assert data is not None and max(Image.open(io.BytesIO(data)).size) == EDGE_PX
            assert Image.open(io.BytesIO(data)).format == "JPEG"
        left = ["bad.png", str(outside), "../outside.png", "none.png", f"{pdf}#99", str(note), "a\0b", "", "\udce9"]
        assert [thumbnail(document) for document in left] == [None] * len(left)

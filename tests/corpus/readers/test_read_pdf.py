"""PDF: pages, words, titles, and documents that want to do harm."""

from __future__ import annotations

import io
import os
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import pdf, pdf_structure, pdf_words, read
from cmrcli.corpus.readers.guard import TooSlow, cpu_limit
from cmrcli.errors import UnreadableFile
from tests.corpus.readers import makers


def read_bytes(tmp_path: Path, data: bytes, *arguments: int, **limits: float) -> list[ReaderItem]:
    (tmp_path / "a.pdf").write_bytes(data)
    return read(os.fsencode(tmp_path / "a.pdf"), *arguments, limits=Limits(**limits)).items  # type: ignore[arg-type]


def text(words: str, size: int = 20) -> str:
    return f"BT /F1 {size} Tf 5 20 Td ({words}) Tj ET"


def test_every_page_is_an_item_with_its_words_and_picture(tmp_path: Path) -> None:
    data = makers.pdf([(text("hex flange bolt"), ""), (text("spring washer"), "/MediaBox [0 0 842 595]")])
    first, second = read_bytes(tmp_path, data)
    assert (first.page, first.text, second.page, second.text) == (1, "hex flange bolt", 2, "spring washer")
    assert first.vector and first.image is not None and second.image is not None
    assert first.image.mode == "RGB" and np.asarray(first.image).min() < 60
    assert first.image.width < first.image.height and second.image.width > second.image.height
    assert (first.width_px, first.height_px) == first.image.size


def test_title_and_outline_come_from_the_document(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(makers.pdf([("", "")] * 4))))
    writer.add_metadata({"/Title": "Gear  pump\nGP-200 歯車"})
    chapter = writer.add_outline_item(title="Drawings 図面", page_number=1)
    writer.add_outline_item(title="Section view", page_number=2, parent=chapter)
    out = io.BytesIO()
    writer.write(out)
    items = read_bytes(tmp_path, out.getvalue())
    assert {item.title for item in items} == {"Gear pump GP-200 歯車"}
    assert [item.label for item in items] == ["", "Drawings 図面", "Section view", ""]
    assert [item.label for item in read_bytes(tmp_path, out.getvalue(), 3, 1)] == ["Section view"]


def test_pdfium_gives_title_and_outline_where_pypdf_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pypdf import PdfReader, PdfWriter

    def fail(*_: object) -> None:
        raise ValueError("no")

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(makers.pdf([("", "")] * 2))))
    writer.add_metadata({"/Title": "Valve"})
    writer.add_outline_item(title="Second", page_number=1)
    out = io.BytesIO()
    writer.write(out)
    monkeypatch.setattr(pdf_structure, "_outline", fail)
    items = read_bytes(tmp_path, out.getvalue())
    assert [(item.title, item.label) for item in items] == [("Valve", ""), ("Valve", "Second")]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_pages_are_upright(rotate: int, tmp_path: Path) -> None:
    """The page's own rotation turns the picture: a black corner must go where a viewer shows it."""
    corner = "0 0 0 rg 0 100 100 100 re f"  # top left of 400 x 200
    (item,) = read_bytes(tmp_path, makers.pdf([(corner, f"/MediaBox [0 0 400 200] /Rotate {rotate}")]))
    assert item.image is not None
    grey = np.asarray(item.image.convert("L"))
    assert (grey.shape[1] > grey.shape[0]) == (rotate in (0, 180))
    x, y = {0: (0.05, 0.1), 90: (0.9, 0.05), 180: (0.95, 0.9), 270: (0.1, 0.95)}[rotate]
    assert grey[int(y * grey.shape[0]), int(x * grey.shape[1])] < 30
    assert grey[int((1 - y) * grey.shape[0]), int((1 - x) * grey.shape[1])] > 220


def test_pages_of_text_are_smaller_than_drawings(tmp_path: Path) -> None:
    lines = "".join(f"BT /F1 9 Tf 40 {800 - 10 * i} Td (the quick brown fox jumps over it) Tj ET\n" for i in range(40))
    words, drawing = read_bytes(tmp_path, makers.pdf([(lines, ""), ("0 0 m 500 800 l S", "")]))
    assert words.image is not None and max(words.image.size) == 1100
    assert drawing.image is not None and max(drawing.image.size) == Limits().longest_edge_px


@pytest.mark.parametrize("box", ["0 0 0 0", "0 0 10000000 10000000", "0 0 14400 1", "500 300 0 0", "0 0 1e-9 1e-9"])
def test_odd_page_sizes_cost_no_more_than_a_picture(box: str, tmp_path: Path) -> None:
    (item,) = read_bytes(tmp_path, makers.pdf([("0 0 10 10 re f", f"/MediaBox [{box}]")]))
    assert item.image is None or max(item.image.size) <= Limits().longest_edge_px


def test_a_scan_is_no_vector_page(tmp_path: Path) -> None:
    def page_with_image(content: str) -> bytes:
        jpeg = makers.encoded(Image.effect_noise((64, 64), 80), "JPEG")
        image = (
            b"<< /Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceGray"
            b" /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream" % (len(jpeg), jpeg)
        )
        entries = "/Resources << /XObject << /I 6 0 R >> >>"
        return makers.pdf([(content, entries)], more=(image,))

    (scan,) = read_bytes(tmp_path, page_with_image("q 595 0 0 842 0 0 cm /I Do Q"))
    (logo,) = read_bytes(tmp_path, page_with_image("q 60 0 0 60 10 10 cm /I Do Q 0 0 m 500 800 l S"))
    assert (scan.vector, logo.vector) == (False, True)


def encrypted(user: str, algorithm: str = "RC4-128") -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(makers.pdf([(text("secret"), "")]))))
    writer.encrypt(user, "owner", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_password_to_open_is_reported_one_to_change_is_none_of_our_business(tmp_path: Path) -> None:
    assert [item.text for item in read_bytes(tmp_path, encrypted(""))] == ["secret"]
    with pytest.raises(UnreadableFile) as refused:
        read_bytes(tmp_path, encrypted("user"))
    assert refused.value.cause == "encrypted"


def test_a_broken_cross_reference_table_is_rebuilt(tmp_path: Path) -> None:
    data = makers.pdf([(text("still here"), "")])
    cut = data[: data.index(b"xref")] + b"trailer\n<< /Root 1 0 R >>\n"
    assert [item.text for item in read_bytes(tmp_path, cut)] == ["still here"]
    with pytest.raises(UnreadableFile) as failure:
        read_bytes(tmp_path, data[:200])
    assert failure.value.cause == "damaged"


def test_a_page_that_cannot_be_loaded_is_noted_and_the_others_stay(tmp_path: Path) -> None:
    data = makers.pdf([(text("one"), ""), (text("two"), ""), (text("three"), "")])
    data = data.replace(b"6 0 obj\n<< /Type /Page", b"6 0 obj\n<< /Type /Font")
    items = read_bytes(tmp_path, data)
    assert [(item.page, item.text) for item in items] == [(1, "one"), (3, "three")]
    assert items[0].notes[0].startswith("page 2 could not be read")


def test_stretches_join_and_cost_the_same_everywhere(tmp_path: Path) -> None:
    number = 1_500
    data = makers.pdf([(text(f"page {i}"), "/MediaBox [0 0 200 60]") for i in range(1, number + 1)])
    (tmp_path / "a.pdf").write_bytes(data)
    path = os.fsencode(tmp_path / "a.pdf")
    small = Limits(longest_edge_px=64)

    def stretch(first: int) -> float:
        started = time.process_time()
        result = read(path, first, 5, small)
        spent = time.process_time() - started
        assert [item.text for item in result.items] == [f"page {i}" for i in range(first, first + 5)]
        assert result.more_from == (first + 5 if first + 5 <= number else None)
        return spent

    stretch(1)  # reads the structure, once for the file
    early, late = (min(stretch(first) for _ in range(3)) for first in (6, number - 4))
    assert late < 4 * early + 0.05
    assert read(path, number + 1, 5, small).items == []


def test_pages_beyond_the_limit_are_noted(tmp_path: Path) -> None:
    items = read_bytes(tmp_path, makers.pdf([("", "")] * 4), pages=2)
    assert [item.page for item in items] == [1, 2] and items[0].notes == ["only the first 2 of 4 pages"]


def test_many_pages_at_once_stop_before_their_pictures_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(makers.pdf([("0 0 m 9 9 l S", "")] * 30))
    result = read(os.fsencode(tmp_path / "a.pdf"), limits=Limits(memory_bytes=128 * 2**20))
    assert result.more_from == len(result.items) + 1 < 10


def test_what_does_not_finish_in_time_is_shown_as_far_as_it_got(tmp_path: Path) -> None:
    slow = "0 0 m 595 842 l 300 20 10 800 500 600 c f*\n" * 60_000
    (item,) = read_bytes(tmp_path, makers.pdf([(slow, "")]), time_s=0.5)
    assert item.notes == ["drawn as far as 0.2 s allowed"]
    assert item.image is not None and np.asarray(item.image).min() == 0


def test_hyphens_at_line_ends_and_control_characters_do_not_cut_words() -> None:
    class Page:
        def get_textpage(self) -> Page:
            return self

        def count_chars(self) -> int:
            return 10

        def get_text_bounded(self) -> str:
            return "hex\x02\r\nagon bolt\r\nM8\x00 軸\ufffe\r\n受"

        def close(self) -> None: ...

    words, note = pdf_words.page_words(Page(), 1, None, None, 100)  # type: ignore[arg-type]
    assert (words, note) == ("hexagon bolt\nM8 軸受", "")
    assert pdf_words.page_words(Page(), 1, None, None, 7)[1] == "text cut at 7 characters"  # type: ignore[arg-type]


def test_pypdf_is_asked_where_pdfium_has_only_unmapped_glyphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_words, "_by_pdfium", lambda *_: ("\x01\x02\x03\x04", 4))
    (item,) = read_bytes(tmp_path, makers.pdf([(text("flange"), "")]))
    assert item.text == "flange"


@pytest.mark.parametrize("what", ["array", "dictionary", "outline", "pages", "bomb"])
def test_nesting_loops_and_bombs_end(what: str, tmp_path: Path) -> None:
    deep = 50_000
    if what == "array":
        data = makers.pdf([("[" * deep + "]" * deep + " TJ", "")], catalog="/X " + "[" * deep + "]" * deep)
    elif what == "dictionary":
        data = makers.pdf([("", "")], catalog="/X " + "<< /X " * deep + ">>" * deep)
    elif what == "outline":
        entry = b"<< /Title (a) /Next 7 0 R /First 7 0 R /Dest [4 0 R /Fit] >>"
        data = makers.pdf([("", "")], catalog="/Outlines 6 0 R", more=(b"<< /First 7 0 R /Last 7 0 R >>", entry))
    elif what == "pages":
        data = makers.pdf([("", "")]).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R 4 0 R]")
    else:
        packed = zlib.compress(b" " * 30_000_000)
        stream = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)
        data = makers.pdf([("", "")], more=(stream,)).replace(b"/Contents 5 0 R", b"/Contents 6 0 R")
    started = time.monotonic()
    assert len(read_bytes(tmp_path, data)) >= 1
    assert time.monotonic() - started < 20


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_limit_that_strikes_in_a_finaliser_strikes_again() -> None:
    class Slow:
        def __del__(self) -> None:  # what is raised here is printed and lost
            until = time.process_time() + 0.3
            while time.process_time() < until:
                pass
            ended.append(True)

    ended: list[bool] = []
    began = time.process_time()
    with pytest.raises(TooSlow), cpu_limit(0.05):
        held = Slow()
        del held
        while time.process_time() < began + 5:
            pass
    assert not ended


def test_the_cpu_limit_stops_a_loop_and_leaves_no_timer_behind() -> None:
    with pytest.raises(TooSlow), cpu_limit(0.1):
        while True:
            pass
    with cpu_limit(0.1):
        pass
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass


def test_a_large_file_is_read_from_disk_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_IN_MEMORY_BYTES", 100)
    assert [item.text for item in read_bytes(tmp_path, makers.pdf([(text("from disk"), "")]))] == ["from disk"]

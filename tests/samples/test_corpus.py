"""The sample corpus: complete, small, the same each time, and every file opens in the libraries that read it."""

import hashlib
import unicodedata
from collections import Counter
from pathlib import Path

import ezdxf
import pypdf
import pypdfium2
import pytest
from PIL import Image

from cmrcli.samples import sample_truth, write_sample_corpus
from cmrcli.samples.pages import parsed, typeset
from cmrcli.samples.part import Part
from cmrcli.samples.pdf import line_width, write_pdf
from cmrcli.samples.plan import Entry, corpus_part, plan
from cmrcli.samples.specifications import ENGLISH
from cmrcli.samples.specifications_ja import JAPANESE

PLAN = plan(0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office")
    paths = write_sample_corpus(folder)
    assert paths == sorted(p for p in folder.rglob("*") if p.is_file()), "the list is what is there, nothing hidden"
    return folder


def of(form: str) -> list[Entry]:
    return [e for e in PLAN if e.form == form]


def test_it_looks_like_an_office(corpus: Path) -> None:
    files = [p for p in corpus.rglob("*") if p.is_file()]
    assert 60 <= len(files) <= 100
    assert sum(p.stat().st_size for p in files) < 12_000_000
    endings = Counter(p.suffix for p in files)
    assert set(endings) == {".dxf", ".svg", ".pdf", ".png", ".tif", ".jpg", ".md", ".txt"}
    assert {p.name for p in corpus.iterdir()} >= {"drawings", "scans", "photos", "specs", "見積", "図面", "notes"}


def test_one_file_is_twice_there_and_one_has_another_name(corpus: Path) -> None:
    digests: dict[str, list[str]] = {}
    for path in corpus.rglob("*"):
        if path.is_file():
            digests.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), []).append(path.name)
    names = sorted(sorted(v) for v in digests.values() if len(v) > 1)
    assert len(names) == 2
    assert sum(len(set(v)) == 1 for v in names) == 1, "a duplicate under the same name, a copy under another"


def test_names_of_photos_and_scans_tell_nothing() -> None:
    for entry in [*of("photo"), *of("scan"), *of("tiff")]:
        for family in entry.families:
            assert family.split("_")[0] not in entry.relpath
            assert corpus_part(family, 0).part_number not in entry.relpath


def test_equal_seeds_plan_and_write_equal_bytes(corpus: Path, tmp_path: Path) -> None:
    from cmrcli.samples import corpus as writer

    assert plan(0) == PLAN
    assert plan(1) != PLAN
    for form in ("pdf", "dxf", "svg", "scan", "tiff", "document", "note"):
        entry = of(form)[-1]
        path = tmp_path / entry.relpath
        path.parent.mkdir(parents=True, exist_ok=True)
        writer._write(entry, path, tmp_path, 0)
        assert path.read_bytes() == (corpus / entry.relpath).read_bytes(), entry.relpath


@pytest.mark.parametrize("entry", of("pdf"), ids=lambda e: e.relpath)
def test_drawings_as_pdf_open_and_their_words_are_found(corpus: Path, entry: Entry) -> None:
    part = corpus_part(entry.families[0], 0)
    with (corpus / entry.relpath).open("rb") as file:
        text = pypdf.PdfReader(file, strict=True).pages[0].extract_text()
    assert part.part_number in text
    if entry.japanese:
        assert any(name in text for name in part.spec.ja)
    else:
        assert any(name.upper() in text for name in part.spec.en)
    document = pypdfium2.PdfDocument(corpus / entry.relpath)
    assert part.part_number in document[0].get_textpage().get_text_range()
    assert min(document[0].render(scale=0.3).to_pil().convert("L").getextrema()) < 128
    document.close()


@pytest.mark.parametrize("entry", of("dxf"), ids=lambda e: e.relpath)
def test_drawings_as_dxf_have_layers_blocks_and_text(corpus: Path, entry: Entry) -> None:
    part = corpus_part(entry.families[0], 0)
    document = ezdxf.readfile(corpus / entry.relpath)  # type: ignore[attr-defined]
    assert not document.audit().errors
    assert {"OUTLINE", "HIDDEN", "CENTER", "DIM"} <= {layer.dxf.name for layer in document.layers}
    assert part.part_number.replace("-", "_") in {b.name for b in document.blocks}
    texts = {t.dxf.text for t in document.modelspace().query("TEXT")}
    assert part.part_number in texts
    names = part.spec.ja if entry.japanese else tuple(n.upper() for n in part.spec.en)
    assert texts & set(names)


def test_drawings_as_svg_are_xml_with_text(corpus: Path) -> None:
    from xml.etree import ElementTree

    for entry in of("svg"):
        root = ElementTree.parse(corpus / entry.relpath).getroot()
        words = " ".join(e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}text"))
        assert corpus_part(entry.families[0], 0).part_number in words


def test_microfilm_is_bilevel_group_4_with_a_page_for_each_part(corpus: Path) -> None:
    for entry in of("tiff"):
        with Image.open(corpus / entry.relpath) as image:
            assert getattr(image, "n_frames", 1) == len(entry.families)
            assert image.mode == "1"
            assert image.info["compression"] == "group4"
    assert max(len(e.families) for e in of("tiff")) > 2


def test_photos_open_and_some_are_stored_turned(corpus: Path) -> None:
    orientations = set()
    for entry in of("photo"):
        with Image.open(corpus / entry.relpath) as image:
            image.load()
            assert image.mode == "RGB"
            orientations.add(image.getexif().get(0x0112, 1))
    assert orientations == {1, 6}


def test_specifications_have_pages_bookmarks_and_sentences(corpus: Path) -> None:
    for entry in of("document"):
        with (corpus / entry.relpath).open("rb") as file:
            reader = pypdf.PdfReader(file, strict=True)
            assert len(reader.pages) >= 2
            assert len(reader.outline) >= 2
            assert reader.metadata is not None
            assert reader.metadata.title
            text = "".join(page.extract_text() for page in reader.pages)
        if entry.source in ENGLISH | JAPANESE:
            title = parsed((ENGLISH | JAPANESE)[entry.source]).title
            assert title in text
        else:
            assert "御見積書" in text
            assert corpus_part(entry.families[0], 0).part_number in text


def test_known_answers_exist_and_words_of_the_query_can_find_them(corpus: Path) -> None:
    pairs = sample_truth()
    assert len(pairs) >= 40
    assert len(set(pairs)) == len(pairs)
    forms = {e.relpath: e for e in PLAN}
    for query, relpath in pairs:
        assert (corpus / relpath).is_file()
        assert unicodedata.is_normalized("NFC", relpath)
        if query.startswith("image:"):
            example = forms[query.removeprefix("image:")]
            assert set(example.families) & set(forms[relpath].families)
            assert example.relpath != relpath
    kinds = {forms[r].form for _, r in pairs}
    assert kinds >= {"pdf", "dxf", "svg", "photo", "document", "note"}


def test_other_seeds_are_other_parts() -> None:
    numbers = [{corpus_part(f, seed).part_number for e in plan(seed) for f in e.families} for seed in (0, 1, 2)]
    assert not numbers[0] & numbers[1]
    assert not numbers[1] & numbers[2]
    assert isinstance(corpus_part("flange", 5), Part)


def test_pages_hold_their_lines_within_the_margins() -> None:
    from cmrcli.samples.displaylist import Text

    for text in (ENGLISH | JAPANESE).values():
        sheets, bookmarks = typeset(parsed(text))
        assert bookmarks
        assert bookmarks[-1][1] < len(sheets)
        for sheet in sheets:
            for p in sheet.primitives:
                if isinstance(p, Text) and p.anchor == "left":
                    assert p.at[0] + line_width(p.text, p.height) <= sheet.width - 15, p.text


def test_a_pdf_survives_brackets_and_backslashes_in_text(tmp_path: Path) -> None:
    from cmrcli.samples.displaylist import Text
    from cmrcli.samples.sheet import Sheet

    words = "a (b) \\ c) Ø20 ±0.1 50% 漢字とかな"
    write_pdf([Sheet(100, 50, (Text((5, 20), words),), "1:1")], tmp_path / "x.pdf", "(title")
    with (tmp_path / "x.pdf").open("rb") as file:
        reader = pypdf.PdfReader(file, strict=True)
        assert reader.pages[0].extract_text().strip() == words
        assert reader.metadata is not None
        assert reader.metadata.title == "(title"

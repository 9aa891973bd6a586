"""SVG: drawn on white, its words taken, nothing outside of it opened."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import read
from cmrcli.errors import UnreadableFile
from tests.corpus.readers.makers import encoded

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def draw(tmp_path: Path, body: str, attributes: str = 'viewBox="0 0 100 50"', name: str = "a.svg") -> ReaderItem:
    (tmp_path / name).write_text(f"{HEAD} {attributes}>{body}</svg>", encoding="utf-8")
    (item,) = read(os.fsencode(tmp_path / name)).items
    return item


def grey(item: ReaderItem) -> np.ndarray:
    assert item.image is not None
    return np.asarray(item.image.convert("L"))


def test_geometry_is_drawn_on_white_and_counts_as_vector(tmp_path: Path) -> None:
    item = draw(tmp_path, '<rect width="50" height="50"/>')
    picture = grey(item)
    assert item.vector and item.page is None and picture.shape == (384, 768)
    assert picture[192, 100] == 0 and picture[192, 700] == 255


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="200mm" height="100mm"', (768, 384)),
        ('width="420mm" height="297mm" viewBox="0 0 420 297"', (1568, 1110)),
        ('width="100%" height="100%" viewBox="0 0 10 20"', (384, 768)),
        ('width="1e7" height="5e6"', (1568, 784)),
        ("", (768, 768)),
    ],
)
def test_sizes_follow_the_document_within_bounds(attributes: str, size: tuple[int, int], tmp_path: Path) -> None:
    item = draw(tmp_path, '<rect width="5" height="5"/>', attributes)
    assert item.image is not None and item.image.size == size == (item.width_px, item.height_px)


def test_words_come_from_texts_titles_and_descriptions(tmp_path: Path) -> None:
    item = draw(
        tmp_path,
        "<title>Flange  DN50</title><!-- comment --><desc>front view</desc>"
        "<text>A-1023<tspan>-02</tspan></text><text>歯車</text><text> </text><text>歯車</text>",
    )
    assert item.text == "Flange DN50\nfront view\nA-1023-02\n歯車"
    assert item.title == "Flange DN50"


def test_packed_files_and_wrong_names_are_read(tmp_path: Path) -> None:
    markup = f'<?xml version="1.0"?><!-- made by hand -->{HEAD} viewBox="0 0 9 9"><text>x</text></svg>'
    (tmp_path / "a.svgz").write_bytes(gzip.compress(markup.encode()))
    (tmp_path / "b.png").write_text(markup)
    (tmp_path / "c.svg").write_bytes(markup.replace("1.0", "1.0", 1).encode("utf-16"))
    for name in ("a.svgz", "b.png", "c.svg"):
        result = read(os.fsencode(tmp_path / name))
        assert (result.format, result.items[0].text) == ("svg", "x"), name


def test_entities_as_illustrator_writes_them_work(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"'
        ' "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [<!ENTITY ns "http://www.w3.org/2000/svg">]>'
        '<svg xmlns="&ns;" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'
    )
    (item,) = read(os.fsencode(tmp_path / "a.svg")).items
    assert grey(item).max() == 0


@pytest.mark.parametrize("attribute", ["href", "xlink:href"])
@pytest.mark.parametrize("scheme", ["{path}", "file://{path}", "outside.png", "../{folder}/outside.png"])
def test_pictures_outside_of_the_file_are_not_opened(
    attribute: str, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    Image.new("RGB", (10, 10)).save(tmp_path / "outside.png")
    monkeypatch.chdir(tmp_path)
    address = scheme.format(path=tmp_path / "outside.png", folder=tmp_path.name)
    item = draw(tmp_path, f'<image {attribute}="{address}" width="100" height="50"/>')
    assert grey(item).min() == 255


def test_pictures_inside_of_the_file_are(tmp_path: Path) -> None:
    import base64

    from PIL import Image

    data = base64.b64encode(encoded(Image.new("RGB", (10, 10)), "PNG")).decode()
    item = draw(tmp_path, f'<image xlink:href="data:image/png;base64,{data}" width="100" height="50"/>')
    assert grey(item)[192, 384] == 0


def laughs() -> str:
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    return f'<!DOCTYPE svg [<!ENTITY a0 "ha">{entities}]>{HEAD} viewBox="0 0 9 9"><text>&a9;</text></svg>'


def use_bomb() -> str:
    groups = "".join(f'<g id="g{i}">' + f'<use xlink:href="#g{i - 1}"/>' * 10 + "</g>" for i in range(1, 10))
    return f'{HEAD} viewBox="0 0 9 9"><g id="g0"><rect width="1" height="1"/></g>{groups}</svg>'


@pytest.mark.parametrize(
    ("markup", "causes"),
    [
        (laughs(), {"damaged"}),
        (use_bomb(), {"damaged", "memory"}),
        (f"{HEAD}>" + "<g>" * 100_000 + "</g>" * 100_000 + "</svg>", {"damaged"}),
        (f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>{HEAD}><text>&x;</text></svg>', {"damaged"}),
        (f"{HEAD}><g></svg>", {"damaged"}),
        ("<svg", {"damaged"}),
        ("<html><svg/></html>", {"damaged"}),
        (f'{HEAD} width="0" height="0"/>', {"no-content"}),
        (f'{HEAD} width="100000" height="1"/>', {"too-large"}),
    ],
)
def test_hostile_and_broken_markup_is_refused(markup: str, causes: set[str], tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(markup)
    with pytest.raises(UnreadableFile) as failure:
        read(os.fsencode(tmp_path / "a.svg"))
    assert failure.value.cause in causes


def test_a_packed_bomb_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    (tmp_path / "a.svgz").write_bytes(gzip.compress(b"<svg>" + b" " * 100_000_000))
    with pytest.raises(UnreadableFile) as failure:
        read(os.fsencode(tmp_path / "a.svgz"))
    assert failure.value.cause == "too-large"
    (tmp_path / "a.svgz").write_bytes(gzip.compress(os.urandom(5_000))[:2_000])
    with pytest.raises(UnreadableFile) as failure:
        read(os.fsencode(tmp_path / "a.svgz"))
    assert failure.value.cause == "damaged"


def test_a_reference_to_itself_ends(tmp_path: Path) -> None:
    item = draw(tmp_path, '<g id="a"><rect width="20" height="20"/><use xlink:href="#a"/></g>')
    assert item.image is not None


def test_long_text_is_cut_and_noted(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(f"{HEAD}><text>{'word ' * 100}</text></svg>")
    (item,) = read(os.fsencode(tmp_path / "a.svg"), limits=Limits(text_chars=20)).items
    assert item.text == "word word word word " and item.notes == ["text cut at 20 characters"]

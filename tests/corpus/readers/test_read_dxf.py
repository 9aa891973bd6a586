"""DXF: model space and layouts drawn, words taken, recovery, and drawings without end."""

from __future__ import annotations

import os
from pathlib import Path

import ezdxf
import numpy as np
import pytest
from ezdxf.document import Drawing
from PIL import Image

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import dxf_draw, read
from cmrcli.errors import UnreadableFile
from tests.corpus.readers.makers import DXF_HEAD, DXF_TAIL, dxf_line


def read_drawing(document: Drawing, tmp_path: Path, **limits: int) -> list[ReaderItem]:
    document.saveas(tmp_path / "a.dxf")
    return read(os.fsencode(tmp_path / "a.dxf"), limits=Limits(**limits)).items


def grey(item: ReaderItem) -> np.ndarray:
    assert item.image is not None and item.image.mode == "L"
    return np.asarray(item.image)


def test_geometry_lands_where_it_belongs(tmp_path: Path) -> None:
    """A square with a diagonal from bottom left and a filled triangle at the top left; y grows upwards in DXF."""
    document = ezdxf.new()
    space = document.modelspace()
    space.add_lwpolyline([(0, 0), (100, 0), (100, 100), (0, 100)], close=True)
    space.add_line((0, 0), (50, 50))
    space.add_solid([(0, 100), (30, 100), (0, 70)])
    (item,) = read_drawing(document, tmp_path, longest_edge_px=400)
    picture = grey(item)
    assert picture.shape == (400, 400) and item.vector and (item.page, item.label) == (1, "Model")
    assert picture[30, 30] == 0  # the triangle
    assert picture[370, 370] == 255 and picture[200:204, 390:400].min() < 200  # nothing; the right border
    near = picture[298:303, 98:103]
    assert near.min() < 150 and picture[100, 300] == 255  # on the diagonal, and its mirror image


def test_holes_stay_white(tmp_path: Path) -> None:
    document = ezdxf.new()
    hatch = document.modelspace().add_hatch(color=1)
    hatch.paths.add_polyline_path([(0, 0), (100, 0), (100, 100), (0, 100)], is_closed=True, flags=1)
    hatch.paths.add_polyline_path([(30, 30), (70, 30), (70, 70), (30, 70)], is_closed=True, flags=16)
    (item,) = read_drawing(document, tmp_path, longest_edge_px=200)
    picture = grey(item)
    assert picture[20, 100] == 0 and picture[100, 100] == 255


def test_circles_arcs_and_texts_are_drawn(tmp_path: Path) -> None:
    document = ezdxf.new()
    space = document.modelspace()
    space.add_circle((0, 0), 100)
    space.add_text("H", dxfattribs={"height": 80, "insert": (-30, -40)})
    (item,) = read_drawing(document, tmp_path, longest_edge_px=300)
    picture = grey(item)
    assert (picture[150] < 200).nonzero()[0].min() < 10 and (picture[150] < 200).nonzero()[0].max() > 290
    assert picture[80:220, 80:220].min() < 200
    assert picture[20, 20] == 255


def test_words_of_every_kind_of_entity_and_of_blocks_once(tmp_path: Path) -> None:
    document = ezdxf.new(setup=True)
    document.layers.add("HOLES")
    block = document.blocks.new("FLANGE-DN50")
    block.add_text("inside the block")
    block.add_attdef("PART", (0, 0))
    space = document.modelspace()
    for i in range(3):
        space.add_blockref("FLANGE-DN50", (i * 10, 0)).add_attrib("PART", f"A-1023-0{i}")
    space.add_text("歯車  ギア")
    space.add_mtext("{\\H2.5;two\\Plines %%c40}")
    space.add_linear_dim(base=(0, 2), p1=(0, 0), p2=(12.5, 0), dimstyle="EZ_M_1_H25_CM").render()
    space.add_linear_dim(base=(0, 5), p1=(0, 0), p2=(3, 0), text="<> H7")  # not rendered: no drawing of it
    document.header.custom_vars.append("Material", "S45C")
    (item,) = read_drawing(document, tmp_path)
    words = item.text.split("\n")
    for expected in ("歯車 ギア", "1250", "3 H7", "inside the block", "HOLES", "FLANGE-DN50", "S45C", "A-1023-02"):
        assert words.count(expected) == 1, (expected, words)
    assert any(word.startswith("two lines") for word in words)
    assert not any(word.startswith("*") for word in words)


def test_layouts_that_hold_something_are_items(tmp_path: Path) -> None:
    document = ezdxf.new()
    document.modelspace().add_line((0, 0), (10, 10))
    sheet = document.new_layout("Sheet A1")
    sheet.add_text("title block")
    sheet.add_lwpolyline([(0, 0), (40, 0), (40, 20)])
    document.new_layout("Nothing here")
    items = read_drawing(document, tmp_path)
    assert [(item.page, item.label) for item in items] == [(1, "Model"), (2, "Sheet A1")]
    assert items[1].text == "title block"
    result = read(os.fsencode(tmp_path / "a.dxf"), 2, 1)
    assert [item.label for item in result.items] == ["Sheet A1"] and result.more_from is None
    assert read(os.fsencode(tmp_path / "a.dxf"), 1, 1).more_from == 2


def test_binary_and_renamed_files_are_read(tmp_path: Path) -> None:
    document = ezdxf.new()
    document.modelspace().add_text("here")
    document.saveas(tmp_path / "a.png", fmt="bin")
    document.saveas(tmp_path / "b")
    for name in ("a.png", "b"):
        result = read(os.fsencode(tmp_path / name))
        assert (result.format, result.items[0].text) == ("dxf", "here"), name


def test_names_that_are_not_utf_8_are_no_obstacle(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.dxf"
    with open(path, "w", encoding="ascii") as file:
        file.write(DXF_HEAD + dxf_line(0, 0, 5, 5) + DXF_TAIL)
    assert len(read(path).items) == 1


def test_what_can_be_recovered_is_with_a_note(tmp_path: Path) -> None:
    broken = DXF_HEAD + dxf_line(0, 0, 5, 5).replace("20\n0\n", "", 1) + dxf_line(0, 0, 9, 5) + DXF_TAIL
    (tmp_path / "a.dxf").write_text(broken)
    (item,) = read(os.fsencode(tmp_path / "a.dxf")).items
    assert item.notes[0].startswith("recovered:")


@pytest.mark.parametrize(
    ("content", "causes"),
    [
        (DXF_HEAD + dxf_line(0, 0, 5, 5), {"damaged"}),
        ("0\nSECTION\n2\nHEADER\n0\nENDSEC\n0\nEOF\n", {"no-content"}),
        ("hello\nworld\n", {"damaged"}),
        ("\x00\x01\x02" * 500, {"damaged"}),
    ],
)
def test_what_cannot_be_is_refused(content: str, causes: set[str], tmp_path: Path) -> None:
    (tmp_path / "a.dxf").write_text(content)
    with pytest.raises(UnreadableFile) as failure:
        read(os.fsencode(tmp_path / "a.dxf"))
    assert failure.value.cause in causes


def test_blocks_without_end_stop_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dxf_draw, "MOST_ENTITIES", 500)
    document = ezdxf.new()
    document.blocks.new("B0").add_line((0, 0), (5, 5))
    for i in range(1, 9):
        block = document.blocks.new(f"B{i}")
        for j in range(10):
            block.add_blockref(f"B{i - 1}", (j, i))
    document.modelspace().add_blockref("B8", (0, 0))
    (item,) = read_drawing(document, tmp_path)
    assert item.notes == ["drawn up to 500 entities"] and grey(item).min() == 0


def test_time_stops_a_drawing_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dxf_draw, "CPU_S", 0.2)
    document = ezdxf.new()
    block = document.blocks.new("ROW")
    for i in range(250):
        block.add_circle((i, 0), 0.4)
    for i in range(200):  # 50,000 circles: many times what the fastest machine draws in that time
        document.modelspace().add_blockref("ROW", (0, i))
    (item,) = read_drawing(document, tmp_path)
    assert item.notes == ["drawn as far as 0.2 s allowed"]


def test_a_few_entities_far_away_do_not_shrink_the_drawing_to_a_dot(tmp_path: Path) -> None:
    document = ezdxf.new()
    for i in range(120):
        document.modelspace().add_line((i % 11, i // 11), (i % 11 + 1, i // 11))
    document.modelspace().add_point((5e6, 5e6))
    (item,) = read_drawing(document, tmp_path, longest_edge_px=300)
    assert (grey(item) < 128).mean() > 0.01
    assert item.notes == ["1 entities far from all others left out"]


def test_coordinates_out_of_all_bounds_leave_the_words(tmp_path: Path) -> None:
    text = "0\nTEXT\n8\n0\n10\n0\n20\n0\n40\n1e-300\n1\nhello\n"
    (tmp_path / "a.dxf").write_text(DXF_HEAD + dxf_line(0, 0, 1e300, 5) + text + DXF_TAIL)
    (item,) = read(os.fsencode(tmp_path / "a.dxf")).items
    assert item.text == "hello"


def test_a_single_line_gets_a_picture_of_some_height(tmp_path: Path) -> None:
    document = ezdxf.new()
    document.modelspace().add_line((0, 0), (100, 0))
    (item,) = read_drawing(document, tmp_path, longest_edge_px=400)
    assert item.image is not None and item.image.width == 400 and item.image.height >= 20
    assert grey(item).min() < 200


def test_pictures_beside_the_drawing_are_not_opened(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "secret.png")
    document = ezdxf.new()
    definition = document.add_image_def(str(tmp_path / "secret.png"), (20, 20))
    document.modelspace().add_image(definition, (0, 0), (10, 10))
    document.modelspace().add_line((0, 0), (10, 0))
    (item,) = read_drawing(document, tmp_path, longest_edge_px=200)
    assert grey(item)[60:140, 60:90].min() == 255  # only its frame and name at most


def test_the_readers_leave_the_home_folder_alone(tmp_path: Path) -> None:
    """ezdxf's list of fonts goes where cmrcli keeps its own caches."""
    import subprocess
    import sys

    (tmp_path / "a.dxf").write_text(DXF_HEAD + dxf_line(0, 0, 5, 5) + DXF_TAIL)
    program = "import sys, os; from cmrcli.corpus.readers import read; read(os.fsencode(sys.argv[1]))"
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("XDG_CACHE_HOME", None)
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.dxf")], env=environment, check=True, timeout=60)
    written = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    assert all(path.startswith((".cache/cmrcli/", "Library/Caches/cmrcli/")) for path in written), written

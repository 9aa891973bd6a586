"""What may lie in a folder besides sound files: pipes, devices, empty and vanished files, and limits that must hold."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cmrcli.corpus.items import Limits
from cmrcli.corpus.readers import FORMATS, UNSUPPORTED, read
from cmrcli.corpus.readers.images import PLUGINS
from cmrcli.corpus.workers import WorkerPool
from cmrcli.errors import UnreadableFile
from tests import rights
from tests.corpus.readers import makers


def cause(path: Path | bytes) -> str:
    with pytest.raises(UnreadableFile) as failure:
        read(os.fsencode(path))
    return failure.value.cause


def test_nothing_but_a_regular_file_is_ever_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "pipe.png")
    for name in ("pipe.png", "folder.png", "link.png"):
        assert cause(tmp_path / name) == "io", name
    if stat.S_ISCHR(os.stat("/dev/zero").st_mode):
        assert cause(b"/dev/zero") == "io"


def test_empty_vanished_and_forbidden_files_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert cause(tmp_path / "a.png") == "empty"
    assert cause(tmp_path / "b.png") == "vanished"
    assert cause(tmp_path / "a.png" / "c.png") == "vanished"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert cause(tmp_path / "loop") == "io"


def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(makers.png(2, 2))
    (tmp_path / "a.png").chmod(0)
    with rights.of_a_user():
        assert cause(tmp_path / "a.png") == "permission"


@pytest.mark.parametrize("extension", sorted(FORMATS))
def test_garbage_under_any_known_name_is_damaged(extension: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{extension}").write_bytes(b"\x00\x13garbage\xff\xfe" * 100)
    assert cause(tmp_path / f"a.{extension}") == "damaged"


@pytest.mark.parametrize("content", [b"%!PS-Adobe-3.0 EPSF-3.0\nshowpage\n", b"\xc5\xd0\xd3\xc6" + bytes(99)])
@pytest.mark.parametrize("extension", ["eps", "png", "pdf", "txt"])
def test_postscript_reaches_no_interpreter(content: bytes, extension: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{extension}").write_bytes(content)
    assert cause(tmp_path / f"a.{extension}") == "damaged"
    assert not {"EPS", "WMF", "MPEG", "HDF5", "GRIB", "BUFR"} & {name for name, _ in PLUGINS.values()}


def test_the_lists_of_extensions_are_plain_and_do_not_overlap() -> None:
    assert not FORMATS.keys() & UNSUPPORTED.keys()
    for extension in (*FORMATS, *UNSUPPORTED):
        assert extension == extension.lower() and not extension.startswith(".")
    for extension in (
        "dwg",
        "step",
        "stp",
        "iges",
        "sldprt",
        "slddrw",
        "ipt",
        "catpart",
        "docx",
        "xlsx",
        "pptx",
        "mp4",
    ):
        assert UNSUPPORTED[extension]


SEEDS = {
    "png": makers.encoded(makers.scan(40, 30), "PNG"),
    "jpg": makers.encoded(Image.linear_gradient("L").resize((40, 30)), "JPEG"),
    "tif": makers.encoded(makers.scan(40, 30), "TIFF", compression="tiff_lzw"),
    "g4.tif": makers.encoded(makers.scan(40, 30), "TIFF", compression="group4"),
    "gif": makers.encoded(makers.scan(40, 30), "GIF"),
    "pdf": makers.pdf([("BT /F1 9 Tf 5 5 Td (bolt) Tj ET", "")]),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>bolt</text></svg>',
    "dxf": (makers.DXF_HEAD + makers.dxf_line(0, 0, 5, 5) + makers.DXF_TAIL).encode(),
    "txt": "軸受 bolt".encode(),
}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_flipped_bytes_and_cuts_give_items_or_a_cause(
    tmp_path: Path, name: str, flips: list[tuple[float, int]], cut: float
) -> None:
    """Whatever is done to a file, the reader answers with items or with UnreadableFile, and in time."""
    data = bytearray(SEEDS[name])
    for place, value in flips:
        data[int(place * (len(data) - 1))] ^= value
    data = data[: int(len(data) * (0.3 + 0.7 * cut)) + 1]
    (tmp_path / f"a.{name}").write_bytes(data)
    try:
        result = read(os.fsencode(tmp_path / f"a.{name}"), limits=Limits(time_s=5))
    except UnreadableFile:
        return
    assert result.items or result.more_from
    for item in result.items:
        assert item.text or item.image is not None
        assert item.image is None or max(item.image.size) <= Limits().longest_edge_px


def test_bombs_that_no_header_betrays_cost_their_worker_alone(tmp_path: Path) -> None:
    """A PDF stream of 400 MB, in a worker that may take 256: one line in the report, and the next file is read."""
    import zlib

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(400)) + packer.flush()
    stream = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)
    bomb = makers.pdf([("", "")], more=(stream,)).replace(b"/Contents 5 0 R", b"/Contents 6 0 R")
    (tmp_path / "bomb.pdf").write_bytes(bomb)
    (tmp_path / "fine.png").write_bytes(SEEDS["png"])
    with WorkerPool(read, 1, Limits(memory_bytes=256 * 2**20)) as pool:
        for name in ("bomb.pdf", "fine.png"):
            pool.submit(os.fsencode(tmp_path / name))
        (_, bad), (_, good) = pool.next_done(), pool.next_done()
    assert isinstance(bad, UnreadableFile) and bad.cause in ("memory", "crash", "damaged")
    assert not isinstance(good, UnreadableFile) and len(good.items) == 1

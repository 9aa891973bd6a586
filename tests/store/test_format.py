"""FORMAT.md is true: its program runs, its tables are the catalog's, and released formats stay readable."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmrcli.store import check, layout, open_reader, open_writer, schema
from cmrcli.store.batches import Batch
from tests.store.golden.make import make, say
from tests.store.samples import ENCODER, batch, content, update

FORMAT = (Path(layout.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
GOLDEN = sorted((Path(__file__).parent / "golden").glob("format-*.zip"))


def test_the_program_in_format_md_reads_a_code(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", FORMAT, re.DOTALL)
    assert len(program.splitlines()) <= 12
    with open_writer(tmp_path, ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/data").id, [1, 2, 3]))
    scope: dict[str, Any] = {"index": tmp_path}
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as opened:
        patch.setitem(scope, "open", lambda path: opened.enter_context(Path(path).open()))
        exec(program, scope)  # trusted: it is our own documentation
        scope["catalog"].close()
    with open_reader(tmp_path) as reader:
        (segment,) = reader.segments
        assert reader.codebook is not None
        expected = segment.vectors[:] > reader.codebook.centre
        assert np.array_equal(scope["bits"], expected) and expected.any() and not expected.all()
        hit = reader.fragments([int(segment.rows[0])])[int(segment.rows[0])]
        assert scope["fragment"] == (hit.role, hit.text)


def test_format_md_lists_every_table_and_column(tmp_path: Path) -> None:
    open_writer(tmp_path, ENCODER).close()
    connection = sqlite3.connect(tmp_path / "catalog.sqlite")
    described = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|[^|]*\|[^\n]*$", FORMAT, re.MULTILINE)}
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    own = [name for name in tables if not re.search(r"_words|_short|sqlite_", name)]
    assert len(own) == 13
    for table in own:
        for column in (row[1] for row in connection.execute(f"PRAGMA table_info({table})")):
            assert f"`{column}`" in described[table], (table, column)
    for name in (*schema.CONTENT_WORD_TABLES, *schema.SHORT_WORD_TABLES, *layout.SEGMENT_NAMES):
        assert name in FORMAT
    connection.close()
    assert f"format {layout.FORMAT_VERSION}" in FORMAT.splitlines()[0]
    assert f"0x{layout.APPLICATION_ID:X}" in FORMAT


def test_the_golden_script_makes_an_index_of_the_present_format(tmp_path: Path) -> None:
    make(tmp_path / "index")
    assert check(tmp_path / "index") == []
    said = say(tmp_path / "index")
    assert len(said["fragments"]) == 5 and said["words"]["m8"] == [1, 2]


@pytest.mark.parametrize("archive", GOLDEN, ids=lambda path: path.stem)
def test_released_formats_are_read_and_written(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    make(tmp_path / "now")
    assert say(tmp_path / "index") == say(tmp_path / "now")
    assert [finding for finding in check(tmp_path / "index") if finding.severity == "error"] == []
    with open_writer(tmp_path / "index", None) as writer:
        (root,) = writer.roots()
        gone = writer.files_in(root.id, b"drawings")[b"bolt.pdf"].id
        new = content(1)
        new.items = new.items[:0]
        writer.commit(Batch([new], [update(root.id, b"", b"new.pdf", 1)], [gone]))
        writer.maintain()
    assert [finding for finding in check(tmp_path / "index") if finding.severity == "error"] == []


def test_an_empty_index_is_whole(tmp_path: Path) -> None:
    open_writer(tmp_path, ENCODER).close()
    assert check(tmp_path) == []
    with open_reader(tmp_path) as reader:
        assert reader.segments == [] and reader.codebook is None and reader.generation == 0
        assert reader.words("bolt", 5) == [] and reader.statistics().items == 0

"""`index --graph`: what one run is told, the later ones do."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.indexing import IndexOptions, index_paths
from cmrcli.store import check, open_writer
from cmrcli.store.graph_settings import GraphSettings

pytest.importorskip("hnswlib")


def test_what_one_run_is_told_the_later_ones_do(tmp_path: Path, tiny_encoder_folder: Path) -> None:
    folder, index = tmp_path / "folder", tmp_path / "index"
    folder.mkdir()
    (folder / "a.txt").write_text("a red flange")

    def run(**options: object) -> int:
        """Segments with a graph after a run."""
        wanted = IndexOptions(encoder=str(tiny_encoder_folder), threads=1, **options)  # type: ignore[arg-type]
        index_paths(index, [bytes(folder)], wanted)
        return len(list(index.glob("segments/*/graph.hnsw")))

    assert run() == 0, "small segments need none"
    assert run(graph="always", dry_run=True) == 0
    assert run(graph="always", graph_recall=0.9) == 1
    (folder / "b.txt").write_text("a blue pump")
    assert run() == 2
    assert run(graph="never") == 0
    (folder / "c.txt").write_text("a green bearing")
    assert run() == 0
    with open_writer(index, None) as writer:
        assert writer.graph_settings == GraphSettings("never", 0.9)
    with pytest.raises(UsageError, match="graph mode"):
        run(graph="sometimes")
    assert check(index) == []

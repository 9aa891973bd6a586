"""What the tests of runs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cmrcli.indexing import IndexOptions, index_paths
from cmrcli.indexing.report import RunReport
from cmrcli.indexing.run import RunOptions

Indexer = Callable[..., RunReport]


@pytest.fixture
def run(tmp_path: Path, tiny_encoder_folder: Path) -> Indexer:
    """index_paths on one index of this test, with the tiny encoder."""

    def go(*paths: Path | bytes, dry_run: bool = False, **options: object) -> RunReport:
        chosen = IndexOptions(
            encoder=str(tiny_encoder_folder),
            threads=1,
            dry_run=dry_run,
            run=RunOptions(workers=1, **options),  # type: ignore[arg-type]
        )
        return index_paths(tmp_path / "index", [bytes(path) for path in paths], chosen)

    return go

"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Cli, runner


@pytest.fixture
def cli(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> Cli:
    """Runs cmrcli in a process of its own against the shared index (or --index of the caller)."""
    return runner(indexed[1], tiny_encoder_folder)

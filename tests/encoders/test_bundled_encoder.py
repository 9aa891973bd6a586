"""The encoder that comes with cmrcli works here as it did where it was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmrcli.encoders import golden, locate
from cmrcli.encoders.manifest import load_manifest
from cmrcli.encoders.selftest import self_test


@pytest.fixture(scope="module")
def folder() -> Path:
    return locate.bundled()


def test_it_passes_its_self_test(folder: Path) -> None:
    assert self_test(folder) == []


def test_its_golden_vectors_are_its_own(folder: Path) -> None:
    manifest = load_manifest(folder)
    stored = golden.load_golden(folder, manifest.dim)
    assert stored is not None, f"python -m cmrcli.encoders.selftest --write {folder}"
    assert stored.digest == manifest.digest
    assert set(stored.texts) == set(golden.TEXTS) and set(stored.pictures) == set(golden.pictures())

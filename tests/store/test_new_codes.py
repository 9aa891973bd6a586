"""Codes of every method on disk, and indexes that keep codes alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cmrcli.codes import fit
from cmrcli.errors import IndexFormatError, UsageError
from cmrcli.store import (
    check,
    graph_settings,
    layout,
    manifests,
    open_reader,
    open_writer,
    rewriting,
    schema,
)  # fmt: skip
from cmrcli.store.batches import Batch
from cmrcli.store.vectors import StoredVectors
from tests.store.samples import DIM, ENCODER, batch
from tests.store.test_damage import flip


def sample(folder: Path) -> np.ndarray:
    with open_reader(folder) as reader:
        return np.concatenate([segment.vectors for segment in reader.segments])


@pytest.mark.parametrize(("method", "bits"), [("sign", DIM), ("itq", 33), ("rotation", 140), ("projections", 64)])
def test_codes_of_every_method_are_kept_through_commits_and_compaction(tmp_path: Path, method: str, bits: int) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [0, 1]))
        book = fit(method, sample(tmp_path), bits, seed=3)
        writer.rewrite_codes(book)
        writer.commit(batch(root.id, [2]))
        for number in (3, 4):
            writer.commit(batch(root.id, [number]))
        gone = writer.files_in(root.id, b"drawings")[b"part-0.pdf"].id
        writer.commit(Batch(removed_file_ids=[gone]))
        assert check(tmp_path) == []
        writer.maintain()
    assert check(tmp_path) == []
    with open_reader(tmp_path) as reader:
        (segment,) = reader.segments
        assert reader.codebook is not None and (reader.codebook.method, reader.codebook.bits) == (method, bits)
        assert np.array_equal(reader.codebook.encode(segment.vectors), segment.codes)
        if method == "rotation":
            assert segment.factors is not None and np.array_equal(book.factors(segment.vectors), segment.factors)
        else:
            assert segment.factors is None


def test_check_names_damaged_factors(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/data").id, [0, 1]))
        writer.rewrite_codes(fit("rotation", sample(tmp_path)))
    (path,) = tmp_path.glob("segments/*/factors.f16")
    flip(path)
    assert [finding.path for finding in check(tmp_path)] == [path.relative_to(tmp_path).as_posix()]


def test_check_finds_codes_of_another_vector_behind_a_right_checksum(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/data").id, [0, 1]))
        book = fit("itq", sample(tmp_path))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rewriting, "_blocks", lambda vectors: [StoredVectors(np.roll(vectors.values, 1, axis=0))])
            writer.rewrite_codes(book)
    assert ["does not fit" in finding.message for finding in check(tmp_path)] == [True]


def test_codes_alone_are_kept_and_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [0, 1]))
        assert not writer.codes_only
        vectors = sample(tmp_path)
        book = fit("rotation", vectors, 2 * DIM)
        writer.rewrite_codes(book, drop_vectors=True)
        assert writer.codes_only and list(tmp_path.glob("segments/*/vectors.f16")) == []
        with open_reader(tmp_path) as reader:
            (segment,) = reader.segments
            assert segment.kept_vectors is None and np.array_equal(segment.codes, book.encode(vectors))
            with pytest.raises(UsageError, match="codes alone") as refused:
                segment.vectors  # noqa: B018
            assert "index the folders again" in refused.value.remedy
        for number in (2, 3, 4):
            writer.commit(batch(root.id, [number]))
        monkeypatch.setattr(graph_settings, "AUTO_ROWS", 1)
        report = writer.maintain()
        assert (report.segments_after, report.graphs_built, report.codes_refitted) == (1, 0, False)
        with pytest.raises(UsageError, match="codes alone"):
            writer.rewrite_codes(book)
    assert check(tmp_path) == []
    with open_reader(tmp_path) as reader:
        (segment,) = reader.segments
        assert segment.factors is not None and segment.factors.shape == (30, 2) and segment.kept_vectors is None
        assert np.array_equal(segment.codes[:12], book.encode(vectors))


def test_programs_that_do_not_know_codes_alone_refuse_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/data").id, [0]))
        writer.rewrite_codes(fit("sign", sample(tmp_path)), drop_vectors=True)
    (manifest,) = tmp_path.glob("segments/*/manifest.json")
    assert json.loads(manifest.read_text())["reader_features"] == [layout.CODES_ONLY]
    monkeypatch.setattr(schema, "READER_FEATURES", frozenset())
    for refuse in (open_reader, lambda folder: open_writer(folder, None), check):
        with pytest.raises(IndexFormatError, match="codes-only") as refused:
            refuse(tmp_path)
        assert "newer cmrcli" in refused.value.remedy
    monkeypatch.setattr(schema, "READER_FEATURES", layout.READER_FEATURES)
    monkeypatch.setattr(manifests, "READER_FEATURES", frozenset())
    with pytest.raises(IndexFormatError, match="does not know"):
        open_reader(tmp_path)


def test_a_new_index_asks_nothing_of_its_readers(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/data").id, [0]))
        assert schema.reader_features(writer.connection) == []
    (manifest,) = tmp_path.glob("segments/*/manifest.json")
    assert json.loads(manifest.read_text())["reader_features"] == []

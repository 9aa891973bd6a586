"""Vectors kept as int8 with a scale each: how near they stay, and that an index of them is as whole as any other."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from cmrcli.codes import fit
from cmrcli.errors import EmbeddingError, IndexDamaged, IndexFormatError, UsageError
from cmrcli.store import (
    check,
    graph_settings,
    layout,
    maintenance,
    manifests,
    open_reader,
    open_writer,
    rewriting,
    schema,
)
from cmrcli.store.batches import Batch, NewContent, NewFragment, NewItem
from cmrcli.store.vectors import LARGEST, StoredVectors, pack
from cmrcli.store.writer import Writer
from tests.store.samples import DIM, ENCODER, batch, content, state, update
from tests.store.test_damage import flip

FEW = arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 9)),
    elements=st.floats(-(2.0**100), 2.0**100, width=32),
)


def new_index(folder: Path, numbers: range = range(2)) -> Writer:
    writer = open_writer(folder, ENCODER)
    assert not writer.keep_vectors_as("i8")
    root = writer.add_root(b"/data")
    for number in numbers:
        writer.commit(batch(root.id, [number]))
    return writer


def expected(*numbers: int) -> NDArray[np.float32]:
    return np.stack([f.vector for n in numbers for item in content(n).items for f in item.fragments])


@given(FEW)
def test_a_component_is_off_by_half_a_scale_at_most_and_the_largest_by_nothing(vectors: NDArray[np.float32]) -> None:
    packed = pack(vectors, "i8")
    assert packed.sound() and packed.scales is not None and packed.values.dtype == np.int8
    scales = packed.scales.astype(np.float64)[:, np.newaxis]
    off = np.abs(packed[:].astype(np.float64) - vectors.astype(np.float64))
    smallest = LARGEST * float(np.finfo(np.float32).tiny)
    assert (off <= np.maximum(scales * (0.5 + 1e-4), smallest)).all()
    largest = np.abs(vectors).max(axis=1)
    assert (np.abs(np.abs(packed[:]).max(axis=1) - largest) <= np.maximum(largest * 1e-6, smallest)).all()
    assert (np.abs(packed.values.astype(int)).max(axis=1) == np.where(scales[:, 0] > 0, LARGEST, 0)).all()


@given(FEW, st.sampled_from(["f16", "i8"]), st.data())
def test_rows_blocks_and_products_are_those_of_the_whole(
    vectors: NDArray[np.float32], form: str, data: st.DataObject
) -> None:
    packed = pack(np.clip(vectors, -1e3, 1e3), form)
    whole = np.array(packed)
    assert whole.dtype == np.float32 and packed.shape == whole.shape == vectors.shape and packed.ndim == 2
    rows = np.array(data.draw(st.lists(st.integers(0, len(vectors) - 1), max_size=7)), dtype=np.intp)
    assert np.array_equal(packed[rows], whole[rows]) and np.array_equal(packed.part(rows)[:], whole[rows])
    assert np.array_equal(packed[1:], whole[1:]) and all(np.array_equal(packed[i], whole[i]) for i in range(len(whole)))
    assert np.array_equal(np.concatenate([block[:] for block in packed.blocks()]), whole)
    query = np.linspace(-1, 1, vectors.shape[1], dtype=np.float32)
    bound = 1e-5 * (np.abs(whole[rows]) @ np.abs(query)) + 1e-30
    assert (np.abs(packed.products(rows, query) - whole[rows] @ query) <= bound).all()


def test_what_int8_cannot_hold_is_told_from_what_it_can() -> None:
    assert not StoredVectors(np.int8([[-128, 1]]), np.float32([0.5])).sound()
    for scale in (np.nan, np.inf, -0.5):
        damaged = StoredVectors(np.int8([[0, 1]]), np.float32([scale]))
        assert not damaged.sound()
        damaged[:]  # and says nothing on stderr
    assert not StoredVectors(np.float16([[np.nan]])).sound() and StoredVectors(np.float16([[1]])).sound()
    with pytest.raises(ValueError, match="f8"):
        pack(np.float32([[1]]), "f8")


def test_an_index_of_int8_goes_through_commits_compaction_codes_and_graphs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_index(tmp_path, range(5)) as writer:
        (root,) = writer.roots()
        before = [(s.rows.tolist(), s.kept_vectors, s.scales) for s in open_reader(tmp_path).segments]
        gone = writer.files_in(root.id, b"drawings")[b"part-0.pdf"].id
        writer.commit(Batch(removed_file_ids=[gone]))
        assert check(tmp_path) == []
        monkeypatch.setattr(graph_settings, "AUTO_ROWS", 20)
        report = writer.maintain()
        assert (report.segments_after, report.graphs_built) == (1, 1)
        assert check(tmp_path) == []
        writer.rewrite_codes(fit("rotation", expected(1, 2, 3, 4)))
        assert writer.sample_vectors(100, 0)[1].shape == (24, DIM)
    assert check(tmp_path) == [] and list(tmp_path.glob("segments/*/vectors.f16")) == []
    with open_reader(tmp_path) as reader:
        (segment,) = reader.segments
        assert segment.graph_path is not None and segment.scales is not None and segment.factors is not None
        for rows, values, scales in before[1:]:  # byte for byte, never rounded again
            assert values is not None and scales is not None
            places = np.searchsorted(segment.rows, rows)
            assert np.array_equal(segment.kept_vectors[places], values)  # type: ignore[index]
            assert np.array_equal(segment.scales[places], scales)
        assert np.abs(segment.vectors[:] - expected(1, 2, 3, 4)).max() <= segment.scales.max() * 0.5001
        assert reader.codebook is not None and np.array_equal(reader.codebook.encode(segment.vectors), segment.codes)
        statistics = reader.statistics()
        assert statistics.vectors == "i8" and statistics.bytes_by_part["vectors"] == 24 * (DIM + 4)
        assert segment.vectors.nbytes == 24 * (DIM + 4)


def test_float16_becomes_int8_in_one_transaction_and_not_the_other_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [0, 1, 2]))
        gone = writer.files_in(root.id, b"drawings")[b"part-1.pdf"].id
        writer.commit(Batch(removed_file_ids=[gone]))
        monkeypatch.setattr(graph_settings, "AUTO_ROWS", 10)
        monkeypatch.setattr(maintenance, "WORN_SHARE", 1)
        assert writer.maintain().graphs_built == 1
        old = open_reader(tmp_path)
        assert not writer.keep_vectors_as("f16") and writer.must_convert("i8")
        assert writer.keep_vectors_as("i8") and not writer.keep_vectors_as("i8")
        with open_reader(tmp_path) as reader:
            (segment,), (before,) = reader.segments, old.segments
            assert segment.dead is not None and before.dead is not None and np.array_equal(segment.dead, before.dead)
            assert np.array_equal(segment.vectors[:], pack(before.vectors[:], "i8")[:])
            assert segment.graph_path is None, "a graph of other vectors"
            assert reader.codebook is not None and old.codebook is not None
            assert (reader.codebook.centre == old.codebook.centre).all()
        old.close()
        assert check(tmp_path) == []
        writer.commit(batch(root.id, [3]))
        assert writer.maintain().graphs_built >= 1
        with pytest.raises(UsageError, match="keeps its vectors as i8; f16 cannot") as refused:
            writer.keep_vectors_as("f16")
        assert "--vectors f16" in refused.value.remedy
        with pytest.raises(UsageError, match="f8"):
            writer.keep_vectors_as("f8")
        with open_reader(tmp_path) as reader:
            codes = fit("sign", np.concatenate([segment.vectors for segment in reader.segments]))
        writer.rewrite_codes(codes, drop_vectors=True)
        writer.commit(batch(root.id, [4]))
        for form in ("i8", "f16"):
            with pytest.raises(UsageError, match="codes alone"):
                writer.keep_vectors_as(form)
        assert open_reader(tmp_path).statistics().vectors is None
    assert check(tmp_path) == []


def test_what_comes_in_is_looked_at_as_with_float16(tmp_path: Path) -> None:
    with new_index(tmp_path) as writer:
        (root,) = writer.roots()
        before = state(tmp_path)
        for wrong in (np.nan, np.inf, 1e6):
            with pytest.raises(EmbeddingError, match="not finite"), np.errstate(over="ignore"):
                writer.commit(one_fragment(root.id, np.full(DIM, wrong, np.float32)))
        with pytest.raises(EmbeddingError, match="shape"):
            writer.commit(one_fragment(root.id, np.ones(DIM + 1, np.float32)))
        assert state(tmp_path) == before
        writer.commit(one_fragment(root.id, np.zeros(DIM, np.float32)))  # nothing near it, but nothing wrong with it
    assert check(tmp_path) == []


def one_fragment(root_id: int, vector: NDArray[np.float32]) -> Batch:
    made = NewContent(
        content(9).digest, "png", [NewItem(None, "photo", "", "", 1, 1, "", [NewFragment("whole", vector)])]
    )
    return Batch([made], [update(root_id, b"", b"new.png", 9)])


@pytest.mark.parametrize("name", ["vectors.i8", "scales.f32"])
def test_damage_is_named(tmp_path: Path, name: str) -> None:
    new_index(tmp_path, range(1)).close()
    (path,) = tmp_path.glob(f"segments/*/{name}")
    flip(path)
    assert [(f.path, f.message) for f in check(tmp_path)] == [
        (path.relative_to(tmp_path).as_posix(), "fails its checksum")
    ]
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(IndexDamaged, match="bytes instead of"):
        open_reader(tmp_path)
    path.unlink()
    with pytest.raises(IndexDamaged):
        open_reader(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda files: files["scales.f32"].update(shape=[3, 4], bytes=48), "does not fit the catalog"),
        (lambda files: files["vectors.i8"].update(dtype="<f2", shape=[12, 35]), "contradicts itself"),
        (lambda files: files.pop("scales.f32"), "contradicts itself"),
    ],
)
def test_a_manifest_that_lies_is_refused(tmp_path: Path, change: object, message: str) -> None:
    new_index(tmp_path, range(2)).close()
    path = sorted(tmp_path.glob("segments/*/manifest.json"))[0]
    manifest = json.loads(path.read_text())
    change(manifest["files"])  # type: ignore[operator]
    path.write_text(json.dumps(manifest))
    with pytest.raises(IndexDamaged, match=message):
        open_reader(tmp_path)
    assert "fails its checksum" in check(tmp_path)[0].message


def test_vectors_of_another_form_than_the_catalog_says_are_damage(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        for number in range(3):
            writer.commit(batch(root.id, [number]))
        schema.add_reader_feature(writer.connection, layout.INT8_VECTORS)
        writer.commit(batch(root.id, [3]))
        assert ["other vectors than the i8" in finding.message for finding in check(tmp_path)] == [True] * 3
        with pytest.raises(IndexDamaged, match="different forms"):
            writer.maintain()
        assert len(list((tmp_path / "segments").iterdir())) == 4


def test_programs_that_do_not_know_int8_refuse_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_index(tmp_path).close()
    manifest = json.loads(next(iter(tmp_path.glob("segments/*/manifest.json"))).read_text())
    assert manifest["reader_features"] == [layout.INT8_VECTORS]
    assert (manifest["files"]["vectors.i8"]["dtype"], manifest["files"]["scales.f32"]["dtype"]) == ("|i1", "<f4")
    monkeypatch.setattr(schema, "READER_FEATURES", frozenset({layout.CODES_ONLY}))
    for refuse in (open_reader, lambda folder: open_writer(folder, None), check):
        with pytest.raises(IndexFormatError, match="int8-vectors") as refused:
            refuse(tmp_path)
        assert "newer cmrcli" in refused.value.remedy
    monkeypatch.setattr(schema, "READER_FEATURES", layout.READER_FEATURES)
    monkeypatch.setattr(manifests, "READER_FEATURES", frozenset({layout.CODES_ONLY}))
    with pytest.raises(IndexFormatError, match="does not know"):
        open_reader(tmp_path)


def test_a_row_is_read_as_format_md_says(tmp_path: Path) -> None:
    new_index(tmp_path, range(1)).close()
    (values,), (scales,) = tmp_path.glob("segments/*/vectors.i8"), tmp_path.glob("segments/*/scales.f32")
    row = 5
    (scale,) = struct.unpack_from("<f", scales.read_bytes(), 4 * row)
    numbers = struct.unpack_from(f"<{DIM}b", values.read_bytes(), DIM * row)
    with open_reader(tmp_path) as reader:
        assert reader.segments[0].vectors[row].tolist() == [float(np.float32(n) * np.float32(scale)) for n in numbers]


def test_an_interrupted_conversion_leaves_float16_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [0]))
        writer.commit(batch(root.id, [1]))
        before, calls = state(tmp_path), iter(range(3))

        def interrupted(vectors: NDArray[np.float32], form: str) -> StoredVectors:
            if next(calls, None) is None:  # of the second segment
                raise KeyboardInterrupt
            return pack(vectors, form)

        monkeypatch.setattr(rewriting, "pack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.keep_vectors_as("i8")
        assert state(tmp_path) == before and check(tmp_path) == [] and writer.vector_form == "f16"

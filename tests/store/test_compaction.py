"""Maintenance: an index that grew, shrank and was compacted says the same as a fresh one, and is as small."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.codes.fitting import fit_sign
from cmrcli.store import check, graph, graph_settings, maintenance, open_reader, open_writer
from cmrcli.store.batches import Batch
from cmrcli.store.records import EncoderIdentity, FileState
from cmrcli.store.segments import Segment, SegmentRow, open_segment
from cmrcli.store.writer import Writer
from tests.store.samples import ENCODER, batch, content, state, update


def files(writer: Writer, root_id: int) -> dict[bytes, FileState]:
    return writer.files_in(root_id, b"drawings")


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("amrc"), st.integers(0, 7)), min_size=1, max_size=14))
def test_add_remove_compact_equals_a_fresh_index(steps: list[tuple[str, int]]) -> None:
    """a: add, m: change the content, r: remove, c: compact."""
    expected: dict[bytes, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        lived, fresh = Path(folder, "lived"), Path(folder, "fresh")
        with open_writer(lived, ENCODER) as writer:
            root = writer.add_root(b"/data")
            for what, number in steps:
                name = b"part-%d.pdf" % number
                if what == "c":
                    writer.maintain()
                elif what == "r":
                    writer.commit(
                        Batch(removed_file_ids=[f.id for n, f in files(writer, root.id).items() if n == name])
                    )
                    expected.pop(name, None)
                else:
                    held = number if what == "a" else number + 4  # changed contents meet those of other names
                    known = writer.known_digests([content(held, 0).digest])
                    new = [] if known else [content(held)]
                    writer.commit(Batch(new, [update(root.id, b"drawings", name, held)]))
                    expected[name] = held
            writer.maintain()
        with open_writer(fresh, ENCODER) as writer:
            root = writer.add_root(b"/data")
            contents = [content(number) for number in dict.fromkeys(expected.values())]
            updates = [update(root.id, b"drawings", name, number) for name, number in expected.items()]
            writer.commit(Batch(contents, updates))
        assert state(lived) == state(fresh)
        assert check(lived) == [] == check(fresh)


def test_small_segments_are_merged_and_dead_rows_dropped(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        for number in range(3):
            writer.commit(batch(root.id, [number]))
        assert writer.maintain().segments_after == 3  # three are no crowd
        writer.commit(batch(root.id, [3]))
        before = state(tmp_path)
        report = writer.maintain(lambda stage, done, total: told.append((stage, done, total)))
        assert (report.segments_before, report.segments_after, report.rows_dropped) == (4, 1, 0)
        assert told[-1] == ("merging", 24, 24)
        assert state(tmp_path) == before
        # One dead content in five: worn.
        writer.commit(batch(root.id, [4]))
        writer.commit(Batch(removed_file_ids=[files(writer, root.id)[b"part-1.pdf"].id]))
        before = state(tmp_path)
        report = writer.maintain()
        assert (report.segments_before, report.segments_after, report.rows_dropped) == (2, 2, 6)
        assert state(tmp_path) == before
        # Everything goes: no segment is left, and no folder.
        writer.commit(Batch(removed_file_ids=[file.id for file in files(writer, root.id).values()]))
        assert writer.maintain().segments_after == 0
        assert os.listdir(tmp_path / "segments") == []
        assert writer.maintain().segments_before == 0
    assert check(tmp_path) == []


def test_plan_of_compaction() -> None:
    def due(*sizes: int) -> list[list[int]]:
        rows = [SegmentRow(str(i), size, 0, None, 1, "") for i, size in enumerate(sizes)]
        return [[row.rows for row in group] for group in maintenance._due(rows)]

    assert due(100, 100, 100) == []
    assert due(1, 5_000, 100, 4_000, 1) == [[1, 100, 4_000, 1]]
    assert due(5_000, 6_000, 7_000, 1_000, 2_000, 1_000, 2_000) == [[5_000, 6_000, 7_000, 1_000, 2_000, 1_000, 2_000]]
    assert due(*[3_000_000] * 4) == [[3_000_000] * 4]
    assert due(*[5_000_000] * 9) == []
    worn = SegmentRow("a", 100, 20, b"", 1, "")
    assert maintenance._due([worn]) == [[worn]]
    assert maintenance._due([SegmentRow("a", 100, 19, b"", 1, "")]) == []
    # However many runs: few segments, and each row is rewritten only a handful of times.
    sizes, written = [], 0
    for _ in range(500):
        sizes.append(1_000)
        for group in due(*sizes):
            for size in group:
                sizes.remove(size)
            sizes.append(sum(group))
            written += sum(group)
        assert len(sizes) <= 3 * 5
    assert written <= 6 * 500_000


def test_codes_are_fitted_again_when_the_index_has_grown(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [0]))
        with open_reader(tmp_path) as reader:
            first = reader.codebook
        writer.commit(batch(root.id, [1, 2]))
        assert not writer.maintain().codes_refitted
        writer.commit(batch(root.id, [3]))
        assert writer.maintain().codes_refitted
        with open_reader(tmp_path) as reader:
            second = reader.codebook
            assert first is not None and second is not None and not np.array_equal(first.centre, second.centre)
            everything = np.concatenate([segment.vectors for segment in reader.segments]).astype(np.float32)
            assert np.allclose(second.centre, everything.mean(axis=0), atol=1e-3)
        # A codebook that the user chose stays.
        chosen = fit_sign(everything[:5])
        writer.rewrite_codes(chosen)
        writer.commit(batch(root.id, range(4, 40)))
        assert not writer.maintain().codes_refitted
        with open_reader(tmp_path) as reader:
            assert reader.codebook is not None and np.array_equal(reader.codebook.centre, chosen.centre)
    assert check(tmp_path) == []


def test_rewriting_codes_shares_the_vectors(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [0, 1]))
        writer.commit(Batch(removed_file_ids=[files(writer, root.id)[b"part-0.pdf"].id]))
        (old,) = tmp_path.glob("segments/*/vectors.f16")
        inode = old.stat().st_ino
        writer.rewrite_codes(fit_sign(np.zeros((1, ENCODER.dim), dtype=np.float32)))
        (new,) = tmp_path.glob("segments/*/vectors.f16")
        assert new != old and new.stat().st_ino == inode
    with open_reader(tmp_path) as reader:
        (segment,) = reader.segments
        assert segment.dead is not None and segment.dead.tolist() == [True] * 6 + [False] * 6
    assert check(tmp_path) == []


def test_large_segments_get_a_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hnswlib")
    monkeypatch.setattr(graph_settings, "AUTO_ROWS", 20)
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [0]))
        writer.commit(batch(root.id, range(1, 6)))
        assert writer.maintain(graphs=False).graphs_built == 0
        assert writer.maintain().graphs_built == 1
        assert writer.maintain().graphs_built == 0
        assert check(tmp_path) == []
        with open_reader(tmp_path) as reader:
            (path,) = [segment.graph_path for segment in reader.segments if segment.graph_path is not None]
            loaded = graph.load(path, graph.GraphExpectation(ENCODER.dim, 30, ENCODER.digest))
            assert loaded is not None
        writer.rewrite_codes(fit_sign(np.zeros((1, ENCODER.dim), dtype=np.float32)))
        (path,) = tmp_path.glob("segments/*/graph.hnsw")
        assert check(tmp_path) == []
        path.write_bytes(path.read_bytes()[:-1])
        (finding,) = check(tmp_path)
        assert finding.severity == "note" and finding.path == path.relative_to(tmp_path).as_posix()
        (path.parent / "graph.hnsw.half").write_bytes(b"x")
        assert writer.maintain().leftovers_removed == 1


def test_deleting_much_shrinks_the_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "FREE_PAGES", 10)
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, range(400)))
        writer.maintain()
        grown = writer.connection.execute("PRAGMA page_count").fetchone()[0]
        writer.forget_root(root.id)
        writer.maintain()
        assert writer.connection.execute("PRAGMA page_count").fetchone()[0] < grown / 2
    assert check(tmp_path) == []


def test_a_reader_survives_a_compaction_at_the_worst_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The segments vanish between the catalog's answer and the opening of their files."""
    import cmrcli.store.reader as reader_module

    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        for number in range(4):
            writer.commit(batch(root.id, [number]))
        calls: list[SegmentRow] = []

        def racing(index: Path, row: SegmentRow, encoder: EncoderIdentity) -> Segment:
            if not calls:
                writer.maintain()
            calls.append(row)
            return open_segment(index, row, encoder)

        monkeypatch.setattr(reader_module, "open_segment", racing)
        with open_reader(tmp_path) as reader:
            assert [len(segment.rows) for segment in reader.segments] == [24]
        assert len(calls) == 2

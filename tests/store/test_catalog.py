"""Commits and look-ups: what goes in comes out, duplicates share, deletions leave nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from cmrcli.errors import EmbeddingError, EncoderError, IndexMissing, UsageError
from cmrcli.store import check, open_reader, open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.records import EncoderIdentity, Filter
from tests.store.samples import DIM, ENCODER, batch, content, state, update, vector


def test_a_commit_comes_back_as_it_was_given(tmp_path: Path) -> None:
    with open_writer(tmp_path / "index", ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [1, 2]))
    with open_reader(tmp_path / "index") as reader:
        (segment,) = reader.segments
        assert segment.vectors.shape == (12, DIM) and segment.codes.shape == (12, 2)
        hits = reader.fragments(segment.rows.tolist())
        for number in (1, 2):
            given = content(number)
            got = [hit for hit in hits.values() if hit.title == f"Part {number}"]
            expected = [
                (item.page, item.kind, item.label, fragment.role, fragment.box, fragment.text)
                for item in given.items
                for fragment in item.fragments
            ]
            assert [(h.page, h.kind, h.label, h.role, h.box, h.text) for h in got] == expected
            rows = np.searchsorted(segment.rows, [hit.fragment_id for hit in got])
            vectors = np.stack([fragment.vector for item in given.items for fragment in item.fragments])
            assert np.array_equal(segment.vectors[rows], vectors.astype(np.float16).astype(np.float32))
            (place,) = reader.places([got[0].content_id])[got[0].content_id]
            assert place.path == b"/data/drawings/part-%d.pdf" % number
            first = reader.whole_fragments([got[0].item_id])[got[0].item_id]
            assert first == got[0]
        assert reader.codebook is not None
        assert np.array_equal(reader.codebook.encode(segment.vectors), segment.codes)
        assert not reader.fragments([10_000]) and not reader.places([10_000]) and not reader.whole_fragments([99])
    assert check(tmp_path / "index") == []


def test_equal_files_share_a_content_until_the_last_one_goes(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(Batch([content(1)], [update(root.id, b"", b"a.pdf", 1), update(root.id, b"b", b"b.pdf", 1)]))
        assert writer.known_digests([content(1).digest, content(2).digest]) == {content(1).digest}
        assert writer.digests_of_size(101) == {content(1).digest} and writer.digests_of_size(7) == set()
        # A rename: a new path for a known digest, the old path removed.
        old = writer.files_in(root.id, b"")[b"a.pdf"]
        writer.commit(Batch([], [update(root.id, b"c", b"renamed.pdf", 1)], [old.id]))
        assert writer.directories(root.id) == [b"b", b"c"] and writer.file_count(root.id) == 2
        with open_reader(tmp_path) as reader:
            assert [p.relpath for p in reader.places([1])[1]] == [b"b/b.pdf", b"c/renamed.pdf"]
            assert reader.segments[0].dead is None
        for folder in (b"b", b"c"):
            gone = [file.id for file in writer.files_in(root.id, folder).values()]
            writer.commit(Batch(removed_file_ids=gone))
        with open_reader(tmp_path) as reader:
            assert reader.places([1]) == {} and reader.words("flange", 5) == [] == reader.words("renamed", 5)
            assert reader.segments[0].dead is not None and reader.segments[0].dead.all()
        assert writer.directories(root.id) == []
    assert check(tmp_path) == []


def test_a_changed_file_replaces_its_content(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [1, 2]))
        before = writer.files_in(root.id, b"drawings")[b"part-1.pdf"]
        assert writer.stamps_in(root.id, b"drawings") == {b"part-1.pdf": (101, 1_000), b"part-2.pdf": (102, 1_000)}
        writer.commit(Batch([content(9)], [update(root.id, b"drawings", b"part-1.pdf", 9, 2_000)]))
        after = writer.files_in(root.id, b"drawings")[b"part-1.pdf"]
        assert after.id == before.id and after.mtime_ns == 2_000 and after.content_id != before.content_id
        assert writer.known_digests([content(1).digest]) == set()
        # Then it cannot be read any more.
        broken = FileUpdate(root.id, b"drawings", b"part-1.pdf", 5, 3_000, None, "damaged", "no \0 trailer")
        writer.commit(Batch(files=[broken]))
        assert list(writer.failures()) == [(b"/data/drawings/part-1.pdf", "damaged", "no   trailer")]
        assert writer.known_digests([content(9).digest]) == set()
    with open_reader(tmp_path) as reader:
        statistics = reader.statistics()
        assert (statistics.files, statistics.contents, statistics.items, statistics.fragments) == (2, 1, 2, 6)
        assert statistics.failed_by_cause == {"damaged": 1} and statistics.roots[0].failed == 1
        assert statistics.by_kind == {"page": 2} and statistics.by_format == {"dxf": 1}
        assert statistics.bytes_by_part["vectors"] == (12 + 6) * DIM * 2
    assert check(tmp_path) == []


def test_one_batch_may_contradict_itself_and_the_last_word_counts(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        twice = Batch(
            [content(1), content(2), content(2), content(3)],
            [update(root.id, b"", b"a", 1), update(root.id, b"", b"a", 2)],
        )
        writer.commit(twice)
        assert writer.known_digests([content(n).digest for n in (1, 2, 3)]) == {content(2).digest}
        # Removed and seen again in one batch: it is there.
        gone = writer.files_in(root.id, b"")[b"a"].id
        writer.commit(Batch([], [update(root.id, b"", b"a", 2)], [gone]))
        assert set(writer.files_in(root.id, b"")) == {b"a"}
    assert check(tmp_path) == []


def test_roots_that_are_files_and_names_that_are_no_text(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        single = writer.add_root(b"/data/plan.pdf", single_file=True)
        odd = writer.add_root(b"/")
        writer.commit(Batch([content(1)], [update(single.id, b"", b"plan.pdf", 1)]))
        name, folder = b"\xff\xfe caf\xe9.PDF", b"tmp/\x80\xfe"
        writer.commit(Batch([content(2)], [update(odd.id, folder, name, 2)]))
        assert [root.single_file for root in writer.roots()] == [False, True]
    with open_reader(tmp_path) as reader:
        assert [place.path for place in reader.places([1])[1]] == [b"/data/plan.pdf"]
        (place,) = reader.places([2])[2]
        assert place.path == b"/tmp/\x80\xfe/\xff\xfe caf\xe9.PDF" and place.relpath == folder + b"/" + name
        assert len(reader.fragment_ids(Filter(extensions=frozenset({"Pdf"})))) == 12
        assert [hit.field for hit in reader.words("caf", 5)] == ["name"]
    assert check(tmp_path) == []


def test_forgetting_a_root_takes_everything_below_it(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a", ENCODER) as writer:
        kept, lost = writer.add_root(b"/kept"), writer.add_root(b"/lost")
        writer.commit(batch(kept.id, [1, 2]))
        writer.commit(batch(lost.id, [2, 3, 4]))
        assert writer.forget_root(lost.id) == 3
        assert [root.path for root in writer.roots()] == [b"/kept"]
    with open_writer(tmp_path / "b", ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/kept").id, [1, 2]))
    assert state(tmp_path / "a") == state(tmp_path / "b")
    assert check(tmp_path / "a") == []


def test_the_run_journal_says_who_did_what(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        first = writer.begin_run("index /data")
        second = writer.begin_run("index /killed")
        writer.end_run(first, {"files": 3, "skipped": {"empty": 1}})
        newest, oldest = writer.runs()
        assert (newest.id, newest.ended_ns, newest.summary) == (second, None, {})
        assert oldest.arguments == "index /data" and oldest.summary == {"files": 3, "skipped": {"empty": 1}}
        assert oldest.ended_ns is not None and oldest.ended_ns >= oldest.started_ns
        if hasattr(os, "getuid"):
            assert oldest.user == str(os.getuid())


def test_vectors_that_do_not_fit_are_refused_and_change_nothing(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [1]))
        before = state(tmp_path)
        nan, short = vector(5), vector(5)[:-1]
        nan[3] = np.nan
        for bad in (nan, short):
            broken = NewContent(b"x" * 16, "png", [NewItem(None, "photo", fragments=[NewFragment("whole", bad)])])
            with pytest.raises(EmbeddingError):
                writer.commit(Batch([broken], [FileUpdate(root.id, b"", b"x.png", 1, 1, b"x" * 16)]))
        with pytest.raises(ValueError, match="no content has the digest"):
            writer.commit(Batch(files=[FileUpdate(root.id, b"", b"x.png", 1, 1, b"y" * 16)]))
        with pytest.raises(ValueError, match="either a digest or a cause"):
            writer.commit(Batch(files=[FileUpdate(root.id, b"", b"x.png", 1, 1, None)]))
        assert state(tmp_path) == before
    assert check(tmp_path) == []


def test_an_index_belongs_to_one_encoder(tmp_path: Path) -> None:
    open_writer(tmp_path / "index", ENCODER).close()
    with pytest.raises(EncoderError, match=r"was made with the encoder tiny"):
        open_writer(tmp_path / "index", EncoderIdentity("other", "cd" * 32, DIM))
    with open_writer(tmp_path / "index", None) as writer:  # whatever it was made with
        assert writer.encoder == ENCODER


def test_no_index_is_made_where_it_does_not_belong(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("no index")
    with pytest.raises(UsageError):
        open_writer(tmp_path, ENCODER)
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(IndexMissing):
            open_writer(folder, None)
        with pytest.raises(IndexMissing):
            open_reader(folder)
        with pytest.raises(IndexMissing):
            check(folder)
    assert os.listdir(tmp_path) == ["letter.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
def test_nobody_else_may_look_in(tmp_path: Path) -> None:
    with open_writer(tmp_path / "index", ENCODER) as writer:
        writer.commit(batch(writer.add_root(b"/data").id, [1]))
        paths = list((tmp_path / "index").rglob("*"))
        assert len(paths) >= 8
        for path in [tmp_path / "index", *paths]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_reader_keeps_its_view_while_a_writer_goes_on(tmp_path: Path) -> None:
    with open_writer(tmp_path, ENCODER) as writer:
        root = writer.add_root(b"/data")
        writer.commit(batch(root.id, [1]))
        reader = open_reader(tmp_path)
        vectors = reader.segments[0].vectors[:]
        for number in range(2, 8):
            writer.commit(batch(root.id, [number]))
        assert writer.maintain().segments_after == 1
        assert np.array_equal(reader.segments[0].vectors, vectors) and len(reader.segments) == 1
        assert len(reader.fragments(reader.segments[0].rows.tolist())) == len(vectors)
        with open_reader(tmp_path) as newer:
            assert newer.generation > reader.generation
        reader.close()


def test_filters_agree_with_a_plain_loop(tmp_path: Path) -> None:
    files = [
        (b"/data", b"", b"a.pdf", 1),
        (b"/data", b"sub", b"b.PNG", 2),
        (b"/data", b"sub/deeper", b"c.dxf", 3),
        (b"/data", b"sub-not", b"d.pdf", 4),
        (b"/data", b"sub", b"same-as-d.pdf", 4),
        (b"/other/x.pdf", b"", b"x.pdf", 5),
    ]
    with open_writer(tmp_path, ENCODER) as writer:
        for path, folder, name, number in files:
            root = writer.add_root(path, single_file=path.endswith(b".pdf"))
            writer.commit(Batch([content(number)], [update(root.id, folder, name, number, number * 10)]))
    filters = [
        Filter(kinds=frozenset({"photo", "text"})),
        Filter(extensions=frozenset({"pdf"})),
        Filter(since_ns=20, until_ns=40),
        Filter(under=(b"/data/sub",)),
        Filter(under=(b"/data/sub/", b"/other")),
        Filter(under=(b"/data/sub/b.PNG",)),
        Filter(under=(b"/",)),
        Filter(under=(b"/other/x.pdf",), kinds=frozenset({"photo"})),
        Filter(under=(b"/dat",)),
        Filter(under=(b"/data",), extensions=frozenset({"png", "dxf"}), since_ns=30),
    ]
    sizes = set()
    with open_reader(tmp_path) as reader:
        everything = reader.fragments(range(1, 1_000))
        places = reader.places(range(1, 100))
        for wanted in filters:

            def passes(path: bytes, mtime_ns: int, wanted: Filter = wanted) -> bool:
                return (
                    (
                        not wanted.extensions
                        or path.lower().endswith(tuple(b"." + e.encode() for e in wanted.extensions))
                    )
                    and (wanted.since_ns is None or mtime_ns >= wanted.since_ns)
                    and (wanted.until_ns is None or mtime_ns <= wanted.until_ns)
                    and (
                        not wanted.under
                        or any(path == u or path.startswith(u.rstrip(b"/") + b"/") for u in wanted.under)
                    )
                )

            expected_places = {
                content_id: kept
                for content_id, all_places in places.items()
                if (kept := [place for place in all_places if passes(place.path, place.mtime_ns)])
            }
            assert reader.places(range(1, 100), wanted) == expected_places
            expected = [
                number
                for number, hit in sorted(everything.items())
                if hit.content_id in expected_places and (not wanted.kinds or hit.kind in wanted.kinds)
            ]
            assert reader.fragment_ids(wanted).tolist() == expected
            by_words = {hit.item_id for hit in reader.words("bolt", 100)}
            filtered = {hit.item_id for hit in reader.words("bolt", 100, wanted)}
            assert filtered == by_words & {everything[number].item_id for number in expected}
            sizes.add(len(expected))
    assert len(sizes) >= 5 and 0 in sizes

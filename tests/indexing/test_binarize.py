"""Codes remade: chosen by their recall, switched at once, dry runs and misses that change nothing, vectors dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmrcli.calibration.null import calibrate
from cmrcli.errors import EmbeddingError, UsageError
from cmrcli.indexing.binarize import BinarizeOptions, binarize
from cmrcli.store import check, open_reader, open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.records import EncoderIdentity
from tests.codes.test_quality import clustered
from tests.store.samples import state

DIM = 64
ROWS = 700


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of this test alone."""
    return clustered_index(tmp_path / "index")


def clustered_index(folder: Path) -> Path:
    """ROWS items of one fragment each, in two segments, their vectors in clusters."""
    with open_writer(folder, EncoderIdentity("clusters", "cd" * 32, DIM)) as writer:
        root = writer.add_root(b"/data")
        for half in np.array_split(np.arange(ROWS), 2):
            batch = Batch()
            for number, vector in zip(half.tolist(), clustered(ROWS, DIM, 0)[half], strict=True):
                item = NewItem(None, "photo", width_px=1, height_px=1, fragments=[NewFragment("whole", vector)])
                batch.contents.append(NewContent(number.to_bytes(16, "little"), "png", [item]))
                digest = batch.contents[-1].digest
                batch.files.append(FileUpdate(root.id, b"", b"%d.png" % number, 1, 1, digest))
            writer.commit(batch)
    return folder


def book(folder: Path) -> tuple[str, int]:
    with open_reader(folder) as reader:
        assert reader.codebook is not None
        return reader.codebook.method, reader.codebook.bits


@pytest.mark.parametrize(
    ("method", "bits"), [("sign", 0), ("itq", 32), ("rotation", 128), ("rotation", 0), ("projections", 256)]
)
def test_every_method_is_written_and_reported(index: Path, method: str, bits: int) -> None:
    report = binarize(index, BinarizeOptions(method, bits))
    assert book(index) == (method, bits or DIM) and check(index) == []
    factors = 4 * ROWS if method == "rotation" else 0
    assert report.code_bytes_before == 8 * ROWS
    assert report.code_bytes == 8 * ROWS * -(-(bits or DIM) // 64) + factors
    assert report.vector_bytes == report.vector_bytes_before == 2 * DIM * ROWS
    assert report.recall is not None and report.recall.settings[-1].recall >= 0.95 and report.tried == ()
    with open_reader(index) as reader:
        assert sum(s.codes.nbytes + (0 if s.factors is None else s.factors.nbytes) for s in reader.segments) == (
            report.code_bytes
        )


def test_auto_picks_what_reached_and_the_planner_takes_its_depths(index: Path) -> None:
    report = binarize(index, BinarizeOptions("auto", target_recall=0.95))
    assert report.codebook is not None and any(one.reached for one in report.tried)
    with open_reader(index) as reader:
        assert reader.codebook is not None
        assert reader.codebook.oversampling == report.codebook.oversampling
        assert (reader.codebook.method, reader.codebook.bits) == (report.codebook.method, report.codebook.bits)
    assert check(index) == []


def test_the_generic_texts_of_the_calibration_are_asked_too(index: Path) -> None:
    before = binarize(index, BinarizeOptions("auto", target_recall=0.9, dry_run=True))
    texts = clustered(50, DIM, 8)
    with open_writer(index, None) as writer:
        writer.put_calibration(calibrate(texts, clustered(30, DIM, 9), np.empty((0, DIM), np.float32)).to_bytes())
    after = binarize(index, BinarizeOptions("auto", target_recall=0.9, dry_run=True))
    assert before.recall is not None and after.recall is not None
    assert after.recall.queries == before.recall.queries + len(texts)


def test_the_same_seed_makes_the_same_codes(index: Path) -> None:
    def codes(seed: int) -> list[list[int]]:
        binarize(index, BinarizeOptions("rotation", seed=seed))
        with open_reader(index) as reader:
            return [segment.codes.tolist() for segment in reader.segments]

    assert codes(1) == codes(1) != codes(2)


def test_a_dry_run_and_a_miss_change_nothing(index: Path) -> None:
    with open_reader(index) as reader:
        before = reader.generation
    dry = binarize(index, BinarizeOptions("auto", target_recall=0.9, dry_run=True))
    assert dry.codebook is not None and dry.code_bytes <= dry.code_bytes_before
    missed = binarize(index, BinarizeOptions("itq", 1, target_recall=1.0, drop_vectors=True))
    assert missed.codebook is None and missed.recall is None and not missed.tried[0].reached
    assert missed.vector_bytes == missed.vector_bytes_before and missed.code_bytes == missed.code_bytes_before
    with open_reader(index) as reader:
        assert reader.generation == before and reader.segments[0].kept_vectors is not None


def test_an_interrupt_changes_nothing_and_the_index_answers_all_the_while(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cmrcli.store.rewriting as rewriting

    before = state(index)

    def interrupted(*_: object) -> None:
        assert state(index) == before  # everything is written, and nobody sees it yet
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rewriting, "switch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            binarize(index, BinarizeOptions("rotation", 128))
    assert book(index) == ("sign", DIM) and state(index) == before
    assert all(finding.severity == "note" for finding in check(index))


def test_vectors_are_dropped_for_good(index: Path) -> None:
    report = binarize(index, BinarizeOptions("rotation", 4 * DIM, drop_vectors=True))
    assert (report.vector_bytes, report.vector_bytes_before) == (0, 2 * DIM * ROWS)
    assert report.recall is not None and all(setting.rescored == 0 for setting in report.recall.settings)
    assert list(index.glob("segments/*/vectors.f16")) == [] and check(index) == []
    with pytest.raises(UsageError, match="codes alone") as refused:
        binarize(index)
    assert "another --index" in refused.value.remedy


def test_what_cannot_be_asked_for(index: Path, tmp_path: Path) -> None:
    for options, message in (
        (BinarizeOptions("pq"), "'pq'"),
        (BinarizeOptions("auto", 32), "chooses the bits"),
        (BinarizeOptions("sign", 32), "do not exist"),
        (BinarizeOptions("rotation", 5 * DIM, target_recall=0.5), "do not exist"),
    ):
        with pytest.raises(UsageError, match=message) as refused:
            binarize(index, options)
        assert refused.value.remedy
    open_writer(tmp_path / "empty", EncoderIdentity("clusters", "cd" * 32, DIM)).close()
    with pytest.raises(EmbeddingError, match="fewer than two"):
        binarize(tmp_path / "empty")

"""The whole way: files of ground truth, a real index, a process a mode."""

import json
import shutil
from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.evaluation import evaluate_index


@pytest.fixture
def truth(tmp_path: Path, indexed: tuple[Path, Path]) -> tuple[Path, Path]:
    office, _ = indexed
    picture = shutil.copyfile(office / "photos" / "green.png", tmp_path / "copy.png")
    queries, qrels = tmp_path / "queries.tsv", tmp_path / "qrels.txt"
    queries.write_text(f"pump\thydraulic pump P-200\nseal\tseal ring NBR\nlike\timage:{picture}\n")
    qrels.write_text("pump 0 spec.pdf#1 1\nseal 0 spec.pdf 1\nlike 0 photos/green.png 2\n")
    return queries, qrels


def test_every_mode_of_a_real_index(
    indexed: tuple[Path, Path], truth: tuple[Path, Path], tiny_encoder_folder: Path
) -> None:
    done = evaluate_index(
        indexed[1],
        *truth,
        modes=("exact", "codes", "words", "auto"),
        k=5,
        repeats=1,
        encoder=tiny_encoder_folder,
        threads=1,
    )
    modes = {mode.mode: mode for mode in done.modes}
    assert done.items > 5 and done.bytes_by_part["vectors"] > 0
    for mode in modes.values():
        assert mode.notes == ()
        assert mode.resident is not None and 10 << 20 < mode.resident.peak_bytes < 1 << 30
        assert mode.resident.first_query_ms > 0 and 0 < mode.p50_ms <= mode.p95_ms
        assert mode.bytes_per_item > 0
    # Words know nothing of pictures, and find the words; an example finds its twin by its vector.
    assert modes["words"].unanswered == 1 and modes["exact"].unanswered == 0
    assert modes["words"].per_query["pump"]["success@1"] == modes["words"].per_query["seal"]["success@1"] == 1
    assert modes["exact"].per_query["like"]["success@1"] == modes["auto"].per_query["like"]["success@1"] == 1
    assert modes["codes"].ann_recall is not None and modes["codes"].ann_recall >= 0.8
    assert modes["words"].resident.peak_bytes < modes["exact"].resident.peak_bytes
    assert json.dumps(done.to_json())


def test_a_mistake_in_the_files_comes_before_the_index(truth: tuple[Path, Path], tmp_path: Path) -> None:
    queries, qrels = truth
    qrels.write_text(qrels.read_text() + "valve 0 spec.pdf 1\n")
    with pytest.raises(UsageError, match=r"qrels\.txt:4: unknown query id valve"):
        evaluate_index(tmp_path / "no index", queries, qrels)

"""The protocol from a truth to rows, on a real index with the tiny encoder."""

import shutil
from pathlib import Path

import pytest

from cmrcli.errors import IndexMissing, UsageError
from cmrcli.evaluation import Settings, Subject, evaluate, read_truth
from cmrcli.evaluation.evaluating import Measured
from cmrcli.evaluation.shown.trec import write_run
from tests.offices import make_photo

QUICK = Settings(k=10, repeats=1, cold=False, memory=False)


@pytest.fixture
def files(tmp_path: Path, indexed: tuple[Path, Path]) -> tuple[Path, Path]:
    picture = shutil.copyfile(indexed[0] / "photos" / "green.png", tmp_path / "copy.png")
    queries, qrels = tmp_path / "queries.tsv", tmp_path / "qrels.txt"
    queries.write_text(f"pump\thydraulic pump P-200\nseal\tseal ring NBR\tteam=stores\nlike\timage:{picture}\n")
    qrels.write_text("pump 0 spec.pdf#1 1\nseal 0 spec.pdf 1\nlike 0 photos/green.png 2\n")
    return queries, qrels


@pytest.fixture
def subject(indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> Subject:
    return Subject(indexed[1], tiny_encoder_folder, threads=1)


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for name, colour in (("red", (220, 30, 30)), ("blue", (30, 60, 210))):
        (tmp_path / "classes" / name).mkdir(parents=True)
        for seed in range(3):
            make_photo(tmp_path / "classes" / name / f"{seed}.png", colour, seed)
    return tmp_path / "classes"


def rows(measured: Measured) -> dict[tuple[str, str], object]:
    return {(row.part, row.mode): row for row in measured.evaluation.rows}


def test_every_mode_of_an_index(files: tuple[Path, Path], subject: Subject) -> None:
    modes = ("exact", "codes", "hamming", "words", "auto")
    settings = Settings(modes=modes, k=10, repeats=1)
    done = evaluate(read_truth(files), subject, settings)
    by_mode = {row.mode: row for row in done.evaluation.rows}
    assert tuple(by_mode) == modes
    for row in by_mode.values():
        assert row.cost.warm is not None and 0 < row.cost.warm.p50_ms <= row.cost.warm.p99_ms
        assert row.cost.cold is not None and row.cost.cold.p50_ms > row.cost.warm.p50_ms
        assert row.cost.resident is not None and 10 << 20 < row.cost.resident.peak_bytes < 1 << 30
        assert row.cost.bytes_per_item is not None and row.cost.bytes_per_item > 0
    # Words know nothing of pictures, and find the words; an example finds its twin by its vector.
    assert by_mode["words"].unanswered == 1 and by_mode["exact"].unanswered == 0
    assert by_mode["words"].per_query["pump"]["success@1"] == by_mode["words"].per_query["seal"]["success@1"] == 1
    assert by_mode["exact"].per_query["like"]["success@1"] == by_mode["auto"].per_query["like"]["success@1"] == 1
    assert by_mode["exact"].ann_recall is None
    assert by_mode["codes"].ann_recall == {10: 1.0}
    assert by_mode["hamming"].ann_recall is not None and 0 < by_mode["hamming"].ann_recall[10] <= 1
    balance = by_mode["auto"].balance
    assert balance is not None and {"kind", "folder", "modality", "length"} <= {*balance.groups, *balance.folded}


def test_the_report_says_with_what_it_was_made(files: tuple[Path, Path], subject: Subject) -> None:
    done = evaluate(read_truth(files), subject, QUICK).evaluation
    place = done.environment
    assert place.encoder == "tiny" and place.dim == 64 and place.generation and place.threads == 1
    assert place.versions["numpy"] and place.cores >= 1
    assert done.items > 5 and done.bytes_by_part["vectors"] > 0
    assert set(done.sources) == {str(path) for path in files}
    assert (done.queries, done.judgements, done.relevant, done.absent) == (3, 3, 3, ())
    assert done.main == "success@10"


def test_a_run_written_and_read_again_has_the_same_figures(
    files: tuple[Path, Path], subject: Subject, tmp_path: Path
) -> None:
    truth = read_truth(files)
    asked = evaluate(truth, subject, Settings(modes=("auto",), k=10, repeats=1, cold=False, memory=False))
    write_run(tmp_path / "auto.run", asked.answers[0], "auto")
    read = evaluate(truth, Subject(runs=(tmp_path / "auto.run",)), QUICK)
    (ours,), (theirs,) = asked.evaluation.rows, read.evaluation.rows
    assert theirs.system == "auto.run" and theirs.mode == "run" and theirs.cost.warm is None
    assert theirs.measures == ours.measures and theirs.per_query == ours.per_query
    assert read.evaluation.items == 0


def test_classes_are_asked_of_an_encoder_or_of_the_index_that_holds_them(
    classes: Path, tiny_encoder_folder: Path, tmp_path: Path
) -> None:
    from cmrcli.indexing import IndexOptions, index_paths

    truth = read_truth([classes])
    through_encoder = evaluate(truth, Subject(None, tiny_encoder_folder, 1), Settings(k=5, through="encoder"))
    assert {row.system for row in through_encoder.evaluation.rows} == {"encoder"}
    for row in through_encoder.evaluation.rows:
        assert row.measures["R-precision"].value == 1.0, row.name
    index_paths(tmp_path / "index", [bytes(classes)], IndexOptions(encoder=str(tiny_encoder_folder), threads=1))
    asked = evaluate(truth, Subject(tmp_path / "index", tiny_encoder_folder, 1), Settings(modes=("exact",), k=5))
    assert [(row.system, row.mode) for row in asked.evaluation.rows] == [("index", "exact")] * 2
    for row in asked.evaluation.rows:
        assert row.measures["R-precision"].value == 1.0, row.name


def test_lists_that_are_too_short_for_a_measure_are_told(classes: Path, tiny_encoder_folder: Path) -> None:
    """Each picture has two others of its class among five; the codes' list of one holds one of them at most."""
    truth, subject = read_truth([classes]), Subject(None, tiny_encoder_folder, 1)
    measures = ("mAP@R", "precision@3", "success@1")
    done = evaluate(truth, subject, Settings(k=1, measures=measures, through="encoder")).evaluation
    assert done.notes == (
        "of codes the first 1 documents count, of exact the whole gallery",
        "of the 1 results asked for only: mAP@R, precision@3; they look at up to 3",
    )
    for modes, k in ((("exact", "hamming"), 1), (("exact", "codes"), 10)):
        quiet = Settings(modes=modes, k=k, measures=measures, through="encoder")
        assert evaluate(truth, subject, quiet).evaluation.notes == ()


def test_zero_shot_classes_have_a_mean_of_their_own(classes: Path, tiny_encoder_folder: Path) -> None:
    (classes / "classnames.txt").write_text("blue\nred\n")
    (classes / "blue" / "3.png").write_bytes((classes / "red" / "0.png").read_bytes())  # a wrong label
    done = evaluate(read_truth([classes]), Subject(None, tiny_encoder_folder, 1), Settings(through="encoder", k=2))
    row = done.evaluation.rows[0]
    assert row.measures["success@1"].value == pytest.approx(6 / 7)
    assert row.macro["success@1"] == pytest.approx((3 / 4 + 3 / 3) / 2)


def test_chosen_breakdowns_only(files: tuple[Path, Path], subject: Subject) -> None:
    settings = Settings(modes=("words",), k=10, repeats=1, cold=False, memory=False, by=("modality",))
    balance = evaluate(read_truth(files), subject, settings).evaluation.rows[0].balance
    assert balance is not None and {*balance.groups, *balance.folded} == {"modality"}
    none = Settings(modes=("words",), k=10, repeats=1, cold=False, memory=False, by=("none",))
    balance = evaluate(read_truth(files), subject, none).evaluation.rows[0].balance
    assert balance is not None and balance.groups == balance.folded == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(measures=("nonsense@3",)), "nonsense@3"),
        (Settings(repeats=0), "measure nothing"),
        (Settings(through="window"), "through"),
        (Settings(modes=("telepathy",), cold=False, memory=False), "telepathy"),
    ],
)
def test_what_makes_no_sense_is_refused(
    files: tuple[Path, Path], subject: Subject, settings: Settings, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        evaluate(read_truth(files), subject, settings)


def test_without_an_index_only_a_truth_with_pictures_can_be_asked(
    files: tuple[Path, Path], classes: Path, tiny_encoder_folder: Path, tmp_path: Path
) -> None:
    nowhere = Subject(tmp_path / "no index", tiny_encoder_folder, 1)
    with pytest.raises(IndexMissing):
        evaluate(read_truth(files), nowhere, QUICK)
    assert evaluate(read_truth([classes]), nowhere, Settings(k=3)).evaluation.index == ""


def test_the_index_cannot_be_made_to_answer_what_it_does_not_hold(classes: Path, subject: Subject) -> None:
    with pytest.raises(UsageError, match="none of the folders"):
        evaluate(read_truth([classes]), subject, Settings(through="index", k=3))

"""`cmrcli eval` as scripts and cron use it: exit codes, formats, files, one line for whatever is wrong."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.running import Cli, lines, runner
from tests.offices import make_pdf
from tests.tiny_encoder import make_tiny_encoder

QUICK = ("--no-cold", "--no-memory", "--repeats", "1", "-k", "10")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.csv"
    path.write_text("query,path,team\nhydraulic pump P-200,spec.pdf,a\nM8x25,notes/bolts.md,b\nred,photos/red.png,b\n")
    return path


def test_figures_in_a_pipe_are_lines_of_seven_fields(cli: Cli, pairs: Path) -> None:
    done = cli("eval", pairs, "--modes", "words,auto", *QUICK)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert {len(row) for row in rows} == {7}
    found = {(row[2], row[3]): row[4:] for row in rows}
    assert float(found["auto", "success@10"][0]) == 1.0
    assert float(found["words", "success@1"][0]) >= 2 / 3
    assert found["auto", "p50_ms"][1:] == ["", ""]


def test_the_precision_recall_curve_is_among_the_lines(cli: Cli, pairs: Path) -> None:
    done = cli("eval", pairs, "--modes", "words", *QUICK)
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    curve = {
        row[3].removeprefix("precision@recall="): float(row[4]) for row in rows if row[3].startswith("precision@r")
    }
    assert list(curve) == ["0", *(f"0.{tenth}" for tenth in range(1, 10)), "1"]
    assert curve["0"] >= curve["0.5"] >= curve["1"] > 0


def test_what_would_not_be_measured_is_refused_at_once(cli: Cli, pairs: Path) -> None:
    for options in (("--recommend", "--cheapest", "memory"), ("--pareto", "cold_p50_ms")):
        done = cli("eval", pairs, *options, *QUICK)
        assert done.returncode == 2 and b"is not measured" in done.stderr and done.stdout == b""


def test_queries_of_known_items_outlive_the_evaluation(cli: Cli, tmp_path: Path) -> None:
    done = cli("eval", "--self", "--modes", "exact", "--write-truth", tmp_path / "self", *QUICK)
    assert done.returncode == 0, done.stderr
    names = [tmp_path / "self" / f"{name}-copy-picture.{end}" for name, end in (("queries", "tsv"), ("qrels", "txt"))]
    assert "image:pictures/copy1.jpg" in names[0].read_text()
    again = cli("eval", *names, "--modes", "exact", "--format", "json", *QUICK)
    assert json.loads(again.stdout)["rows"][0]["measures"]["success@10"]["value"] == 1.0


def test_json_and_json_lines_say_the_same(cli: Cli, pairs: Path) -> None:
    document = json.loads(cli("eval", pairs, "--modes", "words", "--format", "json", "--per-query", *QUICK).stdout)
    assert document["type"] == "evaluation" and document["schema"] == 1
    (row,) = document["rows"]
    assert row["mode"] == "words" and len(row["per_query"]) == 3
    *first, last = lines(cli("eval", pairs, "--modes", "words", "--format", "jsonl", *QUICK))
    assert [one["type"] for one in first] == ["row"] and last["type"] == "summary"
    assert first[0]["measures"] == row["measures"] and "per_query" not in first[0]


def test_markdown_is_a_table(cli: Cli, pairs: Path) -> None:
    text = cli("eval", pairs, "--modes", "words", "--format", "markdown", *QUICK).stdout.decode()
    assert text.startswith("| ") and "| words |" in text


def test_requirements_decide_the_exit_code(cli: Cli, pairs: Path) -> None:
    met = cli("eval", pairs, "--modes", "words,auto", "--require", "success@10>=0.9", "--quiet", *QUICK)
    assert (met.returncode, met.stdout) == (0, b"")
    failed = cli("eval", pairs, "--modes", "words", "--require", "success@1 > 1", "--quiet", *QUICK)
    assert failed.returncode == 1 and b"success@1" in failed.stderr and failed.stdout == b""
    wrong = cli("eval", pairs, "--require", "succes@1>=0.5", *QUICK)
    assert wrong.returncode == 2 and b"success@1" in wrong.stderr
    nonsense = cli("eval", pairs, "--require", "good", *QUICK)
    assert nonsense.returncode == 2 and len(nonsense.stderr.splitlines()) == 1


def test_quiet_says_nothing_where_some_mode_meets_all(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "poor.run").write_text("q1 Q0 notes/bolts.md 1 1 t\n")
    asked = ("eval", pairs, "--run", tmp_path / "poor.run", "--modes", "auto", "--require", "success@10>=0.9", *QUICK)
    quiet = cli(*asked, "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, b"", b"")
    assert b"poor.run run: success@10 0 < 0.9" in cli(*asked).stderr


def test_a_recommendation_names_its_command(cli: Cli, pairs: Path) -> None:
    done = cli("eval", pairs, "--modes", "exact,words", "--require", "success@10>=0.6", "--recommend",
               "--pareto", "bytes_per_item", "--format", "json", *QUICK)  # fmt: skip
    document = json.loads(done.stdout)
    assert document["recommendation"]["command"].startswith("cmrcli search --mode words")
    assert {point["row"] for point in document["pareto"]["points"]} == {"exact", "words"}
    assert document["requirements"]["met"] is True


def test_files_that_are_asked_for(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    done = cli("eval", pairs, "--modes", "words,auto", "--plot", tmp_path / "plot.svg", "--sheet", tmp_path / "s.html",
               "--write-run", tmp_path / "out.run", "--write-truth", tmp_path / "truth", *QUICK)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")
    assert "hydraulic pump P-200" in (tmp_path / "s.html").read_text()
    assert (tmp_path / "out-words.run").read_text().count(" Q0 ") >= 2
    again = cli("eval", tmp_path / "truth" / "queries.tsv", tmp_path / "truth" / "qrels.txt",
                "--run", tmp_path / "out-auto.run", "--format", "json")  # fmt: skip
    assert json.loads(again.stdout)["rows"][0]["measures"]["success@10"]["value"] == 1.0


def test_a_protocol_repeats_the_evaluation(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "protocol.toml"
    first = cli("eval", pairs, "--modes", "words,exact", "--measures", "MRR,nDCG@10", "--seed", "7", "--format", "json",
                "--write-protocol", protocol, *QUICK)  # fmt: skip
    again = cli("eval", protocol, "--format", "json")
    one, two = (json.loads(run.stdout) for run in (first, again))
    assert [row["measures"] for row in one["rows"]] == [row["measures"] for row in two["rows"]]
    assert two["seed"] == 7 and two["main"] == "MRR"
    both = cli("eval", protocol, "--modes", "auto")
    assert both.returncode == 2 and b"--modes" in both.stderr
    pairs.write_text(pairs.read_text() + "blue,photos/blue.png,b\n")
    changed = cli("eval", protocol)
    assert changed.returncode == 2 and b"has changed" in changed.stderr


def test_what_is_kept_is_listed_and_watched(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    kept = ("--save", "--name", "nightly", "--kept-in", tmp_path / "kept")
    assert cli("eval", pairs, "--modes", "auto", *kept, *QUICK).returncode == 0
    assert cli("eval", pairs, "--modes", "auto", *kept, "-q", *QUICK).returncode == 0
    listed = cli("eval", "--history", "--kept-in", tmp_path / "kept").stdout.decode().splitlines()
    assert len(listed) == 2 and all("nightly" in line and "success@10" in line for line in listed)
    before = cli("eval", pairs, "--modes", "auto", "--compare", "nightly", "--kept-in", tmp_path / "kept", *QUICK)
    assert before.returncode == 0, before.stderr


def test_a_fall_beyond_chance_ends_with_1(
    cli: Cli, indexed: tuple[Path, Path], tiny_encoder_folder: Path, tmp_path: Path
) -> None:
    office, own = tmp_path / "office", runner(tmp_path / "index", tiny_encoder_folder)
    shutil.copytree(indexed[0], office)
    queries = ["hydraulic pump", "seal ring", "M8x25", "A-1023-02", "6204ZZ", "SUS304", "NBR 70", "FC250"]
    documents = ["spec.pdf", "spec.pdf", *["notes/bolts.md"] * 2, "notes/歯車.txt", "notes/bolts.md", *["spec.pdf"] * 2]
    truth = tmp_path / "pairs.csv"
    truth.write_text("query,path\n" + "".join(f"{q},{d}\n" for q, d in zip(queries, documents, strict=True)))
    assert own("index", office).returncode == 0
    watch = ("eval", truth, "--modes", "words", "--measures", "success@1", "--save", "--kept-in", tmp_path / "kept",
             "-q", *QUICK)  # fmt: skip
    assert own(*watch).returncode == 0
    (office / "notes" / "bolts.md").write_text("nothing of interest here")
    make_pdf(office / "spec.pdf", ["Blank.", "Blank."])
    assert own("index", office, "--accept-deletions").returncode in (0, 3)
    fell = own(*watch)
    assert fell.returncode == 1 and b"fell: words: success@1" in fell.stderr and fell.stdout == b""


def test_two_indexes_are_held_against_each_other(
    cli: Cli, indexed: tuple[Path, Path], pairs: Path, tmp_path: Path
) -> None:
    shutil.copytree(indexed[1], tmp_path / "other")
    done = cli("eval", pairs, "--modes", "auto", "--compare", tmp_path / "other", "--sheet", tmp_path / "s.html",
               "--format", "json", *QUICK)  # fmt: skip
    (row,) = json.loads(done.stdout)["comparison"]["rows"]
    assert (row["wins"], row["losses"], row["ties"]) == (0, 0, 3)
    assert row["changes"]["success@10"]["difference"]["value"] == 0
    assert (tmp_path / "s.html").exists()


def test_another_encoder_is_held_against_the_index(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    other = make_tiny_encoder(tmp_path / "other", "tiny-b", variant=1)
    done = cli("eval", pairs, "--modes", "exact", "--compare", other, "--format", "json", *QUICK)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["comparison"]["queries"] == 3


def test_an_index_of_codes_alone_is_asked_what_it_can_answer(
    indexed: tuple[Path, Path], tiny_encoder_folder: Path, pairs: Path, tmp_path: Path
) -> None:
    shutil.copytree(indexed[1], tmp_path / "codes")
    alone = runner(tmp_path / "codes", tiny_encoder_folder)
    dropped = alone("binarize", "--drop-vectors")
    assert dropped.returncode == 0, dropped.stderr
    done = alone("eval", pairs, "--format", "json", *QUICK)
    assert done.returncode == 0, done.stderr
    assert [row["mode"] for row in json.loads(done.stdout)["rows"]] == ["codes", "words", "auto"]
    refused = alone("eval", pairs, "--modes", "exact", *QUICK)
    assert refused.returncode == 2 and b"codes alone" in refused.stderr
    more = tmp_path / "more"
    more.mkdir()
    for number in range(70):  # enough for a calibration to be due
        (more / f"{number}.txt").write_text(f"note {number} on the valve")
    assert alone("index", more).returncode == 0
    assert alone("search", "valve").returncode == 0


def test_known_items_need_no_labels(cli: Cli) -> None:
    done = cli("eval", "--self", "--modes", "exact", "--format", "json", *QUICK)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    found = {row["part"]: row["measures"]["success@10"]["value"] for row in document["rows"]}
    assert found["copy -> picture"] == 1.0 and document["truth"] == "self"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, b"no ground truth"),
        (("nowhere.csv",), 2, b"there is no nowhere.csv"),
        (("/dev/zero",), 2, b"is no file and no folder"),
        (("{pairs}", "--run", "/dev/zero"), 2, b"is no file and no folder"),
        (("--self", "--run", "x.run"), 2, b"--self"),
        (("{pairs}", "--modes", "telepathy"), 2, b"telepathy"),
        (("{pairs}", "--modes", ","), 2, b"--modes is empty"),
        (("{pairs}", "--measures", "success@0"), 2, b"success@"),
        (("{pairs}", "--format", "xml"), 2, b"--format"),
        (("{pairs}", "--plot", "plot.gif"), 2, b"plot.gif"),
        (("{pairs}", "--cheapest", "love"), 2, b"--cheapest"),
        (("{pairs}", "--pareto", "beauty"), 2, b"beauty"),
        (("{pairs}", "--compare", "nowhere"), 2, b"nowhere"),
        (("{pairs}", "--index", "nowhere"), 10, b"nowhere"),
        (("{pairs}", "--images", "x"), 2, b"images"),
        (("{pairs}", "--name", "x"), 2, b"--save"),
        (("{pairs}", "--measures", ","), 2, b"--measures is empty"),
        (("{pairs}", "--by", "colour"), 2, b"there is: modality"),
        (("{pairs}", "--require", "success@50>=0.5"), 2, b"add it to --measures"),
        (("{pairs}", "--run", "a.run", "--run", "b/../a.run"), 2, b"is named twice"),
        (("{pairs}", "--sheet", "/"), 2, b"it is a folder"),
        (("{pairs}", "--write-truth", "/dev/null/x"), 2, b"/dev/null is not a folder"),
        (("{pairs}", "--save", "--kept-in", "/dev/null"), 2, b"/dev/null is not a folder"),
    ],
)
def test_mistakes_are_one_line(cli: Cli, pairs: Path, arguments: tuple[str, ...], code: int, said: bytes) -> None:
    done = cli("eval", *(argument.replace("{pairs}", str(pairs)) for argument in arguments), *QUICK)
    assert done.returncode == code, done.stderr
    assert said in done.stderr and done.stdout == b""
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_an_option_beside_a_protocol_is_named_as_it_was_written(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "protocol.toml"
    assert cli("eval", pairs, "--modes", "words", "--write-protocol", protocol, "-q", *QUICK).returncode == 0
    for option in (("--as", "pairs"), ("--self",), ("-k", "5"), ("--folds", "whole")):
        done = cli("eval", protocol, *option)
        assert done.returncode == 2 and f"what {option[0]} would say".encode() in done.stderr


def test_runs_of_one_name_stay_apart(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    for folder, score in (("a", "9"), ("b", "1")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.run").write_text(
            f"q1 Q0 spec.pdf 1 {score} t\nq1 Q0 notes/bolts.md 2 5 t\nq2 Q0 notes/bolts.md 1 1 t\n"
        )
    done = cli("eval", pairs, "--run", tmp_path / "a" / "x.run", "--run", tmp_path / "b" / "x.run",
               "--measures", "success@1", "--write-run", tmp_path / "out.txt", "--format", "json")  # fmt: skip
    rows = json.loads(done.stdout)["rows"]
    assert {row["system"]: row["measures"]["success@1"]["value"] for row in rows} == {
        "a/x.run": pytest.approx(2 / 3),
        "b/x.run": pytest.approx(1 / 3),
    }
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out-a-x.run-run.txt", "out-b-x.run-run.txt"]


def test_a_pipe_gets_the_front_and_the_comparison_too(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    run = tmp_path / "other.run"
    run.write_text("q1 Q0 spec.pdf 1 1 t\n")
    done = cli("eval", pairs, "--modes", "words,exact", "--pareto", "bytes_per_item", "--compare", run, *QUICK)
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert {len(row) for row in rows} == {7}
    found = {(row[1], row[2], row[3]): row[4:] for row in rows}
    assert found["index", "words", "front(bytes_per_item)"][0] == "1"
    assert float(found["other.run run", "words", "difference(success@10)"][0]) > 0
    counts = [int(found["other.run run", "words", word][0]) for word in ("wins", "losses", "ties")]
    assert sum(counts) == 3 and counts[0] >= 1


def test_measures_deeper_than_the_results_are_told(cli: Cli, pairs: Path) -> None:
    done = cli("eval", pairs, "--modes", "words", "--measures", "MRR,success@20,recall@50", *QUICK)
    assert b"of the 10 results asked for only: success@20, recall@50;" in done.stderr
    deep = cli("eval", pairs, "--modes", "words", "--measures", "success@10", *QUICK)
    assert deep.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_costs_the_file_and_not_the_figures(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    done = cli("eval", pairs, "--modes", "words", "--write-run", "/dev/full", "--sheet", tmp_path / "s.html", *QUICK)
    assert done.returncode == 14 and b"/dev/full: No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert b"\twords\tsuccess@10\t" in done.stdout and (tmp_path / "s.html").exists()


def test_help_defines_every_measure(cli: Cli) -> None:
    from cmrcli.evaluation.measures import DEFINITIONS

    text = re.sub(r"\s+", " ", cli("eval", "--help").stdout.decode())
    for name, definition in DEFINITIONS.items():
        assert f"{name}: {definition}" in text

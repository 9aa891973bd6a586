"""The contract with scripts: real processes, every exit code, what is on stdout and what on stderr."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cmrcli.store import open_writer
from tests.cli.running import Cli, lines


def test_found_is_0_and_nothing_found_is_1(cli: Cli) -> None:
    assert cli("search", "flange", "--mode", "words").returncode == 0
    nothing = cli("search", "zzzzqqq", "--mode", "words")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (1, b"", b"")


def test_in_a_pipe_results_are_tab_separated_without_header(cli: Cli, indexed: tuple[Path, Path]) -> None:
    done = cli("search", "NBR", "--mode", "words")
    [line] = done.stdout.decode().splitlines()
    rank, score, kind, page, box, path, query = line.split("\t")
    assert (rank, kind, page, box, path, query) == ("1", "page", "2", "", str(indexed[0] / "spec.pdf"), "NBR")
    assert float(score) > 0


def test_json_is_one_document_and_jsonl_ends_with_the_summary(cli: Cli) -> None:
    document = json.loads(cli("search", "red", "--format", "json").stdout)
    assert document["schema"] == 1
    assert [result["rank"] for result in document["results"]] == list(range(1, 9))
    entries = lines(cli("search", "red", "--format", "jsonl", "-k", "3"))
    assert [entry["type"] for entry in entries] == ["result"] * 3 + ["summary"]
    assert entries[-1]["queries"] == entries[-1]["found"] == 1


def test_paths_and_nul(cli: Cli, indexed: tuple[Path, Path]) -> None:
    red = bytes(indexed[0] / "photos" / "red.png")
    assert cli("search", "red", "--format", "paths", "-k", "1", "--mode", "vectors").stdout == red + b"\n"
    assert cli("search", "red", "-0", "-k", "1", "--mode", "vectors").stdout == red + b"\0"
    pages = cli("search", "hydraulic pump spare parts", "--format", "paths", "--ext", "pdf").stdout.splitlines()
    assert len(pages) == 1, "two pages of one file are one path"


def test_a_batch_is_answered_in_order(cli: Cli, indexed: tuple[Path, Path], tmp_path: Path) -> None:
    picture = shutil.copyfile(indexed[0] / "photos" / "green.png", tmp_path / "copy.png")
    batch = f"red\nimage:{picture}\n青\n".encode()
    entries = lines(cli("search", "-", "--format", "jsonl", "-k", "1", "--mode", "vectors", stdin=batch))
    found = [(entry["query"], entry["relpath"]) for entry in entries[:-1]]
    assert found == [
        ("red", "photos/red.png"),
        (f"image:{picture}", "photos/green.png"),
        ("青", "photos/blue.png"),
    ]
    assert entries[-1]["queries"] == 3


def test_a_bad_line_of_a_batch_is_an_error_object_and_the_batch_goes_on(cli: Cli) -> None:
    done = cli("search", "-", "--format", "jsonl", "-k", "1", stdin=b"red\n\nimage:/no/such.png\nblue\n")
    kinds = [(entry["type"], entry.get("line")) for entry in lines(done)]
    assert kinds == [("result", None), ("error", 2), ("error", 3), ("result", None), ("summary", None)]
    assert done.returncode == 3


def test_a_line_without_direction_does_not_end_the_batch(cli: Cli) -> None:
    done = cli("search", "-", "--not", "red", "--not", "red", "-k", "1", stdin=b"red\nblue\n")
    assert (done.returncode, len(done.stdout.splitlines())) == (3, 1)
    assert done.stderr.startswith(b"cmrcli: line 1: ")


def test_a_batch_exits_1_only_when_no_query_found_anything(cli: Cli) -> None:
    assert cli("search", "-", "--mode", "words", stdin=b"zzzqq\nflange\n").returncode == 0
    assert cli("search", "-", "--mode", "words", stdin=b"zzzqq\nqqqzz\n").returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("search",),
        ("search", "red", "--format", "xml"),
        ("search", "red", "--mode", "magic"),
        ("search", "red", "--kind", "film"),
        ("search", "red", "--since", "yesterday-ish"),
        ("search", "red", "-k", "0"),
        ("search", "--like", "/no/such/file.png"),
        ("search", "red", "-0", "--format", "json"),
        ("search", "red", "--like", __file__, "--mode", "words"),
        ("search", "red", "--not", "red", "--not", "red"),
        ("index", "/no/such/folder"),
        ("index", ".", "--graph", "sometimes"),
        ("index", ".", "--graph-recall", "1"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_2_and_says_so_on_stderr(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.strip() and b"Traceback" not in done.stderr


def test_index_codes_3_and_4(cli: Cli, office: Path, tmp_path: Path) -> None:
    (office / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    index = tmp_path / "index"
    first = cli("index", office, "--index", index)
    assert first.returncode == 3
    assert b"broken.pdf" in first.stderr and b"7 added" in first.stdout
    assert cli("index", office, "--index", index).returncode == 0, "a known failure is no news"
    assert cli("index", office, "--index", index, "--quiet").stdout == b""
    shutil.rmtree(office)
    gone = cli("index", "--index", index, "--format", "json")
    assert gone.returncode == 4
    summary = json.loads(gone.stdout)["summary"]
    assert summary["files"]["removed"] == 0
    assert summary["refused_deletions"][0]["files"] == 8
    assert summary["exit_code"] == 4


def test_a_folder_that_cannot_be_listed_is_news_once(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a.txt").write_text("some words")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "target")
    index = ("--index", tmp_path / "index")
    cli("index", tmp_path / "in", *index)
    (tmp_path / "target").rename(tmp_path / "away")
    assert [cli("index", *index).returncode for _ in range(2)] == [3, 0]


def test_no_index_is_10(cli: Cli, tmp_path: Path) -> None:
    for command in (("search", "red"), ("status",), ("check",), ("binarize",), ("index",)):
        done = cli(*command, "--index", tmp_path / "none")
        assert done.returncode == 10, command
        assert b"no index" in done.stderr


def test_fatal_errors_are_json_when_json_was_asked_for(cli: Cli, tmp_path: Path) -> None:
    done = cli("search", "red", "--index", tmp_path / "none", "--format", "jsonl")
    error = json.loads(done.stderr)
    assert (done.returncode, error["type"], error["code"]) == (10, "error", 10)
    assert error["remedy"]


def test_locked_index_is_11_and_readers_go_on(cli: Cli, office: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    cli("index", office, "--index", index)
    with open_writer(index, None):
        started = time.monotonic()
        done = cli("index", office, "--index", index, "--lock-wait", "0.2")
        assert (done.returncode, b"Traceback" in done.stderr) == (11, False)
        assert time.monotonic() - started < 30
        assert cli("search", "red", "--index", index).returncode == 0


def test_damaged_index_is_12(cli: Cli, office: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    cli("index", office, "--index", index)
    assert cli("check", "--index", index).returncode == 0
    [vectors] = index.glob("segments/*/vectors.f16")
    data = bytearray(vectors.read_bytes())
    data[11] ^= 0x40
    vectors.chmod(0o600)
    vectors.write_bytes(data)
    done = cli("check", "--index", index)
    assert done.returncode == 12
    assert b"vectors.f16" in done.stdout
    vectors.write_bytes(data[:-8])
    done = cli("search", "red", "--index", index)
    assert (done.returncode, b"Traceback" in done.stderr) == (12, False)
    (index / "catalog.sqlite").write_bytes(b"not a database at all" * 100)
    assert cli("search", "red", "--index", index).returncode == 12


def test_missing_or_other_encoder_is_13(cli: Cli, tmp_path: Path) -> None:
    done = cli("search", "red", "--encoder", tmp_path / "no-encoder")
    assert (done.returncode, b"Traceback" in done.stderr) == (13, False)


def test_an_unexpected_failure_is_9_in_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import cmrcli.store.reader as r\ndef boom(*a): raise ZeroDivisionError('boom')\nr.Reader.statistics = boom\n"
    )
    done = cli("status", PYTHONPATH=f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    assert done.returncode == 9
    assert done.stderr.count(b"\n") == 1 and b"boom" in done.stderr and b"--debug" in done.stderr


def test_interrupt_is_130_and_leaves_the_index_whole(tmp_path: Path, tiny_encoder_folder: Path, cli: Cli) -> None:
    from tests.offices import COLOURS, make_photo

    folder, index = tmp_path / "photos", tmp_path / "index"
    folder.mkdir()
    for number in range(150):
        make_photo(folder / f"{number}.png", COLOURS["blue"], seed=number)
    command = [sys.executable, "-m", "cmrcli", "index", str(folder), "--index", str(index), "--workers", "1"]
    process = subprocess.Popen(
        [*command, "--encoder", str(tiny_encoder_folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 30
    while not (index / "catalog.sqlite").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.15)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert b"Traceback" not in stderr
    assert cli("check", "--index", index).returncode == 0
    assert cli("index", folder, "--index", index).returncode == 0


def test_an_interrupt_that_an_extension_module_dressed_up_is_one_still(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import cmrcli.store.reader as r\n"
        "def load(*a):\n"
        "    try:\n        raise KeyboardInterrupt\n"
        "    except KeyboardInterrupt as error:\n        raise ImportError('initialization failed') from error\n"
        "r.Reader.statistics = load\n"
    )
    done = cli("status", PYTHONPATH=f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    assert (done.returncode, b"unexpected" in done.stderr) == (130, False)


def test_head_ends_quietly(cli: Cli, indexed: tuple[Path, Path], tiny_encoder_folder: Path) -> None:
    search = f"{sys.executable} -m cmrcli search - --mode words --index {indexed[1]}"
    script = f"yes flange | head -n 3000 | {search} | head -n 1; echo ${{PIPESTATUS[2]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=120)
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == b""


def test_it_works_under_cron(cli: Cli, office: Path, tmp_path: Path) -> None:
    """No terminal, no locale, no home worth mentioning, stdin closed."""
    index = tmp_path / "index"
    done = cli("index", office, "--index", index, "--quiet", LANG="C", LC_ALL="C", HOME="/nonexistent", TERM="dumb")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    again = cli("index", "--index", index, "--quiet", LANG="C", LC_ALL="C")
    assert (again.returncode, again.stdout, again.stderr) == (0, b"", b"")
    found = cli("search", "歯車", "--index", index, "--format", "paths", "-k", "1", LC_ALL="C")
    assert found.stdout == bytes(office / "notes" / "歯車.txt") + b"\n"


def test_files_are_private(office: Path, tmp_path: Path, cli: Cli) -> None:
    index = tmp_path / "index"
    cli("index", office, "--index", index)
    for where, folders, files in os.walk(index):
        for folder in [where, *(os.path.join(where, name) for name in folders)]:
            assert os.stat(folder).st_mode & 0o777 == 0o700, folder
        for file in files:
            assert os.stat(os.path.join(where, file)).st_mode & 0o077 == 0, file


def test_status_and_forget(cli: Cli, office: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    (office / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    cli("index", office, "--index", index)
    status = json.loads(cli("status", "--index", index, "--format", "json", "--failures").stdout)
    assert (status["files"], status["items"], status["kinds"]["photo"]) == (8, 8, 3)
    assert [entry["cause"] for entry in status["unreadable"]] == ["damaged"]
    assert cli("forget", tmp_path, "--index", index).returncode == 2
    assert cli("forget", office, "--index", index).returncode == 0
    assert json.loads(cli("status", "--index", index, "--format", "json").stdout)["files"] == 0
    assert cli("search", "red", "--index", index).returncode == 1


def test_binarize_reports_bytes_and_recall(cli: Cli, indexed: tuple[Path, Path]) -> None:
    report = json.loads(cli("binarize", "--format", "json", "--dry-run").stdout)
    assert (report["method"], report["bits"]) == ("sign", 64)
    assert report["code_bytes"] == 8 * report["rows"] and report["vector_bytes"] == 128 * report["rows"]
    best = max(setting["ann_recall"] for setting in report["settings"] if setting["rescored"])
    assert best == 1.0
    assert cli("binarize").returncode == 0
    assert cli("check").returncode == 0


def test_help_is_quick_to_start_and_lists_every_command(cli: Cli) -> None:
    text = cli("--help").stdout.decode()
    for command in ("index", "search", "binarize", "eval", "status", "check", "forget"):
        assert command in text
    assert cli("--version").stdout.startswith(b"cmrcli ")


@pytest.mark.parametrize("module", ["rich", "PIL", "pypdf", "pypdfium2", "ezdxf", "hnswlib", "huggingface_hub"])
def test_a_piped_search_imports_only_what_it_needs(
    module: str, indexed: tuple[Path, Path], tiny_encoder_folder: Path
) -> None:
    arguments = ["search", "red", "--index", str(indexed[1]), "--encoder", str(tiny_encoder_folder)]
    script = (
        "import sys\nfrom cmrcli.cli.app import application\n"
        f"application('search')({arguments!r}, standalone_mode=False)\n"
        f"sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0

"""Looking at a match: `show` and `search --save-crops`, in files and pipes, and what they refuse."""

from __future__ import annotations

import io
import json
from pathlib import Path

import PIL.Image
import pytest

from tests.cli.running import Cli


@pytest.fixture
def plate(indexed: tuple[Path, Path]) -> Path:
    return indexed[0] / "drawings" / "plate.png"


def test_a_part_of_a_file_goes_into_a_pipe_or_a_new_file(cli: Cli, plate: Path, tmp_path: Path) -> None:
    piped = cli("show", plate, "--box", "0,0,0.5,0.25")
    assert piped.returncode == 0 and PIL.Image.open(io.BytesIO(piped.stdout)).size == (320, 120)
    target = tmp_path / "part.png"
    assert cli("show", plate, "-o", target).returncode == 0
    written = target.read_bytes()
    assert PIL.Image.open(io.BytesIO(written)).size == (640, 480)
    again = cli("show", plate, "-o", target)
    assert again.returncode == 2 and b"is there already" in again.stderr
    assert target.read_bytes() == written


def test_a_page_of_a_pdf(cli: Cli, indexed: tuple[Path, Path]) -> None:
    done = cli("show", f"{indexed[0] / 'spec.pdf'}#2")
    width, height = PIL.Image.open(io.BytesIO(done.stdout)).size
    assert done.returncode == 0 and width / height == pytest.approx(595 / 842, abs=0.01)
    assert cli("show", f"{indexed[0] / 'spec.pdf'}#3").returncode == 2


def test_a_result_comes_from_stdin_or_the_command_line(cli: Cli) -> None:
    found = cli("search", "red", "--mode", "vectors", "-k", "2", "--format", "jsonl").stdout
    piped = cli("show", "-", stdin=found)
    given = cli("show", found.splitlines()[0].decode())
    document = cli("show", "-", stdin=cli("search", "red", "--mode", "vectors", "-k", "2", "--format", "json").stdout)
    picture = PIL.Image.open(io.BytesIO(piped.stdout)).convert("RGB")
    red, green, _ = picture.resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > 3 * green
    assert piped.stdout == given.stdout == document.stdout


def result(**changes: object) -> str:
    fields: dict[str, object] = {"type": "result", "path": "/no/such", "page": None, "box": None, "passage": ""}
    return json.dumps(fields | {"matches": []} | changes)


def test_what_cannot_be_shown_is_said_in_one_line_with_the_next_step(
    cli: Cli, plate: Path, indexed: tuple[Path, Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    for arguments, said in [
        (("show", tmp_path / "none.png"), b"there is no file"),
        (("show", tmp_path), b"there is no file"),
        (("show", broken), b"cannot show"),
        (("show", indexed[0] / "notes" / "bolts.md"), b"no picture to show"),
        (("show", plate, "--box", "0,0,2,1"), b"is no part of a page"),
        (("show", plate, "--box", "nan,0,1,1"), b"is no part of a page"),
        (("show", plate, "--match", "1"), b"--match is of a result"),
        (("show", plate, "-o", tmp_path / "no" / "folder.png"), b"cannot write"),
        (("show", "{not json"), b"no result of a search"),
        (("show", "{" * 100_000), b"no result of a search"),
        (("show", result(box=[0, 0, "x", 1])), b"no result of a search"),
        (("show", result(page="two")), b"no result of a search"),
        (("show", result()), b"there is no file"),
        (("show", result(passage="words")), b"that is a passage"),
        (("show", result(), "--match", "1"), b"0 matches"),
        (("show", "-"), b"no result of a search"),
    ]:
        done = cli(*arguments)
        assert done.returncode == 2 and said in done.stderr, (arguments, done.stderr)
        assert done.stdout == b"" and len(done.stderr.splitlines()) == 1 and b"; " in done.stderr


def test_crops_are_named_by_rank_and_phrase(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "crops"
    done = cli("search", "red with green", "-k", "3", "--kind", "photo", "--save-crops", folder)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 3
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{rank:03d}{part}.png" for rank in (1, 2, 3) for part in ("-1", "-2", "")]
    assert all(PIL.Image.open(io.BytesIO((folder / name).read_bytes())).size == (160, 120) for name in names)


def test_crops_of_a_batch_are_named_by_query_too(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "crops"
    batch = b"red\nblue\n"
    cli("search", "-", "-k", "1", "--mode", "vectors", "--kind", "photo", "--save-crops", folder, stdin=batch)
    assert sorted(path.name for path in folder.iterdir()) == ["001-001.png", "002-001.png"]


def test_crops_overwrite_nothing_and_pass_over_text(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    refused = cli("search", "red", "--save-crops", tmp_path)
    assert refused.returncode == 2 and b"is not empty" in refused.stderr and refused.stdout == b""
    file = cli("search", "red", "--save-crops", tmp_path / "mine.txt")
    assert file.returncode == 2 and b"cannot write to" in file.stderr
    done = cli("search", "SUS304", "--mode", "words", "--save-crops", tmp_path / "new")
    assert done.returncode == 0 and list((tmp_path / "new").iterdir()) == []
    assert (tmp_path / "mine.txt").read_text() == "kept"


def test_matches_are_in_json_and_in_the_table_line(cli: Cli) -> None:
    [first, *_] = json.loads(cli("search", "red with green", "--format", "json").stdout)["results"]
    assert [match["phrase"] for match in first["matches"]] == ["red", "green"]
    assert set(first["matches"][0]) == {"phrase", "box", "passage", "score"}
    table = cli("search", "red with green", "--kind", "photo", "--format", "table", COLUMNS="120").stdout.decode()
    assert "red (whole), green (whole)" in table
    off = json.loads(cli("search", "red with green", "--format", "json", "--fragments", "off").stdout)["results"]
    assert off[0]["matches"] == []
    assert cli("search", "red", "--fragments", "on", "--mode", "hamming").returncode == 2
    assert cli("search", "red", "--fragments", "perhaps").returncode == 2

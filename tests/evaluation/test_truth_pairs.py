"""Pairs as a spreadsheet writes them, and each mistake answered with the line that an editor shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmrcli.errors import UsageError
from cmrcli.evaluation.truth import Part
from cmrcli.evaluation.truths import read_truth
from cmrcli.evaluation.truths.pairs import read_pairs


def part_of(folder: Path, text: str | bytes) -> Part:
    path = folder / "pairs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    truth = read_truth([path])
    assert (truth.kind, truth.sources) == ("pairs", (path,))
    (part,) = truth.parts
    return part


def test_rows_of_one_query_are_its_documents(tmp_path: Path) -> None:
    part = part_of(tmp_path, "query,path\nhex bolt,a.png\n歯車,b.pdf#2\n\n hex bolt ,c/d e.dxf\n")
    assert [(topic.id, topic.text) for topic in part.topics] == [("q1", "hex bolt"), ("q2", "歯車")]
    assert part.qrels == {"q1": {"a.png": 1, "c/d e.dxf": 1}, "q2": {"b.pdf#2": 1}}
    assert part.topics[1].groups == {"modality": "text", "language": "ja", "length": "1 word"}


def test_grades_ids_and_groups_of_ones_own(tmp_path: Path) -> None:
    text = (
        "\ufeffsite;ID;Path;Grade;Query\r\nOsaka;x7;a.png;2;pump, small\r\n;x7;b.png;0;pump, small\r\n;y;c;1;valve\r\n"
    )
    part = part_of(tmp_path, text)
    assert [topic.id for topic in part.topics] == ["x7", "y"]
    assert part.qrels == {"x7": {"a.png": 2, "b.png": 0}, "y": {"c": 1}}
    assert part.topics[0].groups["site"] == "Osaka" and "site" not in part.topics[1].groups


def test_a_delimiter_is_what_makes_the_columns(tmp_path: Path) -> None:
    assert part_of(tmp_path, "query\tpath\nbolt, small; new\ta,b.png\n").qrels == {"q1": {"a,b.png": 1}}
    assert part_of(tmp_path, "query;path\nbolt, small;a,b.png\n").topics[0].text == "bolt, small"


def test_examples_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "q.png").write_bytes(b"x")
    monkeypatch.chdir("/")
    part = part_of(tmp_path, "query,path\nimage:q.png,a.png\n")
    assert part.topics[0].text == f"image:{tmp_path / 'q.png'}" and part.topics[0].by_example


def test_quoted_cells_hold_line_ends_and_lines_keep_their_numbers(tmp_path: Path) -> None:
    text = 'query,path\n"two\r\n lines",a.png\n"say ""hi""",b.png\n\nbad\n'
    _refused(lambda: part_of(tmp_path, text), ":6: 1 columns instead of 2", "as in the first line")
    part = part_of(tmp_path, text.removesuffix("bad\n"))
    assert [topic.text for topic in part.topics] == ["two lines", 'say "hi"']


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("", ":1: the first line does not name the columns", "query,path"),
        ("bolt,a.png\n", ":1: the first line does not name the columns", "query,path"),
        ("query|path\nbolt|a\n", ":1: the first line does not name the columns", "query,path"),
        ("query,path,\nbolt,a,\n", ":1: column 3 has no name", "query,path"),
        ("query,path,Path\nbolt,a,b\n", ":1: two columns are named path", "query,path"),
        ("query,path\n", "holds no pair", "in each line"),
        ("query,path\nbolt,a\nbolt,a\n", ":3: the pair stands in line 2 already", "keep one"),
        ("query,path\nbolt,\u304c\nnut,a\nbolt,\u304b\u3099\n", ":4: the pair stands in line 2 already", "keep one"),
        ("query,path\n,a\n", ":2: the query is empty", "remove the line"),
        ("query,path\nbolt,\n", ":2: the path is empty", "name the document"),
        ("query,path\nimage:no.png,a\n", ":2: no file", "relative to this file"),
        ("query,path\nbolt,a,b\n", ":2: 3 columns instead of 2", "quote cells with a comma"),
        ("query\tpath\nbolt\n", ":2: 1 columns instead of 2", "quote cells with a tab"),
        ('query,path\nnut,a\n"bolt,a\nx,y\n', ":3: no CSV", "close every quote"),
        ('query,path\n"bolt"x,a\n', ":2: no CSV", "close every quote"),
        ("query,path,grade\nbolt,a,high\n", ":2: the grade 'high' is not a whole number", "whole number"),
        ("query,path,grade\nbolt,a,\n", ":2: the grade '' is not a whole number", "whole number"),
        ("query,path,grade\nnut,a,1\nbolt,a,0\nbolt,b,-1\n", ":3: query q2 has no relevant document", "above 0"),
        ("query,path,id\nbolt,a,b 1\n", ":2: the query id 'b 1' is not one word", "one word"),
        ("query,path,id\nbolt,a,\n", ":2: the query id '' is not one word", "one word"),
        ("query,path,id\nbolt,a,x\nbolt,b,y\n", ":3: the query has the id x in line 2", "same id"),
        ("query,path,id\nbolt,a,x\nnut,b,x\n", ":3: the id x belongs to another query in line 2", "of its own"),
        (
            "query,path,site\nbolt,a,\nbolt,b,Kobe\nbolt,c,Nara\n",
            ":4: site of the query is 'Kobe' in line 3, 'Nara' here",
            "one group",
        ),
        ("query,path\n歯車,図面.png\n".encode("cp932"), "is not UTF-8", "iconv -f cp932"),
    ],
)
def test_wrong_pairs(tmp_path: Path, text: str | bytes, message: str, remedy: str) -> None:
    _refused(lambda: part_of(tmp_path, text), message, remedy)


def test_an_id_left_to_us_does_not_meet_one_of_theirs(tmp_path: Path) -> None:
    part = part_of(tmp_path, "query,path\nq2,a\nq1,b\n")
    assert [(topic.id, topic.text) for topic in part.topics] == [("q1", "q2"), ("q2", "q1")]


_CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1, max_size=12)


@given(
    rows=st.dictionaries(
        _CELLS.filter(lambda cell: cell.strip() and not cell.strip().startswith("image:")).map(str.strip),
        st.sets(st.from_regex(r"[a-z ,;\"]{0,5}[a-z]", fullmatch=True).map(str.strip), min_size=1, max_size=3),
        min_size=1,
        max_size=5,
    ),
    delimiter=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_csv_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, set[str]], delimiter: str, end: str
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
    writer.writerow(["query", "path"])
    writer.writerows([query, path] for query, paths in rows.items() for path in sorted(paths))
    path = tmp_path_factory.mktemp("pairs") / "pairs.csv"
    path.write_bytes(file.getvalue().encode("utf-8"))
    (part,) = read_pairs(path).parts
    found = {topic.text: set(part.qrels[topic.id]) for topic in part.topics}
    assert found == rows


def _refused(read: Callable[[], object], message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        read()
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert remedy in refused.value.remedy

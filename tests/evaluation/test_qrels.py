"""Ground truth as people write it, and each mistake answered with its line and the way out."""

from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.evaluation import Topic, read_qrels, read_topics

TOPICS = [Topic("q1", "hex bolt"), Topic("q2", "flange")]


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "truth.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def test_queries_keep_their_order_and_text(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffq2\tflange, DN 50\r\n\n q1 \t  六角ボルト M8\u2028x\n")
    assert read_topics(path) == [Topic("q2", "flange, DN 50"), Topic("q1", "六角ボルト M8\u2028x")]


def test_examples_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a part.png").write_bytes(b"x")
    (tmp_path / "spec.pdf").write_bytes(b"x")
    path = written(tmp_path, f"a\timage:a part.png\nb\timage:spec.pdf#3\nc\timage:{tmp_path}/spec.pdf\n")
    monkeypatch.chdir("/")
    topics = read_topics(path)
    first, second, third = (topic.query().like[0] for topic in topics)
    assert (first.path, first.page) == (str(tmp_path / "a part.png"), None)
    assert (second.path, second.page) == (str(tmp_path / "spec.pdf"), 3)
    assert third.path == second.path


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("q1 hex bolt\n", ":1: 1 columns instead of 2", "id<TAB>text"),
        ("q1\thex\tbolt\n", ":1: 3 columns", "id<TAB>text"),
        ("q1\ta\n\nq1\tb\n", ":3: query q1 stands in line 1", "another id"),
        ("q1\t   \n", ":1: query q1 is empty", "remove the line"),
        ("q 1\ta\n", ":1: the query id 'q 1' is not one word", "one word"),
        ("\ta\n", ":1: the query id '' is not one word", "one word"),
        ("q1\timage:nowhere.png\n", ":1: no file", "relative to the file of queries"),
        ("\n\n", "holds no query", "id<TAB>text"),
    ],
)
def test_wrong_queries(tmp_path: Path, text: str, message: str, remedy: str) -> None:
    _refused(lambda: read_topics(written(tmp_path, text)), message, remedy)


def test_judgements_by_blank_or_tab_and_names_with_blanks(tmp_path: Path) -> None:
    text = "q1 0 a/b.pdf#3 1\nq1\tQ0\tmy  drawings/ボルト 1.dxf\t2\r\nq2 0 a/b.pdf -1\n q2 0 c#.txt 3 \n"
    assert read_qrels(written(tmp_path, text), TOPICS) == {
        "q1": {"a/b.pdf#3": 1, "my  drawings/ボルト 1.dxf": 2},
        "q2": {"a/b.pdf": -1, "c#.txt": 3},
    }


def test_names_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path, b"q1 0 caf\xe9.pdf 1\nq2 0 x 1\n")
    assert read_qrels(path, TOPICS)["q1"] == {"caf\udce9.pdf": 1}


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("q1 0 a.pdf 1\nq2 a.pdf 1\n", ":2: fewer than 4 columns", "query-id 0 document grade"),
        ("q1 0 a.pdf yes\n", ":1: the grade 'yes' is not a whole number", "whole number"),
        ("q1 0 a.pdf 0.5\n", ":1: the grade '0.5' is not a whole number", "whole number"),
        ("q1 0 a 1\nq3 0 a 1\n", ":2: unknown query id q3", "add q3 to the queries"),
        ("q1 0 a 1\nq2 0 a 1\nq1 0 a 2\n", ":3: q1 a is judged in line 1 already", "keep one"),
        ("q1 0 a 1\nq2 0 a 0\n", "query q2 has no relevant document", "grade above 0"),
        ("q1 0 a 1\n", "query q2 has no relevant document", "remove the query"),
        ("", "query q1 has no relevant document", "remove the query"),
    ],
)
def test_wrong_judgements(tmp_path: Path, text: str, message: str, remedy: str) -> None:
    _refused(lambda: read_qrels(written(tmp_path, text), TOPICS), message, remedy)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    _refused(lambda: read_topics(tmp_path / "none.tsv"), "none.tsv: No such file", "name a file")
    _refused(lambda: read_qrels(tmp_path, TOPICS), "Is a directory", "name a file")


def _refused(read, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        read()
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert remedy in refused.value.remedy

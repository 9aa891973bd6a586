"""Ground truth as people write it, and each mistake answered with its line and the way out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cmrcli.errors import UsageError
from cmrcli.evaluation.truth import Topic
from cmrcli.evaluation.truths import read_truth
from cmrcli.evaluation.truths.groups import groups_of, words
from cmrcli.evaluation.truths.trec import read_qrels, read_topics

TOPICS = [Topic("q1", "hex bolt"), Topic("q2", "flange")]


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "truth.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def test_queries_keep_their_order_and_text(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffq2\tflange, DN 50\r\n\n q1 \t  六角ボルト M8\u2028x\n")
    topics = read_topics(path)
    assert [(topic.id, topic.text) for topic in topics] == [("q2", "flange, DN 50"), ("q1", "六角ボルト M8\u2028x")]
    assert topics[0].groups == {"modality": "text", "language": "en", "length": "2-3 words"}
    assert topics[1].groups == {"modality": "text", "language": "ja", "length": "4-7 words"}


def test_a_third_column_names_groups(tmp_path: Path) -> None:
    path = written(tmp_path, "q1\tbolt\tsite = Osaka; language=it;\nq2\tnut\t\n")
    first, second = read_topics(path)
    assert first.groups == {"modality": "text", "language": "it", "length": "1 word", "site": "Osaka"}
    assert "site" not in second.groups


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
    assert topics[0].groups == {"modality": "image", "length": "image"}


def test_shift_jis_in_a_few_lines_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"q1\t" + "歯車".encode("cp932") + b"\nq2\t" + b"a long line of plain words " * 9)
    assert read_topics(path)[0].text == "歯車"


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("q1 hex bolt\n", ":1: 1 columns instead of 2 or 3", "id<TAB>text"),
        ("q1\thex\ta=b\tbolt\n", ":1: 4 columns", "id<TAB>text"),
        ("q1\thex\tbolt\n", ":1: the group 'bolt' is not name=value", "name=value"),
        ("q1\thex\ta=\n", ":1: the group 'a=' is not name=value", "name=value"),
        ("q1\thex\ta=b;a=c\n", ":1: the group a is named twice", "one group of a name"),
        ("q1\ta\n\nq1\tb\n", ":3: query q1 stands in line 1", "another id"),
        ("q1\t   \n", ":1: the query is empty", "remove the line"),
        ("q1\t" + "x" * 4001 + "\n", ":1: the query has 4,001 characters", "at most 4,000"),
        ("q1\timage: \n", ":1: the query names no example", "image:PATH"),
        ("q 1\ta\n", ":1: the query id 'q 1' is not one word", "one word"),
        ("\ta\n", ":1: the query id '' is not one word", "one word"),
        ("q1\timage:nowhere.png\n", ":1: no file", "relative to this file"),
        ("\n\n", "holds no query", "id<TAB>text"),
        ("q1\tbolt\n".encode("utf-16"), "is UTF-16", "iconv -f utf-16"),
        ("q1\t歯車と軸\n".encode("cp932"), "is not UTF-8", "iconv -f cp932"),
        (
            b"q1\t" + b"plain words " * 9 + b"\nq2\t\x81\x01\n",
            ":2: the line is neither UTF-8 nor Shift_JIS",
            "as UTF-8",
        ),
    ],
)
def test_wrong_queries(tmp_path: Path, text: str | bytes, message: str, remedy: str) -> None:
    _refused(lambda: read_topics(written(tmp_path, text)), message, remedy)


def test_judgements_by_blank_or_tab_and_names_with_blanks(tmp_path: Path) -> None:
    text = "q1 0 a/b.pdf#3 1\nq1\tQ0\tmy  drawings/ボルト 1.dxf\t2\r\nq2 0 a/b.pdf -1\n q2 0 c#.txt 3 \n"
    assert read_qrels(written(tmp_path, text), TOPICS) == {
        "q1": {"a/b.pdf#3": 1, "my  drawings/ボルト 1.dxf": 2},
        "q2": {"a/b.pdf": -1, "c#.txt": 3},
    }


def test_names_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path, b"q1 0 caf\xe9.pdf 1\nq2 0 x 1\nq2 0 a-longer-name-of-ascii 1\n")
    assert read_qrels(path, TOPICS)["q1"] == {"caf\udce9.pdf": 1}


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("q1 0 a.pdf 1\nq2 a.pdf 1\n", ":2: fewer than 4 columns", "query-id 0 document grade"),
        ("q1 0 a.pdf yes\n", ":1: the grade 'yes' is not a whole number", "whole number"),
        ("q1 0 a.pdf 0.5\n", ":1: the grade '0.5' is not a whole number", "whole number"),
        ("q1 0 a.pdf 1_0\n", ":1: the grade '1_0' is not a whole number", "whole number"),
        ("q1 0 a.pdf 9999999999\n", ":1: the grade", "whole number"),
        ("q1 0 a 1\nq3 0 a 1\n", ":2: unknown query id q3", "add q3 to the queries"),
        ("q1 0 a 1\nq2 0 a 1\nq1 0 a 2\n", ":3: q1 a is judged in line 1 already", "keep one"),
        ("q1 0 \u304c 1\nq1 0 \u304b\u3099 1\n", ":2: q1 \u304b\u3099 is judged in line 1 already", "keep one"),
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


def test_two_files_are_one_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "q.tsv").write_text("q1\tbolt\n")
    (tmp_path / "qrels").write_text("q1 0 a.png 2\n")
    monkeypatch.chdir(tmp_path)
    truth = read_truth(["q.tsv", "qrels"])
    (part,) = truth.parts
    assert (truth.kind, truth.sources) == ("trec", (tmp_path / "q.tsv", tmp_path / "qrels"))
    assert (part.name, part.gallery, part.qrels) == ("", None, {"q1": {"a.png": 2}})
    assert [topic.text for topic in truth.topics] == ["bolt"]


def test_what_is_no_ground_truth(tmp_path: Path) -> None:
    one = written(tmp_path, "q1\tbolt\n")
    _refused(lambda: read_truth([]), "no ground truth is named", "name one")
    _refused(lambda: read_truth([tmp_path / "none"]), "there is no", "check the path")
    _refused(lambda: read_truth([one, one, one]), "3 paths are no ground truth", "name one")
    _refused(lambda: read_truth([one, tmp_path]), "2 paths are no ground truth", "name one")
    _refused(lambda: read_truth([one], "qrels"), "unknown kind of ground truth 'qrels'", "trec, pairs")
    _refused(lambda: read_truth([one], "trec"), "trec is read from two files, not 1", "queries TSV")
    _refused(lambda: read_truth([one], "classes"), "is not a folder", "a folder per class")
    _refused(lambda: read_truth([one], images=tmp_path), "pairs takes no --images", "Karpathy")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("hex flange bolt", 3),
        ("M8x25", 1),
        ("六角ボルト M8", 3),
        ("歯車の図面", 2),
        ("はぐるま", 1),
        ("六角穴付きボルト", 2),
        ("ﾎﾞﾙﾄ　ナット", 2),
        ("バルブ、ポンプ。", 2),
        ("赤いボルトとM6ナット", 4),
        ("、。", 0),
    ],
)
def test_words_of_a_query(text: str, count: int) -> None:
    assert words(text) == count


def test_languages_and_lengths() -> None:
    assert groups_of("はぐるま")["language"] == "ja"
    assert groups_of("ﾎﾞﾙﾄ")["language"] == "ja"
    assert groups_of("Schraube Größe 8")["language"] == "en"
    lengths = [groups_of("w " * count)["length"] for count in (1, 2, 3, 4, 7, 8, 30)]
    assert lengths == ["1 word", "2-3 words", "2-3 words", "4-7 words", "4-7 words", "8+ words", "8+ words"]


def _refused(read: Callable[[], object], message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        read()
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert remedy in refused.value.remedy

"""Other systems' runs: read as trec_eval reads them, refused by line, and written so that they read back alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ir_measures.providers.pytrec_eval_provider import PytrecEvalProvider

from cmrcli.errors import UsageError
from cmrcli.evaluation.answers import Answers, Outcome, outcome_of, ranked
from cmrcli.evaluation.measures import parse
from cmrcli.evaluation.shown.trec import write_qrels, write_queries, write_run
from cmrcli.evaluation.systems.run_file import read_run, read_runs
from cmrcli.evaluation.truth import Gallery, Part, Qrels, Topic
from cmrcli.evaluation.truths.trec import read_qrels, read_topics

QRELS: Qrels = {"q1": {"a.pdf": 2, "b c.dxf": 1, "d": 0}, "q2": {"ガ.png": 1}}


def part_of(qrels: Qrels, **more: object) -> Part:
    return Part("", tuple(Topic(query, "words") for query in qrels), qrels, **more)  # type: ignore[arg-type]


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "theirs.run"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def test_ranked_by_score_whatever_the_order_of_lines_and_ranks(tmp_path: Path) -> None:
    text = "\ufeffq2 Q0 x 1 7 t\nq1 Q0 d 1 0.5 t\r\n\nq1 0 b c.dxf 2 1e1 t\n q1\tQ0  a.pdf\t3 0.5   my-tag \n"
    answers = read_run(written(tmp_path, text), part_of(QRELS))
    assert answers.run["q1"].documents == ("b c.dxf", "d", "a.pdf")
    assert answers.run["q1"].scores == (10, 0.5, 0.5)
    assert answers.outcomes == {"q1": Outcome((1, 3), (1, 2), (2, 1), 3), "q2": Outcome((), (), (1,), 1)}
    assert (answers.whole, answers.unanswered, answers.notes) == (False, set(), [])


def test_missing_queries_count_as_finding_nothing(tmp_path: Path) -> None:
    answers = read_run(written(tmp_path, "q1 Q0 a.pdf 1 1 t\n"), part_of(QRELS))
    assert list(answers.run) == ["q1"] and answers.outcomes["q2"] == Outcome((), (), (1,), 0)
    (note,) = answers.notes
    assert "answers 1 of 2 queries not at all" in note


def test_names_meet_in_composed_form_and_keep_the_spelling_of_the_truth(tmp_path: Path) -> None:
    apart = unicodedata.normalize("NFD", "ガ.png")
    assert apart != "ガ.png"
    for in_truth, in_run in (("ガ.png", apart), (apart, "ガ.png"), (apart, apart)):
        answers = read_run(written(tmp_path, f"q Q0 {in_run} 1 1 t\n"), part_of({"q": {in_truth: 1}}))
        assert answers.run["q"].documents == (in_truth,)
        assert answers.outcomes["q"].ranks == (1,)


def test_names_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    answers = read_run(written(tmp_path, b"q Q0 caf\xe9.pdf 1 1 t\n"), part_of({"q": {"caf\udce9.pdf": 1}}))
    assert answers.outcomes["q"].ranks == (1,)


def test_paths_below_the_folder_meet_absolute_ones(tmp_path: Path) -> None:
    gallery = Gallery(("/data/a b.png", "/data/sub/c.png"), ((), ()))
    qrels = {"q": {"/data/a b.png": 1}}
    part = part_of(qrels, gallery=gallery, under=Path("/data"))
    answers = read_run(written(tmp_path, "q Q0 sub/c.png 1 2 t\nq Q0 a b.png 2 1 t\n"), part)
    assert answers.run["q"].documents == ("/data/sub/c.png", "/data/a b.png") and answers.outcomes["q"].ranks == (2,)
    part = part_of({"q": {"a b.png": 1}}, under=Path("/data"))
    assert read_run(written(tmp_path, "q Q0 /data/a b.png 1 1 t\n"), part).outcomes["q"].ranks == (1,)
    with pytest.raises(UsageError, match=r"q has a b\.png in line 1 already"):
        read_run(written(tmp_path, "q Q0 /data/a b.png 1 1 t\nq Q0 a b.png 1 1 t\n"), part)


def test_a_gallery_document_that_nobody_judged_is_of_the_same_naming(tmp_path: Path) -> None:
    part = part_of({"q": {"a": 1}}, gallery=Gallery(("a", "b"), ((), ())))
    assert read_run(written(tmp_path, "q Q0 b 1 1 t\n"), part).outcomes["q"].ranks == ()


def test_the_query_itself_and_other_folds_are_left_out(tmp_path: Path) -> None:
    topics = (Topic("q1", "image:a", own="a", fold=0), Topic("q2", "image:d", own="d", fold=1), Topic("q3", "words"))
    qrels = {"q1": {"b": 1}, "q2": {"c": 1}, "q3": {"a": 1}}
    part = Part("", topics, qrels, Gallery(("a", "b", "c", "d"), ((),) * 4, (0, 0, 1, 1)))
    lines = [f"{query} Q0 {name} 0 {score} t" for query in qrels for score, name in enumerate("badc")]
    answers = read_run(written(tmp_path, "\n".join(lines)), part)
    assert {query: ranking.documents for query, ranking in answers.run.items()} == {
        "q1": ("b",),
        "q2": ("c",),
        "q3": ("c", "d", "a", "b"),
    }
    assert [outcome.ranks for outcome in answers.outcomes.values()] == [(1,), (1,), (3,)]
    (note,) = answers.notes
    assert "6 results are the query itself or of another fold" in note


def test_each_part_gets_its_own_lines(tmp_path: Path) -> None:
    first = Part("page -> words", (Topic("q1", "x"), Topic("q2", "x")), {"q1": {"a": 1}, "q2": {"b": 1}})
    other = Part("words -> page", (Topic("p", "x"),), {"p": {"z": 1}})
    folds = Part(
        "words -> page, folds", (Topic("p", "x", fold=0),), {"p": {"z": 1}}, Gallery(("y", "z"), ((), ()), (1, 0))
    )
    path = written(tmp_path, "q1 Q0 a 1 1 t\np Q0 y 1 1 t\nq2 Q0 a 1 1 t\np Q0 z 1 0 t\n")
    ranks = {
        part.name: [outcome.ranks for outcome in answers.outcomes.values()]
        for part, answers in read_runs(path, [first, other, folds])
    }
    assert ranks == {"page -> words": [(1,), ()], "words -> page": [(2,)], "words -> page, folds": [(1,)]}
    with pytest.raises(UsageError, match=":2: unknown query id p"):
        read_runs(path, [first])
    ((part, answers),) = read_runs(written(tmp_path, "p Q0 z 1 0 t\n"), [first, other])
    assert part is other and len(answers.notes) == 1 and "answers nothing of: page -> words" in answers.notes[0]
    with pytest.raises(UsageError, match="none of its documents is one of the ground truth's: y"):
        read_runs(written(tmp_path, "q1 Q0 a 1 1 t\np Q0 y 1 1 t\n"), [first, other])


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("q1 Q0 a.pdf 1 1\n", ":1: not 6 columns", "query-id Q0 document rank score tag"),
        ("q1 Q0 a.pdf 1 1 t\nq1\n", ":2: not 6 columns", "query-id Q0 document rank score tag"),
        ("q1\tQ0\t\t1\t1\tt\n", ":1: not 6 columns", "query-id Q0 document"),
        ("q1 Q0 b c.dxf 1 0.5\n", ":1: a column is missing", "query-id Q0 document"),
        ("q1 my b c.dxf 1 0.5 t\n", ":1: a column is missing", "query-id Q0 document"),
        ("q1 Q0 a.pdf 1 high t\n", ":1: the score high is not a number", "higher is better"),
        ("q1 Q0 a.pdf 1 NaN t\n", ":1: the score NaN is not a number", "higher is better"),
        ("q1 Q0 a.pdf 1 1 t\n\nq1 Q0 a.pdf 2 0 t\n", ":3: query q1 has a.pdf in line 1 already", "keep one"),
        ("q1 Q0 a.pdf 1 1 t\nq9 Q0 a.pdf 1 1 t\n", ":2: unknown query id q9", "remove the lines"),
        ("q\x1b1 Q0 a.pdf 1 1 t\n", r":1: unknown query id q\x1b1", "remove the lines"),
        ("q1 Q0 A.PDF 1 1 t\nq2 Q0 x 1 1 t\n", "none of its documents is one of the ground truth's: A.PDF, x", "a.pdf"),
        ("", "holds no result", "query-id Q0 document"),
        (" \n\n", "holds no result", "query-id Q0 document"),
        ("q1 Q0 a.pdf 1 1 t\n".encode("utf-16"), "is UTF-16, not UTF-8", "UTF-8"),
        (b"q1 Q0 " + b"a" * 70_000 + b" 1 1 t\n", ":1: longer than 65,536 bytes", "query-id Q0 document"),
    ],
)
def test_wrong_runs(tmp_path: Path, text: str | bytes, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_run(written(tmp_path, text), part_of(QRELS))
    assert message in str(refused.value) and "theirs.run" in str(refused.value) and "\n" not in str(refused.value)
    assert remedy in refused.value.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.run", tmp_path):
        with pytest.raises(UsageError, match="cannot read"):
            read_run(path, part_of(QRELS))


@pytest.mark.parametrize("bad", [{"q 1": "a"}, {"": "a"}, {"q": "a\tb"}, {"q": "a\nb"}, {"q": "a\rb"}, {"q": ""}])
def test_names_that_no_line_can_hold_are_refused_and_leave_no_file(tmp_path: Path, bad: Mapping[str, str]) -> None:
    ((query, document),) = bad.items()
    path = tmp_path / "ours.run"
    with pytest.raises(UsageError, match="cannot write"):
        write_run(path, Answers({"ok": ranked([("fine", 1)]), query: ranked([(document, 1)])}), "t")
    with pytest.raises(UsageError, match="cannot write"):
        write_qrels(path, part_of({"ok": {"fine": 1}, query: {document: 1}}))
    with pytest.raises(UsageError, match="begins or ends with a blank"):
        write_qrels(path, part_of({"q": {"blank ": 1}}))
    assert not path.exists()
    with pytest.raises(UsageError, match="No such file"):
        write_run(tmp_path / "nowhere" / "ours.run", Answers(), "t")


name = st.text(st.characters(exclude_characters="\t\r\n\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
name |= st.sampled_from(["a  b", " a", "a ", "c#3", "caf\udce9", "x\u3000", "\x0b", "1 2 t", "Q0 a 1"])
name = name.filter(lambda text: not text.startswith("\ufeff")).map(lambda text: unicodedata.normalize("NFC", text))
number = st.one_of(st.sampled_from([0.1, 0.1 + 1e-10, -0.0, 1e-45, 1e39, 2.0**24 + 1]), st.floats(allow_nan=False))
query = st.from_regex(r"[a-z0-9é:/_-]{1,6}", fullmatch=True)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(query, st.dictionaries(name, number, min_size=1, max_size=12), min_size=1, max_size=4), st.data()
)
def test_what_was_written_reads_back_alike(tmp_path: Path, run: dict[str, dict[str, float]], data) -> None:
    qrels = {
        one: {data.draw(st.sampled_from(sorted(scores))): 2, data.draw(name): data.draw(st.integers(-1, 3)), "z": 1}
        for one, scores in run.items()
    }
    with np.errstate(over="ignore"):
        rankings = {one: ranked(scores.items()) for one, scores in run.items()}
    outcomes = {one: outcome_of(rankings[one], qrels[one]) for one in run}
    path = tmp_path / "ours.run"
    write_run(path, Answers(rankings, outcomes), "our own system")
    again = read_run(path, part_of(qrels))
    assert again.outcomes == outcomes
    for one, ranking in rankings.items():
        assert again.run[one].documents == ranking.documents
        with np.errstate(over="ignore"):
            assert np.float32(again.run[one].scores).tolist() == np.float32(ranking.scores).tolist()


def test_qrels_and_queries_read_back(tmp_path: Path) -> None:
    (tmp_path / "a b.png").write_bytes(b"x")
    topics = (
        Topic("q1", "六角ボルト M8", {"language": "ja", "length": "3 words", "class": "bolt; hex"}),
        Topic("q2", f"image:{tmp_path}/a b.png"),
        Topic("q3", "two\tcolumns", {"language": "en"}),
    )
    part = Part(
        "", topics, {"q1": {"my  drawings/ボルト 1.dxf": 2, "x": 0}, "q2": {"y#3": 1}, "q3": {"caf\udce9": 3, "n": -1}}
    )
    write_queries(tmp_path / "queries.tsv", part)
    write_qrels(tmp_path / "qrels", part)
    again = read_topics(tmp_path / "queries.tsv")
    assert [(topic.id, topic.text) for topic in again] == [
        ("q1", "六角ボルト M8"),
        ("q2", f"image:{tmp_path}/a b.png"),
        ("q3", "two columns"),
    ]
    assert again[0].groups["class"] == "bolt, hex" and again[0].groups["language"] == "ja"
    assert read_qrels(tmp_path / "qrels", again) == part.qrels


def test_other_programs_read_our_files(tmp_path: Path) -> None:
    qrels = {"q1": {"a/ボルト.dxf": 2, "b": 1}, "q2": {"c": 1}}
    rankings = {"q1": ranked([("x", 0.3), ("a/ボルト.dxf", 0.1), ("b", 0.1)]), "q2": ranked([("c", 1e-8), ("d", 0)])}
    outcomes = {one: outcome_of(rankings[one], qrels[one]) for one in qrels}
    write_run(tmp_path / "run", Answers(rankings, outcomes), "t")
    write_qrels(tmp_path / "qrels", part_of(qrels))
    expected = PytrecEvalProvider().calc_aggregate(
        [ir_measures.AP, ir_measures.nDCG @ 10],
        list(ir_measures.read_trec_qrels(str(tmp_path / "qrels"))),
        list(ir_measures.read_trec_run(str(tmp_path / "run"))),
    )
    for theirs, ours in ((ir_measures.AP, "mAP"), (ir_measures.nDCG @ 10, "nDCG@10")):
        mean = sum(parse(ours).value(outcome) for outcome in outcomes.values()) / 2
        assert 0.5 < mean < 1 and mean == pytest.approx(expected[theirs], abs=1e-9)

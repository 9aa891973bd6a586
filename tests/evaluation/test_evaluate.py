"""The protocol on an index that answers from a table: every figure can be worked out by hand."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cmrcli.errors import CmrcliError, UsageError
from cmrcli.evaluation import Topic, evaluate, resident
from cmrcli.evaluation.disk import bytes_read_by
from cmrcli.evaluation.report import Resident
from cmrcli.searching import Query
from cmrcli.store.records import FileState, Root

TOPICS = [Topic("bolt", "hex bolt"), Topic("gear", "spur gear"), Topic("like", "image:/x/gear.png")]
QRELS = {"bolt": {"bolt.dxf": 1}, "gear": {"spec.pdf#2": 2, "gear.dxf": 1}, "like": {"gear.dxf": 1}}
ANSWERS = {
    "exact": {"hex bolt": ["bolt.dxf", "a", "b"], "spur gear": ["a", "spec.pdf#2"], "": ["gear.dxf", "a"]},
    "codes": {"hex bolt": ["bolt.dxf", "a", "c"], "spur gear": ["spec.pdf#2", "c"], "": ["gear.dxf"]},
    "words": {"hex bolt": [], "spur gear": ["gear.dxf"]},
}


PARTS = {"catalog": 3000, "vectors": 800, "codes": 50, "rows": 80, "graphs": 600, "other": 7}


@dataclass(frozen=True)
class Hit:
    relpath: str
    page: int | None = None
    duplicates: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return "/data/" + self.relpath


@dataclass
class Identity:
    name: str = "tiny"
    digest: str = "abc"
    dim: int = 4


@dataclass
class Statistics:
    items: int = 10
    bytes_by_part: dict[str, int] = field(default_factory=lambda: dict(PARTS))


@dataclass
class TableReader:
    encoder: Identity = field(default_factory=Identity)
    generation: int = 7

    def statistics(self) -> Statistics:
        return Statistics()

    def roots(self) -> list[Root]:
        return [Root(1, b"/data")]

    def files_in(self, root_id: int, folder: bytes) -> dict[bytes, FileState]:
        if folder:
            return {}
        names = (b"bolt.dxf", b"gear.dxf", b"broken.dxf")
        return {
            name: FileState(i, b"", name, 1, 1, None if name == b"broken.dxf" else i) for i, name in enumerate(names)
        }


@dataclass
class TableIndex:
    """Answers from ANSWERS; `asked` keeps every question."""

    folder: Path
    delay_s: float = 0.0
    reader: TableReader = field(default_factory=TableReader)
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    def search(self, query: Query, k: int = 10, mode: str = "auto") -> Sequence[Hit]:
        self.asked.append((query.shown, mode, k))
        if mode not in ANSWERS:
            raise UsageError(f"unknown mode {mode!r}")
        if mode == "words" and not query.text:
            raise UsageError("words needs words")
        time.sleep(self.delay_s)
        hits = []
        for name in ANSWERS[mode][query.text][:k]:
            path, _, page = name.partition("#")
            hits.append(Hit(path, int(page) if page else None))
        return hits


@pytest.fixture
def index(tmp_path: Path) -> TableIndex:
    return TableIndex(tmp_path)


def test_figures_worked_by_hand(index: TableIndex) -> None:
    done = evaluate(index, TOPICS, QRELS, modes=("codes", "exact", "words"), k=3, repeats=2, memory=False)
    assert [mode.mode for mode in done.modes] == ["codes", "exact", "words"]
    assert (done.queries, done.judgements, done.relevant, done.items) == (3, 4, 4, 10)
    assert done.absent == ("spec.pdf#2",)  # the table finds it, the catalog does not know it
    codes, exact, words = done.modes
    means = {name: interval.value for name, interval in exact.measures.items()}
    assert means["success@1"] == pytest.approx(2 / 3) and means["success@3"] == 1
    assert means["recall@3"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert means["precision@3"] == pytest.approx(1 / 3)
    assert means["MRR"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert means["mAP"] == pytest.approx((1 + 1 / 4 + 1) / 3)
    assert codes.measures["success@1"].value == 1
    # Of the 7 exact results, codes found bolt.dxf, a; spec.pdf#2; gear.dxf.
    assert codes.ann_recall == pytest.approx(4 / 7)
    assert exact.ann_recall is None and words.ann_recall is None
    assert words.measures["success@1"].value == pytest.approx(1 / 3) and words.unanswered == 1
    assert words.per_query["gear"]["recall@3"] == 0.5 and words.per_query["like"]["MRR"] == 0
    for mode in done.modes:
        for interval in mode.measures.values():
            assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_every_query_is_asked_once_for_results_and_repeatedly_for_time(index: TableIndex) -> None:
    evaluate(index, TOPICS, QRELS, modes=("exact", "words", "exact"), k=3, repeats=2, memory=False)
    assert index.asked.count(("hex bolt", "exact", 3)) == 3
    assert index.asked.count(("image:/x/gear.png", "exact", 3)) == 3
    assert index.asked.count(("image:/x/gear.png", "words", 3)) == 1
    assert len(index.asked) == 9 + 7


def test_latency_is_that_of_single_queries(index: TableIndex) -> None:
    index.delay_s = 0.004
    mode = evaluate(index, TOPICS, QRELS, modes=("exact",), k=3, repeats=1, memory=False).modes[0]
    assert 4 <= mode.p50_ms <= mode.p95_ms < 500
    assert 2 < mode.queries_per_s <= 250


def test_bytes_are_those_of_the_parts_that_a_mode_reads(index: TableIndex) -> None:
    done = evaluate(index, TOPICS, QRELS, modes=("exact", "codes", "words"), k=3, repeats=1, memory=False)
    assert done.bytes_by_part == PARTS
    assert [mode.bytes_per_item for mode in done.modes] == [388.0, 393.0, 300.0]
    assert bytes_read_by("graph", PARTS) == 4530 and bytes_read_by("auto", PARTS) == sum(PARTS.values())


def test_json_is_plain_and_holds_every_field(index: TableIndex) -> None:
    done = evaluate(index, TOPICS, QRELS, modes=("exact", "words"), k=3, repeats=1, memory=False)
    document = json.loads(json.dumps(done.to_json()))
    assert (document["schema"], document["type"]) == (1, "evaluation")
    assert document["environment"]["encoder_digest"] == "abc" and document["environment"]["generation"] == 7
    assert document["environment"]["cores"] >= 1 and document["environment"]["versions"]["numpy"]
    assert set(document["modes"][0]["measures"]["MRR"]) == {"value", "low", "high"}
    documented = done.to_json.__doc__
    for name in [
        *document,
        *document["environment"],
        *document["modes"][0],
    ]:
        assert any(f"{mark}{name}`" in documented for mark in ("`", "modes[].")) or name == "modes"
    assert "per_query" not in document["modes"][0]
    assert done.to_json(per_query=True)["modes"][1]["per_query"]["gear"]["MRR"] == 1


def test_the_same_seed_gives_the_same_intervals(index: TableIndex) -> None:
    first, second = (
        evaluate(index, TOPICS, QRELS, modes=("codes",), k=3, repeats=1, seed=3, memory=False).modes[0].measures
        for _ in range(2)
    )
    assert first == second


def test_memory_is_asked_of_a_process_a_mode_and_its_failure_is_a_note(
    index: TableIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(folder, encoder, threads, mode, k, lines) -> Resident:
        assert (folder, encoder, threads, k) == (index.folder, "mine", 1, 3)
        assert lines == [topic.text for topic in TOPICS]
        if mode == "words":
            raise CmrcliError("no memory left")
        return Resident(1000, 500, 2.5, 3)

    monkeypatch.setattr(resident, "measure", measured)
    done = evaluate(index, TOPICS, QRELS, modes=("exact", "words"), k=3, repeats=1, encoder="mine", threads=1)
    assert done.modes[0].resident == Resident(1000, 500, 2.5, 3) and done.modes[0].notes == ()
    assert done.to_json()["modes"][0]["resident_bytes"] == 1000
    assert done.modes[1].resident is None and done.modes[1].notes == ("no memory left",)


def test_what_cannot_be_evaluated_is_refused(index: TableIndex) -> None:
    with pytest.raises(UsageError, match="no query"):
        evaluate(index, [], {}, memory=False)
    with pytest.raises(UsageError, match="gear has no relevant"):
        evaluate(index, TOPICS, {**QRELS, "gear": {"a": 0}}, memory=False)
    with pytest.raises(UsageError, match="repeats"):
        evaluate(index, TOPICS, QRELS, repeats=0, memory=False)
    with pytest.raises(UsageError, match=r"none of the 1 relevant documents .*: office/bolt\.dxf"):
        evaluate(index, TOPICS[:1], {"bolt": {"office/bolt.dxf": 1}}, memory=False)
    with pytest.raises(UsageError, match="unknown mode"):
        evaluate(index, TOPICS, QRELS, modes=("exact", "guess"), memory=False)

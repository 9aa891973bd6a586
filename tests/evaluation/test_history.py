"""Evaluations that are kept: whole or not there, never replaced, and a fall beyond chance is told."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cmrcli.errors import OutputLost, UsageError
from cmrcli.evaluation.report import Evaluation, Interval
from cmrcli.evaluation.verdicts import history
from cmrcli.evaluation.verdicts.history import drops, listing, load, previous, protocol_key, save
from cmrcli.store import durable
from tests.evaluation.made_reports import evaluation, from_queries, row

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
QUERIES = {f"q{n}": {"mAP": n / 10, "MRR": 0.5} for n in range(10)}


def kept() -> Evaluation:
    return evaluation([from_queries("exact", QUERIES), row("words", measure="mAP")])


def test_there_and_back_with_queries(tmp_path: Path) -> None:
    made = kept()
    path = save(tmp_path / "new" / "folder", made, "nightly", NOON)
    assert path.name == "20260131T120000.000000Z-nightly.jsonl"
    assert load(path) == made
    assert load(path, per_query=False).rows[0].per_query == {}
    assert os.listdir(path.parent) == [path.name]


def test_none_replaces_another_and_names_sort_by_time(tmp_path: Path) -> None:
    first = save(tmp_path, kept(), "b", NOON)
    again = save(tmp_path, replace(kept(), seed=1), "b", NOON)
    later = save(tmp_path, kept(), "a", NOON.replace(second=1))
    assert sorted([later, again, first]) == [first, again, later]
    assert load(first).seed == 0 and load(again).seed == 1
    assert [one.path for one in listing(tmp_path)] == [first, again, later]


def test_also_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(durable.NO_LINKS[0], "not here")

    monkeypatch.setattr(os, "link", no_links)
    first, again = save(tmp_path, kept(), now=NOON), save(tmp_path, replace(kept(), seed=1), now=NOON)
    assert first != again and load(first).seed == 0 and load(again).seed == 1


@pytest.mark.parametrize("name", ["a/b", "../x", ".hidden", "a\nb", "部品" * 100, "x" * 500, "caf\udce9", "a\0b", "--"])
def test_any_name_makes_a_file_of_the_folder_and_is_found_again(tmp_path: Path, name: str) -> None:
    path = save(tmp_path, kept(), name, NOON)
    assert path.parent == tmp_path and path.is_file()
    (one,) = listing(tmp_path)
    assert previous([one], kept(), name) == one


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, blocks: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "write_file", full)
    with pytest.raises(OutputLost, match="No space left"):
        save(tmp_path, kept())
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot keep"):
        save(tmp_path / "file", kept())
    with pytest.raises(UsageError, match="cannot list"):
        listing(tmp_path / "file")
    assert listing(tmp_path / "nowhere") == []


DAMAGED = {
    "empty": b"",
    "half": b'{"schema": 1, "type": "eval',
    "other": b'{"a": 1}\n',
    "deep": b"[" * 100_000,
    "latin": b'{"type": "\xff"}',
    "newer": b'{"type": "evaluation", "schema": 99}\n',
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_files_are_listed_and_do_not_hide_the_others(tmp_path: Path, data: bytes) -> None:
    good = save(tmp_path, kept(), now=NOON)
    bad = tmp_path / "20260201T000000.000000Z.jsonl"
    bad.write_bytes(data)
    (tmp_path / "README.txt").write_text("mine")
    first, second = listing(tmp_path)
    assert first.path == good and first.evaluation is not None and first.damage == ""
    assert second.path == bad and second.evaluation is None and str(bad) in second.damage and "\n" not in second.damage
    assert previous([first, second], kept()) == first
    with pytest.raises(UsageError) as caught:
        load(bad)
    assert caught.value.remedy


def test_queries_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, kept())
    head, tail = path.read_bytes().splitlines()
    for wrong in ({"rows": []}, {"rows": [{"measures": ["mAP"], "values": {"q": [1, 2]}}, {}]}, [], {"rows": 5}):
        path.write_bytes(head + b"\n" + json.dumps(wrong).encode())
        with pytest.raises(UsageError, match="not a kept evaluation"):
            load(path)
    document = json.loads(tail)
    document["rows"][0]["measures"] = ["mAP", "other"]
    for cut in (document, {"rows": [{"measures": [], "values": {"q": []}}] * 2}):
        path.write_bytes(head + b"\n" + json.dumps(cut).encode())
        with pytest.raises(UsageError, match="lacks measures of the query q"):
            load(path)
    path.write_bytes(
        json.dumps({**json.loads(head), "rows": [{**json.loads(head)["rows"][0], "measures": {}}]}).encode()
    )
    with pytest.raises(UsageError, match="has no measure"):
        load(path)
    path.write_bytes(head + b"\n" + tail[:-3])
    with pytest.raises(UsageError, match="not a kept evaluation"):
        load(path)


def test_what_format_json_printed_can_be_loaded_too(tmp_path: Path) -> None:
    made = kept()
    path = tmp_path / "printed.json"
    for indent in (None, 2):
        path.write_text(json.dumps(made.to_json(per_query=True), indent=indent))
        assert load(path) == made


def test_the_previous_one_is_the_newest_of_the_same_protocol_and_name(tmp_path: Path) -> None:
    oldest = save(tmp_path, kept(), "office", NOON)
    newest = save(tmp_path, kept(), "office", NOON.replace(hour=13))
    save(tmp_path, kept(), "other", NOON.replace(hour=14))
    save(tmp_path, replace(kept(), sources={"/truth/qrels.txt": "cc"}), "office", NOON.replace(hour=15))
    found = previous(listing(tmp_path), kept(), "office")
    assert found is not None and found.path == newest
    first = previous(listing(tmp_path), kept(), "office", first=True)
    assert first is not None and first.path == oldest
    assert previous(listing(tmp_path), kept(), "nobody") is None


@pytest.mark.parametrize(
    "change",
    [{"truth": "pairs"}, {"k": 100}, {"index": "/other"}, {"main": "MRR"}, {"rows": (from_queries("codes", QUERIES),)}],
)
def test_what_makes_another_protocol(change: dict[str, object]) -> None:
    assert protocol_key(replace(kept(), **change)) != protocol_key(kept())  # type: ignore[arg-type]
    moved = replace(kept(), sources={"/moved.txt": "aa", "/also.txt": "bb"}, seed=5, items=7)
    assert protocol_key(moved) == protocol_key(kept())


def shifted(by: float, every: int = 1, name: str = "mAP") -> Evaluation:
    """200 queries that differ much among each other, each `every`-th lower by `by` than in shifted(0)."""
    values = np.random.default_rng(0).random(200)
    per_query = {f"q{n}": {name: float(value) - by * (n % every == 0)} for n, value in enumerate(values)}
    made = from_queries("exact", per_query)
    mean = made.measures[name].value
    return evaluation([replace(made, measures={name: Interval(mean, mean - 0.04, mean + 0.04)})])


def test_a_small_fall_of_every_query_is_told_by_pairs() -> None:
    (drop,) = drops(shifted(0), shifted(0.02))
    assert drop.rule == "paired" and drop.change is not None and drop.change.high < 0
    assert drop.change.value == pytest.approx(-0.02) and "paired difference -0.020" in drop.text


def test_a_fall_within_chance_and_a_rise_are_not() -> None:
    rng = np.random.default_rng(1)
    base = shifted(0)
    noisy = {query: {"mAP": one["mAP"] + rng.normal(-0.002, 0.1)} for query, one in base.rows[0].per_query.items()}
    assert drops(base, evaluation([from_queries("exact", noisy)])) == []
    assert drops(base, shifted(-0.02)) == [] and drops(base, base) == []


def test_of_ranks_a_rise_is_the_fall() -> None:
    (drop,) = drops(shifted(0, name="median-rank"), shifted(-0.5, name="median-rank"))
    assert drop.change is not None and drop.change.low > 0
    assert drops(shifted(0, name="median-rank"), shifted(0.5, name="median-rank")) == []


def renamed(made: Evaluation, kept_ids: int) -> Evaluation:
    """The same values under other ids, but for the first ones."""
    (one,) = made.rows
    ids = {query: query if n < kept_ids else f"new-{query}" for n, query in enumerate(one.per_query)}
    return evaluation([replace(one, per_query={ids[query]: values for query, values in one.per_query.items()})])


def test_queries_that_both_asked_are_paired_and_others_are_two_samples() -> None:
    (drop,) = drops(shifted(0), renamed(shifted(0.02), kept_ids=150))
    assert drop.rule == "paired" and "over 150 queries" in drop.text
    # What pairs tell apart, independent samples of 200 queries (sd 0.3, so the difference's is 0.03) do not.
    assert drops(shifted(0), renamed(shifted(0.02), kept_ids=99)) == []
    (drop,) = drops(shifted(0), renamed(shifted(0.2), kept_ids=0))
    assert drop.rule == "unpaired" and drop.change is not None
    assert drop.change.value == pytest.approx(-0.2)
    assert (drop.change.high - drop.change.low) / 2 == pytest.approx(1.96 * (2 * (1 / 12) / 200) ** 0.5, rel=0.15)


def test_kept_without_queries_the_earlier_interval_decides() -> None:
    old = evaluation([row("exact", 0.8, width=0.05)])
    assert drops(old, evaluation([row("exact", 0.751)])) == []
    (drop,) = drops(old, evaluation([row("exact", 0.749)]))
    assert drop.rule == "interval" and drop.change is None and "[0.750, 0.850]" in drop.text
    ranks = evaluation([row("exact", 4.0, width=1, measure="median-rank")])
    assert drops(ranks, evaluation([row("exact", 4.9, measure="median-rank")])) == []
    assert len(drops(ranks, evaluation([row("exact", 5.1, measure="median-rank")]))) == 1


def test_a_part_that_is_gone_is_told() -> None:
    old = evaluation([row("exact", part="titles"), row("exact", part="crops")])
    (drop,) = drops(old, evaluation([row("exact", part="titles")]))
    assert (drop.rule, drop.part, drop.after) == ("gone", "crops", None) and "not evaluated now" in drop.text
    assert json.loads(json.dumps(drop.to_json()))["rule"] == "gone"


def test_only_the_main_measure_counts() -> None:
    old = from_queries("exact", {f"q{n}": {"mAP": 0.5, "MRR": 0.5} for n in range(20)})
    new = from_queries("exact", {f"q{n}": {"mAP": 0.5, "MRR": 0.1} for n in range(20)})
    assert drops(evaluation([old]), evaluation([new])) == []
    assert len(drops(evaluation([old], main="MRR"), evaluation([new], main="MRR"))) == 1


def test_files_of_a_history_are_told_from_others() -> None:
    assert history._FILE.fullmatch("20260131T120000.000000Z-a-b.jsonl")[2] == "a-b"  # type: ignore[index]
    assert history._FILE.fullmatch("20260131T120000.000000Z.jsonl")
    assert not history._FILE.fullmatch("notes.jsonl")

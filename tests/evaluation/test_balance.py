"""Balance: groups, gaps, hubs and their skewness, by hand and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cmrcli.evaluation.report import Balance, Hub
from cmrcli.evaluation.truth import Gallery, Part, Topic
from cmrcli.evaluation.verdicts import resample
from cmrcli.evaluation.verdicts.balance import (
    MIN_QUERIES,
    OTHER,
    UNKNOWN,
    balance,
    crowding,
    skewness,
    standing_out,
)
from tests.evaluation.made_reports import answers_of, part_of

GOOD, BAD = {"mAP": 0.9, "MRR": 0.9}, {"mAP": 0.1, "MRR": 0.2}


def languages(**sizes: int) -> tuple[Part, dict[str, dict[str, float]]]:
    """Queries of several languages; those in Japanese find little."""
    topics = [
        Topic(f"{language}{number}", "text", {"language": language})
        for language, size in sizes.items()
        for number in range(size)
    ]
    part = part_of(topics, {topic.id: [f"{topic.id}.png"] for topic in topics})
    wobble = [0.0, 0.01, -0.01]
    per_query = {
        topic.id: {
            name: value + wobble[number % 3]
            for name, value in (BAD if topic.groups["language"] == "ja" else GOOD).items()
        }
        for number, topic in enumerate(topics)
    }
    return part, per_query


def test_a_group_that_is_served_worse_stands_out_by_hand() -> None:
    part, per_query = languages(en=30, ja=30)
    found = balance(part, answers_of(part, {}), per_query)
    english, japanese = found.groups["language"]["en"], found.groups["language"]["ja"]
    assert (english.queries, japanese.queries) == (30, 30)
    assert japanese.measures["mAP"].value == pytest.approx(0.1) and japanese.measures["MRR"].value == pytest.approx(0.2)
    assert japanese.measures["mAP"].low <= 0.1 <= japanese.measures["mAP"].high
    assert japanese.gap is not None and english.gap is not None
    assert japanese.gap.value == pytest.approx(-0.8) and english.gap.value == pytest.approx(0.8)
    assert japanese.gap.high < 0
    assert {group for _, group, _ in standing_out(found)} == {"en", "ja"}


def test_groups_alike_do_not_stand_out() -> None:
    part, _ = languages(en=40, de=40)
    values = np.random.default_rng(0).random(80)
    per_query = {topic.id: {"mAP": float(value)} for topic, value in zip(part.topics, values, strict=True)}
    assert standing_out(balance(part, answers_of(part, {}), per_query)) == []


def test_small_groups_are_one_and_it_says_how_many() -> None:
    part, per_query = languages(en=10, ja=MIN_QUERIES, de=2, fr=1, it=1)
    found = balance(part, answers_of(part, {}), per_query)
    groups = found.groups["language"]
    assert list(groups) == ["en", "ja", OTHER] and groups[OTHER].queries == 4
    assert found.folded == {"language": 3}
    assert sum(row.queries for row in groups.values()) == len(part.topics)


def test_small_groups_alone_are_no_breakdown_but_it_says_so() -> None:
    part, per_query = languages(en=4, ja=4, de=4)
    found = balance(part, answers_of(part, {}), per_query)
    assert found.groups == {} and found.folded == {"language": 3}


def test_one_group_alone_is_no_breakdown() -> None:
    part, per_query = languages(en=10)
    assert balance(part, answers_of(part, {}), per_query).groups == {}


def test_groups_of_the_relevant_documents() -> None:
    topics = [Topic(f"q{number}", "text") for number in range(15)]
    relevant = {
        f"q{number}": ["a.dxf", "b.jpg"] if number < 5 else ["a.dxf"] if number < 10 else ["lost.pdf"]
        for number in range(15)
    }
    part = part_of(topics, relevant)
    per_query = {topic.id: GOOD for topic in topics}
    kinds = {"a.dxf": {"kind": "drawing"}, "b.jpg": {"kind": "photo"}}
    groups = balance(part, answers_of(part, {}), per_query, kinds).groups["kind"]
    assert {group: row.queries for group, row in groups.items()} == {"drawing": 10, "photo": 5, UNKNOWN: 5}


def test_the_truths_own_group_goes_before_that_of_documents() -> None:
    topics = [Topic(f"q{number}", "text", {"kind": "mine" if number < 5 else "yours"}) for number in range(10)]
    part = part_of(topics, {topic.id: ["a.dxf"] for topic in topics})
    per_query = {topic.id: GOOD for topic in topics}
    groups = balance(part, answers_of(part, {}), per_query, {"a.dxf": {"kind": "drawing"}}).groups["kind"]
    assert set(groups) == {"mine", "yours"}


def test_ranks_are_put_together_by_their_median() -> None:
    part, _ = languages(en=5, ja=5)
    ranks = [1, 1, 2, 90, 100, 3, 3, 4, 200, 300]
    per_query = {topic.id: {"median-rank": float(rank)} for topic, rank in zip(part.topics, ranks, strict=True)}
    groups = balance(part, answers_of(part, {}), per_query).groups["language"]
    assert [row.measures["median-rank"].value for row in groups.values()] == [2, 4]
    assert groups["en"].gap is not None and groups["en"].gap.value == -2


def test_only_what_is_often_found_wrongly_crowds_out() -> None:
    hubs = (Hub("wrong", 5, 1), Hub("right", 4, 3), Hub("half", 4, 2), Hub("once", 1, 0))
    assert [hub.document for hub in crowding(Balance({}, hubs, 10, 1.5))] == ["wrong"]
    assert crowding(Balance({}, hubs, 10, 1.0)) == []
    assert crowding(Balance({}, hubs, 10, None)) == []


def test_hubs_by_hand() -> None:
    topics = [Topic(f"q{number}", "text") for number in range(4)]
    part = part_of(topics, {"q0": ["hub"], "q1": ["a"], "q2": ["b"], "q3": ["c"]})
    found = {"q0": ["hub", "a"], "q1": ["hub", "b"], "q2": ["x", "hub"], "q3": ["x", "y", "hub"]}
    result = balance(part, answers_of(part, found), {topic.id: GOOD for topic in topics}, k=2, documents=10)
    assert [(hub.document, hub.queries, hub.relevant) for hub in result.hubs] == [
        ("hub", 3, 1),
        ("x", 2, 0),
        ("a", 1, 0),
        ("b", 1, 0),
        ("y", 1, 0),
    ]
    counts = np.array([3, 2, 1, 1, 1, 0, 0, 0, 0, 0], dtype=float)
    expected = ((counts - counts.mean()) ** 3).mean() / counts.std() ** 3
    assert result.skewness == pytest.approx(expected) and result.k == 2


def test_documents_of_the_gallery_count_though_they_are_never_found() -> None:
    topics = [Topic("q0", "text")]
    gallery = Gallery(tuple("abcdefgh"), tuple((name,) for name in "abcdefgh"))
    part = Part("", tuple(topics), {"q0": {"a": 1}}, gallery)
    result = balance(part, answers_of(part, {"q0": ["a"]}), {"q0": GOOD})
    assert result.skewness == pytest.approx(skewness([1], 8)) and result.skewness > 2


def test_skewness_of_little_or_even() -> None:
    assert skewness([1, 1], 2) is None
    assert skewness([2, 2, 2], 3) == 0.0
    assert skewness([], 5) == 0.0


@given(st.lists(st.integers(0, 9), min_size=3, max_size=30))
@settings(deadline=None)
def test_skewness_is_the_third_standardised_moment(counts: list[int]) -> None:
    values = np.array(counts, dtype=float)
    found = skewness([count for count in counts if count], len(counts))
    expected = 0.0 if values.std() == 0 else ((values - values.mean()) ** 3).mean() / values.std() ** 3
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_gaps_interval_is_as_wide_as_two_samples_make_it() -> None:
    rng = np.random.default_rng(1)
    group, others = rng.normal(0, 1, 100), rng.normal(0, 2, 400)
    found = resample.gap("mAP", group, others, seed=0)
    half = 1.96 * np.sqrt(group.var() / 100 + others.var() / 400)
    assert found.value == pytest.approx(group.mean() - others.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.08)


@pytest.mark.parametrize(
    ("measure", "values"),
    [
        ("success@10", np.random.default_rng(2).integers(0, 2, 300).astype(float)),
        ("mAP", np.random.default_rng(3).random(300) ** 3),
        ("mAP", np.random.default_rng(4).random(2_000) ** 3),
        ("median-rank", np.random.default_rng(5).integers(1, 60, 301).astype(float)),
        ("median-rank", np.random.default_rng(6).integers(1, 60, 40).astype(float)),
        ("median-rank", np.array([1.0, 2.0, 3.0, 50.0])),
        ("median-rank", np.array([7.0])),
        ("median-rank", np.array([7.0, 9.0])),
    ],
)
def test_resamples_are_distributed_as_those_of_drawn_queries(measure: str, values: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(0)
    fast = resample._resampled(measure, values, rng)
    drawn = values[rng.integers(0, len(values), (len(fast), len(values)))]
    plain = np.median(drawn, axis=1) if measure == "median-rank" else drawn.mean(axis=1)
    levels = np.unique(np.concatenate([fast, plain]))
    of_fast, of_plain = (np.searchsorted(np.sort(one), levels, "right") / len(fast) for one in (fast, plain))
    assert np.abs(of_fast - of_plain).max() < 0.062  # Kolmogorov-Smirnov, two of 2,000, at 0.1 %


def test_no_query_is_refused() -> None:
    with pytest.raises(ValueError, match="no query"):
        balance(Part("", (), {}), answers_of(Part("", (), {}), {}), {})

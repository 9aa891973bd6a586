"""Reciprocal rank fusion against hand-worked numbers (Cormack et al. 2009, k = 60)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.searching.fusion import Ranking, fuse, most_beyond


def test_hand_worked() -> None:
    words = Ranking("words", 1.0, [(7, 12.0), (3, 5.0)])
    vectors = Ranking("vectors", 1.0, [(3, 0.8), (9, 0.5)])
    fused = fuse([words, vectors])
    ceiling = 2 / 61
    assert [item for item, _, _ in fused] == [3, 7, 9]
    assert [score for _, score, _ in fused] == pytest.approx(
        [(1 / 62 + 1 / 61) / ceiling, (1 / 61) / ceiling, (1 / 62) / ceiling]
    )
    assert fused[0][2] == {"words": (5.0, 2), "vectors": (0.8, 1)}


def test_first_in_every_signal_scores_one() -> None:
    [(item, score, _)] = fuse([Ranking("a", 4.0, [(1, 0.1)]), Ranking("b", 1.0, [(1, 0.2)])])
    assert (item, score) == (1, pytest.approx(1.0))


def test_a_single_ranking_keeps_its_scores_and_ties_go_by_item() -> None:
    fused = fuse([Ranking("vectors", 1.0, [(9, 0.5), (2, 0.5), (4, -0.1)])])
    assert [(item, score) for item, score, _ in fused] == [(2, 0.5), (9, 0.5), (4, -0.1)]


def test_a_partial_hit_gains_less_than_a_whole_one() -> None:
    half = fuse([Ranking("words", 1.0, [(1, 9.0)], [0.5]), Ranking("vectors", 1.0, [(2, 0.3)])])
    assert [item for item, _, _ in half] == [2, 1]


def test_weight_decides_between_two_firsts() -> None:
    fused = fuse([Ranking("words", 4.0, [(1, 9.0)]), Ranking("vectors", 1.0, [(2, 0.3)])])
    assert [(item, round(score, 3)) for item, score, _ in fused] == [(1, 0.8), (2, 0.2)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=3), st.floats(0.1, 4.0))
def test_nothing_beyond_the_rankings_scores_more_than_said(lengths: list[int], weight: float) -> None:
    """Item -1 comes next in all of them."""
    rankings = [
        Ranking(f"s{number}", weight + number, [(100 * number + place, 1.0 - place / 100) for place in range(length)])
        for number, length in enumerate(lengths)
    ]
    longer = [Ranking(r.name, r.weight, [*r.hits, (-1, r.hits[-1][1] if r.hits else 0.0)]) for r in rankings]
    score = {item: score for item, score, _ in fuse(longer)}[-1]
    assert score <= most_beyond(rankings) + 1e-12

"""Intervals: where they must lie, that seeds repeat them, and that they cover as often as they say."""

import numpy as np
import pytest

from cmrcli.evaluation import bootstrap
from cmrcli.evaluation.bootstrap import difference_interval, intervals


def test_bounds_enclose_the_mean_and_shrink_with_more_queries() -> None:
    rng = np.random.default_rng(0)
    few = rng.random((20, 2))
    many = np.tile(few, (25, 1))
    for values in (few, many):
        bounds = intervals(values, seed=1)
        assert (bounds[:, 0] < values.mean(axis=0)).all() and (values.mean(axis=0) < bounds[:, 1]).all()
    ratio = np.diff(intervals(few, 1))[0, 0] / np.diff(intervals(many, 1))[0, 0]
    assert ratio == pytest.approx(5, rel=0.15)  # sqrt(25)


def test_as_wide_as_the_normal_approximation_says() -> None:
    values = np.random.default_rng(2).normal(10, 3, (400, 1))
    low, high = intervals(values, seed=0)[0]
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / np.sqrt(400), rel=0.08)


def test_one_query_and_equal_values_have_no_width() -> None:
    assert intervals(np.array([[0.25, 1.0]]), seed=0).tolist() == [[0.25, 0.25], [1.0, 1.0]]
    assert intervals(np.ones((7, 1)), seed=0).tolist() == [[1.0, 1.0]]


def test_the_seed_decides_and_measures_share_their_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).random((30, 1))
    twice = intervals(np.hstack([values, values]), seed=4)
    assert twice[0].tolist() == twice[1].tolist() == intervals(values, seed=4)[0].tolist()
    assert intervals(values, seed=5).tolist() != intervals(values, seed=4).tolist()
    monkeypatch.setattr(bootstrap, "BLOCK_DRAWS", 30 * 7)  # many small blocks draw the same numbers
    assert intervals(values, seed=4)[0].tolist() == twice[0].tolist()


def test_covers_the_true_mean_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(6)
    inside = 0
    for trial in range(200):
        low, high = intervals(rng.binomial(1, 0.3, (80, 1)).astype(float), seed=trial, resamples=300)[0]
        inside += low <= 0.3 <= high
    assert 0.88 <= inside / 200 <= 0.99


def test_no_query_is_refused() -> None:
    with pytest.raises(ValueError, match="no query"):
        intervals(np.empty((0, 3)), seed=0)


def test_medians_are_resampled_as_medians() -> None:
    values = np.random.default_rng(7).exponential(10, (301, 1))
    mean, median = intervals(np.hstack([values, values]), seed=0, medians=[1])
    assert mean.tolist() == intervals(values, seed=0)[0].tolist()
    assert median[0] < np.median(values) < median[1] < mean[1]
    # Order statistics that enclose the median with 95 % (exact, by the binomial distribution of 301 draws).
    ordered = np.sort(values[:, 0])
    assert ordered[133 - 4] <= median[0] <= ordered[133 + 4] and ordered[167 - 4] <= median[1] <= ordered[167 + 4]


def test_a_difference_is_drawn_in_pairs() -> None:
    rng = np.random.default_rng(8)
    hardness = rng.normal(0, 5, 200)
    a, b = hardness + rng.normal(0, 0.1, 200), hardness + rng.normal(0.1, 0.1, 200)
    low, high = difference_interval(a, b, seed=0)
    assert 0 < low < (b - a).mean() < high < 0.2  # unpaired it would be about 1 wide to both sides
    assert (low, high) == tuple(intervals((b - a)[:, None], seed=0)[0])
    assert difference_interval(b, a, seed=0) == pytest.approx((-high, -low))
    low, high = difference_interval(a, b, seed=0, median=True)
    assert low <= np.median(b) - np.median(a) <= high
    assert difference_interval(a, a, seed=0, median=True) == difference_interval(a, a, seed=0) == (0, 0)


def test_what_is_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="not pairs"):
        difference_interval(np.zeros(2), np.zeros(3), seed=0)
    with pytest.raises(ValueError, match="no query"):
        difference_interval(np.empty(0), np.empty(0), seed=0)

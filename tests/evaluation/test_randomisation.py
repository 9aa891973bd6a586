"""The randomisation test against enumeration and its own promise; Holm by hand."""

from itertools import product
from operator import mul

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.evaluation import randomisation
from cmrcli.evaluation.randomisation import holm, p_value

few = st.lists(st.tuples(st.sampled_from([0, 0.1, 0.3, 0.5, 1]), st.sampled_from([0, 0.1, 0.3, 0.5, 1])), min_size=1)


@settings(max_examples=60, deadline=None)
@given(few.filter(lambda pairs: len(pairs) <= 7))
def test_few_queries_are_enumerated(pairs: list[tuple[float, float]]) -> None:
    """All 2^n swaps of all queries, in whole tenths so that nothing is rounded."""
    tenths = [round(10 * b) - round(10 * a) for a, b in pairs]
    totals = [abs(sum(map(mul, tenths, signs))) for signs in product([1, -1], repeat=len(tenths))]
    expected = sum(total >= totals[0] for total in totals) / len(totals)
    a, b = np.array(pairs, dtype=float).T
    assert p_value(a, b, seed=0) == pytest.approx(expected, abs=1e-12)


def test_by_hand() -> None:
    assert p_value(np.zeros(3), np.ones(3), seed=0) == 2 / 8  # all one way, or all the other
    assert p_value(np.zeros(40), np.r_[np.ones(3), np.zeros(37)], seed=0) == 2 / 8  # ties say nothing
    assert p_value(np.ones(5), np.ones(5), seed=0) == 1
    assert p_value(np.array([0.0, 1.0]), np.array([1.0, 0.0]), seed=0) == 1


def test_many_queries_are_sampled_never_to_zero() -> None:
    a = np.zeros(100)
    assert p_value(a, a + 1, seed=0, permutations=999) == 1 / 1000


def test_sampling_comes_near_the_exact_value(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random(12), rng.random(12) + 0.2
    exact = p_value(a, b, seed=0)
    assert 0.01 < exact < 0.9
    monkeypatch.setattr(randomisation, "EXACT_QUERIES", 0)
    sampled = p_value(a, b, seed=0)
    assert sampled == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 10_000))
    assert p_value(b, a, seed=0) == sampled == p_value(a, b, seed=0) != p_value(a, b, seed=1)
    monkeypatch.setattr(randomisation, "BLOCK_SWAPS", 12 * 7)
    assert p_value(a, b, seed=0) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 10_000))


def test_alarms_are_false_as_often_as_promised() -> None:
    rng = np.random.default_rng(5)
    values = [p_value(rng.random(30), rng.random(30), seed=trial, permutations=199) for trial in range(400)]
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(values) <= level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 400))


def test_holm_by_hand() -> None:
    corrected = holm({"mAP": 0.04, "MRR": 0.01, "nDCG": 0.03, "success": 0.005})
    assert corrected == pytest.approx({"mAP": 0.06, "MRR": 0.03, "nDCG": 0.06, "success": 0.02})
    assert list(corrected) == ["mAP", "MRR", "nDCG", "success"]
    assert holm({"a": 0.6, "b": 0.9}) == {"a": 1, "b": 1} and holm({}) == {}


@pytest.mark.parametrize(("a", "b"), [(np.zeros(2), np.zeros(3)), (np.empty(0), np.empty(0)), (np.eye(2), np.eye(2))])
def test_what_is_no_pair_is_refused(a: np.ndarray, b: np.ndarray) -> None:
    with pytest.raises(ValueError, match="not pairs"):
        p_value(a, b, seed=0)

"""The choice of codes: the smallest that reaches the target on queries that did not choose it, or none."""

import numpy as np
import pytest

from cmrcli.codes import fit, tuning
from cmrcli.codes.codebook import Codebook
from cmrcli.codes.quality import Grid, Trials
from cmrcli.codes.tuning import candidates, choose
from tests.codes.test_quality import clustered, naive_recall

DIM = 64


@pytest.fixture(scope="module")
def trials() -> Trials:
    return Trials([(clustered(3_000, DIM, 0), None)])


def sample(trials: Trials) -> np.ndarray:
    return np.concatenate(list(trials.rows.blocks()))


def test_candidates_are_ascending_in_size_and_can_be_made() -> None:
    for dim in (16, 64, 384, 500):
        named = candidates(dim)
        vectors = np.random.default_rng(0).normal(size=(4, dim)).astype(np.float32)
        if dim <= 64:
            sizes = [fit(method, vectors, bits).row_bytes for method, bits in named]
            assert sizes == sorted(sizes)
        assert len(set(named)) == len(named) and ("sign", dim) in named and ("projections", 4 * dim) in named


@pytest.mark.parametrize("target", [0.9, 0.97])
def test_the_choice_reaches_its_target_and_nothing_smaller_does(trials: Trials, target: float) -> None:
    told: list[tuple[str, int]] = []
    choice = choose(trials, sample(trials), target, candidates(DIM), tell=lambda *one: told.append(one))
    assert choice.codebook is not None and [(one.method, one.bits) for one in choice.tried] == told
    best = [one for one in choice.tried if one.reached]
    assert best and all(one.row_bytes == choice.tried[-1].row_bytes for one in best)
    assert choice.codebook.oversampling == min((one.oversampling for one in best), key=tuning._cost)
    assert all(one.verified_recall >= target for one in best)
    # On queries that had no part in anything.
    fresh, setting = clustered(200, DIM, 9), choice.codebook.oversampling
    recall = naive_recall(sample(trials), fresh, choice.codebook, 10, setting.hamming, setting.rescored)
    assert recall >= target - 0.02


def test_nothing_is_chosen_where_nothing_reaches_it(trials: Trials) -> None:
    choice = choose(trials, sample(trials), 0.99, [("itq", 1), ("itq", 2)])
    assert choice.codebook is None and [one.reached for one in choice.tried] == [False, False]


def test_what_only_the_choosing_half_reached_is_not_chosen(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Trials.grid

    def lucky(self: Trials, codebook: Codebook, *depths: tuple[int, ...]) -> Grid:
        grid = real(self, codebook, *depths)
        grid.recalls[0::2] = np.where(np.isnan(grid.recalls[0::2]), np.nan, 1.0)
        grid.recalls[1::2] *= 0.5
        return grid

    monkeypatch.setattr(Trials, "grid", lucky)
    choice = choose(trials, sample(trials), 0.9, [("sign", DIM)])
    assert choice.codebook is None and choice.tried[0].chosen_recall == 1.0 and not choice.tried[0].reached


def test_texts_must_reach_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Trials([(clustered(3_000, DIM, 0), None)], texts=clustered(100, DIM, 5))
    assert both.sorts.tolist().count(1) == 100 and len(both.sorts) == len(both.queries)
    real = Trials.grid

    def deaf_to(sort: int) -> None:
        def grid(self: Trials, codebook: Codebook, *depths: tuple[int, ...]) -> Grid:
            found = real(self, codebook, *depths)
            found.recalls[self.sorts == sort] *= 0.5
            return found

        monkeypatch.setattr(Trials, "grid", grid)

    assert choose(both, sample(both), 0.9, [("sign", DIM)]).codebook is not None
    for sort in (0, 1):
        deaf_to(sort)
        missed = choose(both, sample(both), 0.9, [("sign", DIM)])
        assert missed.codebook is None and missed.tried[0].verified_recall <= 0.5


def test_without_vectors_the_order_itself_must_reach_it(trials: Trials) -> None:
    choice = choose(trials, sample(trials), 0.5, candidates(DIM), rescoring=False)
    assert choice.codebook is not None and choice.codebook.oversampling.rescored == 1
    with_vectors = choose(trials, sample(trials), 0.5, candidates(DIM))
    assert with_vectors.codebook is not None
    assert with_vectors.codebook.row_bytes < choice.codebook.row_bytes

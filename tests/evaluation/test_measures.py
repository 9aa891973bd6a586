"""Measures against cases worked by hand, and against numbers that trec_eval's own code gave.

GOLDEN was made with ir_measures 0.4.3 over pytrec_eval-terrier 0.5.11 on the rankings of `golden_rankings`.
"""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.evaluation import measures
from cmrcli.evaluation.measures import measures_of

# Ranked grades of five results, of six judged documents: three relevant (3, 1, 1), one of them not found.
GAINS = [0, 1, 0, 3, 0]
JUDGED = [3, 1, 1, 0, 0, -1]


def test_worked_by_hand() -> None:
    assert [measures.success_at(GAINS, k) for k in (1, 2, 5)] == [0, 1, 1]
    assert [measures.recall_at(GAINS, JUDGED, k) for k in (1, 2, 4, 50)] == [0, 1 / 3, 2 / 3, 2 / 3]
    assert [measures.precision_at(GAINS, k) for k in (1, 2, 4, 10)] == [0, 1 / 2, 2 / 4, 2 / 10]
    assert measures.reciprocal_rank(GAINS) == 1 / 2
    assert measures.average_precision(GAINS, JUDGED) == pytest.approx((1 / 2 + 2 / 4 + 0) / 3)
    ideal = 3 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert measures.ndcg_at(GAINS, JUDGED, 10) == pytest.approx((1 / math.log2(3) + 3 / math.log2(5)) / ideal)
    assert measures.ndcg_at(GAINS, JUDGED, 2) == pytest.approx((1 / math.log2(3)) / (3 + 1 / math.log2(3)))


def test_nothing_found_is_zero_and_nothing_to_find_an_error() -> None:
    for name, measure in measures_of(10).items():
        assert measure([], JUDGED) == 0, name
        assert measure([0, -1, 0], JUDGED) == 0, name
    for name in ("recall@10", "mAP", "nDCG@10"):
        with pytest.raises(ValueError, match="no relevant"):
            measures_of(10)[name]([0], [0, -1])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-1, 3), min_size=1, max_size=30), st.integers(1, 40), st.randoms())
def test_the_ideal_order_is_perfect_and_all_are_shares(grades: list[int], k: int, random) -> None:
    grades = [*grades, 2]
    ideal = sorted(grades, reverse=True)[:k]
    table = measures_of(k)
    for name in ("MRR", f"success@{k}" if k in (1, 5, 10) else "success@1", f"nDCG@{min(10, k)}"):
        assert table[name](ideal, grades) == pytest.approx(1)
    random.shuffle(grades)
    for name, measure in table.items():
        assert 0 <= measure(grades[:k], grades) <= 1 + 1e-12, name


@pytest.mark.parametrize(
    ("k", "names"),
    [
        (1, "success@1 recall@1 precision@1 MRR mAP nDCG@1"),
        (3, "success@1 success@3 recall@3 precision@3 MRR mAP nDCG@3"),
        (10, "success@1 success@5 success@10 recall@10 precision@10 MRR mAP nDCG@10"),
        (100, "success@1 success@5 success@10 recall@10 recall@100 precision@10 MRR mAP nDCG@10"),
    ],
)
def test_no_measure_looks_beyond_what_was_asked(k: int, names: str) -> None:
    assert list(measures_of(k)) == names.split()


def golden_rankings() -> list[tuple[list[int], list[int]]]:
    """Thirty (gains, judged) from a small congruential generator, the same on every machine and version."""
    state = 20_240

    def draw(bound: int) -> int:
        nonlocal state
        state = (state * 1_103_515_245 + 12_345) % 2**31
        return (state >> 16) % bound

    rankings = []
    for _ in range(30):
        documents = 12 + draw(30)
        judged = {document: draw(5) - 1 for document in range(documents) if draw(2)}
        judged[0] = 1 + draw(3)
        order = sorted(range(documents), key=lambda _: draw(10_000))[:20]
        rankings.append(([judged.get(document, 0) for document in order], list(judged.values())))
    return rankings


GOLDEN = {
    "success@1": 0.3333333333333333,
    "success@5": 0.9333333333333333,
    "success@10": 1.0,
    "recall@10": 0.45146635771635774,
    "recall@20": 0.760943130943131,
    "precision@10": 0.3600000000000001,
    "MRR": 0.6075396825396825,
    "mAP": 0.3586771765014838,
    "nDCG@10": 0.38996929142046766,
}


@pytest.mark.parametrize("name", measures_of(20))
def test_equal_to_trec_eval(name: str) -> None:
    measure = measures_of(20)[name]
    values = [measure(gains, judged) for gains, judged in golden_rankings()]
    assert sum(values) / len(values) == pytest.approx(GOLDEN[name], abs=1e-9)

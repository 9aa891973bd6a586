"""The estimate of a cosine from a code, against the formula, and against the truth."""

import numpy as np
import pytest

from cmrcli.codes import fit, ordering
from cmrcli.codes.ordering import FloatQuery
from cmrcli.errors import EmbeddingError
from tests.codes.test_quality import clustered

DIM = 64
METHODS = [("sign", DIM), ("itq", 40), ("rotation", 3 * DIM), ("rotation", 32), ("projections", 100)]


@pytest.mark.parametrize(("method", "bits"), METHODS)
def test_estimates_are_those_of_the_formula(method: str, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, query = clustered(200, DIM, 0), clustered(1, DIM, 1)[0]
    book = fit(method, vectors, bits)
    codes = book.encode(vectors)
    factors = book.factors(vectors) if book.factors_per_row else None
    planes = np.eye(DIM) if book.projection is None else book.projection.astype(np.float64)
    signs = np.where(np.unpackbits(codes.view(np.uint8), axis=1, bitorder="little")[:, :bits], 1.0, -1.0)
    products = signs @ ((query - book.centre) @ planes)
    if factors is None:
        expected = query @ book.centre + book.scale * products
    else:
        expected = query @ book.centre - book.centre @ book.centre + factors[:, 1] + factors[:, 0] * products
    monkeypatch.setattr(ordering, "BLOCK_BITS", 37 * bits)
    cosines = FloatQuery(book, query).cosines(codes, factors)
    assert cosines.dtype == np.float32 and np.allclose(cosines, expected, atol=2e-3)


def test_estimates_with_factors_have_no_bias() -> None:
    """Over many rotations the estimate of one pair is on the average its cosine (RaBitQ, theorem 3.2)."""
    vectors = clustered(50, DIM, 2)
    vector, query = vectors[:1], clustered(1, DIM, 3)[0]
    estimates = []
    for seed in range(300):
        book = fit("rotation", vectors, seed=seed)
        estimates.append(FloatQuery(book, query).cosines(book.encode(vector), book.factors(vector))[0])
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert np.mean(estimates) == pytest.approx(float(vector[0] @ query), abs=4 * error + 1e-3)


@pytest.mark.parametrize(
    ("method", "bits"), [("sign", DIM), ("itq", DIM), ("rotation", 3 * DIM), ("rotation", 32), ("projections", 100)]
)
def test_the_float_query_orders_better_than_its_code(method: str, bits: int) -> None:
    vectors, queries = clustered(2_000, DIM, 4), clustered(30, DIM, 5)
    book = fit(method, vectors, bits)
    codes = book.encode(vectors)
    factors = book.factors(vectors) if book.factors_per_row else None
    by_code = by_float = 0
    for query in queries:
        exact = set(np.argsort(-(vectors @ query))[:10].tolist())
        distances = np.bitwise_count(codes ^ book.encode(query[np.newaxis])[0]).sum(axis=1)
        by_code += len(exact & set(np.argsort(distances, kind="stable")[:10].tolist()))
        by_float += len(exact & set(np.argsort(-FloatQuery(book, query).cosines(codes, factors))[:10].tolist()))
    assert by_float > by_code


def test_queries_of_another_encoder_are_refused() -> None:
    with pytest.raises(EmbeddingError, match="64 dimensions"):
        FloatQuery(fit("sign", clustered(9, DIM, 6)), np.ones(32, np.float32))

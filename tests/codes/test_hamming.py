"""The block-wise scan against sorting every distance."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.codes import hamming, nearest, nearest_batch


def naive(query: np.ndarray, codes: np.ndarray, k: int, alive: np.ndarray | None) -> tuple[list, list]:
    """Nearest first, ties by row, from a sorted list of Python integers."""
    pairs = [
        (sum(int(a ^ b).bit_count() for a, b in zip(code, query, strict=True)), row)
        for row, code in enumerate(codes)
        if alive is None or alive[row]
    ]
    pairs = sorted(pairs)[:k]
    return [row for _, row in pairs], [distance for distance, _ in pairs]


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 90),
    words=st.integers(1, 9),
    k=st.integers(0, 100),
    q=st.integers(1, 3),
    masked=st.booleans(),
    spread=st.integers(1, 64),
    block_rows=st.integers(1, 40),
    seed=st.integers(0, 9999),
)
def test_same_as_sorting_everything(
    n: int, words: int, k: int, q: int, masked: bool, spread: int, block_rows: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    # Few distinct bits (small spread) make many ties, which is where a top-k goes wrong.
    codes = rng.integers(0, 2**spread, (n, words), dtype=np.uint64)
    queries = rng.integers(0, 2**spread, (q, words), dtype=np.uint64)
    alive = rng.random(n) < 0.6 if masked else None
    saved, hamming.BLOCK_BYTES = hamming.BLOCK_BYTES, block_rows * 8 * words
    try:
        rows, distances = nearest_batch(queries, codes, k, alive)
    finally:
        hamming.BLOCK_BYTES = saved
    assert rows.dtype == np.intp and distances.dtype == np.int64
    for i, query in enumerate(queries):
        assert (rows[i].tolist(), distances[i].tolist()) == naive(query, codes, k, alive)


@pytest.mark.parametrize("words", [1, 6, 8, 24])
def test_extremes_of_distance(words: int) -> None:
    codes = np.zeros((3, words), dtype=np.uint64)
    codes[1] = 2**64 - 1
    query = np.full(words, 2**64 - 1, dtype=np.uint64)
    rows, distances = nearest(query, codes, 3)
    assert rows.tolist() == [1, 0, 2] and distances.tolist() == [0, 64 * words, 64 * words]


def test_worst_order_still_finds_the_nearest() -> None:
    # Ever nearer rows: every block beats all before it.
    codes = np.array([[(1 << (63 - i // 64)) - 1] for i in range(64 * 64)], dtype=np.uint64)
    rows, distances = nearest(np.zeros(1, np.uint64), codes, 100)
    assert (rows.tolist(), distances.tolist()) == naive(np.zeros(1, np.uint64), codes, 100, None)


def test_a_memory_map_is_scanned_without_being_copied(tmp_path) -> None:
    codes = np.random.default_rng(0).integers(0, 2**64, (200_000, 8), dtype=np.uint64)
    codes.tofile(tmp_path / "codes.u64")
    mapped = np.memmap(tmp_path / "codes.u64", dtype="<u8", mode="r", shape=codes.shape)
    alive = np.ones(len(codes), dtype=bool)
    tracemalloc.start()
    rows, distances = nearest(codes[77], mapped, 320, alive)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows[0] == 77 and distances[0] == 0 and len(rows) == 320
    assert peak < 2 << 20, f"{peak} bytes for a scan of {codes.nbytes}"
    mapped._mmap.close()


def test_what_does_not_belong_together_is_refused() -> None:
    codes = np.zeros((4, 2), dtype=np.uint64)
    query = np.zeros(2, dtype=np.uint64)
    for arguments in (
        (np.zeros(3, np.uint64), codes, 1),
        (query.astype(np.int64), codes, 1),
        (query, codes, -1),
        (query, codes, 1, np.ones(3, bool)),
        (query, codes, 1, np.ones(4, np.uint8)),
    ):
        with pytest.raises(ValueError):
            nearest(*arguments)


def test_codes_need_numpy_alone() -> None:
    program = (
        "import sys, numpy; before = set(sys.modules); import cmrcli.codes, cmrcli.codes.quality; "
        "new = {m.partition('.')[0] for m in set(sys.modules) - before}; "
        "print(' '.join(sorted(new - {'cmrcli', 'numpy'} - sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

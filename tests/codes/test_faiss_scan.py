"""FAISS finds the rows that numpy finds, ties and masks included, and is imported only when it pays."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.codes import faiss_scan, hamming
from cmrcli.codes.hamming import ROW_BITS

WHY = "faiss-cpu is not installed (pip install 'cmrcli[fast]')"


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 400),
    words=st.integers(1, 9),
    k=st.integers(1, 400),
    q=st.integers(1, 6),
    masked=st.booleans(),
    spread=st.integers(1, 64),
    block_rows=st.integers(1, 100),
    seed=st.integers(0, 9999),
)
def test_the_same_keys_as_numpy(
    n: int, words: int, k: int, q: int, masked: bool, spread: int, block_rows: int, seed: int
) -> None:
    pytest.importorskip("faiss", reason=WHY)
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2**spread, (n, words), dtype=np.uint64)
    queries = rng.integers(0, 2**spread, (q, words), dtype=np.uint64)
    alive = rng.random(n) < 0.6 if masked else None
    k = min(k, n if alive is None else int(alive.sum()))
    if k == 0:
        return
    saved, faiss_scan.BLOCK_ROWS = faiss_scan.BLOCK_ROWS, block_rows
    try:
        fast = faiss_scan.sorted_keys(queries, codes, k, alive, ROW_BITS)
    finally:
        faiss_scan.BLOCK_ROWS = saved
    assert np.array_equal(fast, hamming._sorted_keys(queries, codes, k, alive))


def test_a_memory_map_is_taken_as_it_is(tmp_path) -> None:
    pytest.importorskip("faiss", reason=WHY)
    codes = np.random.default_rng(0).integers(0, 2**64, (1_000, 6), dtype=np.uint64)
    codes.tofile(tmp_path / "codes.u64")
    mapped = np.memmap(tmp_path / "codes.u64", dtype="<u8", mode="r", shape=codes.shape)
    keys = faiss_scan.sorted_keys(codes[5:6], mapped.view(np.ndarray), 9, None, ROW_BITS)
    assert keys[0, 0] == 5
    mapped._mmap.close()


def test_large_work_pays_small_work_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "faiss", raising=False)
    monkeypatch.setattr(faiss_scan, "_seen_words", 0)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert not faiss_scan.pays(1, 1_000_000, 6, False)
    assert not faiss_scan.pays(1, 7_000_000, 6, False)
    assert faiss_scan.pays(1, 1_000_000, 6, False)  # 54 million words by now
    assert not faiss_scan.pays(3, 1_000_000, 6, True) and faiss_scan.pays(4, 1_000_000, 6, True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not faiss_scan.pays(1, 100_000_000, 6, False)


def test_a_batch_finds_the_same_with_and_without_it() -> None:
    pytest.importorskip("faiss", reason=WHY)
    program = (
        "import sys, numpy as np\n"
        "from cmrcli.codes import faiss_scan, nearest_batch\n"
        "faiss_scan.FROM_WORDS = int(sys.argv[1])\n"
        "codes = np.random.default_rng(1).integers(0, 2**12, (50_000, 6), dtype=np.uint64)\n"
        "rows, distances = nearest_batch(codes[:20], codes, 100)\n"
        "print('faiss' in sys.modules, rows.sum(), (rows * np.arange(100)).sum(), distances.sum())\n"
    )
    said = [
        subprocess.run([sys.executable, "-c", program, words], capture_output=True, text=True, check=True).stdout
        for words in ("1000", "1000000000")
    ]
    assert said[0].startswith("True ") and said[1] == said[0].replace("True", "False")

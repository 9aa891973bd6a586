"""Real embeddings for the benchmarks of codes: the text pack's lines and the dev pictures of ../shared/data through
the bundled encoder, made once for each encoder and kept under .bench/.

Rows: 100,000 English lines, drawn with SEED, and all dev pictures but those held back. Queries, none of them a row:
2,000 other lines, 500 held-back pictures, and the names of the dev pictures (text, as a user would ask for them).
Those with an even number are for choosing settings, those with an odd number for reporting.

Reading the data needs pyarrow (extra `bench`), which is no dependency of cmrcli.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.locate import bundled
from cmrcli.encoders.manifest import load_manifest
from tests.bench.measure import CACHE, SHARED

SEED = 70
LINES = 100_000
QUERY_LINES = 2_000
QUERY_PICTURES = 500
BATCH_TEXTS = 64
BATCH_PICTURES = 32


@dataclass(frozen=True, slots=True)
class RealVectors:
    """Unit vectors of the bundled encoder.

    Attributes:
        rows: (n, dim) float32, as the encoder gave them: lines first, then pictures.
        pictured: (n,) bool, True where a row is a picture.
        queries: sort of query ("lines", "pictures", "names") -> (q, dim) float32.
    """

    rows: NDArray[np.float32]
    pictured: NDArray[np.bool_]
    queries: dict[str, NDArray[np.float32]]

    def of_half(self, half: int) -> dict[str, NDArray[np.float32]]:
        """The queries with an even (0: for choosing) or odd (1: for reporting) number."""
        return {sort: vectors[half::2] for sort, vectors in self.queries.items()}


def real_vectors() -> RealVectors | None:
    """The vectors, made now or found under .bench/; None, with a line that says why, where the data are missing."""
    manifest = load_manifest(bundled())
    kept = CACHE / f"real-vectors-f32-{manifest.digest[:12]}.npz"
    if not kept.is_file():
        data = SHARED / "data"
        if not (data / "text" / "en.txt.zst").is_file():
            print(f"{data} is not there: real embeddings passed over")
            return None
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            print("pyarrow is not installed (extra bench): real embeddings passed over")
            return None
        print("encoding the text pack and the dev pictures: minutes, once for this encoder", flush=True)
        _make(kept, data, DualEncoder(manifest))
    with np.load(kept) as arrays:
        queries = {sort: arrays[f"queries_{sort}"].astype(np.float32) for sort in ("lines", "pictures", "names")}
        return RealVectors(arrays["rows"], arrays["pictured"], queries)


def _make(target: Path, data: Path, encoder: DualEncoder) -> None:
    chance = np.random.default_rng(SEED)
    pictures, names = _pictures(data / "dev", encoder)
    pictures = pictures[chance.permutation(len(pictures))]
    lines = _lines(data / "text" / "en.txt.zst")
    drawn = chance.choice(len(lines), LINES + QUERY_LINES, replace=False)
    texts = encoded([lines[number] for number in drawn], encoder)
    named = encoded(sorted(set(names) - {lines[number] for number in drawn}), encoder)
    rows = np.concatenate([texts[:LINES], pictures[QUERY_PICTURES:]])
    beside = target.with_suffix(".unfinished.npz")
    target.parent.mkdir(exist_ok=True)
    np.savez(
        beside,
        rows=rows,
        pictured=np.arange(len(rows)) >= LINES,
        queries_lines=texts[LINES:],
        queries_pictures=pictures[:QUERY_PICTURES],
        queries_names=named,
    )
    beside.rename(target)


def _lines(path: Path) -> list[str]:
    import pyarrow

    with pyarrow.input_stream(str(path), compression="zstd") as stream:
        return stream.read().decode("utf-8").splitlines()  # type: ignore[no-any-return]


def _pictures(folder: Path, encoder: DualEncoder) -> tuple[NDArray[np.float32], list[str]]:
    """(n, dim) vectors of every picture, and the first name of each that has one."""
    import pyarrow.parquet as pq

    vectors, names = [], []
    for path in sorted(folder.glob("*.parquet")):
        rows = pq.read_table(path, columns=["image", "names"]).to_pylist()
        names += [name for row in rows for name in (row["names"] or [])[:1]]
        vectors.append(pictures_of((row["image"] for row in rows), encoder))
    return np.concatenate(vectors), names


def pictures_of(files: Iterable[bytes], encoder: DualEncoder) -> NDArray[np.float32]:
    """(n, dim) vectors of picture files, given as bytes."""
    from PIL import Image

    from cmrcli.encoders.preprocess import fit

    vectors, waiting = [], []
    for file in files:
        waiting.append(fit(Image.open(io.BytesIO(file)), encoder.manifest.image))
        if len(waiting) == BATCH_PICTURES:
            vectors.append(encoder.encode_images(np.stack(waiting)))
            waiting = []
    if waiting:
        vectors.append(encoder.encode_images(np.stack(waiting)))
    return np.concatenate(vectors)


def encoded(texts: list[str], encoder: DualEncoder) -> NDArray[np.float32]:
    """(n, dim) vectors in the order of the texts; encoded by length, so that little is padding."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    vectors = np.empty((len(texts), encoder.dim), dtype=np.float32)
    for start in range(0, len(order), BATCH_TEXTS):
        chosen = order[start : start + BATCH_TEXTS]
        vectors[chosen] = encoder.encode_texts([texts[number] for number in chosen])
    return vectors

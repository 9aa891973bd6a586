"""The images of the training data as arrays, with their words.

The tool letterboxes every image on a white square of `SIZE` pixels; so does this module. Training images are kept a
little larger, so that a crop has more to show, as one memory-mapped file.
"""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from models.train.workspace import CORES, DATA, OUT, fraction, log, stage

SIZE = 160  # what the tool feeds
STORED = 192  # what training reads
LABELLED = 224  # what the label networks were made for: their originals, as teachers and as baseline, see this
BLOCK = 256
Pixels = NDArray[np.uint8]  # (n, size, size, 3), RGB
WORDS = (
    "id",
    "kind",
    "source",
    "concept",
    "names",
    "tags",
    "captions",
    "names_ja",
    "tags_ja",
    "labels",
    "label_scores",
)


def letterbox(image: Image.Image, size: int) -> Pixels:
    """(size, size, 3): the whole image, longest side to `size`, centred on white."""
    image = image.convert("RGB")
    scale = size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    if (width, height) != image.size:
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    square = Image.new("RGB", (size, size), (255, 255, 255))
    square.paste(image, ((size - width) // 2, (size - height) // 2))
    return np.asarray(square)


def resized(images: Pixels, size: int) -> Pixels:
    """(n, size, size, 3): square pictures as the tool would feed them at another size."""
    return np.stack([letterbox(Image.fromarray(image), size) for image in images])


def rows(split: str) -> Iterator[dict[str, Any]]:
    """Every row of `train` or `dev`, in the order of the files."""
    for block in _blocks(split):
        yield from block


def _blocks(split: str) -> Iterator[list[dict[str, Any]]]:
    for path in sorted((DATA / split).glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(BLOCK):
            yield batch.to_pylist()


def prepare(split: str, size: int) -> None:
    """Stage `prepare-images`: `SPLIT-SIZE.npy` with all pixels and `SPLIT.json` with all words."""
    pixels_path = OUT / f"{split}-{size}.npy"
    if pixels_path.exists():
        return
    with stage("prepare-images"), ProcessPoolExecutor(CORES) as pool:
        words = [{key: row[key] for key in WORDS} for row in rows(split)]
        beside = OUT / f"{split}-{size}.tmp.npy"
        pixels = np.lib.format.open_memmap(beside, "w+", np.uint8, (len(words), size, size, 3))
        done = 0
        encoded = ([row["image"] for row in block] for block in _blocks(split))
        for decoded in pool.map(_decoded, encoded, repeat(size)):
            pixels[done : done + len(decoded)] = decoded
            done += len(decoded)
        pixels.flush()
        (OUT / f"{split}.json").write_text(json.dumps(words, ensure_ascii=False))
        beside.replace(pixels_path)
        log(f"{split}: {done:,} images at {size} px")


def _decoded(images: list[bytes], size: int) -> Pixels:
    return np.stack([letterbox(Image.open(io.BytesIO(image)), size) for image in images])


def words(split: str) -> list[dict[str, Any]]:
    """The rows without their pixels; `prepare` must have run."""
    loaded: list[dict[str, Any]] = json.loads((OUT / f"{split}.json").read_text())
    return loaded


def pixels(split: str, size: int) -> Pixels:
    """(n, size, size, 3) uint8, memory-mapped, read-only."""
    return np.asarray(np.load(Path(OUT / f"{split}-{size}.npy"), mmap_mode="r"))


def half(row: dict[str, Any]) -> str:
    """Which half of dev a row belongs to, "choose" or "report": by concept, a book's figures one by one."""
    by_concept = row["concept"] and not row["concept"].startswith("openstax:")
    return "choose" if fraction(row["concept"] if by_concept else row["id"], "dev half") < 0.5 else "report"

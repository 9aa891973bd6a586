"""The images of the training data as arrays, with their words.

The tool letterboxes every image on a white square of `SIZE` pixels; so does this module. The learned part of the image
tower sees `LEARNED_SIZE` pixels, so the training images are kept at that size, as one memory-mapped file.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from models.train.workspace import DATA, OUT, fraction, log, stage

SIZE = 224  # what the tool feeds, and what the label networks see
LEARNED_SIZE = 128
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


def rows(split: str) -> Iterator[dict[str, Any]]:
    """Every row of `train` or `dev`, in the order of the files."""
    for path in sorted((DATA / split).glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(256):
            yield from batch.to_pylist()


def prepare(split: str, size: int) -> None:
    """Stage `prepare-images`: `SPLIT-SIZE.npy` with all pixels and `SPLIT.json` with all words."""
    pixels_path = OUT / f"{split}-{size}.npy"
    if pixels_path.exists():
        return
    with stage("prepare-images"):
        words = [{key: row[key] for key in WORDS} for row in rows(split)]
        beside = OUT / f"{split}-{size}.tmp.npy"
        pixels = np.lib.format.open_memmap(beside, "w+", np.uint8, (len(words), size, size, 3))
        for number, row in enumerate(rows(split)):
            pixels[number] = letterbox(Image.open(io.BytesIO(row["image"])), size)
            if number % 10_000 == 0:
                log(f"{split}: {number:,} of {len(words):,} images at {size} px")
        pixels.flush()
        (OUT / f"{split}.json").write_text(json.dumps(words, ensure_ascii=False))
        beside.replace(pixels_path)


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

"""Dev pictures of ../shared/data with the vectors of their parts, as an index, without encoding them twice.

What `cmrcli index` would make of the pictures (kinds, tiles, views, vectors of the bundled encoder) is made once for
each encoder and kept under .bench/; the index is written by the store's own writer and calibrated as a run does it, so
that searches take the very way that a user's take. The files are empty, and their names are numbers.

Reading the data needs pyarrow (extra `bench`), which is no dependency of cmrcli.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmrcli.corpus.items import ReaderItem
from cmrcli.corpus.views import MIN_LONG_EDGE_PX, part_boxes
from cmrcli.encoders.dual import DualEncoder
from cmrcli.indexing.calibrating import bring_up_to_date
from cmrcli.store import EncoderIdentity, open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from tests.bench.measure import CACHE, SHARED

BATCH = 32
BATCH_FILES = 1_000


@dataclass(frozen=True, slots=True)
class Parts:
    """One set of pictures.

    Attributes:
        rows: their words, by number.
        picture: (n,) int64, the picture that each fragment is of; ascending, the whole picture first.
        boxes: (n, 4) float64, NaN for the whole picture.
        vectors: (n, dim) float16.
    """

    rows: list[dict[str, Any]]
    picture: NDArray[np.int64]
    boxes: NDArray[np.float64]
    vectors: NDArray[np.float16]


def dev_parts(name: str, encoder: DualEncoder) -> Parts | None:
    """A set of dev pictures, encoded now or found under .bench/; None where the data are missing, which it says."""
    source = SHARED / "data" / "dev" / f"{name}.parquet"
    if not source.is_file():
        print(f"  {source} is not there: passed over")
        return None
    try:
        import pyarrow.parquet as pq
    except ImportError:
        print("  pyarrow is not installed (extra bench): passed over")
        return None
    rows = pq.read_table(source).to_pylist()
    kept = CACHE / f"dev-parts-{name}-{encoder.manifest.digest[:12]}.npz"
    if not kept.is_file():
        print(f"  encoding the dev pictures of {name}: minutes, once for this encoder", flush=True)
        _make(kept, [row["image"] for row in rows], encoder)
    words = [{key: row[key] or [] for key in ("names", "names_ja", "captions")} | {"id": row["id"]} for row in rows]
    with np.load(kept) as arrays:
        return Parts(words, arrays["picture"], arrays["boxes"], arrays["vectors"])


def write_index(folder: Path, parts: Parts, encoder: DualEncoder) -> None:
    """An index of the set below a new folder: `folder`/index, of `folder`/pictures/NUMBER.png."""
    place = folder / "pictures"
    place.mkdir(parents=True)
    identity = EncoderIdentity(encoder.manifest.name, encoder.manifest.digest, encoder.manifest.dim)
    with open_writer(folder / "index", identity) as writer:
        root = writer.add_root(os.fsencode(place))
        for start in range(0, len(parts.rows), BATCH_FILES):
            batch = Batch()
            for number in range(start, min(start + BATCH_FILES, len(parts.rows))):
                name = f"{number:05}.png"
                (place / name).touch()
                batch.contents.append(_content(parts, number))
                batch.files.append(FileUpdate(root.id, b"", name.encode(), 1, 1, batch.contents[-1].digest))
            writer.commit(batch)
        writer.maintain(graphs=False)
        bring_up_to_date(writer, lambda: encoder)


def _content(parts: Parts, number: int) -> NewContent:
    fragments = []
    for at in range(*np.searchsorted(parts.picture, [number, number + 1])):
        vector = parts.vectors[at].astype(np.float32)
        whole = bool(np.isnan(parts.boxes[at, 0]))
        x0, y0, x1, y1 = parts.boxes[at].tolist()
        fragments.append(NewFragment("whole" if whole else "tile", vector, None if whole else (x0, y0, x1, y1)))
    item = NewItem(None, "drawing", width_px=224, height_px=224, fragments=fragments)
    return NewContent(b"dev picture" + number.to_bytes(5, "little"), "png", [item])


def _make(target: Path, images: list[bytes], encoder: DualEncoder) -> None:
    from PIL import Image

    from cmrcli.corpus.kinds import classify
    from cmrcli.corpus.tiles import crop
    from cmrcli.encoders.preprocess import fit

    pictures, boxes, waiting, vectors = [], [], [], []
    for number, data in enumerate(images):
        image = Image.open(io.BytesIO(data))
        own = []
        if max(image.size) >= MIN_LONG_EDGE_PX:
            own = part_boxes(image, classify(ReaderItem(None, image=image)))
        for box in (None, *own):
            pictures.append(number)
            boxes.append((np.nan,) * 4 if box is None else box)
            waiting.append(fit(image if box is None else crop(image, box), encoder.manifest.image))
            if len(waiting) == BATCH:
                vectors.append(encoder.encode_images(np.stack(waiting)))
                waiting = []
    if waiting:
        vectors.append(encoder.encode_images(np.stack(waiting)))
    beside = target.with_suffix(".unfinished.npz")
    target.parent.mkdir(exist_ok=True)
    np.savez(
        beside,
        picture=np.array(pictures, dtype=np.int64),
        boxes=np.array(boxes),
        vectors=np.concatenate(vectors).astype(np.float16),
    )
    beside.rename(target)

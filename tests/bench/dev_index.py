"""Real indexes of the development pictures of ../shared/data/dev, without encoding them twice.

Pictures and texts go through the bundled encoder once; their vectors are kept under .bench/ by the encoder's digest.
Indexes are made of them by the store's own writer and calibrated as a run of `cmrcli index` does it, so that searches
take the very way that a user's take. The files are empty: only their names are looked at. They tell nothing, as those
of a camera do.

Halves are those of the training (`models.train.pictures.half`): by concept, a book's figures one by one. What is
fitted or chosen is fitted or chosen on "choose"; the figures to quote are those of "report".

Reading the data needs pyarrow (extra `bench`), which is no dependency of cmrcli.
"""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.locate import bundled
from cmrcli.encoders.manifest import load_manifest
from cmrcli.indexing.calibrating import bring_up_to_date
from cmrcli.store import EncoderIdentity, open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from tests.bench.measure import CACHE, SHARED

HALVES = ("choose", "report")
BATCH_TEXTS = 64
BATCH_PICTURES = 32
BATCH_FILES = 1_000
SORTS = ("icon", "symbol", "emoji", "stencil", "photo", "product")  # what a short name can ask for
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pictures:
    """The dev pictures.

    Attributes:
        rows: their words, without the pictures themselves.
        vectors: (n, dim) float32, unit vectors in the same order.
    """

    rows: list[dict[str, Any]]
    vectors: Vectors

    def of(self, half: str, *kinds: str) -> list[int]:
        """Numbers of the rows of one half, of these kinds (all when none is named)."""
        from models.train.pictures import half as half_of

        return [
            number
            for number, row in enumerate(self.rows)
            if half_of(row) == half and (not kinds or row["kind"] in kinds)
        ]


@dataclass(frozen=True, slots=True)
class Words:
    """What a picture is indexed with besides its vector: a text with the vector of its only passage."""

    text: str
    vector: Vectors


def encoder() -> DualEncoder:
    """The bundled one."""
    return DualEncoder(load_manifest(bundled()))


def dev_pictures(asked: DualEncoder) -> Pictures | None:
    """The pictures, encoded now or found under .bench/; None where they are missing, which has been said."""
    if importlib.util.find_spec("pyarrow") is None:
        print("pyarrow is not installed (extra bench): nothing measured")
        return None
    if not any((SHARED / "data" / "dev").glob("*.parquet")):
        print("../shared/data/dev is not there: nothing measured")
        return None
    from models.train.pictures import WORDS, rows

    kept = _kept("pictures", asked)
    words: list[dict[str, Any]] = []
    waiting: list[NDArray[np.uint8]] = []
    vectors: list[Vectors] = []
    if not kept.is_file():
        print("encoding the dev pictures: minutes, once for this encoder", flush=True)
    for row in rows("dev"):
        words.append({key: row[key] for key in WORDS})
        if not kept.is_file():
            waiting.append(_fitted(row["image"], asked))
            if len(waiting) == BATCH_PICTURES:
                vectors.append(asked.encode_images(np.stack(waiting)))
                waiting = []
    if not kept.is_file():
        vectors += [asked.encode_images(np.stack(waiting))] if waiting else []
        _keep(kept, vectors=np.concatenate(vectors).astype(np.float16))
    with np.load(kept) as arrays:
        return Pictures(words, arrays["vectors"].astype(np.float32))


def text_vectors(asked: DualEncoder, texts: Iterable[str]) -> dict[str, Vectors]:
    """Text -> its (dim,) float32 vector, encoded now or found under .bench/."""
    wanted = sorted(set(texts), key=lambda text: (len(text), text))  # equal lengths need little padding
    kept = _kept("texts", asked)
    known: dict[str, Vectors] = {}
    if kept.is_file():
        with np.load(kept) as arrays:
            known = dict(zip(arrays["texts"].tolist(), arrays["vectors"], strict=True))
    missing = [text for text in wanted if text not in known]
    for start in range(0, len(missing), BATCH_TEXTS):
        batch = missing[start : start + BATCH_TEXTS]
        known.update(zip(batch, asked.encode_texts(batch), strict=True))
    if missing:
        _keep(kept, texts=np.array(list(known)), vectors=np.stack(list(known.values())))
    return {text: known[text] for text in wanted}


def make_index(
    folder: Path, asked: DualEncoder, pictures: Pictures, numbers: Sequence[int], words: dict[int, Words] | None = None
) -> None:
    """An index of these pictures below `folder`, or what is there with them besides; calibrated.

    The index is `folder`/index, the files `folder`/pictures/IMG_NUMBER.webp.
    """
    place = folder / "pictures"
    place.mkdir(parents=True)
    identity = EncoderIdentity(asked.manifest.name, asked.manifest.digest, asked.manifest.dim)
    with open_writer(folder / "index", identity) as writer:
        root = writer.add_root(os.fsencode(place))
        for start in range(0, len(numbers), BATCH_FILES):
            batch = Batch()
            for number in numbers[start : start + BATCH_FILES]:
                name = f"IMG_{number:05}.webp"
                (place / name).touch()
                batch.contents.append(_content(pictures, number, (words or {}).get(number)))
                batch.files.append(FileUpdate(root.id, b"", name.encode(), 1, 1, batch.contents[-1].digest))
            writer.commit(batch)
        writer.maintain(graphs=False)
        bring_up_to_date(writer, lambda: KeptTexts(asked))


class KeptTexts(DualEncoder):
    """An encoder that encodes a text once for all indexes."""

    def __init__(self, asked: DualEncoder) -> None:
        super().__init__(asked.manifest)
        self._asked = asked

    def encode_texts(self, texts: list[str]) -> Vectors:
        found = text_vectors(self._asked, texts)
        return np.stack([found[text] for text in texts])


def number_of(path: str) -> int | None:
    """The picture's number by its file; None for another file."""
    name = os.path.basename(path)
    return int(name[4:9]) if name.startswith("IMG_") and name.endswith(".webp") and len(name) == 14 else None


def names_of(row: dict[str, Any], japanese: bool = False) -> list[str]:
    """What a picture is called, the first name first."""
    return list(dict.fromkeys(row["names_ja" if japanese else "names"] or ()))


def by_first_name(pictures: Pictures, numbers: Sequence[int], japanese: bool = False) -> dict[str, set[int]]:
    """Name -> the pictures that have it among their names, for every first name."""
    named: dict[str, set[int]] = {}
    for number in numbers:
        for name in names_of(pictures.rows[number], japanese):
            named.setdefault(name, set()).add(number)
    firsts = {names[0] for number in numbers if (names := names_of(pictures.rows[number], japanese))}
    return {name: named[name] for name in sorted(firsts)}


def evenly(names: Iterable[str], most: int, salt: str) -> list[str]:
    """At most so many of the names, the same ones every time."""
    from models.train.workspace import fraction

    return sorted(sorted(set(names), key=lambda name: fraction(name, salt))[:most])


def _content(pictures: Pictures, number: int, words: Words | None) -> NewContent:
    fragments = [NewFragment("whole", pictures.vectors[number])]
    if words is not None:
        fragments.append(NewFragment("passage", words.vector, text=words.text))
    kind = "photo" if pictures.rows[number]["kind"] in ("photo", "product") else "drawing"
    item = NewItem(None, kind, width_px=224, height_px=224, text=words.text if words else "", fragments=fragments)
    return NewContent(b"dev picture" + number.to_bytes(5, "little"), "webp", [item])


def _fitted(image: bytes, asked: DualEncoder) -> NDArray[np.uint8]:
    from PIL import Image

    from cmrcli.encoders.preprocess import fit

    return fit(Image.open(io.BytesIO(image)), asked.manifest.image)


def _kept(what: str, asked: DualEncoder) -> Path:
    return CACHE / f"dev-{what}-{asked.manifest.digest[:12]}.npz"


def _keep(target: Path, **arrays: NDArray[Any]) -> None:
    target.parent.mkdir(exist_ok=True)
    beside = target.with_suffix(".unfinished.npz")
    np.savez(beside, **arrays)
    beside.rename(target)

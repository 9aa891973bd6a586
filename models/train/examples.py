"""The training images on the device, with their words, and which of them make a batch."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from models.train import image_texts, pictures, released, text_tower
from models.train.augment import Chance
from models.train.device import DEVICE
from models.train.workspace import CORES, OUT, fraction, log, stage

SOURCES = ("train", "parts-train")
SHARES = {"icon": 1.0, "symbol": 2.0, "stencil": 4.0, "emoji": 2.5, "figure": 2.0, "photo": 1.6, "product": 2.5}
# Every how many-th image is learned from: for the curve by amount of data, 1 otherwise.
EVERY = int(os.environ.get("CMRCLI_TRAIN_EVERY", "1"))
EVERYDAY = "caltech:"  # concepts of photos of everyday classes, which the labels know by themselves
UNNAMED = 0.25  # of those classes training never hears the name: on them it can be seen what becomes of the others
CHUNK = 2_048  # texts that a process embeds at a time


def speaker() -> Callable[[list[str]], NDArray[np.float32]]:
    """How texts become vectors (n, 384): by the released text tower with `--images`, else by the new one."""
    if released.images_only():
        return lambda texts: released.embed_texts(texts, released.predecessor())
    tokenizer = Tokenizer.from_file(str(OUT / "tokenizer.json"))
    tower = text_tower.load(OUT / "text.pt", tokenizer)
    return lambda texts: text_tower.embed(tower, tokenizer, texts)


def embed_texts() -> None:
    """Stage `embed-image-texts`: `image-texts.npy`, the text tower's vector of every text an image may stand for."""
    path = OUT / "image-texts.npy"
    if path.exists():
        return
    with stage("embed-image-texts"):
        texts = image_texts.collect(_rows()).texts
        if released.images_only():
            released.predecessor()
            with ProcessPoolExecutor(CORES) as pool:
                chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
                vectors = np.concatenate(list(pool.map(_embedded, chunks)))
        else:
            with torch.autocast("cpu", torch.bfloat16):
                vectors = speaker()(texts)
        np.save(path.with_suffix(".tmp.npy"), vectors.astype(np.float16))
        path.with_suffix(".tmp.npy").replace(path)


def _embedded(texts: list[str]) -> NDArray[np.float16]:
    return released.embed_texts(texts, released.predecessor()).astype(np.float16)


def unnamed(row: dict[str, Any]) -> bool:
    """Whether a picture's words are kept from training, so that its class is as good as unseen."""
    concept = row["concept"]
    return bool(concept.startswith(EVERYDAY) and fraction(concept, "unnamed classes") < UNNAMED)


def _rows() -> list[dict[str, Any]]:
    """The words of all training images, in the order of their pixels."""
    return [row for name in SOURCES for row in pictures.words(name)]


class Examples:
    """All training images: pixels, kinds, texts and their vectors; numbers of images are rows of `SOURCES` in order."""

    def __init__(self) -> None:
        rows = _rows()
        self.count = len(rows)
        self._stored = [torch.from_numpy(pictures.pixels(name, pictures.STORED)) for name in SOURCES]
        if DEVICE.type != "cpu":
            self._stored = [part.to(DEVICE) for part in self._stored]
        kinds = np.asarray([row["kind"] for row in rows])
        self.line_art = _flags(np.isin(kinds, (*image_texts.DRAWN, "part drawing")))
        self.figures = _flags(kinds == "figure")
        self.photos = _flags(np.isin(kinds, ("photo", "product")))
        self.solid = _flags(np.isin(kinds, ("photo", "product", "part rendering")))  # may become line drawings
        self.part_drawings = _flags(kinds == "part drawing")
        self.everyday = _flags([row["concept"].startswith(EVERYDAY) for row in rows])
        self.unnamed = _flags([unnamed(row) for row in rows])
        shares = np.asarray([SHARES.get(kind, 0.0) for kind in kinds])
        shares[np.arange(len(shares)) % EVERY > 0] = 0.0
        self._shares = torch.from_numpy(shares).to(DEVICE)
        self._read_texts(image_texts.collect(rows))
        self._read_parts(rows)
        log(f"{self.count:,} images, {len(self.vectors):,} texts, {len(self._families)} part families")

    def _read_texts(self, texts: image_texts.ImageTexts) -> None:
        self.vectors = torch.from_numpy(np.load(OUT / "image-texts.npy").astype(np.float32)).to(DEVICE)
        if len(self.vectors) != len(texts.texts):
            raise SystemExit(f"{OUT / 'image-texts.npy'} belongs to other texts: delete it and run again")
        owner = np.repeat(np.arange(self.count), np.diff(texts.starts))
        before = np.concatenate([[0.0], np.cumsum(texts.weights, dtype=np.float64)])
        within = before[1:] - before[texts.starts[owner]]
        within[texts.starts[1:][np.diff(texts.starts) > 0] - 1] = 1 - 1e-9
        self._bounds = torch.from_numpy(owner + within).to(DEVICE)  # rising: number of the image, then share
        self._text_ids = torch.from_numpy(texts.ids.astype(np.int64)).to(DEVICE)
        self.named = _flags(np.diff(texts.starts) > 0)

    def _read_parts(self, rows: list[dict[str, Any]]) -> None:
        """Rows of every part of every family: its drawings, then its rendering."""
        self._families: dict[str, list[list[int]]] = {}
        part_ids, family_ids = np.full(len(rows), -1), np.full(len(rows), -1)
        for number, row in enumerate(rows):
            if "part" not in row:
                continue
            of_family = self._families.setdefault(row["concept"], [])
            if not of_family or rows[of_family[-1][0]]["id"] != row["id"]:
                of_family.append([])
            of_family[-1].append(number)
            part_ids[number] = of_family[-1][0]
            family_ids[number] = len(self._families)
        if EVERY > 1:
            self._families = {name: parts[::EVERY] for name, parts in self._families.items()}
        self.part_ids, self.family_ids = (torch.from_numpy(ids).to(DEVICE) for ids in (part_ids, family_ids))

    def draw(self, count: int, chance: Chance, shares: Tensor | None = None) -> Tensor:
        """(count,) numbers of images by the shares of their kinds, or by those given."""
        return torch.multinomial(self._shares if shares is None else shares, count, generator=chance.source)

    def draw_parts(self, families: int, of_each: int, chance: np.random.Generator) -> Tensor:
        """Numbers of all pictures of some parts of some families, so that every part meets others of its family."""
        drawn: list[int] = []
        names = list(self._families)
        for place in chance.choice(len(names), min(families, len(names)), replace=False):
            parts = self._families[names[place]]
            for number in chance.choice(len(parts), min(of_each, len(parts)), replace=False):
                drawn += parts[number]
        return torch.tensor(drawn, device=DEVICE)

    def planes(self, chosen: Tensor) -> Tensor:
        """(n, 3, s, s) uint8 of the images."""
        first, made = self._stored
        chosen = chosen.to(first.device)
        is_made = chosen >= len(first)
        found = torch.empty((len(chosen), *first.shape[1:]), dtype=torch.uint8, device=first.device)
        found[~is_made] = first[chosen[~is_made]]
        found[is_made] = made[chosen[is_made] - len(first)]
        return found.to(DEVICE).permute(0, 3, 1, 2)

    def texts_of(self, chosen: Tensor, chance: Chance) -> Tensor:
        """(n,) a text for each image, drawn by the texts' weights; only images that are `named`."""
        place = torch.searchsorted(self._bounds, chosen + chance.uniform(0, 1, len(chosen)).double())
        return self._text_ids[place.clamp(max=len(self._text_ids) - 1)]


def _flags(values: Any) -> Tensor:
    return torch.from_numpy(np.asarray(values, bool)).to(DEVICE)


if __name__ == "__main__":
    embed_texts()

"""Indexes of any size without encoding anything: the store's own writer, made-up vectors and words.

Vectors: unit vectors around CLUSTERS centres, so that codes have near and far neighbours as real ones do. Codes,
segments, catalog and words come from `Writer.commit` and `Writer.maintain`, as in a run of `cmrcli index`.
Items: one fragment each; 55 % photos (no words but their file's name), 25 % drawings (title block of about 15
words), 20 % pages (about 45 words), drawn by Zipf's law from a vocabulary in which the words of the query "hex
flange bolt" stand among the commoner half. Files: those of made_tree.py with their true sizes and times, so that
every result can be shown and a run of `cmrcli index` finds nothing changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import cmrcli.store.schema
from cmrcli.corpus.walk import WalkedFile, WalkRules, walk
from cmrcli.encoders.locate import bundled
from cmrcli.encoders.manifest import load_manifest
from cmrcli.store import open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.records import EncoderIdentity
from tests.bench.made_tree import FILES, PARTS, SHAPES, linked_tree, tree
from tests.bench.measure import CACHE

SEED = 30
MADE = 1  # raise it when other indexes are made here, so that kept ones are made again
CLUSTERS = 2_000
SPREAD = 0.7  # length of what is added to a centre of length 1
BATCH_FILES = 25_000

MATERIALS = ("steel", "S355", "brass", "aluminium", "PTFE", "rubber", "bronze", "cast iron", "stainless", "copper")
WORDS = (
    "drawing", "scale", "sheet", "revision", "approved", "checked", "date", "material", "tolerance", "surface",
    "finish", "part", "assembly", "section", "view", "detail", "thread", "hole", "diameter", "length", "width",
    "height", "mm", "weight", "quantity", "standard", "pressure", "temperature", "test", "report", "customer", "order",
    "supplier",
    "note", "general", "unless", "otherwise", "specified", "dimensions", "angle", "radius", "chamfer", "weld",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadeIndex:
    """An index that was made, the folder that it indexes, and its number of items."""

    folder: Path
    root: Path
    items: int


def made_index(items: int) -> MadeIndex:
    """The index of so many items (a multiple of FILES), made now or found under .bench/."""
    manifest = load_manifest(bundled())
    identity = EncoderIdentity(manifest.name, manifest.digest, manifest.dim)
    root = tree() if items == FILES else linked_tree(items // FILES)
    folder = CACHE / f"index-{items}-{_key(identity)}"
    if not folder.is_dir():
        for old in CACHE.glob(f"index-{items}-*"):
            shutil.rmtree(old)
        print(f"making the index of {items:,} items: minutes, once for this encoder", flush=True)
        beside = folder.with_suffix(".unfinished")
        shutil.rmtree(beside, ignore_errors=True)
        _fill(beside, identity, root, graphs=items <= FILES)
        beside.rename(folder)
    return MadeIndex(folder, root, items)


def _key(identity: EncoderIdentity) -> str:
    """Changes with the encoder, the catalog's tables, and what is made here."""
    tables = Path(cmrcli.store.schema.__file__).read_bytes()
    return hashlib.sha256(f"{identity.digest} {MADE}".encode() + tables).hexdigest()[:12]


def _fill(folder: Path, identity: EncoderIdentity, root: Path, graphs: bool) -> None:
    chance = np.random.default_rng(SEED)
    centres = _unit(chance.standard_normal((CLUSTERS, identity.dim), dtype=np.float32))
    vocabulary = _Vocabulary(chance)
    with open_writer(folder, identity) as writer:
        root_id = writer.add_root(os.fsencode(root)).id
        files = _walked(root) if root == tree() else _through_links(root)
        number = 0
        while stretch := list(islice(files, BATCH_FILES)):
            noise = chance.standard_normal((len(stretch), identity.dim), dtype=np.float32)
            cluster = chance.integers(CLUSTERS, size=len(stretch))
            vectors = _unit(centres[cluster] + noise * np.float32(SPREAD / identity.dim**0.5))
            batch = Batch()
            for file, vector in zip(stretch, vectors, strict=True):
                content = NewContent(number.to_bytes(16, "little"), os.fsdecode(file.name).rpartition(".")[2])
                content.items.append(_item(file.name, vector, vocabulary))
                batch.contents.append(content)
                batch.files.append(
                    FileUpdate(root_id, file.dir, file.name, file.size_bytes, file.mtime_ns, content.digest)
                )
                number += 1
            writer.commit(batch)
        writer.maintain(graphs=graphs)


def _walked(root: Path) -> Iterator[WalkedFile]:
    return (file for found in walk(os.fsencode(root), WalkRules()) for file in found.files)


def _through_links(root: Path) -> Iterator[WalkedFile]:
    """The same files once below each link: a walk lists a folder once only, whatever its names."""
    below = list(_walked(tree()))
    for link in sorted(os.listdir(root)):
        prefix = os.fsencode(link)
        for file in below:
            yield WalkedFile(prefix + b"/" + file.dir, file.name, file.size_bytes, file.mtime_ns)


class _Vocabulary:
    """Words by Zipf's law; those of the query lie among the commoner half."""

    def __init__(self, chance: np.random.Generator) -> None:
        named = [*SHAPES, *PARTS, *MATERIALS, *WORDS]
        sizes = (
            [f"M{n}" for n in range(3, 31)]
            + [f"DN{n}" for n in range(15, 400, 15)]
            + [f"{n}" for n in range(5, 305, 5)]
        )
        order = chance.permutation(len(named))
        self._words = np.array([named[i] for i in order] + sizes)
        share = 1.0 / np.arange(4, 4 + len(self._words))
        self._bounds = np.cumsum(share / share.sum())
        self._chance = chance

    def text(self, words: int) -> str:
        picks = np.searchsorted(self._bounds, self._chance.random(words))
        return " ".join(self._words[np.minimum(picks, len(self._words) - 1)].tolist())

    def part_number(self) -> str:
        letter, middle, last = self._chance.integers((65, 0, 0), (70, 10_000, 100)).tolist()
        return f"{chr(letter)}-{middle:04}-{last:02}"


def _item(name: bytes, vector: NDArray[np.float32], vocabulary: _Vocabulary) -> NewItem:
    draw = vector[0] * 1e4 % 1  # as good as chance, and one call less for each item
    if name.endswith(b".jpg") or draw < 0.4:
        return NewItem(None, "photo", width_px=4000, height_px=3000, fragments=[NewFragment("whole", vector)])
    if draw < 0.75:
        text = f"{vocabulary.part_number()} {vocabulary.text(14)}"
        return NewItem(None, "drawing", "", "", 2000, 1400, text, [NewFragment("whole", vector)])
    return NewItem(1, "page", "", vocabulary.text(4), 1240, 1754, vocabulary.text(45), [NewFragment("whole", vector)])


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit

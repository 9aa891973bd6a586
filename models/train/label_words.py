"""Labels as words: what two label networks see, said in the text tower's space.

Their label scores weigh the embeddings of the label names. No training is needed, photos are found by their class at
once, and the learned part of the tower adds to it; see `image_tower.py`. The original networks were made for 224
pixels (`LABELLED`); those of the tower are copies taught to say the same of smaller pictures (`fit_labels.py`).
"""

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.train.workspace import DATA, DIM, OUT

IMAGENET = "mobilenetv2_classifier"
OTHER_IMAGENET = "mobilenet_edgetpu_classifier"
OBJECTS = "object_labeler"
LABEL_FILES = {IMAGENET: "imagenet1001", OTHER_IMAGENET: "imagenet1001", OBJECTS: "object631"}
IMAGENET_WEIGHT, OBJECT_WEIGHT = 1.0, 0.5
OBJECT_FLOOR = 0.2  # below it an object label is noise
TAUGHT = OUT / "labels.pt"


@cache
def reader() -> ModuleType:
    """`read_init.py` of the training data, which builds the starting networks."""
    spec = importlib.util.spec_from_file_location("read_init", DATA / "init" / "read_init.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"no starting networks in {DATA / 'init'}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where compiling looks for it
    spec.loader.exec_module(module)
    return module


def label_names(network: str) -> list[str]:
    """One line per output of a network; ImageNet lines hold comma-separated synonyms."""
    return (DATA / "init" / f"labels_{LABEL_FILES[network]}.txt").read_text(encoding="utf-8").splitlines()


class LabelWords(nn.Module):
    """Pixels (n, 3, s, s), 0..255 -> (n, 384): label embeddings weighed by the scores."""

    def __init__(self, imagenet_words: NDArray[np.float32], object_words: NDArray[np.float32]) -> None:
        """Takes the embeddings of both networks' label names, (1001, 384) and (631, 384)."""
        super().__init__()
        self.imagenet = reader().load(IMAGENET)
        self.objects = reader().load(OBJECTS)
        self.register_buffer("imagenet_words", torch.from_numpy(imagenet_words))
        self.register_buffer("object_words", torch.from_numpy(object_words))
        self.requires_grad_(False)

    def scores(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Class shares (n, 1001) that add up to 1, and object scores (n, 631), each 0..1."""
        return self.imagenet(pixels)[1].softmax(1), self.objects(pixels)[1].sigmoid()

    def say(self, classes: Tensor, things: Tensor) -> Tensor:
        """(n, 384) from the scores."""
        things = F.relu(things - OBJECT_FLOOR) / (1 - OBJECT_FLOOR)
        return IMAGENET_WEIGHT * (classes @ self.imagenet_words) + OBJECT_WEIGHT * (things @ self.object_words)

    def forward(self, pixels: Tensor) -> Tensor:
        """The label-semantic vector, not normalised: a sure label gives a long vector."""
        return self.say(*self.scores(pixels))


def spoken(embed: Callable[[list[str]], NDArray[np.float32]], taught: Path | None = TAUGHT) -> LabelWords:
    """The label part in the words of a text encoder, with the taught networks; with the originals where None."""
    tables = []
    for network in (IMAGENET, OBJECTS):
        names = words_of(network)
        flat = embed([word for group in names for word in group])
        ends = np.cumsum([len(group) for group in names])
        tables.append(np.stack([group.mean(0) for group in np.split(flat, ends[:-1])]))
    part = LabelWords(tables[0], tables[1])
    if taught is not None:
        found = part.load_state_dict(torch.load(taught, weights_only=True, map_location="cpu"), strict=False)
        if found.unexpected_keys or set(found.missing_keys) != {"imagenet_words", "object_words"}:
            raise SystemExit(f"{taught} holds other networks: delete it and run `python -m models.train.fit_labels`")
    return part.eval()


def unspoken() -> LabelWords:
    """The original networks without words: for their scores alone."""
    return LabelWords(*(np.zeros((len(label_names(network)), DIM), np.float32) for network in (IMAGENET, OBJECTS)))


def words_of(network: str) -> list[list[str]]:
    """The names of each label: ImageNet's synonyms apart, so that they can be averaged."""
    split = LABEL_FILES[network] == "imagenet1001"
    return [[word.strip() for word in line.split(",")] if split else [line.strip()] for line in label_names(network)]

"""Labels as words: what two frozen label networks see, said in the text tower's space.

Their label scores weigh the embeddings of the label names. No training is needed, photos are found by their class at
once, and the learned part of the tower adds to it; see `image_tower.py`. The networks read the 224-pixel input shrunk
to their own size by an antialiased bilinear matrix, so that the whole path is inside one graph.
"""

import importlib.util
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.train.workspace import DATA

IMAGENET = "mobilenetv2_classifier"
OBJECTS = "object_labeler"
LABEL_FILES = {
    "mobilenetv2_classifier": "imagenet1001",
    "mobilenet_edgetpu_classifier": "imagenet1001",
    OBJECTS: "object631",
}
IMAGENET_SIZE = 224
OBJECT_SIZE = 224
IMAGENET_WEIGHT, OBJECT_WEIGHT = 1.0, 0.5
OBJECT_FLOOR = 0.2  # below it an object label is noise


def reader() -> ModuleType:
    """`read_init.py` of the training data, which builds the starting networks."""
    spec = importlib.util.spec_from_file_location("read_init", DATA / "init" / "read_init.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"no starting networks in {DATA / 'init'}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def label_names(network: str) -> list[str]:
    """One line per output of a network; ImageNet lines hold comma-separated synonyms."""
    return (DATA / "init" / f"labels_{LABEL_FILES[network]}.txt").read_text(encoding="utf-8").splitlines()


def shrink_matrix(source: int, target: int) -> Tensor:
    """(target, source): antialiased bilinear resampling of one axis, as Pillow does it."""
    scale = source / target
    centres = (torch.arange(target, dtype=torch.float64) + 0.5) * scale
    places = torch.arange(source, dtype=torch.float64) + 0.5
    weights = (1 - (places[None] - centres[:, None]).abs() / max(scale, 1.0)).clamp(min=0)
    return (weights / weights.sum(1, keepdim=True)).float()


class LabelWords(nn.Module):
    """Pixels (n, 3, 224, 224), 0..255 -> (n, 384): label embeddings weighed by the scores."""

    def __init__(self, imagenet_words: NDArray[np.float32], object_words: NDArray[np.float32]) -> None:
        """Takes the embeddings of both networks' label names, (1001, 384) and (631, 384)."""
        super().__init__()
        self.imagenet = reader().load(IMAGENET)
        self.objects = reader().load(OBJECTS)
        self.register_buffer("imagenet_words", torch.from_numpy(imagenet_words))
        self.register_buffer("object_words", torch.from_numpy(object_words))
        self.register_buffer("imagenet_shrink", shrink_matrix(224, IMAGENET_SIZE))
        self.register_buffer("object_shrink", shrink_matrix(224, OBJECT_SIZE))
        self.requires_grad_(False)

    def scores(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Class shares (n, 1001) that add up to 1, and object scores (n, 631), each 0..1."""
        classes = self.imagenet(shrink(pixels, self.imagenet_shrink))[1].softmax(1)
        return classes, self.objects(shrink(pixels, self.object_shrink))[1].sigmoid()

    def say(self, classes: Tensor, things: Tensor) -> Tensor:
        """(n, 384) from the scores."""
        things = F.relu(things - OBJECT_FLOOR) / (1 - OBJECT_FLOOR)
        return IMAGENET_WEIGHT * (classes @ self.imagenet_words) + OBJECT_WEIGHT * (things @ self.object_words)

    def forward(self, pixels: Tensor) -> Tensor:
        """The label-semantic vector, not normalised: a sure label gives a long vector."""
        return self.say(*self.scores(pixels))


def shrink(pixels: Tensor, matrix: Tensor) -> Tensor:
    """(n, 3, height, width) resampled to (n, 3, target, target) by one matrix for both axes."""
    if matrix.shape[0] == matrix.shape[1]:
        return pixels
    return matrix @ (pixels @ matrix.T)


def words_of(network: str) -> list[list[str]]:
    """The names of each label: ImageNet's synonyms apart, so that they can be averaged."""
    split = LABEL_FILES[network] == "imagenet1001"
    return [[word.strip() for word in line.split(",")] if split else [line.strip()] for line in label_names(network)]

"""The image tower: labels as words plus a learned part, summed and normalised.

The label part (`label_words.py`, frozen) knows photos; the learned part, a MobileNetEdgeTPU fine-tuned at a smaller
size, learns drawings and corrects the rest. It also decides how loud the labels are: on line art they are noise.
"""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.train.label_words import LabelWords, reader, shrink, shrink_matrix
from models.train.pictures import LEARNED_SIZE, SIZE, Pixels
from models.train.workspace import DIM

START = "mobilenet_edgetpu_classifier"
FEATURES = 1280
BLOCK = 64  # pictures at a time
# Labels count this much more than by themselves, in training and in the exported tower. The second was chosen on the
# choosing half of dev among 2 to 7: 4 has the best macro average (0.473, at 3 0.464, at 5 0.471); photos of unseen
# classes gain R-precision (0.79 -> 0.82), products lose some (0.54 -> 0.52), line art stays within 0.01.
LABEL_GAIN, EXPORTED_GAIN = 4.0, 4.0


def trunk() -> nn.Module:
    """The starting network, its depthwise convolutions kept in float32 under autocast.

    Their backward pass in bfloat16 is ten times as slow on a CPU (PyTorch 2.13, oneDNN) and took most of a step.
    """
    module = reader()

    class Trunk(module.InitNet):  # type: ignore[misc, name-defined]
        def step(self, operator: dict[str, Any], tensors: dict[int, Tensor]) -> Tensor:
            if operator.get("groups", 1) == 1:
                return cast(Tensor, super().step(operator, tensors))
            with torch.autocast("cpu", enabled=False):
                place = operator["in"][0]
                return cast(Tensor, super().step(operator, {place: tensors[place].float()}))

    started = module.load(START)
    built = Trunk(started.spec)
    built.load_state_dict(started.state_dict())
    return built


class LearnedPart(nn.Module):
    """Pixels (n, 3, s, s), 0..255 -> (n, 384) and the loudness of the labels (n, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = trunk()
        self.project = nn.Linear(FEATURES, DIM)
        self.loudness = nn.Linear(FEATURES, 1)
        nn.init.normal_(self.project.weight, std=0.002)  # starts as labels as words, nearly
        nn.init.zeros_(self.project.bias)
        nn.init.zeros_(self.loudness.weight)
        nn.init.zeros_(self.loudness.bias)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The learned vector and the factor 0..2 of the label vector."""
        features = self.trunk(pixels, want=("pooled",))[0]
        return self.project(features), 2 * self.loudness(features).sigmoid()


def together(learned: Tensor, loudness: Tensor, labels: Tensor) -> Tensor:
    """(n, 384), unit length: the image embedding."""
    return F.normalize(learned + loudness * labels, dim=1)


@torch.no_grad()
def encode(part: LearnedPart, pixels: Pixels, labels: Tensor | None) -> NDArray[np.float32]:
    """(n, 384) of (n, 224, 224, 3) pictures; `labels` (n, 384) as loud as they are to be, None without them."""
    matrix, out = shrink_matrix(SIZE, LEARNED_SIZE), []
    for start in range(0, len(pixels), BLOCK):
        planes = torch.from_numpy(np.asarray(pixels[start : start + BLOCK])).permute(0, 3, 1, 2).float()
        learned, loudness = part(shrink(planes, matrix))
        if labels is None:
            out.append(F.normalize(learned, dim=1))
        else:
            out.append(together(learned, loudness, labels[start : start + BLOCK]))
    return np.asarray(torch.cat(out).numpy())


class ImageTower(nn.Module):
    """What is exported: (n, 224, 224, 3) uint8 -> (n, 384) float32, unit length."""

    def __init__(self, labels: LabelWords, learned: LearnedPart | None) -> None:
        super().__init__()
        self.labels = labels
        self.learned = learned
        self.register_buffer("small", shrink_matrix(SIZE, LEARNED_SIZE))

    def forward(self, pixels: Tensor) -> Tensor:
        """The image embedding; of the labels alone when there is no learned part."""
        planes = pixels.permute(0, 3, 1, 2).to(self.small.dtype)
        labels = self.labels(planes)
        if self.learned is None:
            return F.normalize(labels, dim=1)
        return together(*self.learned(shrink(planes, self.small)), EXPORTED_GAIN * labels)

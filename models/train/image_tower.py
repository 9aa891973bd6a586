"""The image tower: labels as words plus a learned part, summed and normalised.

The label part (`label_words.py`, frozen) knows photos; the learned part, a fine-tuned MobileNetEdgeTPU, learns
drawings and corrects the rest. It also decides how loud the labels are: on line art they are noise.
"""

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.train.device import DEVICE
from models.train.label_words import OTHER_IMAGENET, LabelWords, reader
from models.train.pictures import Pixels
from models.train.workspace import DIM

START = OTHER_IMAGENET
FEATURES = 1280
BLOCK = 64  # pictures at a time
# Labels count this much more than by themselves, in training and in the exported tower.
LABEL_GAIN, EXPORTED_GAIN = 4.0, 4.0


def trunk() -> nn.Module:
    """The starting network; on a CPU its depthwise convolutions stay in float32 under autocast.

    Their backward pass in bfloat16 is ten times as slow there (PyTorch 2.13, oneDNN) and took most of a step.
    """
    module = reader()

    class Trunk(module.InitNet):  # type: ignore[misc, name-defined]
        def step(self, operator: dict[str, Any], tensors: dict[int, Tensor]) -> Tensor:
            if operator.get("groups", 1) == 1 or DEVICE.type != "cpu":
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


def learned_part(path: Path) -> LearnedPart:
    """The learned part whose weights a stage wrote there."""
    part = LearnedPart()
    part.load_state_dict(torch.load(path, weights_only=True, map_location="cpu")["learned"])
    return part


def together(learned: Tensor, loudness: Tensor, labels: Tensor) -> Tensor:
    """(n, 384), unit length: the image embedding."""
    return F.normalize(learned + loudness * labels, dim=1)


class ImageTower(nn.Module):
    """What is exported: (n, s, s, 3) uint8 -> (n, 384) float32, unit length.

    Either part may be missing: labels as words alone, or a learned part that has none.
    """

    def __init__(self, labels: LabelWords | None, learned: LearnedPart | None) -> None:
        super().__init__()
        self.labels = labels
        self.learned = learned

    def forward(self, pixels: Tensor) -> Tensor:
        """The image embedding."""
        planes = pixels.permute(0, 3, 1, 2).float()
        if self.learned is None:
            return F.normalize(cast(LabelWords, self.labels)(planes), dim=1)
        learned, loudness = self.learned(planes)
        if self.labels is None:
            return F.normalize(learned, dim=1)
        return together(learned, loudness, EXPORTED_GAIN * self.labels(planes))


@torch.no_grad()
def encode(tower: ImageTower, pixels: Pixels) -> NDArray[np.float32]:
    """(n, 384) of pictures (n, s, s, 3), in float32 on the device."""
    tower, out = tower.to(DEVICE), []
    for start in range(0, len(pixels), BLOCK):
        block = torch.from_numpy(np.array(pixels[start : start + BLOCK])).to(DEVICE)
        out.append(tower(block).cpu().numpy())
    return np.concatenate(out)

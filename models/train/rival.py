"""A CLIP ViT-B/32 graph at 256 pixels in dynamic int8, with random weights: what the encoder's speed is compared with.

Only the shapes matter for speed: a text tower of 12 layers of width 512 over 49,408 pieces and 77 places, an image
tower of 12 layers of width 768 over 65 places.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional as F

from models.train.workspace import OUT

PIECES, PLACES, DIM = 49_408, 77, 512


class Block(nn.Module):
    """A transformer layer as CLIP has it: normalisation first."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, length, width), both ways."""
        n, length, width = x.shape
        y = self.norm1(x)
        query, key, value = (
            f(y).view(n, length, self.heads, width // self.heads).transpose(1, 2)
            for f in (self.query, self.key, self.value)
        )
        weights = (query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5).softmax(-1)
        x = x + self.out((weights @ value).transpose(1, 2).reshape(n, length, width))
        y = self.wide(self.norm2(x))
        return x + self.narrow(y * torch.sigmoid(1.702 * y))


class Text(nn.Module):
    """ids (n, 77) -> (n, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(PIECES, DIM)
        self.places = nn.Parameter(torch.randn(PLACES, DIM))
        self.blocks = nn.Sequential(*(Block(DIM, 8) for _ in range(12)))
        self.project = nn.Linear(DIM, DIM, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        """The last place, projected."""
        return F.normalize(self.project(self.blocks(self.tokens(ids) + self.places)[:, -1]), dim=1)


class Image(nn.Module):
    """Pixels (n, 3, 256, 256) -> (n, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 768, 32, 32, bias=False)
        self.own = nn.Parameter(torch.randn(1, 1, 768))
        self.places = nn.Parameter(torch.randn(65, 768))
        self.blocks = nn.Sequential(*(Block(768, 12) for _ in range(12)))
        self.project = nn.Linear(768, DIM, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """The class place, projected."""
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.own.expand(x.shape[0], -1, -1), x], 1) + self.places
        return F.normalize(self.project(self.blocks(x)[:, 0]), dim=1)


def folder() -> Path:
    """`out/rival/` with text.onnx and image.onnx, made once."""
    made = OUT / "rival"
    made.mkdir(exist_ok=True)
    for name, net, sample, given in (
        ("text", Text(), torch.ones(2, PLACES, dtype=torch.int64), "input_ids"),
        ("image", Image(), torch.zeros(2, 3, 256, 256), "pixel_values"),
    ):
        if not (made / f"{name}.onnx").exists():
            whole = made / f"{name}-float.onnx"
            torch.onnx.export(
                net.eval(), (sample,), whole, dynamo=False, opset_version=17, input_names=[given],
                output_names=["embeds"], dynamic_axes={given: {0: "n"}, "embeds": {0: "n"}},
            )  # fmt: skip
            quantize_dynamic(whole, made / f"{name}.onnx", weight_type=QuantType.QInt8)
            whole.unlink()
    return made


def query() -> NDArray[np.int64]:
    """One query's token ids."""
    return np.ones((1, PLACES), np.int64)

"""What the original label networks say of pictures at their own size: the frozen baseline "labels as words".

Run in ONNX Runtime, two to three times faster on a CPU than in PyTorch.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.train.fold import fold_padding
from models.train.label_words import LabelWords, unspoken
from models.train.pictures import LABELLED, Pixels
from models.train.workspace import CORES, OUT

BATCH = 32


class Scores(nn.Module):
    """(n, 224, 224, 3) uint8 -> (n, 1001 + 631) scores 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.words: LabelWords = unspoken()

    def forward(self, pixels: Tensor) -> Tensor:
        """The scores of both networks side by side."""
        return torch.cat(self.words.scores(pixels.permute(0, 3, 1, 2).float()), 1)


def kept(name: str, pixels: Pixels) -> NDArray[np.float16]:
    """(n, 1632) scores of pictures (n, 224, 224, 3), made once and kept as `scores-NAME.npy`."""
    path = OUT / f"scores-{name}.npy"
    if not path.exists():
        runner = _session()
        blocks = [runner.run(None, {"pixels": pixels[n : n + BATCH]})[0] for n in range(0, len(pixels), BATCH)]
        np.save(path, np.concatenate(blocks).astype(np.float16))
    return np.asarray(np.load(path))


def _session() -> onnxruntime.InferenceSession:
    path: Path = OUT / "scores.onnx"
    sample = torch.zeros(2, LABELLED, LABELLED, 3, dtype=torch.uint8)
    torch.onnx.export(
        Scores().eval(), (sample,), path, dynamo=False,
        input_names=["pixels"], output_names=["scores"], dynamic_axes={"pixels": {0: "n"}, "scores": {0: "n"}},
    )  # fmt: skip
    onnx.save(fold_padding(onnx.load(path), sample[:1].numpy()), path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

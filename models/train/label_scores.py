"""Stage `label-scores`: what the label networks say of the training images, kept so that training need not ask again.

All photos, products, figures and emoji; of the line art every sixth image, because there the labels are little more
than noise and the others can borrow it (`borrowed`).
"""

import io

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from models.train import pictures
from models.train.fold import fold_padding
from models.train.label_words import IMAGENET, OBJECTS, LabelWords, label_names
from models.train.workspace import DIM, OUT, SEED, log, note, stage

BATCH = 32
LINE_ART_EVERY = 6


class Scores(nn.Module):
    """(n, 224, 224, 3) uint8 -> (n, 1001 + 631) scores 0..1."""

    def __init__(self) -> None:
        super().__init__()
        sizes = (len(label_names(network)) for network in (IMAGENET, OBJECTS))
        self.words = LabelWords(*(np.zeros((size, DIM), np.float32) for size in sizes))

    def forward(self, pixels: Tensor) -> Tensor:
        """The scores of both networks side by side."""
        return torch.cat(self.words.scores(pixels.permute(0, 3, 1, 2).float()), 1)


def session() -> onnxruntime.InferenceSession:
    """The networks in ONNX Runtime, two to three times faster than in PyTorch."""
    path = OUT / "scores.onnx"
    torch.onnx.export(
        Scores().eval(), (torch.zeros(2, pictures.SIZE, pictures.SIZE, 3, dtype=torch.uint8),), path, dynamo=False,
        input_names=["pixels"], output_names=["scores"], dynamic_axes={"pixels": {0: "n"}, "scores": {0: "n"}},
    )  # fmt: skip
    sample = np.zeros((1, pictures.SIZE, pictures.SIZE, 3), np.uint8)
    onnx.save(fold_padding(onnx.load(path), sample), path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def wanted(row: dict[str, object], number: int) -> bool:
    """Whether a row's own labels are needed."""
    return row["kind"] in ("photo", "product", "figure", "emoji") or number % LINE_ART_EVERY == 0


def run() -> None:
    """Writes `scores-train.npy`, (n, 1632) float16, NaN where a row was left out; resumes."""
    done, path = OUT / "scores-done", OUT / "scores-train.npy"
    if done.exists():
        return
    with stage("label-scores"):
        words = pictures.words("train")
        shape = (len(words), len(label_names(IMAGENET)) + len(label_names(OBJECTS)))
        if path.exists():
            scores = np.load(path, mmap_mode="r+")
        else:
            scores = np.lib.format.open_memmap(path, "w+", np.float16, shape)
            for start in range(0, len(words), 4096):
                scores[start : start + 4096] = np.nan
        chosen = [n for n, row in enumerate(words) if wanted(row, n) and np.isnan(scores[n, 0])]
        runner, waiting = session(), []
        remaining = set(chosen)
        for number, row in enumerate(pictures.rows("train")):
            if number not in remaining:
                continue
            waiting.append((number, pictures.letterbox(Image.open(io.BytesIO(row["image"])), pictures.SIZE)))
            if len(waiting) == BATCH or number == chosen[-1]:
                scores[[n for n, _ in waiting]] = runner.run(None, {"pixels": np.stack([p for _, p in waiting])})[0]
                waiting = []
            if number % 5_000 == 0:
                log(f"label scores: {number:,} of {len(words):,}")
        note("label-scores", images=len(chosen))
        done.touch()


def borrowed(scores: NDArray[np.float16]) -> NDArray[np.int64]:
    """For each row the row whose scores stand for it: its own, or those of some line drawing that has them."""
    missing = np.isnan(np.asarray(scores[:, 0]))
    donors = np.flatnonzero(~missing & (np.arange(len(scores)) % LINE_ART_EVERY == 0))
    stand_in = np.arange(len(scores))
    stand_in[missing] = np.random.default_rng(SEED).choice(donors, int(missing.sum()))
    return stand_in


if __name__ == "__main__":
    run()

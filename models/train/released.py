"""The released encoder as the start of the next one: its learned image part, turned back into float weights.

A session that has hours, not days, gets further by continuing than by repeating. The float checkpoint is not kept, but
the released file holds every weight in 8 bits with one scale per channel, which is all that is lost.
"""

import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from models.train.workspace import MODEL, OUT, log

START = OUT / "start-image.onnx"  # a copy, because the export overwrites what it started from


def start() -> Path | None:
    """The image tower that training continues from, the one in MODEL; None when there is none.

    A rerun starts where the last run ended. To repeat that run, put the image.onnx that it started from at START first;
    the card names its encoder, the history has it.
    """
    if not START.exists() and (MODEL / "image.onnx").exists():
        shutil.copyfile(MODEL / "image.onnx", START)
        log(f"continuing from {MODEL.name}")
    return START if START.exists() else None


def learned_weights(path: Path) -> dict[str, Tensor]:
    """The weights of the learned part in an exported image tower, float32, by their names in training."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    weights = {}
    for name, array in tensors.items():
        if not name.startswith("learned.") or name.endswith("_scale"):
            continue
        if name.endswith("_i8"):
            array = array.astype(np.float32) * tensors[f"{name.removesuffix('_i8')}_scale"]
        weights[name.removeprefix("learned.").removesuffix("_i8").removesuffix("_f16")] = torch.from_numpy(
            np.array(array, np.float32)
        )
    return weights

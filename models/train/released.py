"""The released encoder as the start of the next one: its text tower, and its learned image part as float weights.

A run that has hours, not days, gets further by continuing than by repeating. The float checkpoint is not kept, but
the released file holds every weight in 8 bits with one scale per channel, which is all that is lost. With `--images`
the released text tower stays as it is, and the images learn the space of exactly the file that will be asked.
"""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor

from models.train import text_tower
from models.train.workspace import DIM, OUT, REPOSITORY

PREDECESSOR = ("725a7ae", "models/cmr-small-2")  # commit and folder of its files


def images_only() -> bool:
    """Whether this run keeps the text tower that training starts from."""
    return "--images" in sys.argv


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as the tool opens it
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def embed_texts(texts: list[str], folder: Path) -> NDArray[np.float32]:
    """(n, 384) from an encoder's text tower, unit length."""
    tokenizer, runner = Tokenizer.from_file(str(folder / "tokenizer.json")), session(folder / "text.onnx")
    vectors = np.empty((len(texts), DIM), np.float32)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))  # little padding
    for start in range(0, len(order), 64):
        some = order[start : start + 64]
        ids, mask = text_tower.pad(text_tower.encode(tokenizer, [texts[number] for number in some]))
        vectors[some] = runner.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]
    return vectors


def predecessor() -> Path:
    """The released predecessor's files, unpacked from the history of this repository into OUT."""
    commit, folder = PREDECESSOR
    if not (OUT / folder).exists():
        packed = subprocess.run(
            ["git", "archive", commit, folder], cwd=REPOSITORY, stdout=subprocess.PIPE, check=True
        ).stdout  # fmt: skip
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(OUT, filter="data")
    return OUT / folder


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


def blended(weights: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """The weights of a learned part that continued from the predecessor's, averaged with these.

    Source: Wortsman et al. 2022, arXiv:2109.01903 (WiSE-FT): between the two lie weights that forget less.
    """
    before = learned_weights(predecessor() / "image.onnx")
    return {
        name: (1 - share) * before[name] + share * tensor if name in before else tensor
        for name, tensor in weights.items()
    }

"""The released encoder beside which the next one is measured, and whose text tower it may keep (`--images`).

Then the images learn the space of exactly the file that will be asked.
"""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.train import text_tower
from models.train.workspace import DIM, OUT, REPOSITORY

PREDECESSOR = ("064bc67", "models/cmr-small-3")  # commit and folder of its files


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

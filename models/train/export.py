"""Stage `export`: both towers as ONNX files beside their tokenizer and `model.toml`, checked against PyTorch.

Files are written beside the old ones and renamed, `model.toml` last.
"""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.train import pictures, released, text_tower
from models.train.compress import compress, rounded
from models.train.distil_image import TAUGHT
from models.train.examples import speaker
from models.train.fold import fold_padding
from models.train.image_tower import ImageTower, learned_part
from models.train.label_words import spoken
from models.train.workspace import CONTEXT, DIM, MODEL, OUT, log, note, recorded, stage

OPSET = 18  # BitwiseAnd
CHECKED_TEXTS = (
    "gear",
    "歯車の図面",
    "drawing of a flange DN50 PN16",
    "a red apple on a table",
    "油圧シリンダ",
    "M8x20",
)
MANIFEST = """format = 1
name = "{name}"
dim = {dim}
languages = ["en", "ja"]
licence = "Apache-2.0"

[image]
file = "image.onnx"
sha256 = "{image}"
input = "pixel_values"
output = "image_embeds"
size = {size}
resize = "letterbox"
interpolation = "bilinear"
pad = 255
layout = "nhwc"
input_type = "uint8"

[text]
file = "text.onnx"
sha256 = "{text}"
tokenizer = "tokenizer.json"
tokenizer_sha256 = "{tokenizer}"
ids = "input_ids"
mask = "attention_mask"
ids_type = "int64"
output = "text_embeds"
pooling = "none"
context_length = {context}
padding = "longest"
pad_id = 0
"""


def run(image: Path | None = TAUGHT) -> None:
    """Exports both towers; without `image` the image tower is labels as words alone.

    The text tower is that of `text.pt`, or the released files as they are (`--images`).
    """
    with stage("export"), tempfile.TemporaryDirectory(dir=OUT) as scratch:
        folder = Path(scratch)
        if released.images_only():
            for name in ("tokenizer.json", "text.onnx"):
                shutil.copy(released.predecessor() / name, folder / name)
        else:
            _export_text(folder)
        seeing = image_tower(image)
        small_seeing = rounded(seeing)
        _write_image(small_seeing, folder / "image.onnx")
        note(
            "export",
            image_cosine=_image_cosine(small_seeing, folder),
            image_cosine_float=_image_cosine(seeing, folder),
        )
        log(f"export: {recorded('export')}")
        hashes = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        note("export", bytes={path.name: path.stat().st_size for path in folder.iterdir()})
        (folder / "model.toml").write_text(
            MANIFEST.format(name=MODEL.name, dim=DIM, size=pictures.SIZE, context=CONTEXT, **hashes)
        )
        MODEL.mkdir(exist_ok=True)
        for name in ("tokenizer.json", "text.onnx", "image.onnx", "model.toml"):
            beside = MODEL / f".{name}.new"
            shutil.copyfile(folder / name, beside)
            beside.replace(MODEL / name)
        log(f"export: wrote {MODEL}")


def image_tower(checkpoint: Path | None) -> ImageTower:
    """The image tower of a checkpoint, with the labels in the words of the text tower."""
    return ImageTower(spoken(speaker()), learned_part(checkpoint) if checkpoint is not None else None).eval()


def _export_text(folder: Path) -> None:
    shutil.copy(OUT / "tokenizer.json", folder / "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(OUT / "tokenizer.json"))
    tower = text_tower.load(OUT / "text.pt", tokenizer)
    small_tower = rounded(tower)
    _write_text(small_tower, folder / "text.onnx")
    note(
        "export",
        text_cosine=_text_cosine(small_tower, tokenizer, folder),
        text_cosine_float=_text_cosine(tower, tokenizer, folder),
    )


def _write_text(tower: text_tower.TextTower, path: Path) -> None:
    ids = torch.ones(2, 7, dtype=torch.int64)
    tower.rounded = False  # the table itself is rounded already
    axes = {name: {0: "n", 1: "length"} for name in ("input_ids", "attention_mask")} | {"text_embeds": {0: "n"}}
    torch.onnx.export(
        tower, (ids, ids), path, dynamo=False, opset_version=OPSET, dynamic_axes=axes,
        input_names=["input_ids", "attention_mask"], output_names=["text_embeds"],
    )  # fmt: skip
    tower.rounded = True
    onnx.save(compress(onnx.load(path), "tokens.weight"), path)


def _write_image(tower: ImageTower, path: Path) -> None:
    pixels = torch.zeros(2, pictures.SIZE, pictures.SIZE, 3, dtype=torch.uint8)
    torch.onnx.export(
        tower, (pixels,), path, dynamo=False, opset_version=OPSET, input_names=["pixel_values"],
        output_names=["image_embeds"], dynamic_axes={"pixel_values": {0: "n"}, "image_embeds": {0: "n"}},
    )  # fmt: skip
    sample = np.zeros((1, pictures.SIZE, pictures.SIZE, 3), np.uint8)
    onnx.save(compress(fold_padding(onnx.load(path), sample)), path)


def _text_cosine(tower: text_tower.TextTower, tokenizer: Tokenizer, folder: Path) -> dict[str, float]:
    runner = released.session(folder / "text.onnx")
    with torch.no_grad():
        ids, mask = text_tower.pad(text_tower.encode(tokenizer, list(CHECKED_TEXTS)))
        tower.rounded = False
        ours = tower(ids, mask).numpy()
        tower.rounded = True
    theirs = runner.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]
    return _cosine(ours, theirs)


def _image_cosine(tower: ImageTower, folder: Path) -> dict[str, float]:
    runner = released.session(folder / "image.onnx")
    sample = np.ascontiguousarray(pictures.pixels("dev", pictures.SIZE)[::40])
    with torch.no_grad():
        ours = np.concatenate([tower(torch.from_numpy(part)).numpy() for part in np.array_split(sample, 6)])
    theirs = np.concatenate([runner.run(None, {"pixel_values": part})[0] for part in np.array_split(sample, 6)])
    return _cosine(ours, theirs)


def _cosine(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> dict[str, float]:
    cosines = (ours * theirs).sum(1)
    return {"mean": round(float(cosines.mean()), 5), "least": round(float(cosines.min()), 5)}


if __name__ == "__main__":
    run(None if "--interim" in sys.argv else TAUGHT)

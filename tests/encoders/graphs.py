"""Encoders with the odd habits of published ones, made small by code: what a user may drop into a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

DIM = 8
SIZE = 8
WORDS = ["<pad>", "<eos>", "<unk>", "red", "green", "blue", "bolt", "nut"]
TABLE = (np.arange(len(WORDS) * DIM).reshape(len(WORDS), DIM) % 7 - 2.5).astype(np.float32)
PROJECTION = (np.arange(3 * DIM).reshape(3, DIM) % 5 - 1.5).astype(np.float32)

Shape = Sequence[str | int]


def save_text_graph(
    path: Path,
    shape: Shape = ("n", "tokens"),
    ids_type: int = TensorProto.INT64,
    pooled: bool = True,
    extra_inputs: Sequence[str] = (),
    output_type: int = TensorProto.FLOAT,
    table: NDArray[np.float32] = TABLE,
) -> None:
    """Rows of `table` by token: their mean over all positions, padding too (`pooled`), or all of them.

    The output "other" comes first, so that taking output 0 blindly is seen. Extra inputs are added up.
    """
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows0"], axis=0),
        helper.make_node("Shape", ["input_ids"], ["other"]),
    ]
    rows = "rows0"
    for number, name in enumerate(extra_inputs, 1):
        nodes += [
            helper.make_node("Cast", [name], [f"float{number}"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", [f"float{number}", "last"], [f"column{number}"]),
            helper.make_node("Add", [rows, f"column{number}"], [f"rows{number}"]),
        ]
        rows = f"rows{number}"
    if pooled:
        nodes.append(helper.make_node("ReduceMean", [rows, "middle"], ["mean"], keepdims=0))
    nodes.append(helper.make_node("Cast", ["mean" if pooled else rows], ["text_embeds"], to=output_type))
    inputs = [helper.make_tensor_value_info(name, ids_type, shape) for name in ("input_ids", *extra_inputs)]
    outputs = [
        helper.make_tensor_value_info("other", TensorProto.INT64, [2]),
        helper.make_tensor_value_info("text_embeds", output_type, [shape[0], DIM] if pooled else [*shape, DIM]),
    ]
    _save(path, nodes, inputs, outputs, {"table": table, "last": _axis(-1), "middle": _axis(1)})


def save_image_graph(
    path: Path, shape: Shape = ("n", 3, SIZE, SIZE), element: int = TensorProto.FLOAT, positions: bool = False
) -> None:
    """The mean of each channel times PROJECTION; with `positions` as (n, 2, DIM), the second one negated."""
    channels = shape.index(3) if 3 in shape else 1
    spatial = [axis for axis in (1, 2, 3) if axis != channels]
    nodes = [
        helper.make_node("Cast", ["pixel_values"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "spatial"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "projection"], ["row" if positions else "image_embeds"]),
    ]
    if positions:
        nodes += [
            helper.make_node("Unsqueeze", ["row", "one"], ["first"]),
            helper.make_node("Neg", ["first"], ["second"]),
            helper.make_node("Concat", ["first", "second"], ["image_embeds"], axis=1),
        ]
    inputs = [helper.make_tensor_value_info("pixel_values", element, shape)]
    output_shape = [shape[0], 2, DIM] if positions else [shape[0], DIM]
    outputs = [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, output_shape)]
    constants: dict[str, NDArray[np.generic]] = {
        "projection": PROJECTION,
        "spatial": np.array(spatial, dtype=np.int64),
        "one": _axis(1),
    }
    _save(path, nodes, inputs, outputs, constants)


def save_tokenizer(path: Path) -> None:
    """Whole words of WORDS, no special tokens added."""
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(path))


def write_manifest(folder: Path, image: str = "", text: str = "", dim: int = DIM) -> Path:
    """model.toml for the three files in the folder; the lines given replace the defaults."""
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("image.onnx", "text.onnx", "tokenizer.json")
    }
    image_table = {
        "file": '"image.onnx"', "sha256": f'"{hashes["image.onnx"]}"', "input": '"pixel_values"',
        "output": '"image_embeds"', "size": str(SIZE), "resize": '"squash"', "interpolation": '"bilinear"',
    }  # fmt: skip
    text_table = {
        "file": '"text.onnx"', "sha256": f'"{hashes["text.onnx"]}"', "tokenizer": '"tokenizer.json"',
        "tokenizer_sha256": f'"{hashes["tokenizer.json"]}"', "ids": '"input_ids"', "output": '"text_embeds"',
        "context_length": "6", "padding": '"longest"', "pad_id": "0",
    }  # fmt: skip
    lines = ["format = 1", 'name = "odd"', f"dim = {dim}", 'languages = ["en"]', 'licence = "MIT"']
    for name, table, changes in (("image", image_table, image), ("text", text_table, text)):
        table |= dict(line.split(" = ", 1) for line in changes.strip().splitlines())
        lines += ["", f"[{name}]", *(f"{key} = {value}" for key, value in table.items())]
    (folder / "model.toml").write_text("\n".join(lines) + "\n")
    return folder


def _axis(number: int) -> NDArray[np.int64]:
    return np.array([number], dtype=np.int64)


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: dict[str, NDArray[np.generic]],
) -> None:
    used = {name for node in nodes for name in node.input}
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used]
    graph = helper.make_graph(nodes, "odd", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, str(path))

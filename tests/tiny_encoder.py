"""A tiny dual encoder made by code: real ONNX files in which colour words meet pictures of that colour.

Text: a known colour word (English or Japanese) is its colour's direction; any other word is cut into pieces
of one or two letters, each with a faint direction of its own, so texts that share parts of words are alike.
Picture: each pixel votes for the colour it is near; white and black, the ground and the lines of drawings,
count less; the 4 x 4 grey levels of the picture add a faint direction, so that different pictures differ.

Deterministic: the same bytes on every machine (directions come from SHAKE-256, not from a random generator).

    python -m tests.tiny_encoder FOLDER
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

DIM = 64
SIZE = 32
CONTEXT = 64
PAD, UNKNOWN, START = "[PAD]", "[UNK]", "[CLS]"

Colour = tuple[int, int, int]
Constants = dict[str, NDArray[np.generic] | np.generic]
COLOURS: dict[str, Colour] = {
    "red": (220, 30, 30),
    "orange": (250, 140, 20),
    "yellow": (250, 230, 30),
    "green": (30, 150, 50),
    "blue": (30, 60, 210),
    "purple": (130, 40, 160),
    "pink": (250, 130, 180),
    "brown": (120, 70, 30),
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
WORDS: dict[str, str] = {
    **{name: name for name in COLOURS},
    "gray": "grey", "crimson": "red", "azure": "blue", "violet": "purple",
    "赤": "red", "赤い": "red", "橙": "orange", "黄": "yellow", "黄色": "yellow", "緑": "green",
    "青": "blue", "青い": "blue", "紫": "purple", "茶色": "brown", "灰色": "grey",
    "黒": "black", "黒い": "black", "白": "white", "白い": "white",
}  # fmt: skip
GROUND_VOTE = {"white": 0.01, "black": 0.4}  # how much a pixel of these counts beside one of a real colour
NEAR = 0.12  # squared RGB distance, channels 0..1, at which a pixel no longer votes for a colour


def make_tiny_encoder(folder: Path, name: str = "tiny", variant: int = 0) -> Path:
    """Writes model.toml, text.onnx, image.onnx and tokenizer.json into `folder`; returns it.

    Args:
        folder: where to.
        name: the encoder's name.
        variant: another number gives another encoder: the same meanings, other vectors, another digest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary()
    _tokenizer(vocabulary).save(str(folder / "tokenizer.json"), pretty=False)
    onnx.save(_text_graph(vocabulary, variant), str(folder / "text.onnx"))
    onnx.save(_image_graph(variant), str(folder / "image.onnx"))
    sha256 = {
        file: hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for file in ("image.onnx", "text.onnx", "tokenizer.json")
    }
    (folder / "model.toml").write_text(
        f"""\
format = 1
name = {json.dumps(name)}
dim = {DIM}
languages = ["en", "ja"]
licence = "Apache-2.0"

[image]
file = "image.onnx"
sha256 = "{sha256["image.onnx"]}"
input = "pixels"
output = "embedding"
size = {SIZE}
resize = "letterbox"
interpolation = "bilinear"
pad = 255
layout = "nhwc"
input_type = "uint8"

[text]
file = "text.onnx"
sha256 = "{sha256["text.onnx"]}"
tokenizer = "tokenizer.json"
tokenizer_sha256 = "{sha256["tokenizer.json"]}"
ids = "ids"
mask = "mask"
ids_type = "int64"
output = "embedding"
pooling = "none"
context_length = {CONTEXT}
padding = "longest"
pad_id = {vocabulary[PAD]}
""",
        encoding="utf-8",
    )
    return folder


def _direction(label: str) -> NDArray[np.float64]:
    """(DIM,) of length 1, different and nearly at right angles for every label."""
    spread = np.frombuffer(hashlib.shake_256(label.encode()).digest(DIM), dtype=np.uint8) - 127.5
    direction: NDArray[np.float64] = spread / np.linalg.norm(spread)
    return direction


def _vocabulary() -> dict[str, int]:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())  # one printable letter for each of the 256 bytes
    ascii_letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pairs = [first + second for first in ascii_letters for second in ascii_letters]
    words = [_byte_letters(word) for word in WORDS]
    pieces = [PAD, UNKNOWN, START]
    for piece in (*letters, *pairs, *words):
        pieces += [piece, "##" + piece]
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}


def _byte_letters(word: str) -> str:
    ((letters, _),) = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(word)
    return str(letters)


def _tokenizer(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=1000))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.BertPreTokenizer(),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, vocabulary[START])]
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _text_graph(vocabulary: dict[str, int], variant: int) -> onnx.ModelProto:
    """(n, tokens) ids and mask to the mean of the tokens' rows; the start token alone is the empty text."""
    colour_of = {_byte_letters(word): colour for word, colour in WORDS.items()}
    table = np.zeros((len(vocabulary), DIM))
    for piece, number in vocabulary.items():
        plain = piece.removeprefix("##")
        if plain in colour_of:
            table[number] = _direction(f"{variant} colour {colour_of[plain]}")
        elif piece == START:
            table[number] = 0.02 * _direction(f"{variant} start")
        elif piece != PAD:
            table[number] = 0.25 * _direction(f"{variant} piece {piece}")
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"], axis=0),
        helper.make_node("Cast", ["mask"], ["weights"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weights", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "tokens_axis"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["column", "tokens_axis"], ["count"], keepdims=0),
        helper.make_node("Div", ["sum", "count"], ["embedding"]),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "tokens"]) for name in ["ids", "mask"]]
    constants: Constants = {
        "table": table.astype(np.float32),
        "last": np.array([-1], dtype=np.int64),
        "tokens_axis": np.array([1], dtype=np.int64),
    }
    return _model(nodes, inputs, constants)


def _image_graph(variant: int) -> onnx.ModelProto:
    """(n, SIZE, SIZE, 3) uint8 to the votes of its pixels for the colours, plus its coarse pattern."""
    names = list(COLOURS)
    colours = np.array([COLOURS[name] for name in names]) / 255
    weight = np.array([GROUND_VOTE.get(name, 1.0) for name in names])
    directions = np.stack([_direction(f"{variant} colour {name}") for name in names])
    cell = SIZE // 4
    pattern = np.stack([_direction(f"pattern {cell}") for cell in range(16)])
    nodes = [
        helper.make_node("Cast", ["pixels"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["levels", "white"], ["rgb"]),
        # |pixel - colour|^2 = |pixel|^2 - 2 pixel . colour + |colour|^2
        helper.make_node("Mul", ["rgb", "rgb"], ["squares"]),
        helper.make_node("ReduceSum", ["squares", "channel_axis"], ["norms"], keepdims=1),
        helper.make_node("MatMul", ["rgb", "minus_twice_colours"], ["products"]),
        helper.make_node("Add", ["norms", "products"], ["partial"]),
        helper.make_node("Add", ["partial", "colour_norms"], ["distances"]),
        helper.make_node("Div", ["distances", "minus_near"], ["negative"]),
        helper.make_node("Add", ["negative", "one"], ["closeness"]),
        helper.make_node("Relu", ["closeness"], ["votes"]),
        helper.make_node("ReduceMean", ["votes", "pixel_axes"], ["shares"], keepdims=0),
        helper.make_node("MatMul", ["shares", "weighted_directions"], ["colour_part"]),
        helper.make_node("ReduceMean", ["rgb", "channel_axis"], ["grey"], keepdims=0),
        helper.make_node("Unsqueeze", ["grey", "one_axis"], ["plane"]),
        helper.make_node("AveragePool", ["plane"], ["cells"], kernel_shape=[cell, cell], strides=[cell, cell]),
        helper.make_node("Reshape", ["cells", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "pattern"], ["pattern_part"]),
        helper.make_node("Add", ["colour_part", "pattern_part"], ["embedding"]),
    ]
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIZE, SIZE, 3])]
    constants: Constants = {
        "white": np.float32(255),
        "one": np.float32(1),
        "minus_near": np.float32(-NEAR),
        "minus_twice_colours": (-2 * colours.T).astype(np.float32),
        "colour_norms": (colours**2).sum(axis=1).astype(np.float32),
        "weighted_directions": (weight[:, None] * directions).astype(np.float32),
        "pattern": (0.002 * pattern).astype(np.float32),
        "channel_axis": np.array([3], dtype=np.int64),
        "pixel_axes": np.array([1, 2], dtype=np.int64),
        "one_axis": np.array([1], dtype=np.int64),
        "flat": np.array([-1, 16], dtype=np.int64),
    }
    return _model(nodes, inputs, constants)


def _model(nodes: list[onnx.NodeProto], inputs: list[onnx.ValueInfoProto], constants: Constants) -> onnx.ModelProto:
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIM])
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, [output], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="cmrcli-tests")
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    make_tiny_encoder(Path(sys.argv[1]))

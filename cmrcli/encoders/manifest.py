"""What `model.toml` says about an encoder: two towers, their files, and how their inputs are made.

Every key and worked examples: MODEL_TOML.md. Nothing here loads a model; that is `dual.DualEncoder`.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, cast

from cmrcli.encoders.fields import Fields, PinnedFile, unreadable
from cmrcli.errors import EncoderError, display_path

FORMAT = 1
PREPROCESSING = 1  # raised when `preprocess.fit` or the tokenising changes vectors; part of every digest
MANIFEST_NAME = "model.toml"
MANIFEST_BYTES = 1 << 20  # a larger model.toml is not one

Resize = Literal["letterbox", "squash", "shortest-crop"]
Interpolation = Literal["bilinear", "bicubic"]
Layout = Literal["nchw", "nhwc"]
PixelType = Literal["uint8", "float32", "float16"]
IdsType = Literal["int64", "int32"]
Pooling = Literal["none", "first", "mean", "last", "eot"]
Padding = Literal["longest", "fixed"]


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """The image tower: its graph, and how a picture becomes its input.

    Attributes:
        graph: the ONNX file.
        data: further files the graph reads its weights from.
        input, output: tensor names.
        size: edge of the square input, in pixels.
        resize: "letterbox" (whole, padded), "squash" (whole, distorted), "shortest-crop" (its centre).
        interpolation: filter of the resize, antialiased.
        pad: grey level 0..255 around a letterboxed picture.
        layout: order of the axes after the batch.
        input_type: element type of the input. "uint8" is fed unscaled.
        scale, mean, std: float inputs are (pixel * scale - mean) / std, per channel.
        pooling: "none" when the output is (n, dim); "first" or "mean" of (n, positions, dim).
        fixed_batch: run one picture at a time (a graph that states its batch is obeyed without this).
    """

    graph: PinnedFile
    data: tuple[PinnedFile, ...]
    input: str
    output: str
    size: int
    resize: Resize = "letterbox"
    interpolation: Interpolation = "bilinear"
    pad: int = 255
    layout: Layout = "nchw"
    input_type: PixelType = "float32"
    scale: float = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    pooling: Pooling = "none"
    fixed_batch: bool = False


@dataclass(frozen=True, slots=True)
class TextSpec:
    """The text tower: its graph, its tokenizer, and how a text becomes its input.

    Attributes:
        graph: the ONNX file.
        data: further files the graph reads its weights from.
        tokenizer: a `tokenizer.json` of the `tokenizers` library.
        ids: name of the token id input, (n, tokens).
        mask, positions, token_types: names of further inputs of that shape, "" when the graph has none:
            1 for tokens and 0 for padding; 0, 1, 2 ...; zeros.
        ids_type: element type of all of them.
        output: tensor name.
        pooling: "none" when the output is (n, dim); else which of (n, tokens, dim): "first", "last" token,
            "mean" of the tokens, "eot": the first `eos_id`.
        context_length: most tokens of a text, special ones included.
        padding: to the "longest" text of the batch, or always to context_length ("fixed").
        pad_id: the token that pads.
        eos_id: end-of-text token; None when neither append_eos nor pooling "eot" needs it.
        append_eos: add eos_id where the tokenizer does not.
        lowercase, strip_punctuation: done to the text first.
        prefix: put before every text, as it is.
        fixed_batch: run one text at a time (a graph that states its batch is obeyed without this).
    """

    graph: PinnedFile
    data: tuple[PinnedFile, ...]
    tokenizer: PinnedFile
    ids: str
    output: str
    mask: str = ""
    positions: str = ""
    token_types: str = ""
    ids_type: IdsType = "int64"
    pooling: Pooling = "none"
    context_length: int = 77
    padding: Padding = "longest"
    pad_id: int = 0
    eos_id: int | None = None
    append_eos: bool = False
    lowercase: bool = False
    strip_punctuation: bool = False
    prefix: str = ""
    fixed_batch: bool = False


@dataclass(frozen=True)
class EncoderManifest:
    """A dual encoder as its `model.toml` describes it."""

    folder: Path
    name: str
    dim: int
    languages: tuple[str, ...]
    licence: str
    image: ImageSpec
    text: TextSpec

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 over everything that changes a vector; names, places and licence do not.

        Vectors of encoders with different digests never meet.
        """
        facts = {
            "preprocessing": PREPROCESSING,
            "dim": self.dim,
            "image": _facts(self.image),
            "text": _facts(self.text),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def files(self) -> tuple[PinnedFile, ...]:
        """Every file that the encoder is made of."""
        image, text = self.image, self.text
        return (text.tokenizer, text.graph, *text.data, image.graph, *image.data)

    def verify(self) -> None:
        """Reads every file and compares it with its SHA-256 (some 1 to 2 GB a second).

        Raises:
            EncoderError: a file that differs, or a graph with weights in a file not named in model.toml.
        """
        for tower in (self.text, self.image):
            if not tower.data and _has_external_data(tower.graph.path):
                raise EncoderError(
                    f"{display_path(tower.graph.path)} has weights in another file, not named in model.toml",
                    'add it: data = ["FILE"], data_sha256 = ["..."]',
                )
        for file in self.files:
            found = _sha256(file.path)
            if found != file.sha256:
                raise EncoderError(
                    f"{display_path(file.path)} has the SHA-256 {found}, model.toml says {file.sha256}",
                    "fetch the file again, or correct model.toml if the file is the one you want",
                )


def load_manifest(folder: Path) -> EncoderManifest:
    """The encoder in that folder: model.toml read and checked, its files present; contents: `verify`.

    Raises:
        EncoderError: no model.toml, not TOML, a wrong or unknown key, a missing or empty file.
    """
    file = folder / MANIFEST_NAME
    root = Fields(_read_toml(file), "", file)
    if root.integer("format", 1, 1 << 31) != FORMAT:
        raise EncoderError(
            f"{display_path(file)} has a format that this version does not know (it knows format = {FORMAT})",
            "install a newer cmrcli, or rewrite model.toml for this one",
        )
    name, dim = root.string("name"), root.integer("dim", 8, 8192)
    languages, licence = root.strings("languages"), root.string("licence", "")
    image, text = _image(root.table("image")), _text(root.table("text"))
    root.finish()
    return EncoderManifest(folder, name, dim, languages, licence, image, text)


def _image(fields: Fields) -> ImageSpec:
    spec = ImageSpec(
        graph=fields.pinned("file", "sha256"),
        data=fields.files("data"),
        input=fields.string("input"),
        output=fields.string("output"),
        size=fields.integer("size", 8, 2048),
        resize=cast(Resize, fields.choice("resize", ("letterbox", "squash", "shortest-crop"))),
        interpolation=cast(Interpolation, fields.choice("interpolation", ("bilinear", "bicubic"))),
        pad=fields.integer("pad", 0, 255, 255),
        layout=cast(Layout, fields.choice("layout", ("nchw", "nhwc"), "nchw")),
        input_type=cast(PixelType, fields.choice("input_type", ("uint8", "float32", "float16"), "float32")),
        scale=fields.number("scale", 1 / 255),
        mean=fields.channels("mean", 0.0),
        std=fields.channels("std", 1.0),
        pooling=cast(Pooling, fields.choice("pooling", ("none", "first", "mean"), "none")),
        fixed_batch=fields.flag("fixed_batch", False),
    )
    fields.finish()
    if spec.input_type == "uint8" and any(fields.has(key) for key in ("scale", "mean", "std")):
        raise fields.error('image.input_type = "uint8" goes in unscaled; scale, mean and std contradict it')
    if 0.0 in spec.std:
        raise fields.error("image.std must not contain zero")
    return spec


def _text(fields: Fields) -> TextSpec:
    spec = TextSpec(
        graph=fields.pinned("file", "sha256"),
        data=fields.files("data"),
        tokenizer=fields.pinned("tokenizer", "tokenizer_sha256"),
        ids=fields.string("ids"),
        output=fields.string("output"),
        mask=fields.string("mask", ""),
        positions=fields.string("positions", ""),
        token_types=fields.string("token_types", ""),
        ids_type=cast(IdsType, fields.choice("ids_type", ("int64", "int32"), "int64")),
        pooling=cast(Pooling, fields.choice("pooling", ("none", "first", "mean", "last", "eot"), "none")),
        context_length=fields.integer("context_length", 2, 8192),
        padding=cast(Padding, fields.choice("padding", ("longest", "fixed"))),
        pad_id=fields.integer("pad_id", 0, 1 << 30),
        eos_id=fields.integer("eos_id", 0, 1 << 30) if fields.has("eos_id") else None,
        append_eos=fields.flag("append_eos", False),
        lowercase=fields.flag("lowercase", False),
        strip_punctuation=fields.flag("strip_punctuation", False),
        prefix=fields.string("prefix", ""),
        fixed_batch=fields.flag("fixed_batch", False),
    )
    fields.finish()
    if spec.eos_id is None and (spec.append_eos or spec.pooling == "eot"):
        raise fields.error('text.eos_id is missing; append_eos = true and pooling = "eot" need it')
    return spec


def _read_toml(file: Path) -> dict[str, object]:
    remedy = "an encoder is a folder with a model.toml; cmrcli/encoders/MODEL_TOML.md describes it"
    if not file.is_file():
        raise EncoderError(f"{display_path(file)} is missing", remedy)
    try:
        with file.open("rb") as stream:
            content = stream.read(MANIFEST_BYTES + 1)
        if len(content) > MANIFEST_BYTES:
            raise EncoderError(f"{display_path(file)} is too large for a description of an encoder", remedy)
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise unreadable(file, error) from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, nested without end
        raise EncoderError(f"{display_path(file)} is not TOML: {display_path(str(error))}", remedy) from None


def _facts(spec: ImageSpec | TextSpec) -> dict[str, object]:
    """The fields of a tower with files replaced by their hashes: what its vectors depend on."""
    facts: dict[str, object] = {}
    for key in spec.__slots__:
        value = getattr(spec, key)
        if isinstance(value, PinnedFile):
            value = value.sha256
        elif key == "data":
            value = [file.sha256 for file in value]
        facts[key] = value
    return facts


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from None


def _has_external_data(path: Path) -> bool:
    """Whether the ONNX file names another file: the entry `location` of a TensorProto's external_data.

    Source: onnx.proto, StringStringEntryProto {key = 1, value = 2}; eleven bytes rarely occur by chance.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"\x0a\x08location\x12") >= 0

"""What reaches the graphs and what comes back: padding, pooling, types and batches of published encoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from tokenizers import Tokenizer, models, processors

from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.manifest import load_manifest
from cmrcli.errors import EmbeddingError, EncoderError
from tests.encoders.graphs import (
    DIM,
    PROJECTION,
    SIZE,
    TABLE,
    WORDS,
    save_image_graph,
    save_text_graph,
    save_tokenizer,
    write_manifest,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_text_graph(tmp_path / "text.onnx")
    save_image_graph(tmp_path / "image.onnx")
    save_tokenizer(tmp_path / "tokenizer.json")
    return tmp_path


def encoder(folder: Path, image: str = "", text: str = "", dim: int = DIM) -> DualEncoder:
    return DualEncoder(load_manifest(write_manifest(folder, image, text, dim)))


def mean_of(*ids: int) -> NDArray[np.float32]:
    """What the pooled graph gives for these ids, padding included."""
    row = TABLE[list(ids)].mean(axis=0)
    return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


RED, GREEN, BLUE, BOLT = (WORDS.index(word) for word in ("red", "green", "blue", "bolt"))
EOS = WORDS.index("<eos>")


@pytest.mark.parametrize(
    ("text", "said", "ids"),
    [
        ("", "red bolt", (RED, BOLT)),
        ('padding = "fixed"', "red bolt", (RED, BOLT, 0, 0, 0, 0)),
        ('padding = "fixed"\npad_id = 2', "red bolt", (RED, BOLT, 2, 2, 2, 2)),
        ("eos_id = 1\nappend_eos = true", "red bolt", (RED, BOLT, EOS)),
        ("eos_id = 1\nappend_eos = true", "red <eos>", (RED, EOS)),
        ("eos_id = 1\nappend_eos = true", "red " * 50, (RED,) * 5 + (EOS,)),
        ('eos_id = 1\nappend_eos = true\npadding = "fixed"', "", (EOS, 0, 0, 0, 0, 0)),
        ("", "red " * 5000, (RED,) * 6),
        ("", "", (0,)),
        ("lowercase = true", "RED Bolt", (RED, BOLT)),
        ("strip_punctuation = true", "red, bolt!", (RED, BOLT)),
        ('prefix = "blue "', "red", (BLUE, RED)),
        ('prefix = "Blue, "\nlowercase = true\nstrip_punctuation = true', "Red!", (WORDS.index("<unk>"), RED)),
        ("", "red \udce4", (RED, WORDS.index("<unk>"))),
        ("", "red\0bolt 歯車 😀", (2, 2, 2)),
    ],
)
def test_tokens_reach_the_graph_as_the_manifest_says(folder: Path, text: str, said: str, ids: tuple[int, ...]) -> None:
    np.testing.assert_allclose(encoder(folder, text=text).encode_texts([said])[0], mean_of(*ids), atol=1e-6)


def test_texts_of_any_length_come_back_in_order(folder: Path) -> None:
    texts = ["red bolt nut green blue", "red", "green blue", "bolt", "red green nut"] * 9
    together = encoder(folder, text='padding = "fixed"').encode_texts(texts)
    alone = encoder(folder, text='padding = "fixed"\nfixed_batch = true').encode_texts(texts)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together[1], mean_of(RED, 0, 0, 0, 0, 0), atol=1e-6)
    assert encoder(folder).encode_texts([]).shape == (0, DIM)


@pytest.mark.parametrize(
    ("pooling", "rows"),
    [("first", [RED]), ("last", [BOLT]), ("mean", [RED, EOS, GREEN, EOS, BOLT]), ("eot", [EOS])],
)
def test_pooling_of_a_sequence(folder: Path, pooling: str, rows: list[int]) -> None:
    save_text_graph(folder / "text.onnx", pooled=False)
    both = encoder(folder, text=f'pooling = "{pooling}"\neos_id = 1\npadding = "fixed"')
    vectors = both.encode_texts(["red <eos> green <eos> bolt", "red"])
    np.testing.assert_allclose(vectors[0], mean_of(*rows), atol=1e-6)
    np.testing.assert_allclose(vectors[1], mean_of(RED), atol=1e-6)


def test_a_sequence_without_pooling_is_refused_with_its_shape(folder: Path) -> None:
    save_text_graph(folder / "text.onnx", pooled=False)
    with pytest.raises(EmbeddingError, match="1 x 2 x 8"):
        encoder(folder).encode_texts(["red bolt"])


def test_mask_positions_and_token_types(folder: Path) -> None:
    save_text_graph(folder / "text.onnx", extra_inputs=("mask", "positions", "types"))
    names = 'mask = "mask"\npositions = "positions"\ntoken_types = "types"\npadding = "fixed"'
    (vector,) = encoder(folder, text=names).encode_texts(["red bolt"])
    rows = TABLE[[RED, BOLT, 0, 0, 0, 0]] + np.array([[1], [2], [2], [3], [4], [5]])
    expected = rows.mean(axis=0)
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-6)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_graph_that_states_its_batch_is_obeyed(folder: Path, batch: int) -> None:
    save_text_graph(folder / "text.onnx", shape=(batch, 6), ids_type=TensorProto.INT32)
    save_image_graph(folder / "image.onnx", shape=(batch, 3, SIZE, SIZE))
    both = encoder(folder, text='ids_type = "int32"\npadding = "fixed"')
    vectors = both.encode_texts(["red", "blue bolt", "green"] * 2)
    np.testing.assert_allclose(vectors[4], mean_of(BLUE, BOLT, 0, 0, 0, 0), atol=1e-6)
    assert both.encode_images(np.full((6, SIZE, SIZE, 3), 9, np.uint8)).shape == (6, DIM)


def test_half_precision_outputs_are_cast(folder: Path) -> None:
    save_text_graph(folder / "text.onnx", output_type=TensorProto.FLOAT16)
    (vector,) = encoder(folder).encode_texts(["red"])
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, mean_of(RED), atol=2e-3)


@pytest.mark.parametrize(
    ("shape", "element", "lines"),
    [
        (("n", 3, SIZE, SIZE), TensorProto.FLOAT, ""),
        (("n", 3, "h", "w"), TensorProto.FLOAT, ""),
        (("n", SIZE, SIZE, 3), TensorProto.FLOAT, 'layout = "nhwc"'),
        (("n", SIZE, SIZE, 3), TensorProto.UINT8, 'layout = "nhwc"\ninput_type = "uint8"'),
        (("n", 3, SIZE, SIZE), TensorProto.FLOAT16, 'input_type = "float16"'),
    ],
)
def test_pictures_reach_the_graph(folder: Path, shape: tuple[str | int, ...], element: int, lines: str) -> None:
    save_image_graph(folder / "image.onnx", shape=shape, element=element)
    pixels = np.zeros((5, SIZE, SIZE, 3), np.uint8)
    pixels[:, :, :, 0], pixels[2:, :, :, 2] = 200, 90
    vectors = encoder(folder, image=lines).encode_images(pixels)
    expected = np.array([[200, 0, 0], [200, 0, 90]]) @ PROJECTION
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected[[0, 0, 1, 1, 1]], atol=2e-3)


def test_picture_pooling(folder: Path) -> None:
    save_image_graph(folder / "image.onnx", positions=True)
    pixels = np.full((2, SIZE, SIZE, 3), 128, np.uint8)
    (first, _) = encoder(folder, image='pooling = "first"').encode_images(pixels)
    expected = PROJECTION.sum(axis=0)
    np.testing.assert_allclose(first, expected / np.linalg.norm(expected), atol=1e-5)
    with pytest.raises(EmbeddingError, match="all-zero"):  # the second position is the first one negated
        encoder(folder, image='pooling = "mean"').encode_images(pixels)


@pytest.mark.parametrize(
    ("image", "text", "said"),
    [
        (
            "",
            'ids = "tokens"',
            "no input named 'tokens'; inputs of the graph: 'input_ids' tensor(int64) ['n', 'tokens']",
        ),
        ("", 'output = "pooled"', "no output named 'pooled'; outputs of the graph: 'other' tensor(int64)"),
        ("", 'output = "other"', "'other' is tensor(int64), not floating point"),
        ("", 'ids_type = "int32"', "takes tensor(int64), not tensor(int32)"),
        ("", 'mask = "attention_mask"', "no input named 'attention_mask'"),
        ('input = "image"', "", "no input named 'image'"),
        (
            'output = "x"',
            "",
            "no output named 'x'; outputs of the graph: 'image_embeds' tensor(float) ['n', 8]",
        ),
        ("size = 16", "", "correct size and layout"),
        ('input_type = "uint8"', "", "takes tensor(float), not tensor(uint8)"),
    ],
)
def test_wrong_names_and_types_list_what_the_graph_offers(folder: Path, image: str, text: str, said: str) -> None:
    both = encoder(folder, image, text)
    with pytest.raises(EncoderError) as caught:
        if image:
            size = both.manifest.image.size
            both.encode_images(np.zeros((1, size, size, 3), np.uint8))
        else:
            both.encode_texts(["red"])
    assert said in f"{caught.value} {caught.value.remedy}"
    assert str(folder) in str(caught.value) and caught.value.remedy


def test_inputs_the_manifest_does_not_name(folder: Path) -> None:
    save_text_graph(folder / "text.onnx", extra_inputs=("position_ids",))
    with pytest.raises(EncoderError, match="needs 'position_ids' too"):
        encoder(folder).encode_texts(["red"])


def test_fixed_context_asks_for_fixed_padding(folder: Path) -> None:
    save_text_graph(folder / "text.onnx", shape=("n", 7))
    with pytest.raises(EncoderError, match="exactly 7 tokens") as caught:
        encoder(folder).encode_texts(["red"])
    assert "context_length = 7" in caught.value.remedy


def test_wrong_dimension(folder: Path) -> None:
    with pytest.raises(EncoderError, match="has 8 dimensions, not 9"):
        encoder(folder, dim=9).encode_texts(["red"])


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_values_that_are_no_vector(folder: Path, value: float) -> None:
    table = TABLE.copy()
    table[BOLT] = value
    save_text_graph(folder / "text.onnx", table=table)
    both = encoder(folder)
    assert np.isfinite(both.encode_texts(["red"])).all()
    with pytest.raises(EmbeddingError, match=r"1 of 2") as caught:
        both.encode_texts(["red", "bolt"])
    assert "selftest" in caught.value.remedy


def test_a_tokenizer_of_another_graph(folder: Path) -> None:
    save_text_graph(folder / "text.onnx", table=TABLE[:4])
    with pytest.raises(EncoderError, match="does not run on input_ids int64"):
        encoder(folder).encode_texts(["bolt"])


@pytest.mark.parametrize("name", ["text.onnx", "image.onnx", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"<html>404</html>", b"{}", b"\x08\x07" + b"\xff" * 400])
def test_files_that_are_something_else(
    folder: Path, name: str, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_bytes(content)
    both = encoder(folder)
    with pytest.raises(EncoderError, match=name):
        both.encode_texts(["red"])
        both.encode_images(np.zeros((1, SIZE, SIZE, 3), np.uint8))
    assert capfd.readouterr() == ("", "")


def test_pictures_of_another_shape(folder: Path) -> None:
    both = encoder(folder)
    for wrong in (np.zeros((1, 9, 9, 3), np.uint8), np.zeros((SIZE, SIZE, 3), np.uint8)):
        with pytest.raises(EmbeddingError, match="uint8"):
            both.encode_images(wrong)
    with pytest.raises(EmbeddingError, match="float32"):
        both.encode_images(np.zeros((1, SIZE, SIZE, 3), np.float32))


def test_a_tokenizer_that_fails_only_when_used(folder: Path) -> None:
    Tokenizer(models.WordLevel({"red": 0}, unk_token="absent")).save(str(folder / "tokenizer.json"))
    both = encoder(folder)
    with pytest.raises(EncoderError, match="no usable tokenizer"):
        both.encode_texts(["unheard of"])


def test_special_tokens_that_do_not_fit_the_context(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<eos> <eos> $A <eos>", special_tokens=[("<eos>", EOS)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    (vector,) = encoder(folder, text='context_length = 2\npadding = "fixed"').encode_texts(["red bolt"])
    np.testing.assert_allclose(vector, mean_of(EOS, EOS), atol=1e-6)

"""The self-test: passes on a sound encoder, and each way of being broken is found."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from cmrcli.encoders import golden
from cmrcli.encoders.selftest import main, self_test, write_golden
from cmrcli.errors import EncoderError
from tests.encoders.graphs import save_image_graph, save_text_graph, save_tokenizer, write_manifest

Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@pytest.fixture
def folder(tiny_encoder_folder: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(tiny_encoder_folder, tmp_path / "encoder"))
    write_golden(copy)
    return copy


def change_weights(folder: Path, graph: str, weights: str, change: Change) -> None:
    """Changes a graph's weights and writes its new hash into model.toml."""
    file = folder / graph
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    model = onnx.load(str(file))
    (tensor,) = (one for one in model.graph.initializer if one.name == weights)
    tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), weights))
    onnx.save(model, str(file))
    after = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest = folder / "model.toml"
    manifest.write_text(manifest.read_text().replace(before, after))


def test_a_sound_encoder_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert self_test(folder) == []
    assert main([str(folder)]) == 0
    (folder / "golden.json").unlink()
    assert main([str(folder)]) == 0
    assert "vectors were not compared" in capsys.readouterr().out
    assert main(["--write", str(folder)]) == 0 and (folder / "golden.json").exists()


def test_golden_vectors_are_unit_vectors_of_every_text_and_picture(folder: Path) -> None:
    stored = golden.load_golden(folder, 64)
    assert stored is not None
    assert set(stored.texts) == set(golden.TEXTS) and set(stored.pictures) == set(golden.pictures())
    lengths = np.linalg.norm([*stored.texts.values(), *stored.pictures.values()], axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-3)


def test_pictures_are_the_same_everywhere() -> None:
    drawn = golden.pictures()
    digest = hashlib.sha256(b"".join(pixels.tobytes() for pixels in drawn.values())).hexdigest()
    assert digest == "1e4548987568421f3385f10c093b06d56a6dc08728aead86ced7e96987b9fb40"


@pytest.mark.parametrize(
    ("graph", "weights", "found"),
    [("text.onnx", "table", "text 'english'"), ("image.onnx", "weighted_directions", "picture 'discs'")],
)
def test_changed_weights_are_found(folder: Path, graph: str, weights: str, found: str) -> None:
    change_weights(folder, graph, weights, lambda values: values[:, ::-1].copy())
    subjects = [finding.subject for finding in self_test(folder)]
    assert found in subjects
    assert main([str(folder)]) == 13


def test_a_tower_that_gives_one_vector_for_everything(folder: Path) -> None:
    change_weights(folder, "image.onnx", "weighted_directions", lambda values: values * 0 + values[:1])
    change_weights(folder, "image.onnx", "pattern", lambda values: values * 0)
    (folder / "golden.json").unlink()
    assert [finding.subject for finding in self_test(folder)] == ["picture tower"]


def test_padding_that_changes_the_vector_is_found(tmp_path: Path) -> None:
    save_text_graph(tmp_path / "text.onnx")  # its mean counts the padding, and there is no mask
    save_image_graph(tmp_path / "image.onnx")
    save_tokenizer(tmp_path / "tokenizer.json")
    write_manifest(tmp_path, text="pad_id = 3")
    problems = [finding.problem for finding in self_test(tmp_path)]
    assert any("another vector alone than in a batch" in problem for problem in problems)
    write_manifest(tmp_path, text='pad_id = 3\npadding = "fixed"')
    assert not any("in a batch" in finding.problem for finding in self_test(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"format": 2}',
        '{"format": 1, "digest": "", "texts": {"english": [1, 2]}, "pictures": {}}',
        '{"format": 1, "digest": "", "texts": {"english": "x"}, "pictures": {}}',
    ],
)
def test_a_golden_file_that_is_none(folder: Path, content: str) -> None:
    (folder / "golden.json").write_text(content)
    with pytest.raises(EncoderError, match=r"golden\.json"):
        golden.load_golden(folder, 64)
    assert main([str(folder)]) == 13


def test_unknown_names_and_nan_in_golden_are_findings(folder: Path) -> None:
    content = json.loads((folder / "golden.json").read_text())
    content["texts"]["english"] = [float("nan")] * 64
    content["pictures"] = {"unheard-of": [1.0] * 64}
    (folder / "golden.json").write_text(json.dumps(content))
    assert {finding.subject for finding in self_test(folder)} == {"text 'english'", "picture 'unheard-of'"}


def test_broken_folders_end_with_13_and_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder / "nowhere")]) == 13
    assert "no encoder" in capsys.readouterr().err
    (folder / "image.onnx").write_bytes(b"not a graph")
    assert main([str(folder)]) == 13
    assert "image.onnx has the SHA-256" in capsys.readouterr().out
    assert main(["--write", str(folder)]) == 13

"""The dual encoder as the rest of cmrcli uses it: meanings meet, towers load on demand, nothing is said."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from cmrcli.encoders import session
from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.manifest import load_manifest
from cmrcli.encoders.preprocess import fit
from cmrcli.encoders.session import usable_cpus
from tests.tiny_encoder import COLOURS


@pytest.fixture(scope="module")
def encoder(tiny_encoder_folder: Path) -> DualEncoder:
    return DualEncoder(load_manifest(tiny_encoder_folder))


def test_colour_words_meet_pictures_of_that_colour(encoder: DualEncoder) -> None:
    pictures = []
    for colour in COLOURS.values():
        picture = PIL.Image.new("RGB", (120, 80), "white")
        picture.paste(colour, (30, 20, 90, 60))
        pictures.append(fit(picture, encoder.manifest.image))
    vectors = encoder.encode_images(np.stack(pictures))
    similarity = encoder.encode_texts([f"a {name} flange" for name in COLOURS]) @ vectors.T
    assert (similarity.argmax(axis=1) == np.arange(len(COLOURS))).all()
    assert encoder.encode_texts(["赤いフランジ"])[0] @ vectors.T @ np.eye(len(COLOURS))[0] > 0.5


def test_vectors_are_unit_float32(encoder: DualEncoder) -> None:
    texts = encoder.encode_texts(["hex flange bolt", "", "歯車", "🔩", "x" * 100_000, "\udce4", "a\0b"])
    images = encoder.encode_images(np.zeros((37, 32, 32, 3), np.uint8))
    for vectors in (texts, images):
        assert vectors.dtype == np.float32 and vectors.shape[1] == encoder.dim == 64
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode_images(np.zeros((0, 32, 32, 3), np.uint8)).shape == (0, 64)


def test_towers_are_shared_between_threads(encoder: DualEncoder, tiny_encoder_folder: Path) -> None:
    fresh = DualEncoder(load_manifest(tiny_encoder_folder))
    expected = encoder.encode_texts(["red bolt"])
    found: list[NDArray[np.float32]] = []
    threads = [threading.Thread(target=lambda: found.append(fresh.encode_texts(["red bolt"]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(np.array_equal(vectors, expected) for vectors in found)


def test_a_text_query_loads_no_image_tower_no_pillow_and_prints_nothing(tiny_encoder_folder: Path) -> None:
    script = """
import sys
from pathlib import Path
from cmrcli.encoders import session
from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.manifest import load_manifest
folder = Path(sys.argv[1])
encoder = DualEncoder(load_manifest(folder))
(folder / "image.onnx").rename(folder / "gone.onnx")
try:
    encoder.encode_texts(["red"])
finally:
    (folder / "gone.onnx").rename(folder / "image.onnx")
heavy = {"PIL", "rich", "typer", "huggingface_hub", "platformdirs", "onnx", "requests", "urllib3"}
sys.exit(f"imported {heavy & set(sys.modules)}" if heavy & set(sys.modules) else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tiny_encoder_folder)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_fitting_pictures_needs_no_onnxruntime() -> None:
    script = "import sys; import cmrcli.encoders.preprocess; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_usable_cpus_is_at_least_one() -> None:
    assert usable_cpus() >= 1


def test_many_runs_change_to_the_optimised_graph_and_not_the_vectors(tiny_encoder_folder: Path) -> None:
    texts = [f"{colour} part {number}" for number in range(20) for colour in COLOURS]
    manifest = load_manifest(tiny_encoder_folder)
    one_by_one = DualEncoder(manifest)  # starts unoptimised, changes on the way
    found = np.concatenate([one_by_one.encode_texts([text]) for text in texts])
    np.testing.assert_allclose(found, DualEncoder(manifest).encode_texts(texts), atol=1e-5)


def test_the_optimised_graph_is_loaded_once(tiny_encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[bool] = []
    load = session._load

    def noted(path: Path, threads: int, light: bool) -> object:
        loads.append(light)
        return load(path, threads, light)

    monkeypatch.setattr(session, "_load", noted)
    encoder = DualEncoder(load_manifest(tiny_encoder_folder))
    for _ in range(session.LIGHT_RUNS):
        encoder.encode_texts(["red"])
    assert loads == [True]
    for _ in range(3):
        encoder.encode_texts(["red"])
    assert loads == [True, False]

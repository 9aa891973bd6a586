"""model.toml: what is refused and with which words, and what the digest depends on."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from cmrcli.encoders.manifest import load_manifest
from cmrcli.errors import EncoderError
from tests.tiny_encoder import make_tiny_encoder


@pytest.fixture
def folder(tiny_encoder_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder_folder, tmp_path / "encoder"))


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "model.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_tiny_encoder_is_read_as_written(folder: Path) -> None:
    manifest = load_manifest(folder)
    manifest.verify()
    assert (manifest.name, manifest.dim, manifest.languages) == ("tiny", 64, ("en", "ja"))
    assert (manifest.image.size, manifest.image.input_type, manifest.image.layout) == (32, "uint8", "nhwc")
    assert (manifest.text.mask, manifest.text.padding, manifest.text.context_length) == (
        "mask",
        "longest",
        64,
    )
    assert len(manifest.digest) == 64


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format = 1", "format = 2", "format"),
        ("format = 1\n", "", "format is missing"),
        ("dim = 64", 'dim = "64"', "dim must be a whole number"),
        ("dim = 64", "dim = true", "dim must be a whole number"),
        ("dim = 64", "dim = 0", "dim must be a whole number"),
        ("[image]", "[picture]", "the table [image] is missing"),
        ('resize = "letterbox"', 'resize = "stretch"', "letterbox, squash, shortest-crop"),
        ('interpolation = "bilinear"', 'interpolaton = "bilinear"', "image.interpolation"),
        ("pad = 255", "pad = 255\ncolour = 3", "image.colour is not known"),
        ("pad = 255", "pad = 255\nmean = [0.5, 0.5, 0.5]", "unscaled"),
        ("pad = 255", "pad = 1e400", "image.pad"),
        ('input_type = "uint8"', 'input_type = "float32"\nstd = [1, 0, 1]', "std must not contain zero"),
        ('input_type = "uint8"', 'input_type = "float32"\nmean = [nan, 0, 1]', "three numbers"),
        ('input_type = "uint8"', f'input_type = "float32"\nscale = 1{"0" * 400}', "image.scale"),
        ('pooling = "none"', 'pooling = "eot"', "text.eos_id is missing"),
        ('file = "image.onnx"', 'file = "/etc/passwd"', "must be relative"),
        ('file = "image.onnx"', 'file = "nowhere.onnx"', "nowhere.onnx is missing"),
        ('file = "image.onnx"', 'file = "."', "is missing"),
        ('file = "image.onnx"', f'file = "{"x" * 300}"', "xxx"),
        ('file = "image.onnx"', 'file = "a\\u001b[31mb"', "line of text"),
        ('input = "pixels"', 'data = ["image.onnx"]\ninput = "pixels"', "data_sha256 must hold"),
        ('name = "tiny"', 'name = "tiny', "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_file_and_remedy(folder: Path, old: str, new: str, said: str) -> None:
    edit(folder, old, new)
    with pytest.raises(EncoderError) as caught:
        load_manifest(folder)
    assert said in str(caught.value)
    assert str(folder) in str(caught.value)
    assert caught.value.remedy
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a = " + b"[" * 100_000, b"#" * 2_000_000])
def test_a_file_that_is_no_manifest(folder: Path, content: bytes) -> None:
    (folder / "model.toml").write_bytes(content)
    with pytest.raises(EncoderError, match=r"model\.toml"):
        load_manifest(folder)


def test_missing_folder_and_empty_file(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="missing"):
        load_manifest(tmp_path / "nowhere")
    (folder / "text.onnx").write_bytes(b"")
    with pytest.raises(EncoderError, match=r"text\.onnx is empty"):
        load_manifest(folder)


@pytest.mark.parametrize("name", ["text.onnx", "image.onnx", "tokenizer.json"])
def test_verify_finds_one_flipped_bit(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(EncoderError, match=name) as caught:
        load_manifest(folder).verify()
    assert hashlib.sha256(content).hexdigest() in str(caught.value)


def test_files_may_lie_in_folders_of_their_own(folder: Path, tmp_path: Path) -> None:
    (folder / "visual").mkdir()
    (folder / "image.onnx").rename(folder / "visual" / "image.onnx")
    (folder / "text.onnx").rename(tmp_path / "text.onnx")
    before = load_manifest_digest(folder, 'file = "image.onnx"', 'file = "visual/image.onnx"')
    after = load_manifest_digest(folder, 'file = "text.onnx"', 'file = "../text.onnx"', check=True)
    assert before == "" and after


def load_manifest_digest(folder: Path, old: str, new: str, check: bool = False) -> str:
    edit(folder, old, new)
    if not check:
        return ""
    manifest = load_manifest(folder)
    manifest.verify()
    return manifest.digest


def test_undeclared_external_weights_are_refused(folder: Path) -> None:
    import onnx

    model = onnx.load(str(folder / "text.onnx"))
    onnx.save(model, str(folder / "text.onnx"), save_as_external_data=True, location="weights.bin", size_threshold=0)
    digest = hashlib.sha256((folder / "text.onnx").read_bytes()).hexdigest()
    weights = hashlib.sha256((folder / "weights.bin").read_bytes()).hexdigest()
    old = next(line for line in (folder / "model.toml").read_text().split("[text]")[1].splitlines() if "sha256" in line)
    edit(folder, old, f'sha256 = "{digest}"')
    with pytest.raises(EncoderError, match="weights in another file"):
        load_manifest(folder).verify()
    edit(folder, 'ids = "ids"', f'ids = "ids"\ndata = ["weights.bin"]\ndata_sha256 = ["{weights}"]')
    load_manifest(folder).verify()
    (folder / "weights.bin").write_bytes(b"other")
    with pytest.raises(EncoderError, match=r"weights\.bin"):
        load_manifest(folder).verify()


def test_digest_stays_when_the_folder_moves(folder: Path, tmp_path: Path) -> None:
    before = load_manifest(folder).digest
    moved = folder.rename(tmp_path / "elsewhere")
    edit(moved, 'name = "tiny"', 'name = "renamed"')
    edit(moved, 'licence = "Apache-2.0"', 'licence = "MIT"')
    (moved / "image.onnx").rename(moved / "vision.onnx")
    edit(moved, 'file = "image.onnx"', 'file = "vision.onnx"')
    assert load_manifest(moved).digest == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('resize = "letterbox"', 'resize = "squash"'),
        ('interpolation = "bilinear"', 'interpolation = "bicubic"'),
        ("pad = 255", "pad = 254"),
        ("size = 32", "size = 33"),
        ('layout = "nhwc"', 'layout = "nchw"'),
        ('input_type = "uint8"', 'input_type = "float32"'),
        ("context_length = 64", "context_length = 63"),
        ('padding = "longest"', 'padding = "fixed"'),
        ("pad_id = 0", "pad_id = 1"),
        ('mask = "mask"\n', ""),
        ('pooling = "none"', 'pooling = "mean"'),
        ('pooling = "none"', 'lowercase = true\npooling = "none"'),
        ('pooling = "none"', 'strip_punctuation = true\npooling = "none"'),
        ('pooling = "none"', 'prefix = "query: "\npooling = "none"'),
        ('pooling = "none"', 'append_eos = true\neos_id = 2\npooling = "none"'),
        ('output = "embedding"', 'output = "other"'),
        ("dim = 64", "dim = 65"),
    ],
)
def test_digest_changes_with_what_changes_vectors(folder: Path, old: str, new: str) -> None:
    before = load_manifest(folder).digest
    edit(folder, old, new)
    assert load_manifest(folder).digest != before


def test_digest_changes_with_the_files(tmp_path: Path) -> None:
    digests = {load_manifest(make_tiny_encoder(tmp_path / str(v), variant=v)).digest for v in (0, 1)}
    assert len(digests) == 2
    assert load_manifest(make_tiny_encoder(tmp_path / "again")).digest in digests

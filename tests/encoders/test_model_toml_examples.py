"""The examples of MODEL_TOML.md are read as they stand, and its tables name every key there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import cmrcli.encoders
from cmrcli.encoders.manifest import ImageSpec, TextSpec, load_manifest

TEXT = (Path(cmrcli.encoders.__file__).parent / "MODEL_TOML.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: str(tomllib.loads(text)["name"]))
def test_an_example_is_a_manifest(example: str, tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(example, encoding="utf-8")
    content = tomllib.loads(example)
    for name in (content["image"]["file"], content["text"]["file"], content["text"]["tokenizer"]):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"stands for the file")
    manifest = load_manifest(tmp_path)
    assert manifest.name == content["name"] and len(manifest.digest) == 64


def test_the_examples_are_three_families() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("spec", [ImageSpec, TextSpec])
def test_the_tables_name_every_key(spec: type[ImageSpec | TextSpec]) -> None:
    table = TEXT.split(f"### [{spec.__name__.removesuffix('Spec').lower()}]")[1].split("\n#")[0]
    named = set(re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    assert {"file" if key == "graph" else key for key in spec.__slots__} <= named

"""Whether an encoder works here as it did where it was made: its files, its vectors, its golden vectors.

    python -m cmrcli.encoders.selftest [--write] [FOLDER]

exits 0 when all is well and 13 when not; without FOLDER the bundled encoder is tested. `--write` records the
vectors of an encoder that is known to be right as its golden.json. To test quantised graphs against the
full ones, copy the golden.json of the full ones into its folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders import golden, locate
from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.golden import Golden
from cmrcli.encoders.manifest import EncoderManifest, load_manifest
from cmrcli.errors import CmrcliError, EncoderError, display_path

LEAST_COSINE = 0.98
"""Between a golden vector and the one computed here, and between a text alone and in a batch.

Processors with and without 8-bit dot products round quantised graphs differently, and a dynamically quantised
graph scales a whole batch at once; both stay above this. A wrong padding or a broken graph does not.
"""
ALIKE = 0.9999  # cosine above which an encoder does not tell two quite different inputs apart

_DIFFERENT_TEXTS = ("english", "sentence", "drawing")
_DIFFERENT_PICTURES = ("gradient", "part", "discs", "noise")

Vectors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an encoder: what was looked at, and what is the matter with it."""

    subject: str
    problem: str


def self_test(folder: Path) -> list[Finding]:
    """Everything that is wrong with the encoder in the folder; empty when it may be used.

    Reads and hashes all files. Golden vectors are compared where there is a golden.json.
    """
    try:
        manifest = load_manifest(folder)
        manifest.verify()
        expected = golden.load_golden(folder, manifest.dim)
        encoder = DualEncoder(manifest)
        found = _encode(encoder, manifest)
        findings = [
            *_told_apart("text", found.texts, _DIFFERENT_TEXTS),
            *_told_apart("picture", found.pictures, _DIFFERENT_PICTURES),
            *_independent(encoder, found.texts),
        ]
    except CmrcliError as error:
        return [Finding(display_path(folder), str(error))]
    if expected is not None:
        findings += _compared("text", expected.texts, found.texts)
        findings += _compared("picture", expected.pictures, found.pictures)
    return findings


def write_golden(folder: Path) -> Path:
    """Records what the encoder gives now as its golden.json, and returns that file's path.

    Raises:
        EncoderError, EmbeddingError: an encoder that does not work.
    """
    manifest = load_manifest(folder)
    manifest.verify()
    return golden.save_golden(folder, _encode(DualEncoder(manifest), manifest))


def main(arguments: list[str] | None = None) -> int:
    """The command of this module; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m cmrcli.encoders.selftest", description="Tests an encoder.")
    parser.add_argument("folder", nargs="?", help="folder or installed name (default: the bundled encoder)")
    parser.add_argument("--write", action="store_true", help="record the vectors as the folder's golden.json")
    options = parser.parse_args(arguments)
    try:
        folder = locate.resolve(options.folder)
        if options.write:
            print(f"wrote {display_path(write_golden(folder))}")
    except CmrcliError as error:
        print(f"error: {error}\n  {error.remedy}", file=sys.stderr)
        return error.exit_code
    findings = self_test(folder)
    for finding in findings:
        print(f"{finding.subject}: {finding.problem}")
    if findings:
        return EncoderError.exit_code
    compared = (folder / golden.GOLDEN_NAME).exists()
    print(f"{display_path(folder)}: ok" + ("" if compared else " (no golden.json: vectors were not compared)"))
    return 0


def _encode(encoder: DualEncoder, manifest: EncoderManifest) -> Golden:
    import PIL.Image

    from cmrcli.encoders.preprocess import fit

    texts = encoder.encode_texts(list(golden.TEXTS.values()))
    drawn = {name: PIL.Image.fromarray(pixels) for name, pixels in golden.pictures().items()}
    pictures = encoder.encode_images(np.stack([fit(picture, manifest.image) for picture in drawn.values()]))
    return Golden(
        manifest.digest,
        dict(zip(golden.TEXTS, texts, strict=True)),
        dict(zip(drawn, pictures, strict=True)),
    )


def _told_apart(what: str, vectors: Vectors, names: Iterable[str]) -> list[Finding]:
    """A finding when quite different inputs all get the same vector: a broken graph."""
    rows = np.stack([vectors[name] for name in names])
    least = float((rows @ rows.T).min())
    if least <= ALIKE:
        return []
    return [Finding(f"{what} tower", f"gives the same vector for different {what}s (cosine {least:.5f})")]


def _independent(encoder: DualEncoder, batched: Vectors) -> list[Finding]:
    """Findings where a vector depends on what else is in the batch: a wrong mask, pad id or padding."""
    findings = []
    for name in ("english", "part-number", "empty"):
        (alone,) = encoder.encode_texts([golden.TEXTS[name]])
        cosine = float(alone @ batched[name])
        if not cosine >= LEAST_COSINE:
            problem = f"has another vector alone than in a batch (cosine {cosine:.4f}): check mask, padding"
            findings.append(Finding(f"text {name!r}", problem))
    return findings


def _compared(what: str, expected: Vectors, found: Vectors) -> list[Finding]:
    findings = []
    for name, vector in expected.items():
        if name not in found:
            problem = "is unknown to this version; write golden.json again"
            findings.append(Finding(f"{what} {name!r}", problem))
            continue
        length = float(np.linalg.norm(vector))
        cosine = float(vector @ found[name]) / length if length > 0 else 0.0
        if not cosine >= LEAST_COSINE:  # a NaN is not
            problem = f"differs from golden.json (cosine {cosine:.4f}, at least {LEAST_COSINE} expected)"
            findings.append(Finding(f"{what} {name!r}", problem))
    return findings


if __name__ == "__main__":
    sys.exit(main())

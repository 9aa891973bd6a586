"""Sample drawings and pictures made by code: parametric engineering parts, for the demo, the tests and the training.

Parts::

    families() -> list[str]                 names of all families, in a fixed order
    make_part(family, seed) -> Part         a part with its parameters put in: names, captions in English and
                                            Japanese, part number, material, drawing_image, rendering_image, sheet

An office's folder of about ninety files (DXF, SVG, PDF, scans, photos, specifications, notes)::

    write_sample_corpus(folder, seed=0) -> list[Path]
    sample_truth(seed=0) -> list[(query, relpath)]   searches with a file that should be found

Everything follows from the seed alone. Importing this package costs nothing: the work is imported when it is asked for.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cmrcli.samples.part import Part

__all__ = ["families", "make_part", "sample_truth", "write_sample_corpus"]


def families() -> list[str]:
    """Names of all part families, in a fixed order."""
    from cmrcli.samples.trades import FAMILIES

    return list(FAMILIES)


def make_part(family: str, seed: int) -> "Part":
    """The part of a family that a seed decides; the same on every machine. Raises KeyError for an unknown family."""
    from cmrcli.samples.part import Part
    from cmrcli.samples.trades import FAMILIES

    return Part(FAMILIES[family], seed)


def write_sample_corpus(folder: Path, seed: int = 0) -> list[Path]:
    """Writes the sample corpus below `folder` and returns the paths of its files, sorted.

    Nothing but the corpus is written: no manifest, no hidden file. OSError where the folder cannot be written.
    """
    from cmrcli.samples.corpus import write_corpus

    return write_corpus(folder, seed)


def sample_truth(seed: int = 0) -> list[tuple[str, str]]:
    """Pairs (query, path in the corpus of that seed) of searches whose answer is known.

    A query is text, or `image:` and a path in the corpus for a search by example. A query that has several right
    answers comes once for each.
    """
    from cmrcli.samples.plan import truth

    return truth(seed)

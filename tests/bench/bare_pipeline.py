"""The floor of indexing photos: decode, resize, encode, and nothing else.

python bare_pipeline.py FOLDER WORKERS

A multiprocessing pool decodes (JPEG draft mode: at the smallest scale of 1/8, 1/4, 1/2 that the encoder's size
allows) and resizes with the encoder's own `fit`; this process encodes batches of 16 with the bundled encoder as
they come. No hashes, no limits, no kinds, no orientation, no catalog; the vectors are thrown away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from multiprocessing import Pool

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.dual import DualEncoder
from cmrcli.encoders.locate import bundled
from cmrcli.encoders.manifest import ImageSpec, load_manifest
from cmrcli.encoders.preprocess import fit

BATCH = 16
CHUNK = 4


def main(folder: str, workers: int) -> None:
    manifest = load_manifest(bundled())
    paths = sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
    with Pool(workers) as pool:
        encoder = DualEncoder(manifest)
        waiting: list[NDArray[np.uint8]] = []
        encoded = 0
        for pixels in pool.imap_unordered(partial(decode, spec=manifest.image), paths, chunksize=CHUNK):
            waiting.append(pixels)
            if len(waiting) == BATCH:
                encoded += _encode(encoder, waiting)
                waiting = []
        encoded += _encode(encoder, waiting)
    print(encoded)


def decode(path: str, spec: ImageSpec) -> NDArray[np.uint8]:
    """(size, size, 3) uint8."""
    from PIL import Image

    with Image.open(path) as image:
        longest = max(image.size)
        image.draft("RGB", (image.width * spec.size // longest, image.height * spec.size // longest))
        return fit(image, spec)


def _encode(encoder: DualEncoder, waiting: Sequence[NDArray[np.uint8]]) -> int:
    return len(encoder.encode_images(np.stack(waiting))) if waiting else 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""Makes the golden index of the present format, and says what an index holds.

With each release that changes the format: `python -m tests.store.golden.make`, and commit the format-N.zip that it
leaves beside this file. The archives of older formats stay: every version must read them.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from cmrcli.store import layout, open_reader, open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.records import EncoderIdentity

DIM = 70


class Said(TypedDict):
    """What a golden index must say, whatever version reads it."""

    fragments: list[tuple[object, ...]]
    vectors: list[list[float]]
    codes: list[list[int]]
    places: list[bytes]
    failures: list[tuple[bytes, str, str]]
    words: dict[str, list[int]]


def make(folder: Path) -> None:
    """A new index in the folder: two contents, three files, one of them unreadable."""

    def fragment(number: int, role: str, text: str = "") -> NewFragment:
        box = (0.0, 0.5, 1.0, 1.0) if role == "tile" else None
        return NewFragment(role, _vector(number), box, text)

    bolt = NewItem(
        1,
        "drawing",
        "Sheet 1",
        "Hex bolt",
        210,
        297,
        "Hex bolt M8x20, A-1023-02",
        [fragment(1, "whole"), fragment(2, "tile")],
    )
    gear = NewItem(
        None,
        "page",
        "",
        "",
        0,
        0,
        "歯車と軸受 M8",
        [fragment(3, "whole"), fragment(4, "tile"), fragment(5, "passage", "歯車")],
    )
    with open_writer(folder, EncoderIdentity("golden", "0" * 64, DIM)) as writer:
        root = writer.add_root(b"/data")
        files = [
            FileUpdate(root.id, b"drawings", b"bolt.pdf", 1, 1, b"bolt".ljust(16)),
            FileUpdate(root.id, b"", b"gear \xff.png", 2, 2, b"gear".ljust(16)),
            FileUpdate(root.id, b"", b"bad.png", 3, 3, None, "damaged", "truncated"),
        ]
        contents = [NewContent(b"bolt".ljust(16), "pdf", [bolt]), NewContent(b"gear".ljust(16), "png", [gear])]
        writer.commit(Batch(contents, files))


def say(folder: Path) -> Said:
    """Everything the golden index holds, by number, as plain Python."""
    with open_reader(folder) as reader:
        (segment,) = reader.segments
        hits = reader.fragments(segment.rows.tolist())
        return {
            "fragments": [
                (h.fragment_id, h.item_id, h.role, h.box, h.text, h.page, h.kind, h.label, h.title)
                for h in hits.values()
            ],
            "vectors": [row[:4].tolist() for row in segment.vectors],
            "codes": segment.codes.tolist(),
            "places": [place.path for number in (1, 2) for place in reader.places([number])[number]],
            "failures": list(reader.failures()),
            "words": {q: sorted(h.item_id for h in reader.words(q, 9)) for q in ("m8", "歯車", "a1023", "bolt")},
        }


def _vector(number: int) -> NDArray[np.float32]:
    values = ((np.arange(DIM) * (2 * number + 1) + number) % 13 - 5).astype(np.float32)
    return values / np.float32(np.sqrt(np.square(values).sum()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch, "index"))
        target = Path(__file__).parent / f"format-{layout.FORMAT_VERSION}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(Path(scratch).rglob("*")):
                packed.write(path, path.relative_to(scratch))
        print(target)

"""Small contents made by code, and an index's whole state as plain Python, for comparing two of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.store import open_reader
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.records import EncoderIdentity

DIM = 70  # no multiple of 64: codes are padded
ENCODER = EncoderIdentity("tiny", "ab" * 32, DIM)
TEXTS = (
    "Hex flange bolt M8x20 DIN 6921, part number A-1023-02",
    "六角フランジボルト M8 と軸受、歯車の図面",
    "Bearing housing, material GG25, A1023-02 rev B",
    "General arrangement of the gearbox, see drawing Ａ　１０２３　０２",
    "",
)


def vector(*seed: int) -> NDArray[np.float32]:
    """(DIM,) float32 of length 1."""
    values = np.random.default_rng(seed).standard_normal(DIM, dtype=np.float32)
    return values / np.linalg.norm(values)


def content(number: int, pages: int = 2, passages: int = 1) -> NewContent:
    """A content that depends on nothing but its number; its digest too."""
    items = []
    for page in range(1, pages + 1):
        text = TEXTS[(number + page) % len(TEXTS)]
        fragments = [NewFragment("whole", vector(number, page, 0))]
        fragments.append(NewFragment("tile", vector(number, page, 1), (0.0, 0.25, 1 / 3, 1.0)))
        fragments += [NewFragment("passage", vector(number, page, 2 + i), None, text) for i in range(passages)]
        kind = ("drawing", "photo", "page", "text")[number % 4]
        items.append(NewItem(page, kind, f"Sheet {page}", f"Part {number}", 210, 297, text, fragments))
    digest = hashlib.blake2b(f"content {number}".encode(), digest_size=16).digest()
    return NewContent(digest, ("pdf", "png", "dxf")[number % 3], items)


def update(root_id: int, folder: bytes, name: bytes, number: int, mtime_ns: int = 1_000) -> FileUpdate:
    """A readable file that holds `content(number)`."""
    return FileUpdate(root_id, folder, name, 100 + number, mtime_ns, content(number, 0).digest)


def batch(root_id: int, numbers: Sequence[int], folder: bytes = b"drawings") -> Batch:
    """Files named after their contents, with the contents."""
    return Batch(
        [content(number) for number in numbers],
        [update(root_id, folder, b"part-%d.pdf" % number, number) for number in numbers],
    )


def state(folder: Path) -> dict[str, object]:
    """Everything an index says, without the numbers that it gave to things: two states compare equal or do not."""
    with open_reader(folder) as reader:
        vectors: dict[int, bytes] = {}
        for segment in reader.segments:
            for row, fragment_id in enumerate(segment.rows.tolist()):
                if segment.dead is None or not segment.dead[row]:
                    assert fragment_id not in vectors
                    kept = segment.codes if segment.kept_vectors is None else segment.kept_vectors
                    scale = b"" if segment.scales is None else segment.scales[row].tobytes()
                    vectors[fragment_id] = kept[row].tobytes() + scale
        hits = reader.fragments(sorted(vectors))
        assert set(hits) == set(vectors)
        digests = dict(reader._connection.execute("SELECT id, digest FROM content"))
        contents: dict[bytes, list[tuple[object, ...]]] = {digest: [] for digest in digests.values()}
        for fragment_id, hit in sorted(hits.items()):
            fields = (hit.page, hit.kind, hit.label, hit.title, hit.role, hit.box, hit.text, vectors[fragment_id])
            contents[digests[hit.content_id]].append(fields)
        files = {}
        for root in reader.roots():
            for directory in reader.directories(root.id):
                for name, file in reader.files_in(root.id, directory).items():
                    holds = digests[file.content_id] if file.content_id is not None else (file.cause, file.detail)
                    files[root.path, directory, name] = (file.size_bytes, file.mtime_ns, holds)
        words = {
            query: sorted(
                (digests[hit.content_id], hit.page)
                for hit in reader.whole_fragments([w.item_id for w in reader.words(query, 1_000)]).values()
            )
            for query in ("bolt", "歯車", "軸", "m8", "A-1023-02", "part-3.pdf", "drawings")
        }
        return {"contents": contents, "files": files, "words": words, "encoder": reader.encoder}

"""The pages of a TIFF or BigTIFF and their tags, read defensively: chains that loop, counts that lie."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

from cmrcli.errors import UnreadableFile

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
FILL_ORDER, STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES = 266, 273, 274, 277, 278, 279
PLANAR, T4_OPTIONS, T6_OPTIONS, PREDICTOR, COLOUR_MAP = 284, 292, 293, 317, 320
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES, SUBSAMPLING, REFERENCE = 338, 339, 347, 530, 532

Order = Literal["<", ">"]
_FIELD = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_SIZE = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_MOST_TAGS = 4_096
_MOST_BYTES = 16 * 2**20  # of one tag: offsets of two million strips
_NEEDED = {
    *(
        SUBFILE,
        WIDTH,
        HEIGHT,
        BITS,
        COMPRESSION,
        PHOTOMETRIC,
        FILL_ORDER,
        STRIP_OFFSETS,
        ORIENTATION,
        SAMPLES,
        ROWS_PER_STRIP,
    ),
    *(
        STRIP_BYTES,
        PLANAR,
        T4_OPTIONS,
        T6_OPTIONS,
        PREDICTOR,
        COLOUR_MAP,
        TILE_WIDTH,
        TILE_HEIGHT,
        TILE_OFFSETS,
        TILE_BYTES,
    ),
    *(EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES, SUBSAMPLING, REFERENCE),
}


@dataclass(slots=True)
class Tag:
    """One tag as it lies in the file: type, count, and its bytes in the file's byte order."""

    type: int
    count: int
    data: bytes


@dataclass(slots=True)
class Page:
    """One image file directory: the tags that decoding needs."""

    order: Order
    tags: dict[int, Tag]

    def numbers(self, tag: int) -> Sequence[int]:
        found = self.tags.get(tag)
        if found is None or found.type not in _FIELD:
            return ()
        return struct.unpack(f"{self.order}{found.count}{_FIELD[found.type]}", found.data)

    def number(self, tag: int, default: int) -> int:
        return next(iter(self.numbers(tag)), default)


def read_pages(file: BinaryIO, most: int) -> tuple[list[Page], bool]:
    """(pages in the order of the chain, whether there are more than `most`).

    Raises UnreadableFile("damaged"): not even the first directory can be read.
    """
    file.seek(0)
    head = file.read(16)
    order: Order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"\x2b\0", b"\0\x2b")
    try:
        (offset,) = struct.unpack_from(f"{order}Q" if big else f"{order}I", head, 8 if big else 4)
        pages: list[Page] = []
        seen: set[int] = set()
        while offset and offset not in seen:
            if len(pages) >= most:
                return pages, True
            seen.add(offset)
            try:
                tags, offset = _directory(file, offset, order, big)
            except (struct.error, ValueError, OverflowError, OSError):
                if not pages:
                    raise
                break  # a broken link after sound pages
            pages.append(Page(order, tags))
    except (struct.error, ValueError, OverflowError) as error:
        raise UnreadableFile("damaged", f"TIFF directory: {error}") from None
    if not pages:
        raise UnreadableFile("damaged", "a TIFF without a page")
    return pages, False


def _directory(file: BinaryIO, offset: int, order: Order, big: bool) -> tuple[dict[int, Tag], int]:
    file.seek(offset)
    (count,) = struct.unpack(f"{order}Q" if big else f"{order}H", file.read(8 if big else 2))
    if count > _MOST_TAGS:
        raise ValueError(f"{count} tags")
    entry = struct.Struct(f"{order}HHQ8s" if big else f"{order}HHI4s")
    table = file.read(entry.size * count)
    following = file.read(8 if big else 4)
    tags: dict[int, Tag] = {}
    for i in range(count):
        number, kind, values, inline = entry.unpack_from(table, i * entry.size)
        size = _SIZE.get(kind, 0) * values
        if number not in _NEEDED or not 0 < size <= _MOST_BYTES:
            continue
        if size > len(inline):
            file.seek(struct.unpack(f"{order}Q" if big else f"{order}I", inline)[0])
            data = file.read(size)
        else:
            data = inline[:size]
        if len(data) == size:
            tags[number] = Tag(kind, values, data)
    if len(following) < (8 if big else 4):
        return tags, 0
    return tags, struct.unpack(f"{order}Q" if big else f"{order}I", following)[0]


def write_single(order: Order, tags: dict[int, Tag], pieces: list[bytes], tiled: bool) -> bytes:
    """A classic TIFF of one page with these tags and pieces of pixel data (strips or tiles, as they were stored)."""
    mark = b"II" if order == "<" else b"MM"
    out = bytearray(mark + struct.pack(f"{order}HI", 42, 0))
    offsets = []
    for piece in pieces:
        offsets.append(len(out))
        out += piece
    tags = dict(tags)
    long = f"{order}{len(pieces)}I"
    tags[TILE_OFFSETS if tiled else STRIP_OFFSETS] = Tag(4, len(pieces), struct.pack(long, *offsets))
    tags[TILE_BYTES if tiled else STRIP_BYTES] = Tag(4, len(pieces), struct.pack(long, *map(len, pieces)))
    entries = b""
    for number, tag in sorted(tags.items()):
        data = tag.data
        if len(data) > 4:
            where = len(out)
            out += data
            data = struct.pack(f"{order}I", where)
        entries += struct.pack(f"{order}HHI", number, tag.type, tag.count) + data.ljust(4, b"\0")
    out += b"\0" * (len(out) % 2)
    struct.pack_into(f"{order}I", out, 4, len(out))
    out += struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    return bytes(out)


def long_tag(order: Order, value: int) -> Tag:
    return Tag(4, 1, struct.pack(f"{order}I", value))


def short_tag(order: Order, value: int) -> Tag:
    return Tag(3, 1, struct.pack(f"{order}H", value))

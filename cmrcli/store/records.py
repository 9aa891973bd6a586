"""The plain data that the store is asked with and answers with. Field meanings: FORMAT.md."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    pass

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Root:
    """A folder or file that the user asked to index. `path` is absolute, bytes as the file system has it.

    `single_file` tells a file from a folder; such a root has one FileState, with dir "" and the path's last part.
    """

    id: int
    path: bytes
    single_file: bool = False


class FileState(NamedTuple):
    """What the catalog knows of one path: enough to see at a glance whether the file changed.

    `dir` is relative to the root ("" for the root itself, no leading or trailing slash), `name` the last part.
    `content_id` is None when the file could not be read; then `cause` and `detail` say why. A named tuple, because
    an unchanged run makes one for every file of the corpus.
    """

    id: int
    dir: bytes
    name: bytes
    size_bytes: int
    mtime_ns: int
    content_id: int | None
    cause: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FragmentHit:
    """A fragment with the item it belongs to, as results need them."""

    fragment_id: int
    item_id: int
    content_id: int
    role: str
    box: Box | None
    text: str
    page: int | None
    kind: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class FilePlace:
    """One path that holds a content. `relpath` is b"" when the root is itself a file."""

    content_id: int
    file_id: int
    root: bytes  # absolute path of the root
    relpath: bytes  # dir/name below the root
    size_bytes: int
    mtime_ns: int

    @property
    def path(self) -> bytes:
        """Absolute path."""
        return os.path.join(self.root, self.relpath) if self.relpath else self.root


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """Which encoder made the vectors. `digest` is the hex SHA-256 of everything that changes a vector."""

    name: str
    digest: str
    dim: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What a result must be; an empty or None field asks for nothing.

    Attributes:
        kinds: kinds of item.
        under: absolute folders or files (bytes); the file lies in or is one of them.
        extensions: without the dot, any case.
        since_ns, until_ns: bounds of the file's mtime, both inclusive.
    """

    kinds: frozenset[str] = frozenset()
    under: tuple[bytes, ...] = ()
    extensions: frozenset[str] = frozenset()
    since_ns: int | None = None
    until_ns: int | None = None

    @property
    def asks_for_files(self) -> bool:
        """Whether anything but the kind is asked for."""
        return bool(self.under or self.extensions or self.since_ns is not None or self.until_ns is not None)


class ItemCard(NamedTuple):
    """What an item is, without its words. Fields as in the table `item`."""

    item_id: int
    content_id: int
    page: int | None
    kind: str
    label: str
    title: str
    width_px: int
    height_px: int


class ItemFragment(NamedTuple):
    """Which part of which item a fragment is. `role`: whole, tile, passage."""

    fragment_id: int
    item_id: int
    role: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """Words of one item that a search must not use: a query made of them would only be told what it said.

    The item's passages in `fragments` have no vector for that search. In the words the item has no title and no label,
    and of its text the other passages only; the names of its file and folders stay.
    """

    item_id: int
    fragments: frozenset[int]


@dataclass(frozen=True, slots=True)
class WordHit:
    """An item found by its words. `score`: higher is better; items matching all terms come first.

    `field` is where most of the score comes from: text, title or name; `matched` are the query's terms found;
    `coverage` is their share of all the query's terms, rare ones counting more, 0..1; other names count less.
    `rarity` is of the whole query: minus the logarithm of the share of items that would have all of its terms if they
    were strewn at random. `completeness` tells equally covered items apart, about 0 to 1.5.
    """

    item_id: int
    score: float
    field: str
    matched: tuple[str, ...]
    coverage: float
    rarity: float
    completeness: float

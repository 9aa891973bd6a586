"""What goes into the store: contents with their items and fragments, paths as they stand, all of one commit.

Field meanings: FORMAT.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class NewFragment:
    """A part of an item with a vector of its own. `role` is whole, tile or passage."""

    role: str
    vector: NDArray[np.float32]  # (dim,), L2-normalised
    box: Box | None = None
    text: str = ""  # the passage itself; "" for pictures


@dataclass(slots=True)
class NewItem:
    """One item of a content, with its fragments (at least one) and its words."""

    page: int | None
    kind: str
    label: str = ""
    title: str = ""
    width_px: int = 0
    height_px: int = 0
    text: str = ""
    fragments: list[NewFragment] = field(default_factory=list)


@dataclass(slots=True)
class NewContent:
    """Everything read from one distinct sequence of bytes. Files with equal bytes share it."""

    digest: bytes  # 16 bytes, BLAKE2b of the file
    format: str  # "pdf", "png", "dxf", ...
    items: list[NewItem] = field(default_factory=list)


@dataclass(slots=True)
class FileUpdate:
    """One path as it stands now: readable (`digest` set) or not (`cause` set).

    The digest names a content of the same batch or one that the catalog has already.
    """

    root_id: int
    dir: bytes
    name: bytes
    size_bytes: int
    mtime_ns: int
    digest: bytes | None
    cause: str | None = None
    detail: str = ""


@dataclass(slots=True)
class Batch:
    """What one commit writes, all or nothing."""

    contents: list[NewContent] = field(default_factory=list)
    files: list[FileUpdate] = field(default_factory=list)
    removed_file_ids: list[int] = field(default_factory=list)

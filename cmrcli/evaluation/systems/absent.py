"""Relevant documents that an index cannot find, because it holds no such file."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.systems.relevance import without_page

SHOWN = 3  # documents that an error names


class _Root(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def path(self) -> bytes: ...


class _File(Protocol):
    @property
    def content_id(self) -> int | None: ...


class Catalog(Protocol):
    """The look-ups of the store's reader that tell which files an index holds."""

    def roots(self) -> Sequence[_Root]: ...
    def files_in(self, root_id: int, folder: bytes) -> Mapping[bytes, _File]: ...


def absent_documents(catalog: Catalog, relevant: Iterable[str]) -> tuple[str, ...]:
    """Those of the relevant documents whose file is not in the index or could not be read, sorted.

    Pages are not looked at: a page beyond a file's last is a judgement that nothing meets.

    Raises:
        UsageError: the index holds none of them. Then the ground truth is of another index, or names files
            from another folder than the one that was indexed.
    """
    wanted = sorted(set(relevant))
    known = _Known(catalog)
    absent = tuple(document for document in wanted if document not in known)
    if wanted and len(absent) == len(wanted):
        names = ", ".join(display_path(document) for document in absent[:SHOWN])
        raise UsageError(
            f"none of the {len(absent)} relevant documents is in the index: {names}"
            + (" ..." if len(absent) > SHOWN else ""),
            "name documents by their path below the indexed folder: `relpath` in cmrcli search --format json",
        )
    return absent


class _Known:
    """Whether the index holds the file of a document; asks for each folder once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._roots = catalog.roots()
        self._folders: dict[tuple[int, bytes], set[bytes]] = {}

    def __contains__(self, document: str) -> bool:
        return any(
            name in self._names(root_id, folder)
            for written in {document, without_page(document)}
            for form in {written, *(unicodedata.normalize(form, written) for form in ("NFC", "NFD"))}
            for root_id, folder, name in self._places(os.fsencode(form))
        )

    def _places(self, path: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        """(root, folder, name) wherever the document may lie."""
        for root in self._roots:
            relative = path
            if os.path.isabs(path):
                if path == root.path:  # a root that is one file
                    relative = os.path.basename(path)
                elif path.startswith(root.path.rstrip(b"/") + b"/"):
                    relative = path[len(root.path.rstrip(b"/")) + 1 :]
                else:
                    continue
            folder, _, name = relative.rpartition(b"/")
            yield root.id, folder, name

    def _names(self, root_id: int, folder: bytes) -> set[bytes]:
        key = root_id, folder
        if key not in self._folders:
            files = self._catalog.files_in(root_id, folder)
            self._folders[key] = {name for name, file in files.items() if file.content_id is not None}
        return self._folders[key]

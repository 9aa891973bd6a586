"""From results to documents: which judged document a result is, and the ranking of distinct documents.

A result of page 3 of `a/b.pdf` meets the judgements `a/b.pdf#3` and `a/b.pdf`. Where a query judges only whole files,
or this file as a whole, all its pages are one document, ranked where its first page stands; TREC rankings name a
document once, and a second page of a file already found is no second find. A file with the same bytes as a result
(`Result.duplicates`) is that result: where both are judged, both are found at its place. Names are compared in
Unicode's composed form (NFC): a name written on a Mac and the same name typed elsewhere differ in bytes only; a ranking
has them as they were judged. With several roots a relpath means the file in any of them; an absolute path as document
id is compared with the result's path.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

_PAGE = re.compile(r"#[1-9][0-9]*\Z")


class Found(Protocol):
    """What of a result matters here (cmrcli.Result has it)."""

    @property
    def path(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def score(self) -> float: ...
    @property
    def duplicates(self) -> tuple[str, ...]: ...


class Documents(Protocol):
    """Tells which documents a result is."""

    def of(self, result: Found) -> list[str]:
        """The documents, each once; [] when it is none that counts."""


def first_places(results: Iterable[Found], documents: Documents) -> dict[str, float]:
    """Document -> score of the first result that is it, in the order of the results."""
    places: dict[str, float] = {}
    for result in results:
        for document in documents.of(result):
            places.setdefault(document, result.score)
    return places


class Names:
    """What the files of an index are called: by their path below each root that holds them, and by their whole path.

    Args:
        roots: absolute paths of the roots.
        absolute: documents that no judgement names are called by their whole path, not by their path below the root.
            With several roots, where a path below one may mean two files, they always are.
    """

    def __init__(self, roots: Sequence[str], absolute: bool = False) -> None:
        self._roots = [_composed(root.rstrip("/")) for root in roots]
        self._absolute = absolute or len(roots) != 1

    def all(self, path: str) -> list[str]:
        """Every name of the file, composed; the whole path last."""
        path = _composed(path)
        below = [path[len(root) + 1 :] for root in self._roots if path.startswith(root + "/")]
        return [*below, *([os.path.basename(path)] if path in self._roots else []), path]

    def usual(self, path: str) -> str:
        """What the file is called where no judgement names it."""
        return _composed(path) if self._absolute else self.all(path)[0]


class Judgements:
    """The judged documents of one query. `own` is the query's own document, which is none."""

    def __init__(self, grades: Mapping[str, int], names: Names, own: str | None = None) -> None:
        self._spelling = {_composed(document): document for document in grades}
        self._whole_files = not any(_PAGE.search(document) for document in self._spelling)
        self._names = names
        self._own = None if own is None else _composed(own)

    def of(self, result: Found) -> list[str]:
        """The judgements that the result meets, as they are spelled; else the result's own name."""
        judged: dict[str, None] = {}
        unjudged: list[str] = []
        for path in (result.path, *result.duplicates):
            names = self._names.all(path)
            pages = [] if result.page is None else [f"{name}#{result.page}" for name in names]
            if self._own is not None and self._own in (*names, *pages):
                continue
            met = next((name for name in (*pages, *names) if name in self._spelling), None)
            if met is not None:
                judged[self._spelling[met]] = None
            elif not unjudged:
                usual = self._names.usual(path)
                unjudged.append(usual if self._whole_files or result.page is None else f"{usual}#{result.page}")
        return list(judged) or unjudged


class GalleryFiles:
    """The documents of a gallery of files; nothing else is one. All pages of a file are one document."""

    def __init__(self, documents: Iterable[str]) -> None:
        self._spelling = {_composed(document): document for document in documents}
        self.own: str | None = None  # the document that is the query itself

    def of(self, result: Found) -> list[str]:
        """The gallery's documents with the result's bytes, but for the query's own."""
        paths = (result.path, *result.duplicates)
        met = [self._spelling[path] for path in map(_composed, paths) if path in self._spelling]
        return [document for document in dict.fromkeys(met) if document != self.own]


def without_page(document: str) -> str:
    """`a/b.pdf` of `a/b.pdf#3`."""
    return _PAGE.sub("", document)


def page_of(document: str) -> int | None:
    """3 of `a/b.pdf#3`; None where no page is named."""
    found = _PAGE.search(document)
    return int(found[0][1:]) if found else None


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)

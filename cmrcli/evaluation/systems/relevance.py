"""From results to grades: which judged document a result is, and the ranking of distinct documents.

A result of page 3 of `a/b.pdf` meets the judgements `a/b.pdf#3` and `a/b.pdf`. Where a query judges only
whole files, or this file as a whole, all its pages are one document, ranked where its first page stands;
TREC rankings name a document once, and a second page of a file already found is no second find. A file with
the same bytes as a result (`Result.duplicates`) is that result. Names are compared in Unicode's composed
form (NFC): a name written on a Mac and the same name typed elsewhere differ in bytes only. With several
roots a relpath means the file in any of them; an absolute path as document id is compared with the result's
path.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Protocol

_PAGE = re.compile(r"#[1-9][0-9]*\Z")


class Found(Protocol):
    """What of a result matters here (cmrcli.Result has it)."""

    @property
    def path(self) -> str: ...
    @property
    def relpath(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def duplicates(self) -> tuple[str, ...]: ...


class Judgements:
    """The judged documents of one query."""

    def __init__(self, grades: Mapping[str, int]) -> None:
        self._grades = {_composed(document): grade for document, grade in grades.items()}
        self._whole_files = not any(_PAGE.search(document) for document in self._grades)
        self._files = {without_page(document) for document in self._grades}
        self.grades: tuple[int, ...] = tuple(self._grades.values())

    def gains(self, results: Iterable[Found]) -> list[int]:
        """Grades of the distinct documents among the results, in ranked order; 0 where not judged."""
        seen: set[str] = set()
        gains = []
        for result in results:
            document = self._document(result)
            if document not in seen:
                seen.add(document)
                gains.append(self._grades.get(document, 0))
        return gains

    def _document(self, result: Found) -> str:
        """The judgement that the result meets, else the result's own name."""
        path = _composed(result.path)
        copies = [_composed(copy) for copy in result.duplicates]
        names = [_composed(result.relpath), path, *copies]
        names += [file for file in self._files if any(copy.endswith("/" + file) for copy in copies)]
        if result.page is not None:
            for name in names:
                if f"{name}#{result.page}" in self._grades:
                    return f"{name}#{result.page}"
        for name in names:
            if name in self._grades:
                return name
        return path if self._whole_files or result.page is None else f"{path}#{result.page}"


def without_page(document: str) -> str:
    """`a/b.pdf` of `a/b.pdf#3`."""
    return _PAGE.sub("", document)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)

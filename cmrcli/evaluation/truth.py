"""What is known to be right, as plain data: queries, judged documents, and the gallery where a truth brings its own.

A truth has parts, because one data set can ask several things ("text -> image", "image -> text"); every part is
evaluated alone. truths/ has one file a format that makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cmrcli.searching.query import IMAGE_PREFIX, Query, parse_line

Qrels = Mapping[str, Mapping[str, int]]  # query id -> document -> grade; above 0 is relevant


@dataclass(frozen=True, slots=True)
class Topic:
    """One question.

    Attributes:
        id: one word; names it in qrels and runs.
        text: the line that a batch search would take: words, or `image:PATH[#PAGE]`.
        groups: what a breakdown may group it by, by name: {"class": "gear", "language": "ja"}.
        own: the document that is the query itself (leave-one-out): never an answer to it.
        fold: the part of the gallery that it is asked of; None for all of it.
        withheld: an item of the index whose words and passages must not help: (absolute path, page). Known-item
            queries are made of them.
        withheld_passage: which of the item's passages (from 0) the query was taken from: then only this one is
            withheld; None for all.
    """

    id: str
    text: str
    groups: Mapping[str, str] = field(default_factory=dict)
    own: str | None = None
    fold: int | None = None
    withheld: tuple[str, int | None] | None = None
    withheld_passage: int | None = None

    @property
    def by_example(self) -> bool:
        """Whether it asks by a picture."""
        return self.text.startswith(IMAGE_PREFIX)

    def query(self) -> Query:
        """What to ask the index."""
        return parse_line(self.text)


@dataclass(frozen=True, slots=True)
class Gallery:
    """The documents that a part is asked of, where the truth itself says which.

    Attributes:
        documents: their ids: absolute paths of pictures, or names of texts.
        lines: what each one is: one `image:PATH`, or texts whose unit vectors are averaged (prompts of a class).
        folds: the fold of each; None when every query is asked of all.
    """

    documents: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    folds: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Questions of one sort, evaluated together.

    Attributes:
        name: "" where a truth has one part only; else as a report shows it ("text -> image").
        qrels: every topic has at least one document with a grade above 0.
        gallery: None when the documents are those of an index.
        under: the folder that holds all documents, where an index that has indexed it can be asked instead.
        measures: what its literature reports, first what counts most; () for the usual ones.
        macro: a group of the topics ("class") over which a mean of means is reported too; "" for none.
    """

    name: str
    topics: tuple[Topic, ...]
    qrels: Qrels
    gallery: Gallery | None = None
    under: Path | None = None
    measures: tuple[str, ...] = ()
    macro: str = ""


@dataclass(frozen=True, slots=True)
class Truth:
    """A ground truth.

    Attributes:
        kind: how it was read: "trec", "pairs", "karpathy", "classes", "zeroshot", "self".
        sources: the files and folders that it was read from; a protocol records their digests.
        notes: what a reader of the figures should know (pictures of the file that were not found ...).
        made: the folder of pictures that were made or unpacked for it, which are gone when the evaluation is over.
    """

    kind: str
    parts: tuple[Part, ...]
    sources: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    made: Path | None = None

    @property
    def topics(self) -> Sequence[Topic]:
        """The topics of all parts, in order."""
        return [topic for part in self.parts for topic in part.topics]

"""What a search answers: one result an item, with the place that matched and the signals that found it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cmrcli.paths import display_path, path_fields, readable

Box = tuple[float, float, float, float]
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason for a result.

    Attributes:
        name: "vectors" (cosine similarity of the best fragment, -1..1; in mode `hamming` the share of bits that its
            code and the query's have in common, 0..1), in its place "fragments" where the query's phrases were
            aligned (alignment.py says what its score is), or "words" (rarity-weighted occurrences of the query's
            words in text, title and names, 0 and up).
        score: higher is better, comparable within one signal and encoder only.
        rank: 1-based place of the item in this signal's own ranking.
    """

    name: str
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class PhraseMatch:
    """The part of an item that answers one phrase of the query best.

    Attributes:
        phrase: as the query has it; of an example `image:PATH` and the box of its part.
        box: the part of the picture; None for the whole, or for a passage.
        passage: the text, "" when it was the picture.
        score: cosine similarity, -1..1.
    """

    phrase: str
    box: Box | None
    passage: str
    score: float


@dataclass(frozen=True, slots=True)
class Result:
    """One item that answers a query. Paths are str with surrogate escapes where the name is not UTF-8.

    Attributes:
        score: with one signal asked, that signal's score; with several, the confidence, or with reciprocal ranks
            fused these scaled to 0..1, where 1 is first in every signal.
        confidence: 0..1, how likely this is what was asked for (evidence.py); None where the index is not calibrated.
        box: the tile that matched, (x0, y0, x1, y1) as fractions of the upright page; None for the whole.
        passage: the text that matched, "" when it was the picture.
        duplicates: other paths with the same bytes.
        mtime_ns: the file's modification time when it was indexed.
        matches: for each phrase of the query what answers it best; empty where the query was asked as a whole.
    """

    query: str
    rank: int
    path: str
    root: str
    relpath: str
    page: int | None
    box: Box | None
    kind: str
    score: float
    signals: tuple[Signal, ...]
    passage: str = ""
    label: str = ""
    title: str = ""
    duplicates: tuple[str, ...] = ()
    mtime_ns: int = 0
    confidence: float | None = None
    matches: tuple[PhraseMatch, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The documented fields of one result line, JSON-ready. Fields get added, never renamed."""
        fields: dict[str, Any] = {"schema": SCHEMA, "type": "result", "query": readable(self.query), "rank": self.rank}
        for name in ("path", "root", "relpath"):
            fields |= path_fields(name, getattr(self, name))
        fields |= {
            "page": self.page,
            "box": _rounded(self.box),
            "kind": self.kind,
            "score": round(self.score, 6),
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "signals": [{"name": s.name, "score": round(s.score, 6), "rank": s.rank} for s in self.signals],
            "matches": [
                {"phrase": readable(m.phrase), "box": _rounded(m.box), "passage": m.passage, "score": round(m.score, 6)}
                for m in self.matches
            ],
            "passage": self.passage,
            "label": self.label,
            "title": self.title,
            "duplicates": [readable(path) for path in self.duplicates],
        }
        return fields


def _rounded(box: Box | None) -> list[float] | None:
    return None if box is None else [round(edge, 4) for edge in box]


def printable(text: str) -> str:
    """For a terminal or a table cell: nothing in it can move the cursor or change colours."""
    return display_path(text)

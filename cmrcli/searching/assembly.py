"""From rankings to results: fuse, drop what is not wanted, find the files, show only what this user may read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cmrcli.searching.evidence import CODE_LEAST, CODE_SHARE, NO_EVIDENCE, confidence, confidences
from cmrcli.searching.fusion import Ranking, fuse, fuse_evidence, most_beyond, most_evidence_beyond, weigh
from cmrcli.searching.plan import MAX_HIDDEN
from cmrcli.searching.query import Query, looks_like_code
from cmrcli.searching.results import PhraseMatch, Result, Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.searching.alignment import Aligned, Matches
    from cmrcli.searching.candidates import Candidates
    from cmrcli.store import FilePlace, Filter, FragmentHit, Reader, Withheld

Fused = tuple[int, float, dict[str, tuple[float, int]]]  # item, fused score, {signal: (score, rank)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a result must be, besides relevant, and what must not make it so.

    Attributes:
        phrases: of the query, each to be aligned with its own part of an item; [] aligns nothing.
        doubtful: there is no answer at all unless the best result has a confidence of CODE_LEAST.
    """

    query: Query
    k: int
    filter: Filter | None = None
    min_score: float | None = None
    min_confidence: float | None = None
    fusion: str = "calibrated"
    hubness: bool = True
    withheld: Withheld | None = None
    phrases: Sequence[str] = ()
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Assembled:
    """Results, best first.

    Attributes:
        hidden: items that would be among them if this user could read their file now.
        final: longer rankings would not add a result.
        doubted: there was something near, but nothing sure enough to be shown (`Wanted.doubtful`).
    """

    results: list[Result]
    hidden: int
    final: bool
    doubted: bool = False


def assemble(
    reader: Reader,
    wanted: Wanted,
    candidates: Candidates | None,
    words: Ranking | None,
    evidence: NDArray[np.float32] | None = None,
    aligned: Aligned | None = None,
    among: int = 1,
) -> Assembled:
    """The best items of the two signals, either of which may not have been asked.

    Args:
        evidence: (m,) float32, of each candidate (evidence.py); None where the index is not calibrated.
        aligned: the best items by the parts of the query (alignment.py); None where it is asked as a whole.
        among: fragments that were searched.
    """
    rankings = [] if words is None else [words]
    nearest: dict[int, int] = {}
    if candidates is not None:
        ranking, nearest = _by_item(reader, candidates, wanted, evidence)
        if aligned is not None:
            from cmrcli.searching.alignment import reorder

            ranking = reorder(ranking, aligned, among, _share(wanted))
            nearest |= aligned.nearest
        rankings.append(ranking)
    total = weigh(rankings) if all(ranking.evidence is not None for ranking in rankings) else {}
    by_evidence = len(rankings) > 1 and bool(total) and wanted.fusion == "calibrated"
    fused = fuse_evidence(rankings, total) if by_evidence else fuse(rankings)
    sure = confidences(total)
    if wanted.doubtful and by_evidence and max(sure.values()) < CODE_LEAST:
        return Assembled([], 0, True, doubted=True)
    beyond_reach = False
    if wanted.min_confidence is not None and total:
        fused = [row for row in fused if sure[row[0]] >= wanted.min_confidence]
        beyond_reach = confidence(most_evidence_beyond(rankings)) < wanted.min_confidence
    if wanted.min_score is not None:
        fused = [row for row in fused if row[1] >= wanted.min_score]
        most = confidence(most_evidence_beyond(rankings)) if by_evidence else most_beyond(rankings)
        beyond_reach = beyond_reach or most < wanted.min_score
    results: list[Result] = []
    matches = {} if aligned is None else aligned.matches
    hidden = 0
    for start in range(0, len(fused), 4 * wanted.k):
        hidden += _extend(results, reader, wanted, fused[start : start + 4 * wanted.k], nearest, sure, matches)
        if len(results) == wanted.k or hidden >= MAX_HIDDEN:
            return Assembled(results, hidden, True)
    return Assembled(results, hidden, beyond_reach)


def _by_item(
    reader: Reader, candidates: Candidates, wanted: Wanted, evidence: NDArray[np.float32] | None
) -> tuple[Ranking, dict[int, int]]:
    """The ranking of items by their nearest fragment, and that fragment of each."""
    withheld = wanted.withheld
    fragment_ids = [int(i) for i in candidates.fragment_ids]
    items = reader.items_of(fragment_ids)
    for fragment_id in withheld.fragments if withheld else ():
        items.pop(fragment_id, None)
    nearest: dict[int, int] = {}
    hits: list[tuple[int, float]] = []
    most: dict[int, float] = {}  # an item's evidence is that of its best fragment
    for place, (fragment_id, similarity) in enumerate(zip(fragment_ids, candidates.similarities, strict=True)):
        item = items.get(fragment_id)
        if item is None:
            continue
        if item not in nearest:
            nearest[item] = fragment_id
            hits.append((item, float(similarity)))
        if evidence is not None:
            most[item] = max(most.get(item, NO_EVIDENCE), float(evidence[place]))
    if evidence is None:
        return Ranking("vectors", 1.0, hits), nearest
    share = _share(wanted)
    shares = [share * most[item] for item, _ in hits]
    return Ranking("vectors", 1.0, hits, None, shares, share * NO_EVIDENCE), nearest


def _share(wanted: Wanted) -> float:
    """How much of a similarity's evidence counts."""
    return CODE_SHARE if looks_like_code(wanted.query.text) else 1.0


def _extend(
    results: list[Result],
    reader: Reader,
    wanted: Wanted,
    stretch: Sequence[Fused],
    nearest: dict[int, int],
    sure: dict[int, float],
    matches: Mapping[int, Matches],
) -> int:
    """Appends what may be shown of the stretch, up to k results in all; how many items were hidden on the way."""
    stretch = _without(reader, wanted.query, stretch)
    by_fragment = reader.fragments([nearest[item] for item, _, _ in stretch if item in nearest])
    hits = {hit.item_id: hit for hit in by_fragment.values()}
    hits |= reader.whole_fragments([item for item, _, _ in stretch if item not in nearest])
    own = {item: matches.get(item, []) for item, _, _ in stretch}
    parts = reader.fragments([part for row in own.values() for _, part, _ in row]) if matches else {}
    places = reader.places([hit.content_id for hit in hits.values()], wanted.filter)
    hidden = 0
    for item, score, signals in stretch:
        hit = hits.get(item)
        at = [] if hit is None else places.get(hit.content_id, [])
        open_to_us = [place for place in at if os.access(place.path, os.R_OK)]
        if hit is None or not open_to_us:
            hidden += bool(at)
            continue
        asked_by = _own_paths(wanted.query, hit.page)
        open_to_us = [place for place in open_to_us if place.path not in asked_by]
        open_to_us.sort(key=lambda place: not os.fsdecode(place.path).isprintable())  # a name one can read comes first
        if not open_to_us:  # an example is no answer to itself; a copy of it is
            continue
        matched = tuple(
            PhraseMatch(phrase, parts[part].box, parts[part].text, cosine)
            for phrase, part, cosine in own[item]
            if part in parts
        )
        results.append(
            _result(wanted.query, len(results) + 1, hit, open_to_us, score, signals, sure.get(item), matched)
        )
        if len(results) == wanted.k:
            break
    return hidden


def _own_paths(query: Query, page: int | None) -> set[bytes]:
    """The examples' own paths, where the page is the one that was asked by."""
    return {os.fsencode(os.path.abspath(example.path)) for example in query.like if (example.page or 1) == (page or 1)}


def _without(reader: Reader, query: Query, stretch: Sequence[Fused]) -> Sequence[Fused]:
    """The stretch without items that hold every word of one of the negatives."""
    if not query.without:
        return stretch
    items = [item for item, _, _ in stretch]
    dropped = set().union(*(reader.items_holding(text, items) for text in query.without))
    return [row for row in stretch if row[0] not in dropped]


def _result(
    query: Query,
    rank: int,
    hit: FragmentHit,
    places: Sequence[FilePlace],
    score: float,
    signals: dict[str, tuple[float, int]],
    sure: float | None,
    matches: tuple[PhraseMatch, ...],
) -> Result:
    first, *others = places
    path = os.fsdecode(first.path)
    return Result(
        query=query.shown,
        rank=rank,
        path=path,
        root=os.fsdecode(first.root),
        relpath=os.fsdecode(first.relpath) or os.path.basename(path),
        page=hit.page,
        box=hit.box,
        kind=hit.kind,
        score=score,
        confidence=sure,
        signals=tuple(Signal(name, *signals[name]) for name in sorted(signals)),
        passage=hit.text,
        label=hit.label,
        title=hit.title,
        duplicates=tuple(os.fsdecode(place.path) for place in others),
        mtime_ns=first.mtime_ns,
        matches=matches,
    )

"""Which groups of queries are served worse, and which documents crowd out others.

A query is in the groups that its topic names ("language", "class", "query length") and in those of its relevant
documents ("kind", "folder"); one with relevant documents in several of these is in each. A group's gap is the first
measure's mean over its queries less that over all others, with an unpaired bootstrap interval. It is worth a look where
the interval excludes 0 (`standing_out`); of twenty groups alike, one does by chance.

Hubs: Radovanovic, Nanopoulos & Ivanovic 2010, Hubs in Space, JMLR 11:2487-2531: N_k(x) counts the queries that have x
among their first k; hubness is the skewness of its distribution over all documents, those never found included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from cmrcli.evaluation.answers import Answers
from cmrcli.evaluation.report import Balance, GroupRow, Hub
from cmrcli.evaluation.truth import Part
from cmrcli.evaluation.verdicts.resample import Values, gap, interval_of

MIN_QUERIES = 5  # of a group; with fewer an interval says nothing
OTHER = "(other)"
UNKNOWN = "(not known)"
SHOWN_MEASURES = 3
SHOWN_HUBS = 10
DOMINATED = 1.0  # skewness above which hubs dominate

Groups = dict[str, list[int]]  # group -> query numbers


def balance(
    part: Part,
    answers: Answers,
    per_query: Mapping[str, Mapping[str, float]],
    document_groups: Mapping[str, Mapping[str, str]] | None = None,
    k: int = 10,
    seed: int = 0,
    measures: Sequence[str] = (),
    documents: int | None = None,
) -> Balance:
    """The balance report of one row.

    Args:
        per_query: query id -> measure -> value, of every topic of the part.
        document_groups: document (as the qrels have it) -> breakdown -> group: {"kind": "drawing", "folder": "a/b"}.
            A relevant document that is not in it is in group UNKNOWN of each breakdown.
        k: places looked at for hubs; rankings shorter than that count as they are.
        measures: of the groups, the first decides the gap; the first three of the row when left out.
        documents: how many could have been found; left out, those of the part's own gallery, or else all that
            were retrieved or judged (which understates the skewness).

    Returns:
        Groups of fewer than MIN_QUERIES queries are one group OTHER; `Balance.folded` says how many they were. A
        breakdown of which nothing else is left is not in `Balance.groups`.
    """
    ids = [topic.id for topic in part.topics]
    if not ids:
        raise ValueError("no query to break down")
    names = list(measures) or list(per_query[ids[0]])[:SHOWN_MEASURES]
    values = np.array([[per_query[query][name] for name in names] for query in ids], dtype=np.float64)
    groups: dict[str, dict[str, GroupRow]] = {}
    folded: dict[str, int] = {}
    for breakdown, members in _breakdowns(part, document_groups or {}).items():
        if len(members) == 1:  # one group is no breakdown
            continue
        kept, few = _folded(members)
        if few:
            folded[breakdown] = few
        if len(kept) > 1:
            groups[breakdown] = {name: _row(names, values, numbers, seed) for name, numbers in kept.items()}
    occurrences, rightly = _occurrences(part, answers, k)
    total = documents if documents is not None else _documents(part, answers)
    hubs = sorted(occurrences, key=lambda document: (-occurrences[document], document))[:SHOWN_HUBS]
    return Balance(
        groups=groups,
        hubs=tuple(Hub(document, occurrences[document], rightly[document]) for document in hubs),
        k=k,
        skewness=skewness(occurrences.values(), total),
        folded=folded,
    )


def skewness(counts: Iterable[int], documents: int) -> float | None:
    """Third standardised moment of the k-occurrences of all documents.

    Args:
        counts: how often each document was found that was found at all.
        documents: all of them; the rest were found 0 times.

    Returns:
        0.0 where all were found equally often; None for fewer than 3 documents.
    """
    found = np.array(list(counts), dtype=np.float64)
    documents = max(documents, len(found))
    if documents < 3:
        return None
    mean = found.sum() / documents
    never = documents - len(found)
    variance = (((found - mean) ** 2).sum() + never * mean**2) / documents
    if variance <= 1e-12:
        return 0.0
    third = (((found - mean) ** 3).sum() - never * mean**3) / documents
    return float(third / variance**1.5)


def standing_out(balance: Balance) -> list[tuple[str, str, GroupRow]]:
    """(breakdown, group, row) of the groups whose gap's interval excludes 0, the largest gap first."""
    found = [
        (breakdown, group, row)
        for breakdown, rows in balance.groups.items()
        for group, row in rows.items()
        if row.gap is not None and (row.gap.low > 0 or row.gap.high < 0)
    ]
    return sorted(found, key=lambda one: -abs(one[2].gap.value if one[2].gap else 0.0))


def crowding(balance: Balance) -> list[Hub]:
    """The hubs that crowd out others: first of several queries, of most of them wrongly; [] where hubs do not dominate.

    Where they dominate, the skewness is above DOMINATED.
    """
    if balance.skewness is None or balance.skewness <= DOMINATED:
        return []
    return [hub for hub in balance.hubs if hub.queries > 1 and 2 * hub.relevant < hub.queries]


def _breakdowns(part: Part, document_groups: Mapping[str, Mapping[str, str]]) -> dict[str, Groups]:
    names = dict.fromkeys(name for groups in document_groups.values() for name in groups)
    result: dict[str, Groups] = {}
    for number, topic in enumerate(part.topics):
        for breakdown, group in topic.groups.items():
            result.setdefault(breakdown, {}).setdefault(group or UNKNOWN, []).append(number)
        relevant = [document for document, grade in part.qrels[topic.id].items() if grade > 0]
        for breakdown in names:
            if breakdown in topic.groups:  # the truth's own word counts
                continue
            of_documents = {document_groups.get(document, {}).get(breakdown) or UNKNOWN for document in relevant}
            for group in of_documents:
                result.setdefault(breakdown, {}).setdefault(group, []).append(number)
    return result


def _folded(members: Groups) -> tuple[Groups, int]:
    """Groups large enough, in order of their names, then OTHER; and how many went into that."""
    large = {group: numbers for group, numbers in sorted(members.items()) if len(numbers) >= MIN_QUERIES}
    small = [numbers for numbers in members.values() if len(numbers) < MIN_QUERIES]
    if small:
        large[OTHER] = sorted({number for numbers in [*small, large.get(OTHER, [])] for number in numbers})
    return large, len(small)


def _row(names: Sequence[str], values: Values, numbers: Sequence[int], seed: int) -> GroupRow:
    inside = np.zeros(len(values), dtype=bool)
    inside[list(numbers)] = True
    group, others = values[inside], values[~inside]
    return GroupRow(
        queries=len(group),
        measures={name: interval_of(name, group[:, column], seed) for column, name in enumerate(names)},
        gap=gap(names[0], group[:, 0], others[:, 0], seed) if len(others) else None,
    )


def _occurrences(part: Part, answers: Answers, k: int) -> tuple[Counter[str], Counter[str]]:
    occurrences: Counter[str] = Counter()
    rightly: Counter[str] = Counter()
    for topic in part.topics:
        ranking = answers.run.get(topic.id)
        judged = part.qrels[topic.id]
        for document in ranking.documents[:k] if ranking is not None else ():
            occurrences[document] += 1
            rightly[document] += judged.get(document, 0) > 0
    return occurrences, rightly


def _documents(part: Part, answers: Answers) -> int:
    if part.gallery is not None:
        return len(part.gallery.documents)
    known = {document for judged in part.qrels.values() for document in judged}
    known.update(document for ranking in answers.run.values() for document in ranking.documents)
    return len(known)

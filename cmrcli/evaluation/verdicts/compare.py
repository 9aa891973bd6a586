"""Two evaluations on the same queries: what changed from the one to the other, and whether that could be chance.

Each row of the one is held against the row of the other with the same part and mode; a system with one mode only (a run
file) against every mode. Differences are after less before. A query wins where its first measure is better after.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.answers import Answers
from cmrcli.evaluation.randomisation import holm, p_values
from cmrcli.evaluation.report import Evaluation, Interval, Row
from cmrcli.evaluation.truth import Part
from cmrcli.evaluation.verdicts.resample import difference, statistic
from cmrcli.evaluation.verdicts.values import configuration_name, higher_is_better, same_configuration

SHOWN = 10  # rank changes, gains and losses listed
OVERLAP_AT = 10
RowKey = tuple[str, str, str]  # (part, system, mode)
ByRow = Mapping[RowKey, Answers]


@dataclass(frozen=True, slots=True)
class Change:
    """One measure, before and after.

    Attributes:
        difference: after less before, with its paired 95 % bootstrap interval.
        p_value: two-sided, of the paired randomisation test (of ranks: of their mean).
        p_holm: the same, corrected over the compared measures of the pair of rows.
    """

    before: float
    after: float
    difference: Interval
    p_value: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class RankChange:
    """Where the first relevant document of a query stands; None where none was found."""

    query: str
    text: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Example:
    """A query to look at: its first measure, before and after."""

    query: str
    text: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Two rows on the same queries.

    Attributes:
        part: of the truth.
        before, after: names of the rows, without the part.
        rows: what the two are in `ByRow`.
        changes: measure -> change; the first measure decides wins, gains and losses.
        wins, losses, ties: queries.
        overlap: mean share of the first OVERLAP_AT that both have in common; None without both rankings.
        rank_changes: the largest, by ratio of the ranks (from 1 to 5 is more than from 50 to 60).
        gains, losses_shown: the queries with the largest gains and losses, largest first; after those that win or lose
            come those that the other measures tell apart.
    """

    part: str
    before: str
    after: str
    rows: tuple[RowKey, RowKey]
    changes: dict[str, Change]
    wins: int
    losses: int
    ties: int
    overlap: float | None
    rank_changes: tuple[RankChange, ...]
    gains: tuple[Example, ...]
    losses_shown: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` says.

    Attributes:
        unpaired: rows of either side that the other has nothing for.
    """

    queries: int
    rows: tuple[Compared, ...]
    unpaired: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Fields by their names, plus `schema` and `type`. Fields get added, never renamed."""
        return {"schema": 1, "type": "comparison", **asdict(self)}


def compare(
    before: Evaluation,
    after: Evaluation,
    parts: Sequence[Part] = (),
    answers_before: ByRow | None = None,
    answers_after: ByRow | None = None,
    measures: Sequence[str] = (),
    seed: int = 0,
) -> Comparison:
    """The paired comparison of two evaluations.

    Args:
        parts: of the truth, for the texts of the queries; without them texts are "".
        answers_before, answers_after: for rank changes and overlap, as far as there are.
        measures: compared ones; all that both rows have when left out.
        seed: of bootstrap and randomisation.

    Raises:
        UsageError: they are not of the same truth, depth and queries, or were kept without queries.
    """
    _require_same_truth(before, after)
    pairs, unpaired = _pairs(before.rows, after.rows)
    if not pairs:
        raise UsageError("the two evaluations have no part and mode in common", "evaluate both with the same --modes")
    texts = {part.name: {topic.id: topic.text for topic in part.topics} for part in parts}
    compared = []
    for one, other in pairs:
        _require_same_queries(one, other)
        compared.append(
            compare_rows(
                one,
                other,
                texts.get(one.part, {}),
                (answers_before or {}).get((one.part, one.system, one.mode)),
                (answers_after or {}).get((other.part, other.system, other.mode)),
                measures,
                seed,
            )
        )
    return Comparison(before.queries, tuple(compared), tuple(unpaired))


def compare_rows(
    before: Row,
    after: Row,
    texts: Mapping[str, str] | None = None,
    answers_before: Answers | None = None,
    answers_after: Answers | None = None,
    measures: Sequence[str] = (),
    seed: int = 0,
) -> Compared:
    """The paired comparison of two rows with the same queries.

    Args:
        texts: query id -> text.

    Raises:
        UsageError: no measure in common, or one of `measures` that a row lacks.
    """
    texts = texts or {}
    ids = list(before.per_query)
    names = list(measures) or [name for name in before.measures if name in after.measures]
    for name in names:
        if name not in before.measures or name not in after.measures:
            raise UsageError(f"{name} was not measured on both sides", "evaluate both with the same measures")
    if not names:
        what = f"{display_path(before.name)} and {display_path(after.name)} have no measure in common"
        raise UsageError(what, "evaluate both with the same ones")
    old = np.array([[before.per_query[query][name] for name in names] for query in ids], dtype=np.float64)
    new = np.array([[after.per_query[query][name] for name in names] for query in ids], dtype=np.float64)
    sign = np.array([1.0 if higher_is_better(name) else -1.0 for name in names])
    better = sign * (new - old)
    first = better[:, 0]
    # Equal in the first measure (success is 0 or 1), the others decide: ranks may differ by much, so by 1 at most each.
    goodness = [(float(first[number]), float(np.clip(better[number], -1, 1).sum())) for number in range(len(ids))]
    order = sorted(range(len(ids)), key=goodness.__getitem__)
    losing = [number for number in order if goodness[number] < (0, 0)][:SHOWN]
    winning = [number for number in reversed(order) if goodness[number] > (0, 0)][:SHOWN]
    examples = [
        Example(query, texts.get(query, ""), float(old[number, 0]), float(new[number, 0]))
        for number, query in enumerate(ids)
    ]
    wins, losses = int((first > 0).sum()), int((first < 0).sum())
    return Compared(
        part=before.part,
        before=configuration_name(same_configuration(before)),
        after=configuration_name(same_configuration(after)),
        rows=((before.part, before.system, before.mode), (after.part, after.system, after.mode)),
        changes=_changes(names, old, new, seed),
        wins=wins,
        losses=losses,
        ties=len(ids) - wins - losses,
        overlap=_overlap(ids, answers_before, answers_after),
        rank_changes=_rank_changes(ids, texts, answers_before, answers_after),
        gains=tuple(examples[number] for number in winning),
        losses_shown=tuple(examples[number] for number in losing),
    )


def _changes(names: Sequence[str], old: np.ndarray, new: np.ndarray, seed: int) -> dict[str, Change]:
    chances = dict(zip(names, p_values(old, new, seed).tolist(), strict=True))
    corrected = holm(chances)
    return {
        name: Change(
            before=statistic(name, old[:, column]),
            after=statistic(name, new[:, column]),
            difference=difference(name, old[:, column], new[:, column], seed),
            p_value=chances[name],
            p_holm=corrected[name],
        )
        for column, name in enumerate(names)
    }


def _overlap(ids: Sequence[str], one: Answers | None, other: Answers | None) -> float | None:
    if one is None or other is None:
        return None
    shares = []
    for query in ids:
        if query in one.run and query in other.run:
            first, second = (set(answers.run[query].documents[:OVERLAP_AT]) for answers in (one, other))
            if longest := max(len(first), len(second)):
                shares.append(len(first & second) / longest)
    return float(np.mean(shares)) if shares else None


def _rank_changes(
    ids: Sequence[str], texts: Mapping[str, str], one: Answers | None, other: Answers | None
) -> tuple[RankChange, ...]:
    if one is None or other is None:
        return ()
    found: list[tuple[float, RankChange]] = []
    for query in ids:
        if query not in one.outcomes or query not in other.outcomes:
            continue
        before, after = one.outcomes[query], other.outcomes[query]
        first, second = (outcome.ranks[0] if outcome.ranks else None for outcome in (before, after))
        if first != second:  # one that was not found stands behind all that were retrieved
            ratio = math.log((second or after.retrieved + 1) / (first or before.retrieved + 1))
            found.append((abs(ratio), RankChange(query, texts.get(query, ""), first, second)))
    found.sort(key=lambda pair: -pair[0])
    return tuple(change for _, change in found[:SHOWN])


def _pairs(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[tuple[Row, Row]], list[str]]:
    pairs: list[tuple[Row, Row]] = []
    unpaired: list[str] = []
    for part in dict.fromkeys(row.part for row in [*before, *after]):
        olds, news = ([row for row in rows if row.part == part] for rows in (before, after))
        common = {row.mode for row in olds} & {row.mode for row in news}
        ambiguous = any(max(Counter(row.mode for row in rows).values(), default=0) > 1 for rows in (olds, news))
        if common and not ambiguous:
            pairs += [(old, new) for old in olds for new in news if old.mode == new.mode]
            unpaired += [f"before: {old.name}" for old in olds if old.mode not in common]
            unpaired += [f"after: {new.name}" for new in news if new.mode not in common]
        elif len(olds) == 1 or len(news) == 1:
            pairs += [(old, new) for old in olds for new in news]
            if not olds or not news:
                unpaired += [
                    f"{side}: {row.name}" for side, rows in (("before", olds), ("after", news)) for row in rows
                ]
        else:
            matching = [(old, new) for old in olds for new in news if (old.system, old.mode) == (new.system, new.mode)]
            pairs += matching
            paired = {id(row) for pair in matching for row in pair}
            unpaired += [f"before: {old.name}" for old in olds if id(old) not in paired]
            unpaired += [f"after: {new.name}" for new in news if id(new) not in paired]
    return pairs, unpaired


def _require_same_truth(before: Evaluation, after: Evaluation) -> None:
    remedy = "evaluate both with the same ground truth and -k"
    if before.truth != after.truth:
        raise UsageError(f"the ground truths differ: {before.truth} and {after.truth}", remedy)
    old, new = Counter(before.sources.values()), Counter(after.sources.values())
    if old != new:
        changed = [path for path, digest in after.sources.items() if digest not in old]
        changed += [path for path, digest in before.sources.items() if digest not in new]
        shown = ", ".join(map(display_path, dict.fromkeys(changed)))
        raise UsageError(f"the ground truths differ: {shown} is not the same on both sides", remedy)
    if before.k != after.k:
        raise UsageError(f"the depths differ: -k {before.k} and -k {after.k}", remedy)


def _require_same_queries(before: Row, after: Row) -> None:
    old, new = before.per_query.keys(), after.per_query.keys()
    if not old or not new:
        side = before if not old else after
        raise UsageError(f"{display_path(side.name)} was kept without its queries", "evaluate it again, with --save")
    if old != new:
        only_old, only_new = sorted(old - new), sorted(new - old)
        some = ", ".join(display_path(query) for query in [*only_old, *only_new][:3])
        raise UsageError(
            f"{display_path(before.name)}: the queries differ: {len(only_old)} only before, {len(only_new)} only after "
            f"({some} ...)",
            "evaluate both with the same queries",
        )

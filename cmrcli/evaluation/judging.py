"""How answers become a row of the report: measures with intervals, ANN recall, breakdowns. Asks nobody anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cmrcli.evaluation import bootstrap
from cmrcli.evaluation.answers import Answers
from cmrcli.evaluation.measures import DEFAULT, Measure, parse, precision_recall_curve, values_of
from cmrcli.evaluation.report import Cost, Interval, Row
from cmrcli.evaluation.settings import Settings
from cmrcli.evaluation.truth import Part
from cmrcli.evaluation.verdicts.balance import balance

APPROXIMATE = ("codes", "hamming", "graph", "vectors")  # modes that find what "exact" finds, or nearly
ANN_DEPTHS = (10, 100)
HUB_PLACES = 10
DocumentGroups = Mapping[str, Mapping[str, str]]  # document -> breakdown -> group


@dataclass(slots=True)
class Table:
    """The rows of a report as they come, each with what it was judged from.

    Attributes:
        answers, parts: of each row, in their order.
    """

    settings: Settings
    rows: list[Row] = field(default_factory=list)
    answers: list[Answers] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    @property
    def main(self) -> str:
        """The measure that counts most; "" before the first row."""
        return next(iter(self.rows[0].measures)) if self.rows else ""

    def add(
        self,
        part: Part,
        system: str,
        mode: str,
        answers: Answers,
        cost: Cost | None = None,
        notes: Sequence[str] = (),
        exact: Answers | None = None,
        groups: DocumentGroups | None = None,
        documents: int | None = None,
    ) -> None:
        """Judges the answers of one system in one mode, and appends their row.

        Args:
            exact: what the exact mode answered, for ANN recall.
            groups: of the relevant documents, for breakdowns.
            documents: how many could have been found; None where that is not known.
        """
        settings = self.settings
        measures = measures_of(part, settings.measures)
        outcomes = [answers.outcomes[topic.id] for topic in part.topics]
        values = values_of(measures, outcomes, settings.k)
        medians = [number for number, measure in enumerate(measures) if measure.is_median]
        bounds = bootstrap.intervals(values, settings.seed, medians=medians)
        per_query = {
            topic.id: dict(zip((measure.name for measure in measures), row.tolist(), strict=True))
            for topic, row in zip(part.topics, values, strict=True)
        }
        shown, groups = _chosen_groups(part, groups or {}, settings.by)
        places = min(HUB_PLACES, settings.k)
        self.rows.append(
            Row(
                part=part.name,
                system=system,
                mode=mode,
                queries=len(part.topics),
                measures={
                    measure.name: Interval(measure.aggregate(values[:, column]), float(low), float(high))
                    for column, (measure, (low, high)) in enumerate(zip(measures, bounds, strict=True))
                },
                macro=_macro(part, measures, per_query),
                ann_recall=_ann_recall(answers, exact, mode, settings.k),
                curve=precision_recall_curve(outcomes),
                cost=cost or Cost(),
                balance=balance(shown, answers, per_query, groups, places, settings.seed, documents=documents),
                unanswered=len(answers.unanswered),
                notes=tuple(notes),
                per_query=per_query,
            )
        )
        self.answers.append(answers)
        self.parts.append(part)


def ann_recall(exact: Answers, other: Answers, depth: int) -> float:
    """Share of the exact mode's first `depth` documents that the other mode has among its own first `depth`.

    Over all queries together that both could take; 1 where exact search finds nothing either.
    """
    wanted = found = 0
    for topic, ranking in exact.run.items():
        if topic in exact.unanswered or topic in other.unanswered or topic not in other.run:
            continue
        first = set(ranking.documents[:depth])
        wanted += len(first)
        found += len(first.intersection(other.run[topic].documents[:depth]))
    return found / wanted if wanted else 1.0


def measures_of(part: Part, wanted: Sequence[str] = ()) -> list[Measure]:
    """The measures that a row of the part has: those wanted, else what its literature reports, else the usual ones."""
    return [parse(name) for name in wanted or part.measures or DEFAULT]


def _macro(part: Part, measures: Sequence[Measure], per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Means over the groups that the part names, each group counting the same."""
    if not part.macro:
        return {}
    members: dict[str, list[str]] = {}
    for topic in part.topics:
        members.setdefault(topic.groups.get(part.macro, ""), []).append(topic.id)
    means: dict[str, float] = {}
    for measure in measures:
        if measure.is_median:
            continue
        of_groups = [measure.aggregate([per_query[one][measure.name] for one in ids]) for ids in members.values()]
        means[measure.name] = sum(of_groups) / len(of_groups)
    return means


def _ann_recall(answers: Answers, exact: Answers | None, mode: str, k: int) -> dict[int, float] | None:
    if mode not in APPROXIMATE or exact is None:
        return None
    return {depth: ann_recall(exact, answers, depth) for depth in ANN_DEPTHS if depth <= k} or None


def _chosen_groups(part: Part, groups: DocumentGroups, by: tuple[str, ...]) -> tuple[Part, DocumentGroups]:
    """The part and the documents with only those breakdowns that are wanted."""
    if not by:
        return part, groups
    topics = tuple(
        replace(topic, groups={name: group for name, group in topic.groups.items() if name in by})
        for topic in part.topics
    )
    kept = {
        document: {name: group for name, group in named.items() if name in by} for document, named in groups.items()
    }
    return replace(part, topics=topics), kept

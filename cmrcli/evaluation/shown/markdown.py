"""An evaluation as GitHub Markdown: tables with intervals, and what one must know to read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cmrcli.errors import display_path
from cmrcli.evaluation.measures import CURVE, RECALL_LEVELS
from cmrcli.evaluation.report import Evaluation, Interval, Row
from cmrcli.evaluation.verdicts.balance import standing_out
from cmrcli.evaluation.verdicts.compare import Compared, Comparison
from cmrcli.evaluation.verdicts.recommend import ParetoPoint, Recommendation
from cmrcli.evaluation.verdicts.require import Verdict
from cmrcli.evaluation.verdicts.values import COSTS, configuration_name, is_rank

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~$])")
_SHOWN_ABSENT = 3


def report(
    evaluation: Evaluation,
    verdict: Verdict | None = None,
    recommendation: Recommendation | None = None,
    comparison: Comparison | None = None,
    measures: Sequence[str] = (),
    pareto: Sequence[ParetoPoint] = (),
    pareto_cost: str = "",
) -> str:
    """The whole report.

    Args:
        measures: columns; all that were measured when left out.
        pareto, pareto_cost: accuracy against a cost (recommend.pareto), with its name in values.COSTS.
    """
    blocks = [_table(_header(evaluation, measures), _rows(evaluation, measures)), _about(evaluation)]
    blocks.append(_curves(evaluation))
    blocks += [_balance(row) for row in evaluation.rows if row.balance is not None]
    if pareto:
        blocks.append(_pareto(pareto, pareto_cost))
    if verdict is not None and verdict.requirements:
        blocks.append(_verdict(verdict))
    if recommendation is not None:
        command = f": {_code(recommendation.command)}" if recommendation.command else ""
        name = cell(configuration_name((recommendation.system, recommendation.mode)))
        blocks.append(f"**Recommended: {name}**{command}. It {cell(recommendation.reason)}.")
    if comparison is not None:
        blocks += [_compared(compared) for compared in comparison.rows]
    return "\n\n".join(block for block in blocks if block) + "\n"


def cell(text: str) -> str:
    """Text from outside as one line in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", display_path(text))


def interval(measure: str, value: Interval | None) -> str:
    """`0.72 [0.68, 0.76]`, with a digit that suits the measure."""
    if value is None:
        return ""
    digits = 1 if is_rank(measure) else 3
    return f"{value.value:.{digits}f} [{value.low:.{digits}f}, {value.high:.{digits}f}]"


def _names(evaluation: Evaluation, measures: Sequence[str]) -> list[str]:
    return list(measures) or list(dict.fromkeys(name for row in evaluation.rows for name in row.measures))


def _costs(evaluation: Evaluation) -> list[str]:
    return [name for name, cost in COSTS.items() if any(cost.read(row.cost) is not None for row in evaluation.rows)]


def _depths(evaluation: Evaluation) -> list[int]:
    return sorted({depth for row in evaluation.rows for depth in row.ann_recall or {}})


def _macros(evaluation: Evaluation, measures: Sequence[str]) -> list[str]:
    return [name for name in _names(evaluation, measures) if any(name in row.macro for row in evaluation.rows)]


def _header(evaluation: Evaluation, measures: Sequence[str]) -> list[str]:
    return [
        "",
        *map(cell, _names(evaluation, measures)),
        *(f"macro {cell(name)}" for name in _macros(evaluation, measures)),
        *(f"ANN recall@{depth}" for depth in _depths(evaluation)),
        *(COSTS[name].label for name in _costs(evaluation)),
    ]


def _rows(evaluation: Evaluation, measures: Sequence[str]) -> list[list[str]]:
    rows = []
    for row in evaluation.rows:
        costs = [COSTS[name].read(row.cost) for name in _costs(evaluation)]
        rows.append(
            [
                cell(row.name),
                *(interval(name, row.measures.get(name)) for name in _names(evaluation, measures)),
                *(f"{row.macro[name]:.3f}" if name in row.macro else "" for name in _macros(evaluation, measures)),
                *(
                    f"{row.ann_recall[depth]:.3f}" if row.ann_recall and depth in row.ann_recall else ""
                    for depth in _depths(evaluation)
                ),
                *("" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}" for value in costs),
            ]
        )
    return rows


def _curves(evaluation: Evaluation) -> str:
    body = [[cell(row.name), *(f"{precision:.3f}" for precision in row.curve)] for row in evaluation.rows if row.curve]
    header = [CURVE, *(f"{level:g}" for level in RECALL_LEVELS)]
    return _table(header, body) if body else ""


def _about(evaluation: Evaluation) -> str:
    place = evaluation.environment
    lines = [
        f"{evaluation.queries} queries, {evaluation.relevant} relevant of {evaluation.judgements} judged"
        + (f", {evaluation.items} items" if evaluation.items else "")
        + f"; 95 % bootstrap intervals, seed {evaluation.seed}; depth {evaluation.k}.",
        f"{cell(place.cpu)}, {place.cores} cores, {place.threads or 'all'} threads; Python {cell(place.python)}, "
        + ", ".join(f"{cell(name)} {cell(version)}" for name, version in place.versions.items())
        + (f"; encoder {cell(place.encoder)} ({cell(place.encoder_digest[:12])})" if place.encoder else "")
        + ("" if place.generation is None else f"; index generation {place.generation}")
        + f"; {cell(place.started_utc)}.",
    ]
    if evaluation.absent:
        some = ", ".join(map(cell, evaluation.absent[:_SHOWN_ABSENT]))
        lines.append(f"{len(evaluation.absent)} relevant documents are not there and count as not found: {some} ...")
    lines += [cell(note) for note in evaluation.notes]
    for row in evaluation.rows:
        if row.unanswered:
            lines.append(
                f"{cell(row.name)}: {row.unanswered} queries cannot be asked so; they count as finding nothing."
            )
        lines += [f"{cell(row.name)}: {cell(note)}" for note in row.notes]
    return "\n".join(f"- {line}" for line in lines)


def _balance(row: Row) -> str:
    balance = row.balance
    assert balance is not None
    blocks = []
    for breakdown, groups in balance.groups.items():
        names = list(dict.fromkeys(name for group in groups.values() for name in group.measures))
        body = [
            [
                cell(group),
                str(of_group.queries),
                *(interval(name, of_group.measures.get(name)) for name in names),
                ""
                if of_group.gap is None
                else f"{of_group.gap.value:+.3f} [{of_group.gap.low:+.3f}, {of_group.gap.high:+.3f}]",
            ]
            for group, of_group in groups.items()
        ]
        header = [cell(breakdown), "queries", *map(cell, names), f"{cell(names[0])} less the others'"]
        blocks.append(f"**{cell(row.name)}, by {cell(breakdown)}**\n\n" + _table(header, body))
        if few := balance.folded.get(breakdown):
            blocks.append(f"{_groups(few)} with too few queries shown as one.")
    for breakdown, few in balance.folded.items():
        if breakdown not in balance.groups:
            blocks.append(f"**{cell(row.name)}, by {cell(breakdown)}**: {_groups(few)}, all with too few queries.")
    stand_out = [f"{cell(breakdown)} {cell(group)}" for breakdown, group, _ in standing_out(balance)]
    if stand_out:
        blocks.append("Beyond chance (95 %, each by itself): " + ", ".join(stand_out) + ".")
    if balance.hubs:
        body = [[cell(hub.document), str(hub.queries), str(hub.relevant)] for hub in balance.hubs]
        skewness = "" if balance.skewness is None else f" (skewness {balance.skewness:.2f})"
        blocks.append(f"**{cell(row.name)}, most often among the first {balance.k}**{skewness}")
        blocks.append(_table(["document", "queries", "rightly"], body))
    return "\n\n".join(blocks)


def _groups(number: int) -> str:
    return f"{number} group{'' if number == 1 else 's'}"


def _pareto(points: Sequence[ParetoPoint], cost: str) -> str:
    body = [
        [cell(point.row.name), f"{point.accuracy.value:.3f}", f"{point.cost:.4g}", "*" if point.front else ""]
        for point in points
    ]
    return "**Accuracy against cost** (\\*: nothing is as good in both and better in one)\n\n" + _table(
        ["", "accuracy", COSTS[cost].label, "front"], body
    )


def _verdict(verdict: Verdict) -> str:
    lines = [
        f"**Requirements {'met' if verdict.met else 'not met'}**: {', '.join(map(_code, verdict.requirements))}",
        "",
    ]
    for one in verdict.configurations:
        failed = "; ".join(cell(failure.text) for failure in one.failures)
        lines.append(f"- {cell(one.name)}: {failed or 'meets all'}")
    return "\n".join(lines)


def _compared(compared: Compared) -> str:
    part = f"{cell(compared.part)}: " if compared.part else ""
    title = f"**{part}{cell(compared.before)} against {cell(compared.after)}**"
    body = [
        [
            cell(name),
            f"{change.before:.3f}",
            f"{change.after:.3f}",
            f"{change.difference.value:+.3f} [{change.difference.low:+.3f}, {change.difference.high:+.3f}]",
            f"{change.p_value:.4f}",
            f"{change.p_holm:.4f}",
        ]
        for name, change in compared.changes.items()
    ]
    counts = f"{compared.wins} queries better, {compared.losses} worse, {compared.ties} the same."
    header = ["", "before", "after", "difference", "p", "p (Holm)"]
    return f"{title}: {counts}\n\n" + _table(header, body)


def _code(text: str) -> str:
    shown = display_path(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    return f"{fence} {shown} {fence}" if "`" in shown else f"`{shown}`"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *(["---:"] * (len(header) - 1))], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

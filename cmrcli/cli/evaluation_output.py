"""What `cmrcli eval` prints: Rich tables on a terminal, tab-separated figures in a pipe, JSON, JSON lines, Markdown.

Tab-separated, without a header: part, system, mode, figure, value, low, high; one line a figure, low and high empty
where it has no interval. Figures are named as --require names them, but for the points of the precision-recall curve,
`precision@recall=0.1`. --pareto adds `front(COST)`, 1 or 0; --compare adds
lines of part, before, after, and `difference(MEASURE)`, `p_holm(MEASURE)`, `wins`, `losses`, `ties`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.cli.documents import write_json
from cmrcli.cli.guard import say
from cmrcli.errors import display_path
from cmrcli.evaluation.conclusions import Conclusions
from cmrcli.evaluation.evaluating import Progress
from cmrcli.evaluation.measures import CURVE, RECALL_LEVELS
from cmrcli.evaluation.report import Evaluation, Interval, Row
from cmrcli.evaluation.verdicts.balance import crowding, standing_out
from cmrcli.evaluation.verdicts.compare import Comparison
from cmrcli.evaluation.verdicts.history import listing
from cmrcli.evaluation.verdicts.values import COSTS, is_rank

if TYPE_CHECKING:
    from rich.console import Console

WIDE_CELL, NARROW_CELL = 22, 14  # columns that an interval takes in full, and shortened
NAME_ROOM = 16
SHOWN_NAMES = 3


@contextmanager
def progress(quiet: bool) -> Iterator[Progress | None]:
    """What is being done, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("reading the ground truth ...") as status:
        yield lambda doing, done, total: status.update(
            Text(f"{display_path(doing)}: {done} of {total}" if total > 1 else f"{display_path(doing)} ...")
        )


def show(said: Conclusions, format: str, per_query: bool) -> None:
    """Prints it on stdout, and on stderr what makes the figures mean less than they seem to."""
    _say_doubts(said.evaluation)
    if format == "json":
        write_json({**said.evaluation.to_json(per_query), **said.to_json()})
    elif format == "jsonl":
        from cmrcli.evaluation.shown.json_lines import records

        for record in records(said.evaluation, said.to_json(), per_query):
            write_json(record)
    elif format == "markdown":
        from cmrcli.evaluation.shown.markdown import report

        text = report(
            said.evaluation, said.verdict, said.recommendation, said.comparison,
            pareto=said.pareto, pareto_cost=said.pareto_cost,
        )  # fmt: skip
        print(text, end="")
    elif format == "tsv":
        for row in said.evaluation.rows:
            for name, value in figures(row):
                ends = (f"{value.low:.6g}", f"{value.high:.6g}") if isinstance(value, Interval) else ("", "")
                point = value.value if isinstance(value, Interval) else value
                _print_fields(row.part, row.system, row.mode, name, f"{point:.6g}", *ends)
            for level, precision in zip(RECALL_LEVELS, row.curve, strict=False):  # none in a row that was made without
                _print_fields(row.part, row.system, row.mode, f"{CURVE}={level:g}", f"{precision:.6g}", "", "")
        _print_conclusions(said)
        _say_conclusions(said)
    else:
        _show_tables(said)


def _print_conclusions(said: Conclusions) -> None:
    """Lines of the Pareto front and of the comparison."""
    for point in said.pareto:
        row = point.row
        _print_fields(row.part, row.system, row.mode, f"front({said.pareto_cost})", str(int(point.front)), "", "")
    for one in said.comparison.rows if said.comparison is not None else ():
        names = one.part, one.before, one.after
        for name, change in one.changes.items():
            ends = (f"{end:.6g}" for end in (change.difference.value, change.difference.low, change.difference.high))
            _print_fields(*names, f"difference({name})", *ends)
            _print_fields(*names, f"p_holm({name})", f"{change.p_holm:.6g}", "", "")
        for word, count in (("wins", one.wins), ("losses", one.losses), ("ties", one.ties)):
            _print_fields(*names, word, str(count), "", "")


def _print_fields(*fields: str) -> None:
    print("\t".join(map(display_path, fields)))


def figures(row: Row) -> Iterator[tuple[str, Interval | float]]:
    """Everything that the row has a number for, by the names of --require."""
    yield from row.measures.items()
    for name, value in row.macro.items():
        yield f"macro({name})", value
    for depth, value in (row.ann_recall or {}).items():
        yield f"ann_recall@{depth}", value
    for name, cost in COSTS.items():
        found = cost.read(row.cost)
        if found is not None:
            yield name, found


def show_history(folder: Path, format: str) -> None:
    """What is kept there, oldest first, with the main measure of each configuration.

    Raises:
        UsageError: the folder cannot be listed.
    """
    kept = listing(folder)
    if format in ("json", "jsonl"):
        for one in kept:
            write_json(
                {
                    "schema": 1, "type": "kept", "saved_utc": one.saved_utc, "name": one.name, "path": str(one.path),
                    "damage": one.damage,
                    "evaluation": None if one.evaluation is None else one.evaluation.to_json(),
                }
            )  # fmt: skip
        return
    if not kept:
        say(f"nothing is kept in {display_path(folder)}; add --save to an evaluation")
    for one in kept:
        if one.evaluation is None:
            say(f"{display_path(one.path)}: {one.damage}")
            continue
        main = one.evaluation.main
        values = [f"{row.name} {row.measures[main].value:.3f}" for row in one.evaluation.rows if main in row.measures]
        fields = [one.saved_utc, one.name, one.evaluation.truth, str(one.evaluation.queries), main, "; ".join(values)]
        print("\t".join(display_path(field) for field in fields))


# -- a terminal ----------------------------------------------------------------------------------------------------


def _show_tables(said: Conclusions) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    evaluation = said.evaluation
    for part in dict.fromkeys(row.part for row in evaluation.rows):
        _show_part(console, part, [row for row in evaluation.rows if row.part == part])
    console.print(
        f"{evaluation.queries} queries, {evaluation.relevant} relevant of {evaluation.judgements} judged"
        + (f", {evaluation.items} items" if evaluation.items else "")
        + f"; 95 % bootstrap intervals, seed {evaluation.seed}; times on {evaluation.environment.cpu}",
        style="dim",
        markup=False,
    )
    for row in {row.part: row for row in reversed(evaluation.rows)}.values():  # the first of each part
        _show_balance(console, row)
    if said.pareto:
        _show_pareto(console, said)
    if said.comparison is not None:
        _show_comparison(console, said.comparison)
    _say_conclusions(said)


def _show_part(console: Console, part: str, rows: Sequence[Row]) -> None:
    """Figures down, configurations across: accuracy and cost of one part side by side."""
    from rich.table import Table
    from rich.text import Text

    by_row = [dict(figures(row)) for row in rows]
    names = list(dict.fromkeys(name for of_row in by_row for name in of_row))
    wide = console.width >= NAME_ROOM + len(rows) * WIDE_CELL
    table = Table(
        box=None, pad_edge=False, header_style="dim", title=Text(part) if part else None, title_justify="left"
    )
    table.add_column("", no_wrap=True)
    for row in rows:
        table.add_column(Text(display_path(row.mode if row.system == "index" else f"{row.system} {row.mode}")),
                         justify="right", overflow="fold")  # fmt: skip
    for name in names:
        table.add_row(name, *(_cell(name, of_row.get(name), wide) for of_row in by_row))
    console.print(table)


def _cell(name: str, value: Interval | float | None, wide: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, Interval):
        digits = 1 if is_rank(name) else 3 if wide else 2
        numbers = [f"{number:.{digits}f}" for number in (value.value, value.low, value.high)]
        if not wide:
            numbers = [number.removeprefix("0") if number.startswith("0.") else number for number in numbers]
        return f"{numbers[0]} [{numbers[1]}, {numbers[2]}]" if wide else f"{numbers[0]} {numbers[1]}-{numbers[2]}"
    if name in COSTS:
        return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
    return f"{value:.3f}"


def _show_balance(console: Console, row: Row) -> None:
    balance = row.balance
    if balance is None:
        return
    for breakdown, group, of_group in standing_out(balance):
        assert of_group.gap is not None
        measure = next(iter(of_group.measures))
        worse = (of_group.gap.value < 0) != is_rank(measure)
        served = "worse" if worse else "better"
        console.print(
            f"{row.name}: {breakdown} {display_path(group)!r} is served {served} than the rest, "
            f"{measure} {of_group.measures[measure].value:.3f}, {of_group.gap.value:+.3f} "
            f"[{of_group.gap.low:+.3f}, {of_group.gap.high:+.3f}], {of_group.queries} queries",
            style="dim", markup=False,
        )  # fmt: skip
    if hubs := crowding(balance)[:SHOWN_NAMES]:
        names = ", ".join(f"{display_path(hub.document)} ({hub.queries}, {hub.relevant} rightly)" for hub in hubs)
        console.print(
            f"{row.name}: hubs among the first {balance.k} (skewness {balance.skewness:.1f}): {names}",
            style="dim", markup=False,
        )  # fmt: skip


def _show_pareto(console: Console, said: Conclusions) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "accuracy", COSTS[said.pareto_cost].label, "front"):
        table.add_column(name, justify="right" if name else "left")
    for point in said.pareto:
        accuracy, cost = f"{point.accuracy.value:.3f}", _cell(said.pareto_cost, point.cost, True)
        table.add_row(display_path(point.row.name), accuracy, cost, "*" if point.front else "")
    console.print(table)


def _show_comparison(console: Console, comparison: Comparison) -> None:
    from rich.table import Table
    from rich.text import Text

    for compared in comparison.rows:
        title = f"{compared.part}: " if compared.part else ""
        title += f"{compared.before} -> {compared.after}: {compared.wins} better, {compared.losses} worse"
        table = Table(
            box=None, pad_edge=False, header_style="dim", title=Text(display_path(title)), title_justify="left"
        )
        for name in ("", "before", "after", "difference", "p", "p (Holm)"):
            table.add_column(name, justify="right" if name else "left")
        for name, change in compared.changes.items():
            gap = change.difference
            table.add_row(
                name, f"{change.before:.3f}", f"{change.after:.3f}",
                f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]", f"{change.p_value:.4f}", f"{change.p_holm:.4f}",
            )  # fmt: skip
        console.print(table)
        for word, examples in (("better", compared.gains), ("worse", compared.losses_shown)):
            for example in examples[:SHOWN_NAMES]:
                console.print(
                    f"  {word}: {display_path(example.text or example.query)} "
                    f" {example.before:.3f} -> {example.after:.3f}",
                    style="dim", markup=False,
                )  # fmt: skip


# -- stderr --------------------------------------------------------------------------------------------------------


def _say_conclusions(said: Conclusions) -> None:
    if said.recommendation is not None:
        chosen = said.recommendation
        command = f": {chosen.command}" if chosen.command else ""
        say(f"recommended: {chosen.system} {chosen.mode}{command} ({chosen.reason})")
    for note in said.notes:
        say(note)
    if said.kept is not None:
        say(f"kept as {display_path(said.kept)}")
    say_failures(said)


def say_failures(said: Conclusions) -> None:
    """Requirements that are not met, and what fell."""
    verdict = said.verdict
    if verdict is not None and verdict.requirements:
        for one in verdict.configurations:
            if one.failures:
                say(f"{one.name}: " + "; ".join(failure.text for failure in one.failures))
            elif verdict.met:
                say(f"{one.name}: meets every requirement")
        if not verdict.met:
            say("requirements not met")
    for drop in said.drops:
        say(f"fell: {drop.text}")


def _say_doubts(evaluation: Evaluation) -> None:
    for note in evaluation.notes:
        say(note)
    if evaluation.absent:
        shown = ", ".join(display_path(name) for name in evaluation.absent[:SHOWN_NAMES])
        more = " ..." if len(evaluation.absent) > SHOWN_NAMES else ""
        say(f"relevant documents that the index lacks count as not found, {len(evaluation.absent)}: {shown}{more}")
    for row in evaluation.rows:
        if row.unanswered:
            say(f"{row.name}: {row.unanswered} queries cannot be asked in this mode and count as finding nothing")
        for note in row.notes:
            say(f"{row.name}: {note}")

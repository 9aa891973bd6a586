"""`cmrcli eval`: accuracy, time and memory of each mode, by judgments of your own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmrcli.cli.documents import write_json
from cmrcli.cli.guard import choice, guarded, say
from cmrcli.cli.options import DebugOption, EncoderOption, IndexOption, ThreadsOption, human_bytes, index_folder
from cmrcli.errors import UsageError, display_path

if TYPE_CHECKING:
    from cmrcli.evaluation import Evaluation


@guarded
def evaluate(
    queries: Annotated[Path, typer.Argument(metavar="QUERIES.TSV", help="id TAB text (or image:PATH) a line.")],
    qrels: Annotated[
        Path, typer.Argument(metavar="QRELS", help="TREC judgments: query id, 0, relpath or relpath#page, grade.")
    ],
    modes: Annotated[
        str, typer.Option("--modes", help="Comma-separated: exact, codes, graph, vectors, words, auto.")
    ] = "exact,codes,words,auto",
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Depth of the rankings.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the bootstrap.")] = 0,
    format: Annotated[str, typer.Option("--format", help="table, json.")] = "table",
    index: IndexOption = None,
    encoder: EncoderOption = None,
    threads: ThreadsOption = 0,
    debug: DebugOption = False,
) -> None:
    """Measure success@k, recall@k, MRR, nDCG with 95 % intervals, latency, bytes and memory, mode by mode."""
    from cmrcli.evaluation import evaluate_index
    from cmrcli.searching.plan import MODES

    choice(format, ("table", "json"), "--format")
    wanted = tuple(mode.strip() for mode in modes.split(",") if mode.strip())
    for mode in wanted:
        choice(mode, MODES, "--modes")
    if not wanted:
        raise UsageError("--modes is empty", "name some of " + ", ".join(MODES))
    result = evaluate_index(
        index_folder(index), queries, qrels, wanted, k=k, seed=seed, encoder=encoder, threads=threads
    )
    _say_doubts(result)
    if format == "json":
        write_json(result.to_json())
    elif sys.stdout.isatty():
        _print_table(result)
    else:
        _print_lines(result)


def _columns(result: Evaluation) -> list[str]:
    """Measures worth a column: the usual ones that the depth allows."""
    wanted = ("success@1", "success@10", "recall@10", f"recall@{result.k}", "MRR", "nDCG@10")
    return [name for name in dict.fromkeys(wanted) if result.modes and name in result.modes[0].measures]


def _header(result: Evaluation) -> list[str]:
    return ["mode", *_columns(result), "ANN recall", "p50 ms", "p95 ms", "queries/s", "B/item", "memory"]


def _rows(result: Evaluation) -> list[list[str]]:
    rows = []
    for mode in result.modes:
        scores = [mode.measures[name] for name in _columns(result)]
        rows.append(
            [
                mode.mode,
                *(f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]" for score in scores),
                "" if mode.ann_recall is None else f"{mode.ann_recall:.3f}",
                f"{mode.p50_ms:.1f}",
                f"{mode.p95_ms:.1f}",
                f"{mode.queries_per_s:.0f}",
                f"{mode.bytes_per_item:.0f}",
                human_bytes(mode.resident_bytes) if mode.resident_bytes else "",
            ]
        )
    return rows


def _print_table(result: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in _header(result):
        table.add_column(column, justify="left" if column == "mode" else "right", overflow="fold")
    for row in _rows(result):
        table.add_row(*row)
    console.print(table)
    console.print(
        f"{result.queries} queries, {result.relevant} relevant of {result.judgements} judged, {result.items} items; "
        f"95 % bootstrap intervals, seed {result.seed}; warm latency on {result.environment.cpu}",
        style="dim",
    )


def _print_lines(result: Evaluation) -> None:
    for row in [_header(result), *_rows(result)]:
        print("\t".join(row))


def _say_doubts(result: Evaluation) -> None:
    """What makes the figures mean less than they seem to."""
    if result.absent:
        shown = ", ".join(display_path(name) for name in result.absent[:3])
        say(f"{len(result.absent)} relevant documents are not in the index and count as not found: {shown} ...")
    for mode in result.modes:
        if mode.unanswered:
            say(f"{mode.mode}: {mode.unanswered} queries cannot be asked in this mode and count as finding nothing")
        for note in mode.notes:
            say(f"{mode.mode}: {note}")

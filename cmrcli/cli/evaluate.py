"""`cmrcli eval`: accuracy, time and memory of each mode, by judgments of your own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmrcli.cli.guard import choice, guarded
from cmrcli.cli.options import DebugOption, EncoderOption, IndexOption, ThreadsOption, human_bytes, index_folder
from cmrcli.errors import UsageError

if TYPE_CHECKING:
    from cmrcli.evaluation import Evaluation

MODES = ("exact", "codes", "graph", "vectors", "words", "auto")


@guarded
def evaluate(
    queries: Annotated[Path, typer.Argument(metavar="QUERIES.TSV", help="id TAB text (or image:PATH) a line.")],
    qrels: Annotated[
        Path, typer.Argument(metavar="QRELS", help="TREC judgments: query id, 0, relpath or relpath#page, grade.")
    ],
    modes: Annotated[
        str, typer.Option("--modes", help="Comma-separated: " + ", ".join(MODES))
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

    choice(format, ("table", "json"), "--format")
    wanted = tuple(mode.strip() for mode in modes.split(",") if mode.strip())
    for mode in wanted:
        choice(mode, MODES, "--modes")
    if not wanted:
        raise UsageError("--modes is empty", "name some of " + ", ".join(MODES))
    result = evaluate_index(
        index_folder(index), queries, qrels, wanted, k=k, seed=seed, encoder=encoder, threads=threads
    )
    if format == "json":
        print(json.dumps(result.to_json(), ensure_ascii=False))
    elif sys.stdout.isatty():
        _print_table(result)
    else:
        _print_lines(result)


COLUMNS = ("mode", "success@1", "success@10", "recall@10", "MRR", "nDCG@10", "p50 ms", "p95 ms", "B/item", "memory")


def _cells(result: Evaluation) -> list[tuple[str, ...]]:
    rows = []
    for mode in result.modes:
        scores = [mode.measures[name] for name in COLUMNS[1:6]]
        rows.append(
            (
                mode.mode,
                *(f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]" for score in scores),
                f"{mode.p50_ms:.1f}",
                f"{mode.p95_ms:.1f}",
                f"{mode.bytes_per_item:.0f}",
                human_bytes(mode.resident_bytes) if mode.resident_bytes else "",
            )
        )
    return rows


def _print_table(result: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "mode" else "right", overflow="fold")
    for row in _cells(result):
        table.add_row(*row)
    Console(highlight=False).print(table)


def _print_lines(result: Evaluation) -> None:
    for row in _cells(result):
        print("\t".join(row))

"""`cmrcli binarize`: remake the binary codes and say what they cost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cmrcli.cli.documents import write_json
from cmrcli.cli.guard import choice, guarded
from cmrcli.cli.options import DebugOption, IndexOption, LockWaitOption, human_bytes, index_folder

if TYPE_CHECKING:
    from cmrcli.indexing.binarize import BinarizeReport


@guarded
def binarize(
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Results for which recall is measured.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sample.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only measure; keep the codes as they are.")] = False,
    format: Annotated[str, typer.Option("--format", help="table, json.")] = "table",
    index: IndexOption = None,
    lock_wait: LockWaitOption = 10.0,
    debug: DebugOption = False,
) -> None:
    """Remake the binary codes of the index, and measure recall and time with and without rescoring."""
    from cmrcli.indexing.binarize import binarize as remake

    choice(format, ("table", "json"), "--format")
    report = remake(index_folder(index), k, seed, dry_run, lock_wait)
    if format == "json":
        write_json(report.to_json())
    elif sys.stdout.isatty():
        _print_table(report)
    else:
        _print_lines(report)


def _headline(report: BinarizeReport) -> str:
    done = "would be" if report.dry_run else "are"
    return (
        f"{report.rows} codes {done} {report.method}, {report.bits} bits: {human_bytes(report.code_bytes)} "
        f"(before {human_bytes(report.code_bytes_before)}; vectors {human_bytes(report.vector_bytes)})"
    )


def _rows(report: BinarizeReport) -> list[tuple[str, str, str]]:
    recall = report.recall
    rows = [("exact", "1.0000", f"{recall.exact_microseconds:.0f}")]
    for setting in recall.settings:
        name = f"codes, {setting.oversampling} x {recall.k} rescored" if setting.rescored else "codes alone"
        rows.append((name, f"{setting.recall:.4f}", f"{setting.microseconds:.0f}"))
    return rows


def _measured_on(report: BinarizeReport) -> str:
    recall = report.recall
    return f"ANN recall@{recall.k}, {recall.queries} held-back vectors against {recall.rows}, seed {recall.seed}"


def _print_table(report: BinarizeReport) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(_headline(report))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("method")
    table.add_column("ANN recall", justify="right")
    table.add_column("µs a query", justify="right")
    for row in _rows(report):
        table.add_row(*row)
    console.print(table)
    console.print(_measured_on(report), style="dim")


def _print_lines(report: BinarizeReport) -> None:
    print(f"# {_headline(report)}")
    print(f"# {_measured_on(report)}")
    for row in _rows(report):
        print("\t".join(row))

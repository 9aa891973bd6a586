"""`cmrcli binarize`: remake the binary codes and say what they cost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from cmrcli.cli.documents import write_json
from cmrcli.cli.guard import choice, guarded, say
from cmrcli.cli.options import DebugOption, IndexOption, LockWaitOption, human_bytes, index_folder

if TYPE_CHECKING:
    from cmrcli.indexing.binarize import BinarizeReport

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]  # what it is, its columns, its rows


@guarded
def binarize(
    method: Annotated[str, typer.Option("--method", help="sign, itq, rotation, projections, auto.")] = "sign",
    bits: Annotated[int, typer.Option("--bits", min=0, help="Of a code; 0: one a dimension.")] = 0,
    target_recall: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--target-recall",
            min=0.0,
            max=1.0,
            help="ANN recall that must be reached on held-back vectors, or nothing is changed (auto: 0.99).",
        ),
    ] = None,
    drop_vectors: Annotated[
        bool, typer.Option("--drop-vectors", help="Keep the codes alone; only indexing again brings vectors back.")
    ] = False,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Results for which recall is measured.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sample and of random planes.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only measure; keep the index as it is.")] = False,
    format: Annotated[str, typer.Option("--format", help="table, json.")] = "table",
    index: IndexOption = None,
    lock_wait: LockWaitOption = 10.0,
    debug: DebugOption = False,
) -> None:
    """Remake the binary codes of the index, and measure recall and time with and without rescoring.

    Exit code 1: no code reached the target, and nothing was changed.
    """
    from cmrcli.indexing.binarize import CHOICES, BinarizeOptions
    from cmrcli.indexing.binarize import binarize as remake
    from cmrcli.searching.costs import measure_once

    choice(method, CHOICES, "--method")
    choice(format, ("table", "json"), "--format")
    options = BinarizeOptions(method, bits, target_recall, k, seed, drop_vectors, dry_run)
    report = remake(index_folder(index), options, lock_wait, _say_trying if sys.stderr.isatty() else _say_nothing)
    if format == "json":
        write_json(report.to_json())
    else:
        _print(report, tables_on_terminal=sys.stdout.isatty())
    measure_once()
    if report.codebook is None:
        say(f"no code reached an ANN recall@{report.k} of {report.target_recall:g} on held-back vectors; "
            "ask for a lower --target-recall, or keep the codes as they are")  # fmt: skip
        raise typer.Exit(1)


def _say_trying(method: str, bits: int) -> None:
    say(f"trying {method}, {bits} bits")


def _say_nothing(method: str, bits: int) -> None:
    """Nobody watches."""


def _headline(report: BinarizeReport) -> str:
    book = report.codebook
    if book is None:
        return f"nothing was changed: {report.rows} codes, {human_bytes(report.code_bytes_before)}"
    done = "would be" if report.dry_run else "are"
    line = (
        f"{report.rows} codes {done} {book.method}, {book.bits} bits: {human_bytes(report.code_bytes)} "
        f"(before {human_bytes(report.code_bytes_before)}; vectors {human_bytes(report.vector_bytes_before)}"
    )
    if report.vector_bytes == report.vector_bytes_before:
        depths = book.oversampling
        return f"{line}); a search takes {depths.hamming} x k candidates and rescores {depths.rescored} x k"
    return f"{line}, {'to be dropped' if report.dry_run else 'dropped'}); nothing is rescored"


def _tables(report: BinarizeReport) -> list[Table]:
    tables: list[Table] = []
    if report.tried:
        columns = ("method", "bits", "bytes", "candidates", "rescored", "chosen on", "verified on", "")
        rows: list[tuple[str, ...]] = []
        for one in report.tried:
            verdict = "reached" if one.reached else "missed"
            rows.append(
                (
                    one.method,
                    str(one.bits),
                    str(one.row_bytes),
                    f"{one.oversampling.hamming} x {report.k}",
                    f"{one.oversampling.rescored} x {report.k}" if one.oversampling.rescored > 1 else "-",
                    f"{one.chosen_recall:.4f}",
                    f"{one.verified_recall:.4f}",
                    verdict,
                )
            )
        title = f"the least that reached {report.target_recall:g} on half of the queries, verified on the other half"
        tables.append((title, columns, rows))
    recall = report.recall
    if recall is not None:
        title = f"ANN recall@{recall.k}, {recall.queries} held-back vectors against {recall.rows}, seed {recall.seed}"
        rows = [("exact", "1.0000", f"{recall.exact_microseconds:.0f}")]
        for setting in recall.settings:
            name = "codes alone" if setting.oversampling == 1 else f"{setting.oversampling} x {recall.k} ordered"
            if setting.rescored:
                name += f", {setting.rescored} x {recall.k} rescored"
            rows.append((name, f"{setting.recall:.4f}", f"{setting.microseconds:.0f}"))
        tables.append((title, ("way", "ANN recall", "µs a query"), rows))
    return tables


def _print(report: BinarizeReport, tables_on_terminal: bool) -> None:
    if not tables_on_terminal:
        print(f"# {_headline(report)}")
        for title, _, rows in _tables(report):
            print(f"# {title}")
            for row in rows:
                print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table as RichTable

    console = Console(highlight=False)
    console.print(_headline(report))
    for title, columns, rows in _tables(report):
        shown = RichTable(box=None, pad_edge=False, header_style="dim")
        for number, column in enumerate(columns):
            shown.add_column(column, justify="right" if number else "left")
        for row in rows:
            shown.add_row(*row)
        console.print(title, style="dim")
        console.print(shown)

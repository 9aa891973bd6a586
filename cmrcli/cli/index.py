"""`cmrcli index`: bring the index up to date with folders of drawings, PDFs and photos."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from cmrcli.cli.documents import write_json
from cmrcli.cli.guard import choice, guarded, say
from cmrcli.cli.options import (
    DebugOption,
    EncoderOption,
    IndexOption,
    LockWaitOption,
    ThreadsOption,
    absolute,
    human_bytes,
    human_seconds,
    index_folder,
)
from cmrcli.errors import CAUSES, CmrcliError, display_path
from cmrcli.paths import path_fields

if TYPE_CHECKING:
    from cmrcli.cli.progress import Progress
    from cmrcli.indexing import IndexOptions
    from cmrcli.indexing.report import RunReport

FORMATS = ("table", "json", "jsonl")
VECTORS = ("f16", "i8")
FAILURES_SHOWN = 20


@guarded
def index(
    paths: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="PATH...", help="Folders or files; none: all that the index knows."),
    ] = None,
    include: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--include", metavar="GLOB", help="Only files that match (gitignore syntax). Repeatable."),
    ] = None,
    exclude: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--exclude", metavar="GLOB", help="Leave out what matches (gitignore syntax). Repeatable."),
    ] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Also hidden and system files.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Files are gone on purpose, however many.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what could not be read before.")] = False,
    format: Annotated[str, typer.Option("--format", help="table, json, jsonl.")] = "table",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")] = False,
    graph: Annotated[
        str,
        typer.Option(
            "--graph",
            help="HNSW graphs for searches in batches: auto (of large segments), always, never.",
            show_default="as the index has it, at first auto",
        ),
    ] = "",
    graph_recall: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--graph-recall",
            min=0.5,
            max=0.999,
            help="Share of the nearest ten that a graph must find.",
            show_default="as the index has it, at first 0.98",
        ),
    ] = None,
    index: IndexOption = None,
    vectors: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--vectors", help="f16, i8: what vectors are kept as; i8 halves their bytes, for good."),
    ] = None,
    encoder: EncoderOption = None,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Reader processes; 0: one a processor, at most 4.")
    ] = 0,
    threads: ThreadsOption = 0,
    lock_wait: LockWaitOption = 10.0,
    debug: DebugOption = False,
) -> None:
    """Index folders of drawings, PDFs and photos; again and again, only what changed.

    Exit code 0: done; 3: done, but something new could not be read; 4: deletions refused.
    """
    from cmrcli.corpus.walk import WalkRules
    from cmrcli.indexing import IndexOptions, index_paths
    from cmrcli.indexing.report import RunReport
    from cmrcli.indexing.run import RunOptions
    from cmrcli.searching.costs import measure_once
    from cmrcli.store.graph_settings import GRAPH_MODES

    choice(format, FORMATS, "--format")
    if graph:
        choice(graph, GRAPH_MODES, "--graph")
    if vectors is not None:
        choice(vectors, VECTORS, "--vectors")
    rules = WalkRules(tuple(include or ()), tuple(exclude or ()), hidden)
    kept_graph = next((mode for mode in GRAPH_MODES if mode == graph), None)  # "" is none of them
    run_options = RunOptions(rules, accept_deletions, retry, workers)
    options = IndexOptions(encoder, threads, lock_wait, dry_run, kept_graph, graph_recall, run_options, vectors)
    folder = index_folder(index)
    targets = [absolute(path) for path in paths or ()]
    run: Callable[..., object] = index_paths
    if sys.stderr.isatty() and not quiet:
        from cmrcli.cli.progress import Progress

        run = functools.partial(_with_progress, Progress(targets or _known_roots(folder)))
    report = RunReport()
    try:
        run(folder, targets, options, report=report)
    except KeyboardInterrupt:
        _say_problems(report)  # the next run will not say them again
        raise
    if format == "table":
        _say_problems(report)
        if not quiet:
            _say_advice(report)
            _print_summary(report)
    else:
        _print_json(report, lines=format == "jsonl")
    if not dry_run:
        measure_once()
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _with_progress(
    progress: Progress, folder: Path, targets: list[bytes], options: IndexOptions, *, report: RunReport
) -> None:
    from cmrcli.indexing import index_paths

    with progress:
        index_paths(folder, targets, options, progress.update, progress.stage, report)


def _say_problems(report: RunReport) -> None:
    """Refused deletions and unreadable files on stderr, so that cron mails them, once."""
    for held in report.held_back:
        said = f"{held.reason} ({held.files} of {held.known} known files); nothing deleted"
        say(f"{display_path(held.path)}: {said}; {held.remedy}")
    for path, detail in report.unlistable:
        say(f"{display_path(path)}: cannot be listed ({detail}); what was known of it stays")
    failures = [*report.failures, *report.page_failures]
    for failure in failures[:FAILURES_SHOWN]:
        page = "" if failure.page is None else f", page {failure.page}"
        detail = f": {failure.detail}" if failure.detail else ""
        say(f"{display_path(failure.path)}{page}: {failure.cause} ({CAUSES[failure.cause]}){detail}")
    if len(failures) > FAILURES_SHOWN:
        say(f"and {len(failures) - FAILURES_SHOWN} more; all files: cmrcli status --failures")
    for path, note in report.notes[:FAILURES_SHOWN]:
        say(f"{display_path(path)}: only in part: {note}")
    if len(report.notes) > FAILURES_SHOWN:
        say(f"and {len(report.notes) - FAILURES_SHOWN} more only in part; --format jsonl lists all that a run meets")


def _say_advice(report: RunReport) -> None:
    """What can be done about formats that are never read. No news: every run would say it again."""
    from cmrcli.corpus.readers import UNSUPPORTED

    for extension, count in sorted(report.unsupported.items()):
        advice = UNSUPPORTED.get(extension, "")
        if advice:
            say(f"{count} .{extension} skipped: {advice}")


def _known_roots(folder: Path) -> list[bytes]:
    """What a run without paths goes through, for its progress; nothing when that cannot be told."""
    from cmrcli.store import open_reader

    try:
        with open_reader(folder) as reader:
            return [root.path for root in reader.roots()]
    except CmrcliError:
        return []  # the run itself says what is wrong


def _print_summary(report: RunReport) -> None:
    would = "would be " if report.dry_run else ""
    print(
        f"files       {report.seen} seen: {report.added} {would}added ({report.recognised} recognised by content), "
        f"{report.changed} {would}changed, {report.unchanged} unchanged, {report.removed} {would}removed"
    )
    if not report.dry_run:
        print(f"made        {report.items} items, {report.fragments} fragments")
    skipped = [f"{count} {cause}" for cause, count in sorted(report.skipped().items())]
    if report.known_failed:
        skipped.append(f"{report.known_failed} unreadable as before")
    if report.page_failures:
        skipped.append(f"{len(report.page_failures)} pages of files that could be read otherwise")
    other = sum(report.unsupported.values())
    if other:
        kinds = ", ".join(
            f"{count} .{display_path(ext) or '(none)'}" for ext, count in report.unsupported.most_common(8)
        )
        skipped.append(f"{other} of other types ({kinds})")
    if skipped:
        print("skipped     " + "; ".join(skipped))
    if report.converted:
        print(f"vectors     {'would be' if report.dry_run else 'are now'} kept as i8: about half the bytes")
    if report.notes:
        print(f"notes       {len(report.notes)} items only in part")
    rate = report.bytes_read / report.elapsed_s if report.elapsed_s else 0.0
    size = f", index {human_bytes(report.index_bytes)}" if report.index_bytes else ""
    print(
        f"time        {human_seconds(report.elapsed_s)}, read {human_bytes(report.bytes_read)} "
        f"({human_bytes(rate)}/s){size}"
    )


def _print_json(report: RunReport, lines: bool) -> None:
    errors = [{"schema": 1, **failure.to_json()} for failure in (*report.failures, *report.page_failures)]
    notes = [{"schema": 1, "type": "note", **path_fields("path", path), "message": note} for path, note in report.notes]
    summary = report.to_json()
    if lines:
        for fields in [*errors, *notes, summary]:
            write_json(fields)
    else:
        write_json({"schema": 1, "errors": errors, "notes": notes, "summary": summary})

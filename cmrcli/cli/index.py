"""`cmrcli index`: bring the index up to date with folders of drawings, PDFs and photos."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Optional

import typer

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
from cmrcli.errors import CAUSES, display_path

if TYPE_CHECKING:
    from cmrcli.indexing.report import RunReport

FORMATS = ("table", "json", "jsonl")
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
    index: IndexOption = None,
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
    from cmrcli.indexing.run import RunOptions

    choice(format, FORMATS, "--format")
    rules = WalkRules(tuple(include or ()), tuple(exclude or ()), hidden)
    options = IndexOptions(encoder, threads, lock_wait, dry_run, RunOptions(rules, accept_deletions, retry, workers))
    folder = index_folder(index)
    targets = [absolute(path) for path in paths or ()]
    if sys.stderr.isatty() and not quiet:
        from cmrcli.cli.progress import Progress

        with Progress(targets) as shown:
            report = index_paths(folder, targets, options, shown.update, shown.stage)
    else:
        report = index_paths(folder, targets, options)
    if format == "table":
        _say_problems(report)
        if not quiet:
            _print_summary(report)
    else:
        _print_json(report, lines=format == "jsonl")
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _say_problems(report: RunReport) -> None:
    """Refused deletions and unreadable files on stderr, so that cron mails them."""
    for held in report.held_back:
        say(
            f"{display_path(held.path)}: {held.reason} ({held.files} of {held.known} known files); nothing deleted; "
            "check that the share is mounted, or run again with --accept-deletions, "
            f"or drop the folder with: cmrcli forget {display_path(held.path)}"
        )
    for path, detail in report.unlistable:
        say(f"{display_path(path)}: cannot be listed ({detail}); what was known of it stays")
    for failure in report.failures[:FAILURES_SHOWN]:
        detail = f": {failure.detail}" if failure.detail else ""
        say(f"{display_path(failure.path)}: {failure.cause} ({CAUSES[failure.cause]}){detail}")
    if len(report.failures) > FAILURES_SHOWN:
        say(f"and {len(report.failures) - FAILURES_SHOWN} more; all of them: cmrcli status --failures")
    for extension, count in sorted(report.unsupported.items()):
        advice = _advice(extension)
        if advice:
            say(f"{count} .{extension} skipped: {advice}")


def _advice(extension: str) -> str:
    from cmrcli.corpus.readers import UNSUPPORTED

    return UNSUPPORTED.get(extension, "")


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
    other = sum(report.unsupported.values())
    if other:
        kinds = ", ".join(f"{count} .{ext or '(none)'}" for ext, count in report.unsupported.most_common(8))
        skipped.append(f"{other} of other types ({kinds})")
    if skipped:
        print("skipped     " + "; ".join(skipped))
    if report.notes:
        print(f"notes       {len(report.notes)} items only in part (see --format jsonl)")
    rate = report.bytes_read / report.elapsed_s if report.elapsed_s else 0.0
    size = f", index {human_bytes(report.index_bytes)}" if report.index_bytes else ""
    print(
        f"time        {human_seconds(report.elapsed_s)}, read {human_bytes(report.bytes_read)} "
        f"({human_bytes(rate)}/s){size}"
    )


def _print_json(report: RunReport, lines: bool) -> None:
    errors = [{"schema": 1, **failure.to_json()} for failure in report.failures]
    notes = [{"schema": 1, "type": "note", "path": display_path(path), "message": note} for path, note in report.notes]
    summary = report.to_json()
    if lines:
        for fields in [*errors, *notes, summary]:
            print(json.dumps(fields, ensure_ascii=False))
    else:
        print(json.dumps({"schema": 1, "errors": errors, "notes": notes, "summary": summary}, ensure_ascii=False))

"""`cmrcli check`: verify every byte of an index; repair nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from cmrcli.cli.documents import write_json
from cmrcli.cli.guard import choice, guarded
from cmrcli.cli.options import DebugOption, IndexOption, index_folder
from cmrcli.errors import IndexDamaged, display_path


@guarded
def check(
    format: Annotated[str, typer.Option("--format", help="table, json.")] = "table",
    index: IndexOption = None,
    debug: DebugOption = False,
) -> None:
    """Verify every checksum, count and reference of the index. Changes nothing.

    Exit code 0: whole; 12: damaged, with a line for each finding.
    """
    from cmrcli.store import check as check_store

    choice(format, ("table", "json"), "--format")
    folder = index_folder(index)
    findings = check_store(folder)
    errors = [finding for finding in findings if finding.severity == "error"]
    if format == "json":
        listed = [
            {"severity": f.severity, "path": display_path(f.path), "message": f.message, "remedy": f.remedy}
            for f in findings
        ]
        write_json({"schema": 1, "whole": not errors, "findings": listed})
    else:
        for f in findings:
            remedy = f"; {f.remedy}" if f.remedy else ""
            print(f"{f.severity}: {display_path(f.path)}: {f.message}{remedy}")
        if not errors:
            print(f"{display_path(folder)} is whole")
    if errors:
        raise typer.Exit(IndexDamaged.exit_code)

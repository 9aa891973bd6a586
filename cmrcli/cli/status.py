"""`cmrcli status`: what an index holds, and what could not be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cmrcli.cli.documents import write_json
from cmrcli.cli.guard import choice, guarded
from cmrcli.cli.options import DebugOption, IndexOption, human_bytes, index_folder
from cmrcli.errors import CAUSES, display_path
from cmrcli.paths import path_fields

if TYPE_CHECKING:
    from cmrcli.store import IndexStatistics


FORMS = {"f16": "f16, float16", "i8": "i8, int8 with a scale each", None: "none: codes alone are kept"}


@guarded
def status(
    failures: Annotated[
        bool, typer.Option("--failures", help="List the files that could not be read, with their causes.")
    ] = False,
    format: Annotated[str, typer.Option("--format", help="table, json.")] = "table",
    index: IndexOption = None,
    debug: DebugOption = False,
) -> None:
    """Show what the index holds: roots, counts, sizes, encoder, unreadable files."""
    from cmrcli.store import open_reader

    choice(format, ("table", "json"), "--format")
    folder = index_folder(index)
    with open_reader(folder) as reader:
        statistics = reader.statistics()
        unreadable = [
            (path, {**path_fields("path", path), "cause": cause, "message": CAUSES.get(cause, cause), "detail": detail})
            for path, cause, detail in (reader.failures() if failures else ())
        ]
    if format == "json":
        fields: dict[str, Any] = {"schema": 1, **path_fields("index", bytes(folder)), **_to_json(statistics)}
        if failures:
            fields["unreadable"] = [entry for _, entry in unreadable]
        write_json(fields)
        return
    _print(folder, statistics)
    for path, entry in unreadable:
        detail = f": {entry['detail']}" if entry["detail"] else ""
        print(f"{display_path(path)}\t{entry['cause']} ({entry['message']}){detail}")


def _to_json(statistics: IndexStatistics) -> dict[str, Any]:
    return {
        "generation": statistics.generation,
        "roots": [
            {**path_fields("path", one.root.path), "files": one.files, "unreadable": one.failed}
            for one in statistics.roots
        ],
        "files": statistics.files,
        "contents": statistics.contents,
        "items": statistics.items,
        "fragments": statistics.fragments,
        "kinds": statistics.by_kind,
        "formats": statistics.by_format,
        "unreadable_by_cause": statistics.failed_by_cause,
        "tiles_current": statistics.tiles_current,
        "segments": statistics.segments,
        "vectors": statistics.vectors,
        "bytes": statistics.bytes_by_part,
        "encoder": {
            "name": statistics.encoder.name,
            "digest": statistics.encoder.digest,
            "dim": statistics.encoder.dim,
        },
    }


def _print(folder: Path, statistics: IndexStatistics) -> None:
    print(f"index       {display_path(folder)} (generation {statistics.generation})")
    for one in statistics.roots:
        print(f"root        {display_path(one.root.path)}  {one.files} files")
    print(f"files       {statistics.files}, unreadable {sum(statistics.failed_by_cause.values())}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in statistics.by_kind.items())
    print(f"items       {statistics.items} ({kinds})")
    print(f"fragments   {statistics.fragments} in {statistics.segments} segments")
    if not statistics.tiles_current:
        print("tiles       of an earlier version, without views: index the folders into another --index to have those")
    encoder = statistics.encoder
    print(f"encoder     {display_path(encoder.name)} ({encoder.digest[:12]}, {encoder.dim} dimensions)")
    print(f"vectors     {FORMS[statistics.vectors]}")
    parts = ", ".join(f"{name} {human_bytes(size)}" for name, size in statistics.bytes_by_part.items() if size)
    print(f"disk        {human_bytes(sum(statistics.bytes_by_part.values()))} ({parts})")

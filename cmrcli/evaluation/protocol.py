"""`protocol.toml`: everything that determines an evaluation, so that it can be repeated exactly.

Paths are written relative to the protocol's folder, so that both can move together; one that is not valid Unicode as
`{ b64 = "..." }`, its exact bytes. Of each file that the ground truth is read from, and of each run file, the SHA-256
is kept: one that has changed since is refused; a folder per class is pinned by the names and sizes of its files. The
index, --images and examples are named, not pinned: to ask a grown index the same again is what a watchman does, and the
report says which generation answered.

    format = 1
    [truth]    kind, images, split, protocol, [[truth.sources]] path, sha256
    [system]   index, encoder, through, modes, threads, [[system.runs]] path, sha256
    [measure]  k, measures, repeats, seed, by, requirements
    [cost]     cold, memory

A key that is left out has its default; one that is not known is refused, and so is a newer format.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.protocol_values import SOURCES, TABLES, show, toml
from cmrcli.evaluation.sources import Source, require_unchanged

FORMAT = 1
MAX_BYTES = 1 << 20  # of a protocol file


@dataclass(frozen=True, slots=True)
class Protocol:
    """What determines an evaluation. Paths are absolute.

    Attributes:
        kind: of the ground truth: "trec", "pairs", "karpathy", "classes", "zeroshot", "self".
        sources: what it is read from, in the order of the command line; () for "self".
        images: folder of its pictures, where the format needs one.
        split, protocol: of a data set: "test", "5k"; "" for the format's own default.
        index: None for an encoder over the truth's own gallery, or for runs only.
        encoder: its name or, as a Path, its folder; "" for the index's own.
        through: who is asked where the truth brings its own gallery: "index", "encoder", or "auto".
        runs: run files of other systems.
        modes: () for the default ones.
        threads: of the encoder; 0 for all.
        measures: () for the default ones.
        k, repeats, seed: as report.Evaluation has them.
        by: breakdowns of the balance report.
        requirements: as they were written.
        cold, memory: whether fresh processes are timed, and weighed.
    """

    kind: str
    sources: tuple[Source, ...] = ()
    images: Path | None = None
    split: str = ""
    protocol: str = ""
    index: Path | None = None
    encoder: str | Path = ""
    through: str = "auto"
    runs: tuple[Source, ...] = ()
    modes: tuple[str, ...] = ()
    threads: int = 0
    measures: tuple[str, ...] = ()
    k: int = 100
    repeats: int = 3
    seed: int = 0
    by: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    cold: bool = True
    memory: bool = True


def to_toml(protocol: Protocol, folder: str | os.PathLike[str]) -> str:
    """The protocol as TOML, for a file in that folder."""
    lines = ["# Repeat this evaluation: cmrcli eval, and the name of this file", f"format = {FORMAT}"]
    for table, keys in TABLES.items():
        lines += ["", f"[{table}]"]
        for key in keys:
            value = getattr(protocol, key)
            if key in SOURCES:
                for source in value:
                    lines += ["", f"[[{table}.{key}]]", f"path = {toml(source.path, folder)}"]
                    lines.append(f"sha256 = {toml(source.sha256, folder)}")
            elif key == "encoder" and isinstance(value, Path):
                lines.append(f"encoder = {{ folder = {toml(value, folder)} }}")
            elif value is not None:
                lines.append(f"{key} = {toml(value, folder)}")
    return "\n".join(lines) + "\n"


def from_toml(path: str | os.PathLike[str]) -> Protocol:
    """The protocol of a file, its sources unchanged.

    Raises:
        UsageError: with the file, the key and the remedy: it cannot be read, is no TOML or of a newer format, has an
            unknown key or a value of another type, or a source is gone or has changed.
    """
    shown = display_path(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot read {shown}: {error.strerror or error}"
        raise UsageError(what, "name a protocol.toml that eval wrote") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{shown} is larger than {MAX_BYTES >> 20} MiB", "name a protocol.toml that eval wrote")
    protocol = parse(data, path)
    for key, sources in (("truth.sources", protocol.sources), ("system.runs", protocol.runs)):
        for number, source in enumerate(sources, 1):
            require_unchanged(f"{shown}: {key} {number}", source)
    return protocol


def parse(data: bytes, path: str | os.PathLike[str]) -> Protocol:
    """The protocol that TOML says which stands, or would stand, at `path`; its sources are not looked at.

    Raises:
        UsageError: as `from_toml`.
    """
    shown, folder = display_path(path), os.path.dirname(os.path.abspath(path))
    document = _document(data, shown)
    format = document.pop("format", None)
    if type(format) is not int or format < 1:
        remedy = f"begin it with: format = {FORMAT}"
        raise UsageError(f"{shown}: format: {show(format)} is not the number of a format", remedy)
    if format > FORMAT:
        remedy = f"update cmrcli; this version knows up to {FORMAT}"
        raise UsageError(f"{shown}: format: {format} is newer than this cmrcli", remedy)
    values: dict[str, Any] = {}
    _require_known(shown, "", document, TABLES)
    for table, keys in TABLES.items():
        given = document.get(table, {})
        if not isinstance(given, dict):
            raise UsageError(f"{shown}: {table}: is no table", f"write it as [{table}]")
        _require_known(shown, f"{table}.", given, keys)
        for key, value in given.items():
            try:
                values[key] = keys[key](value, folder)
            except ValueError as error:
                what = f"{shown}: {table}.{key}: {display_path(str(error))}"
                raise UsageError(what, "write it as eval does, or leave the key out for its default") from None
    if not values.get("kind"):
        raise UsageError(f"{shown}: truth.kind: is missing", 'say what the ground truth is: kind = "trec"')
    return Protocol(**values)


def _document(data: bytes, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{shown}:{line}: is not UTF-8", "write it as UTF-8") from None
    except RecursionError:
        raise UsageError(f"{shown}: is nested too deeply", "name a protocol.toml that eval wrote") from None
    except ValueError as error:  # tomllib's own, and Python's for numbers of thousands of digits
        found = re.search(r" \(at line ([0-9]+), column [0-9]+\)$", str(error))
        where, what = (f":{found[1]}", str(error)[: found.start()]) if found else ("", str(error))
        raise UsageError(f"{shown}{where}: {display_path(what)}", "correct the TOML there") from None


def _require_known(shown: str, table: str, given: Mapping[str, object], known: Mapping[str, object]) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            remedy = (f"did you mean {table}{close[0]}? " if close else "") + "known: " + ", ".join(known)
            raise UsageError(f"{shown}: {table}{display_path(key)}: unknown key", remedy)

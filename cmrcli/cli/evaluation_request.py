"""From the options of `cmrcli eval` to the protocol that they mean, and what can be refused before anything runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from cmrcli.cli.options import index_folder
from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.conduct import SELF
from cmrcli.evaluation.measures import parse
from cmrcli.evaluation.protocol import Protocol, from_toml, to_toml
from cmrcli.evaluation.shown.files import write_whole
from cmrcli.evaluation.sources import Source, source_of
from cmrcli.places import user_data

PROTOCOL_SUFFIX = ".toml"
# Options that say what happens with an evaluation; all others determine it, and a protocol.toml has fixed those.
OUTPUT = frozenset({
    "truth", "recommend", "cheapest", "pareto", "compare", "save", "name", "against", "history", "kept_in", "plot",
    "sheet", "write_run", "write_truth", "write_protocol", "format", "per_query", "quiet", "debug",
})  # fmt: skip


def given(context: typer.Context) -> dict[str, str]:
    """Parameters that stand on the command line, with their options: {"kind": "--as"}."""
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name) if parameter.name else None
        if parameter.name and source is not None and source.name == "COMMANDLINE":
            found[parameter.name] = parameter.opts[0]
    return found


def repeated(paths: Sequence[Path], on_command_line: Mapping[str, str]) -> Protocol | None:
    """The protocol of a `protocol.toml` that is named instead of a truth; None where none is.

    Raises:
        UsageError: it is wrong (see protocol.from_toml), or options beside it say otherwise.
    """
    if len(paths) != 1 or paths[0].suffix.lower() != PROTOCOL_SUFFIX:
        return None
    for name in sorted(set(on_command_line) - OUTPUT):
        option = on_command_line[name]
        raise UsageError(
            f"{display_path(paths[0])} has fixed what {option} would say", f"leave {option} out, or edit the file"
        )
    return from_toml(paths[0])


def protocol_of(
    paths: Sequence[Path],
    *,
    known_items: bool,
    kind: str,
    images: Path | None,
    split: str,
    folds: str,
    runs: Sequence[Path],
    through: str,
    modes: str,
    measures: str,
    k: int,
    repeats: int,
    seed: int,
    by: str,
    cold: bool,
    memory: bool,
    requirements: Sequence[str],
    index: str | None,
    encoder: str | None,
    threads: int,
) -> Protocol:
    """What the options mean.

    Raises:
        UsageError: they name no truth or two, or a mode, measure or requirement that there is not.
    """
    from cmrcli.evaluation.verdicts.require import parse as parse_requirement

    if known_items and paths:
        raise UsageError("--self makes its own ground truth", f"leave --self out, or {display_path(paths[0])}")
    if known_items and runs:
        raise UsageError("a run cannot answer --self: its queries are made anew", "write them with --write-truth first")
    if not known_items and not paths:
        raise UsageError(
            "no ground truth is named", "name QUERIES.TSV QRELS, PAIRS.CSV or a folder per class; or try: eval --self"
        )
    for option, text in (("--measures", measures), ("--by", by)):
        if text and not _listed(text):
            raise UsageError(f"{option} is empty", "name some, separated by commas, or leave it out")
    names = tuple(dict.fromkeys(parse(name).name for name in _listed(measures)))
    for requirement in requirements:
        parse_requirement(requirement)
    for number, one in enumerate(runs):
        if os.path.abspath(one) in map(os.path.abspath, runs[:number]):
            raise UsageError(f"--run {display_path(one)} is named twice", "name each run once")
    return Protocol(
        kind=SELF if known_items else _kind(paths, kind),
        sources=() if known_items else tuple(_source(path) for path in paths),
        images=None if images is None else images.absolute(),
        split=split,
        protocol=folds,
        index=index_folder(index).absolute(),
        encoder="" if encoder is None else _encoder(encoder),
        runs=tuple(_source(path) for path in runs),
        through=through,
        modes=_modes(modes),
        threads=threads,
        measures=names,
        k=k,
        repeats=repeats,
        seed=seed,
        by=_listed(by),
        requirements=tuple(requirements),
        cold=cold,
        memory=memory,
    )


def write_protocol(protocol: Protocol, path: Path) -> None:
    """Writes it; UsageError where it cannot be written."""
    write_whole(path, to_toml(protocol, path.absolute().parent).encode("utf-8"))


def kept_folder(option: Path | None) -> Path:
    """Where evaluations are kept."""
    return option.expanduser() if option is not None else user_data() / "evaluations"


def _listed(text: str) -> tuple[str, ...]:
    """Comma-separated, each once, in order."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _modes(text: str) -> tuple[str, ...]:
    from cmrcli.searching.plan import MODES

    modes = _listed(text)
    if text and not modes:
        raise UsageError("--modes is empty", "name some of " + ", ".join(MODES))
    for mode in modes:
        if mode not in MODES:
            raise UsageError(f"--modes {display_path(mode)} is unknown", "name some of " + ", ".join(MODES))
    return modes


def _kind(paths: Sequence[Path], kind: str) -> str:
    from cmrcli.evaluation.truths import kind_of

    return kind_of(paths, kind)


def _source(path: Path) -> Source:
    try:
        return source_of(path)
    except OSError as error:
        why, place = error.strerror or str(error), error.filename or path  # of a folder, what in it
        raise UsageError(f"cannot read {display_path(place)}: {why}", "check the path and its access rights") from None


def _encoder(named: str) -> str | Path:
    """A folder as an absolute path, a name as it is."""
    folder = Path(named).expanduser()
    return folder.absolute() if os.sep in named or folder.is_dir() else named

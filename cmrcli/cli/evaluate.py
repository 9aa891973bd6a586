"""`cmrcli eval`: what is found and what it costs, by ground truth of your own or by published protocols."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from cmrcli.cli.guard import choice, drop_output, guarded
from cmrcli.cli.options import DebugOption, EncoderOption, IndexOption, ThreadsOption

FORMATS = ("table", "tsv", "json", "jsonl", "markdown")
Paths = Optional[list[Path]]  # noqa: UP045  (Typer reads annotations at run time)
Texts = Optional[list[str]]  # noqa: UP045
File = Optional[Path]  # noqa: UP045


def epilog() -> str:
    """The definition of every measure, for --help."""
    import textwrap

    from cmrcli.evaluation.measures import CURVE, CURVE_DEFINITION, DEFINITIONS

    lines = ["\b", "Measures (means over the queries, with 95 % bootstrap intervals):"]
    for name, definition in (*DEFINITIONS.items(), (CURVE, CURVE_DEFINITION)):
        lines += textwrap.wrap(f"{name}: {definition}", 76, initial_indent="  ", subsequent_indent="      ")
    return "\n".join(lines)


@guarded
def evaluate(
    context: typer.Context,
    truth: Annotated[
        Paths,
        typer.Argument(
            metavar="TRUTH...",
            help="QUERIES.TSV QRELS; PAIRS.CSV; a Karpathy-split JSON; a folder of class folders; a zero-shot folder; "
            "or a PROTOCOL.TOML to repeat.",
        ),
    ] = None,
    known_items: Annotated[
        bool,
        typer.Option("--self", help="Needs no labels: known items of the index itself."),
    ] = False,
    kind: Annotated[
        str,
        typer.Option(
            "--as", metavar="KIND", help="trec, pairs, karpathy, classes, zeroshot.", show_default="told by the file"
        ),
    ] = "",
    images: Annotated[File, typer.Option("--images", metavar="DIR", help="Pictures of a Karpathy-split JSON.")] = None,
    split: Annotated[str, typer.Option("--split", help="Its split.", show_default="test")] = "",
    folds: Annotated[
        str,
        typer.Option("--folds", help="Its gallery: whole, or 1k-5fold.", show_default="auto"),
    ] = "",
    run: Annotated[
        Paths,
        typer.Option("--run", metavar="FILE", help="Judge another system's TREC run. Repeatable."),
    ] = None,
    through: Annotated[
        str,
        typer.Option("--through", help="Who is asked where the truth brings its pictures: auto, index, encoder."),
    ] = "auto",
    modes: Annotated[
        str,
        typer.Option(
            "--modes",
            help="Of exact, codes, hamming, graph, vectors, words, auto.",
            show_default="exact,codes,words,auto",
        ),
    ] = "",
    measures: Annotated[
        str,
        typer.Option(
            "--measures", help="Defined below; the first counts most.", show_default="those of the literature"
        ),
    ] = "",
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Results asked for a query.")] = 100,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=1000, help="Timed searches of each query.")] = 3,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of samples, bootstrap and tests.")] = 0,
    by: Annotated[
        str,
        typer.Option("--by", help="Breakdowns: kind, folder, language, length, class ...; none.", show_default="all"),
    ] = "",
    cold: Annotated[bool, typer.Option("--cold/--no-cold", help="Time fresh processes too.")] = True,
    memory: Annotated[bool, typer.Option("--memory/--no-memory", help="Measure memory too.")] = True,
    require: Annotated[
        Texts,
        typer.Option(
            "--require", metavar="EXPR", help='Exit 1 unless met: "success@10>=0.8", "codes:p95_ms<=50". Repeatable.'
        ),
    ] = None,
    recommend: Annotated[
        bool,
        typer.Option("--recommend", help="Name the cheapest mode that is good enough, and its command."),
    ] = False,
    cheapest: Annotated[
        str,
        typer.Option("--cheapest", help="By bytes, time or memory."),
    ] = "bytes",
    pareto: Annotated[
        str,
        typer.Option(
            "--pareto", metavar="COST", help="Accuracy against p95_ms, bytes_per_item, resident_mb ... as a table."
        ),
    ] = "",
    compare: Annotated[
        str,
        typer.Option(
            "--compare",
            metavar="OTHER",
            help="Hold against another index, encoder, run file, or kept evaluation (file or name).",
        ),
    ] = "",
    save: Annotated[
        bool,
        typer.Option("--save", help="Keep the evaluation; exit 1 if it fell beyond chance since the last one kept."),
    ] = False,
    name: Annotated[str, typer.Option("--name", help="Keep it under this name.")] = "",
    against: Annotated[
        str, typer.Option("--against", help="--save holds it against the last one kept, or the first: slow decline.")
    ] = "last",
    history: Annotated[bool, typer.Option("--history", help="List what was kept, and nothing else.")] = False,
    kept_in: Annotated[
        File,
        typer.Option(
            "--kept-in", metavar="DIR", help="Where evaluations are kept.", show_default="the user's data folder"
        ),
    ] = None,
    plot: Annotated[
        File,
        typer.Option("--plot", metavar="FILE", help="The Pareto plot as .svg or .png."),
    ] = None,
    sheet: Annotated[
        File,
        typer.Option("--sheet", metavar="FILE", help="Queries to look at, with pictures, as one .html."),
    ] = None,
    write_run: Annotated[File, typer.Option("--write-run", metavar="FILE", help="The rankings as TREC runs.")] = None,
    write_truth: Annotated[
        File,
        typer.Option("--write-truth", metavar="DIR", help="The ground truth as queries.tsv and qrels.txt."),
    ] = None,
    write_protocol: Annotated[
        File,
        typer.Option("--write-protocol", metavar="FILE", help="A protocol.toml that repeats this."),
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            "--format", help="table, tsv, json, jsonl, markdown.", show_default="table on a terminal, else tsv"
        ),
    ] = "",
    per_query: Annotated[bool, typer.Option("--per-query", help="json: with every query's values.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing unless a requirement fails or something fell.")
    ] = False,
    index: IndexOption = None,
    encoder: EncoderOption = None,
    threads: ThreadsOption = 0,
    debug: DebugOption = False,
) -> None:
    """Measure what is found and what it costs, mode by mode: accuracy with 95 % intervals, time, bytes, memory.

    Exit code 1: a requirement is not met, or a kept evaluation fell.
    """
    chosen = format or ("table" if sys.stdout.isatty() else "tsv")
    choice(chosen, FORMATS, "--format")
    from cmrcli.cli import evaluation_output as output
    from cmrcli.cli import evaluation_request as requests

    if history:
        output.show_history(requests.kept_folder(kept_in), chosen)
        return
    paths = truth or []
    protocol = requests.repeated(paths, requests.given(context)) or requests.protocol_of(
        paths, known_items=known_items, kind=kind, images=images, split=split, folds=folds, runs=run or [],
        through=through, modes=modes, measures=measures, k=k, repeats=repeats, seed=seed, by=by, cold=cold,
        memory=memory, requirements=require or [], index=index, encoder=encoder, threads=threads,
    )  # fmt: skip
    from cmrcli.evaluation.conclusions import Wanted, conclude

    wanted = Wanted(
        recommend=recommend, cheapest=cheapest, pareto=pareto, compare=compare, save=save, name=name, against=against,
        kept_in=requests.kept_folder(kept_in), plot=plot, sheet=sheet, write_run=write_run, write_truth=write_truth,
    )  # fmt: skip
    wanted.check()
    if write_protocol is not None:
        requests.write_protocol(protocol, write_protocol)
    with output.progress(quiet) as told:
        said = conclude(protocol, wanted, told)
    try:
        if quiet and said.failed:
            output.say_failures(said)
        elif not quiet:
            output.show(said, chosen, per_query)
    except BrokenPipeError:  # `| head` ends quietly, but not about a file that is missing
        if said.unwritten is None:
            raise
        drop_output(sys.stdout)
    if said.unwritten is not None:
        raise said.unwritten
    if said.failed:
        raise typer.Exit(1)

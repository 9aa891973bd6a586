"""`cmrcli search`: one query, or a batch from stdin, to ranked results."""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from cmrcli.cli.guard import choice, guarded, say
from cmrcli.cli.options import DebugOption, EncoderOption, IndexOption, ThreadsOption, absolute, index_folder, moment_ns
from cmrcli.errors import CmrcliError, EmbeddingError, UsageError

if TYPE_CHECKING:
    from cmrcli.searching import Answer, Index, Query
    from cmrcli.store import Filter

FORMATS = ("table", "json", "jsonl", "tsv", "paths")


@guarded
def search(
    words: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="QUERY", help="What to find, in words; - reads one query a line from stdin."),
    ] = None,
    like: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--like", metavar="FILE", help="Find what looks like this file; a page as file.pdf#3. Repeatable."
        ),
    ] = None,
    without: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--not", metavar="TEXT", help="What it should not be. Repeatable."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Results wanted.")] = 10,
    kind: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--kind", help="Only these: drawing, photo, page, text. Repeatable."),
    ] = None,
    under: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--under", metavar="PATH", help="Only files below this folder. Repeatable."),
    ] = None,
    ext: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--ext", help="Only files with this extension. Repeatable."),
    ] = None,
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="Modified since: 2026-01-31, or 7d.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Modified before: 2026-01-31, or 7d.")] = "",
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            help="auto: words and vectors, the cheapest way. Only that: vectors, exact, codes, hamming (codes alone), "
            "graph, words.",
        ),
    ] = "auto",
    min_score: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--min-score", help="Drop results with a lower score."),
    ] = None,
    min_confidence: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--min-confidence", min=0, max=1, help="Drop results that are less likely right, 0 to 1."),
    ] = None,
    fusion: Annotated[
        str, typer.Option("--fusion", help="Of words and vectors: calibrated, or rrf (reciprocal ranks).")
    ] = "calibrated",
    no_hubness: Annotated[
        bool, typer.Option("--no-hubness", help="Do not correct for items that match everything.")
    ] = False,
    fragments: Annotated[
        str,
        typer.Option(
            "--fragments",
            help="on: look for each phrase (with --like: each part of the example) in a part of its own. "
            "auto: where the words name several things. off.",
        ),
    ] = "auto",
    format: Annotated[
        str,
        typer.Option("--format", help="table, json, jsonl, tsv, paths.", show_default="table on a terminal, else tsv"),
    ] = "",
    null: Annotated[bool, typer.Option("-0", "--null", help="Paths ended by NUL bytes, for xargs -0.")] = False,
    save_crops: Annotated[
        str, typer.Option("--save-crops", metavar="DIR", help="Also write what matched as pictures into a new folder.")
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Say on stderr what was done and how long it took.")
    ] = False,
    index: IndexOption = None,
    encoder: EncoderOption = None,
    threads: ThreadsOption = 0,
    debug: DebugOption = False,
) -> None:
    """Find drawings, pages and photos by words, by example, or both.

    Exit code 0: found; 1: nothing found (a batch: by no query).
    """
    from cmrcli.searching import Query, open_index, parse_example
    from cmrcli.searching.index import FUSIONS
    from cmrcli.searching.parts import FRAGMENTS
    from cmrcli.searching.plan import MODES

    chosen = "paths" if null and not format else format or ("table" if sys.stdout.isatty() else "tsv")
    choice(chosen, FORMATS, "--format")
    choice(mode, MODES, "--mode")
    choice(fusion, FUSIONS, "--fusion")
    choice(fragments, FRAGMENTS, "--fragments")
    if null and chosen != "paths":
        raise UsageError("-0 goes with --format paths only", "leave one of the two out")
    texts = words or []
    negatives = tuple(without or ())
    if texts == ["-"]:
        if like:
            raise UsageError("a batch from stdin takes no --like", "write image:FILE as a line of the batch")
        from cmrcli.cli.batch import blocks

        gc.enable()
        queries = blocks(negatives)
    else:
        queries = iter([([Query(" ".join(texts), tuple(map(parse_example, like or ())), negatives)], 1)])
    writer = _writer(chosen, null, batch=texts == ["-"])
    crops = _crops(save_crops, batch=texts == ["-"]) if save_crops else None
    filter = _filter(kind or [], under or [], ext or [], since, until)
    ask = partial(
        _ask, k=k, mode=mode, filter=filter, min_score=min_score,
        min_confidence=min_confidence, fusion=fusion, hubness=not no_hubness, fragments=fragments,
    )  # fmt: skip
    started = time.perf_counter()
    found = asked = hidden = errors = doubted = 0
    expect_text = bool(texts) and mode != "words"
    with open_index(index_folder(index), encoder, threads, expect_text) as opened, crops or contextlib.nullcontext():
        for block, coming in queries:
            opened.expect(coming)
            for query, answer in zip(block, ask(opened, block), strict=True):
                asked += 1
                if isinstance(answer, CmrcliError):
                    if texts != ["-"]:
                        raise answer
                    errors += 1
                    writer.error(asked, answer)
                    continue
                found += bool(answer.results)
                hidden += answer.hidden
                doubted += answer.doubted
                assert not isinstance(query, CmrcliError)
                writer.answer(query.shown, answer.results)
                if crops is not None:
                    crops.save(answer.results)
                if explain:
                    _explain(query, answer)
        generation = opened.reader.generation
    writer.end(
        {
            "queries": asked,
            "found": found,
            "errors": errors,
            "hidden": hidden,
            "generation": generation,
            "elapsed_ms": round((time.perf_counter() - started) * 1000, 1),
        }
    )
    if hidden:
        say(f"{hidden} more not shown: their files cannot be read now (not mounted, moved, or not yours to read)")
    if errors:
        raise typer.Exit(3)
    if not found:
        if sys.stderr.isatty():
            nearest = "; no text has this part number, --min-confidence 0 shows what is nearest" if doubted else ""
            say(f"nothing found{nearest}")
        raise typer.Exit(1)


def _ask(opened: Index, block: list[Query | UsageError], **wanted: Any) -> list[Answer | UsageError | EmbeddingError]:
    """The answer to each query of the block, or why there is none."""
    if len(block) == 1 and not isinstance(block[0], UsageError):
        try:
            return [opened.answer(block[0], **wanted)]
        except (UsageError, EmbeddingError) as error:
            return [error]
    sound = [query for query in block if not isinstance(query, UsageError)]
    answers = iter(opened.answer_many(sound, **wanted) if sound else ())
    return [query if isinstance(query, UsageError) else next(answers) for query in block]


def _filter(kinds: list[str], under: list[str], extensions: list[str], since: str, until: str) -> Filter | None:
    if not (kinds or under or extensions or since or until):
        return None
    from cmrcli.corpus.items import KINDS
    from cmrcli.store import Filter

    for kind in kinds:
        choice(kind, KINDS, "--kind")
    return Filter(
        kinds=frozenset(kinds),
        under=tuple(absolute(path) for path in under),
        extensions=frozenset(extension.lower().lstrip(".") for extension in extensions),
        since_ns=moment_ns(since, "--since") if since else None,
        until_ns=moment_ns(until, "--until") if until else None,
    )


def _writer(format: str, null: bool, batch: bool) -> ResultWriter:
    if format == "table":
        from cmrcli.cli.table import TableWriter

        return TableWriter(batch)
    from cmrcli.cli import lines

    if format == "paths":
        return lines.PathsWriter(b"\0" if null else b"\n")
    if format == "json":
        return lines.JsonWriter()
    return lines.JsonLinesWriter() if format == "jsonl" else lines.TsvWriter()


def _crops(folder: str, batch: bool) -> Crops:
    from cmrcli.cli.crops import Crops

    return Crops(folder, batch)


def _explain(query: Query, answer: Answer) -> None:
    from cmrcli.searching.results import printable

    plan = answer.explanation.plan
    if plan is not None:
        say(f"plan for {query.shown!r}: {plan.reason}")
        if plan.estimates_us:
            ways = sorted(plan.estimates_us.items(), key=lambda way: way[1])
            known = "measured" if answer.explanation.costs_measured else "default costs"
            say(f"  estimated ({known}): " + ", ".join(f"{way} {us / 1000:.2f} ms" for way, us in ways))
    for typed, names in answer.explanation.others:
        say(f"  {printable(typed)}: also {', '.join(names)}")
    for name, milliseconds, count in answer.explanation.stages:
        say(f"  {name:<10} {milliseconds:8.2f} ms  {count}")


if TYPE_CHECKING:
    from cmrcli.cli.crops import Crops
    from cmrcli.cli.lines import ResultWriter

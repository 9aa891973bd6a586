"""A sheet to look at: queries with what was found, pictures included, as one HTML file that opens offline.

The file holds no script and asks for nothing: styles are inline, pictures are JPEG thumbnails in base64. All words in
it come from outside and are escaped, control and direction characters included. It is bounded: MAX_QUERIES queries with
MAX_RESULTS results each, and MAX_BYTES; where the pictures would exceed that, the later ones are left out, and it says
so.
"""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cmrcli.errors import display_path
from cmrcli.evaluation.answers import Answers
from cmrcli.evaluation.report import Row
from cmrcli.evaluation.shown.files import write_whole
from cmrcli.evaluation.truth import Part
from cmrcli.evaluation.verdicts.compare import ByRow, Compared, Comparison
from cmrcli.evaluation.verdicts.values import higher_is_better
from cmrcli.searching.query import IMAGE_PREFIX

MAX_QUERIES = 40
MAX_RESULTS = 10
SIDE_BY_SIDE = 5  # results of each side of a comparison
MAX_BYTES = 10_000_000
MAX_TEXT = 300  # characters of a query or name
MAX_THUMBNAIL_BYTES = 64_000
WORDS_BYTES = 2_500_000  # set aside: 40 queries with 25 names of 300 characters, &quot; each, take 1.8 MB
_MISSING = 5  # relevant documents shown that were not found

Thumbnail = Callable[[str], bytes | None]
"""A document (or the path of a query's picture) to JPEG bytes; None where it has none. thumbnails.Thumbnails is one."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One system's answer to one query."""

    title: str
    answers: Answers
    value: float


@dataclass(frozen=True, slots=True)
class Block:
    """One query of a sheet: `note` says why it is shown."""

    query: str
    text: str
    note: str
    judged: Mapping[str, int]
    panels: tuple[Panel, ...]


def comparison_blocks(
    comparison: Comparison, parts: Sequence[Part], answers_before: ByRow, answers_after: ByRow
) -> list[Block]:
    """The largest losses and gains of all rows whose answers are there, each row with as many."""
    by_name = {part.name: part for part in parts}
    of_rows = []
    for compared in comparison.rows:
        before, after = answers_before.get(compared.rows[0]), answers_after.get(compared.rows[1])
        if before is not None and after is not None and compared.part in by_name:
            of_rows.append(compared_blocks(compared, by_name[compared.part], before, after))
    share = max(1, MAX_QUERIES // max(1, len(of_rows)))
    return [block for blocks in of_rows for block in blocks[:share]]


def compared_blocks(compared: Compared, part: Part, before: Answers, after: Answers) -> list[Block]:
    """The largest losses and gains of two rows, in turn, losses first."""
    turns: list[tuple[str, str, str, float, float]] = []
    for number in range(max(len(compared.losses_shown), len(compared.gains))):
        for kind, examples in (("worse", compared.losses_shown), ("better", compared.gains)):
            if number < len(examples):
                one = examples[number]
                turns.append((one.query, one.text, kind, one.before, one.after))
    texts = {topic.id: topic.text for topic in part.topics}
    return [
        Block(
            query,
            text or texts.get(query, ""),
            kind,
            part.qrels[query],
            (Panel(compared.before, before, old), Panel(compared.after, after, new)),
        )
        for query, text, kind, old, new in turns
    ]


def worst_blocks(row: Row, part: Part, answers: Answers, count: int = MAX_QUERIES) -> list[Block]:
    """The queries of a row that its first measure likes least; of equal ones, those that the others do."""

    def goodness(query: str) -> tuple[float, float]:
        values = [value if higher_is_better(name) else -value for name, value in row.per_query[query].items()]
        return values[0], sum(values)

    texts = {topic.id: topic.text for topic in part.topics}
    worst = sorted(row.per_query, key=goodness)[:count]
    return [
        Block(
            query,
            texts.get(query, ""),
            "",
            part.qrels[query],
            (Panel(row.name, answers, next(iter(row.per_query[query].values()))),),
        )
        for query in worst
    ]


def blocks_of(rows: Iterable[Row], parts: Sequence[Part], answers: ByRow) -> list[Block]:
    """The worst queries of each part, in the mode that did best on it."""
    by_part: dict[str, list[Row]] = {}
    for row in rows:
        if row.per_query and (row.part, row.system, row.mode) in answers:
            by_part.setdefault(row.part, []).append(row)
    chosen: list[Block] = []
    for part in parts:
        if of_part := by_part.get(part.name):
            best = max(of_part, key=_accuracy)
            share = max(1, MAX_QUERIES // len(by_part))
            chosen += worst_blocks(best, part, answers[best.part, best.system, best.mode], share)
    return chosen


def save_sheet(
    path: str | os.PathLike[str], title: str, measure: str, blocks: Sequence[Block], thumbnail: Thumbnail
) -> None:
    """Writes a sheet. UsageError when it cannot be written."""
    write_whole(path, to_html(title, measure, blocks, thumbnail).encode("utf-8"))


def to_html(title: str, measure: str, blocks: Sequence[Block], thumbnail: Thumbnail) -> str:
    """The document.

    Args:
        measure: name of what `Panel.value` is.
        blocks: the first MAX_QUERIES are shown.
    """
    pictures = _Pictures(thumbnail)
    body = [_block(block, measure, pictures) for block in blocks[:MAX_QUERIES]]
    notes = []
    if len(blocks) > MAX_QUERIES:
        notes.append(f"The first {MAX_QUERIES} of {len(blocks)} queries are shown.")
    if pictures.left_out:
        notes.append(f"{pictures.left_out} pictures are left out, to keep this file below {MAX_BYTES // 1_000_000} MB.")
    if not blocks:
        notes.append("There is no query to show.")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{_text(title)}</title>",
            f"<style>{_STYLE}</style>",
            f"<h1>{_text(title)}</h1>",
            *(f"<p>{note}</p>" for note in notes),
            *body,
            "</html>\n",
        ]
    )


class _Pictures:
    """Thumbnails as <img>, until the file would become too large."""

    def __init__(self, thumbnail: Thumbnail) -> None:
        self._thumbnail = thumbnail
        self._left = MAX_BYTES - WORDS_BYTES
        self.left_out = 0

    def img(self, document: str) -> str:
        data = self._thumbnail(document)
        if data is None or not data.startswith(b"\xff\xd8") or len(data) > MAX_THUMBNAIL_BYTES:
            return '<span class="none">no picture</span>'
        if len(data) * 4 // 3 + 64 > self._left:
            self.left_out += 1
            return '<span class="none">left out</span>'
        self._left -= len(data) * 4 // 3 + 64
        return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data).decode("ascii")}">'


def _block(block: Block, measure: str, pictures: _Pictures) -> str:
    results = MAX_RESULTS if len(block.panels) == 1 else SIDE_BY_SIDE
    text = block.text
    picture = pictures.img(text[len(IMAGE_PREFIX) :]) if text.startswith(IMAGE_PREFIX) else ""
    note = f' <span class="{_text(block.note)}">{_text(block.note)}</span>' if block.note else ""
    lines = [
        "<section>",
        f"<h2>{picture}<span><bdi>{_text(text)}</bdi> <small>{_text(block.query)}</small>{note}</span></h2>",
        '<div class="panels">',
    ]
    found: set[str] = set()
    for panel in block.panels:
        ranking = panel.answers.run.get(block.query)
        documents = ranking.documents[:results] if ranking is not None else ()
        found.update(documents)
        lines.append(f"<div><h3>{_text(panel.title)} <small>{_text(measure)} {panel.value:.3g}</small></h3>")
        lines.append(_documents(documents, block.judged, pictures) if documents else "<p>Nothing was found.</p>")
        lines.append("</div>")
    lines.append("</div>")
    relevant = sorted(document for document, grade in block.judged.items() if grade > 0)
    missing = [document for document in relevant if document not in found]
    if missing:
        more = f" ({_MISSING} of {len(missing)})" if len(missing) > _MISSING else ""
        lines.append(f"<h3>Relevant, and not shown above{more}</h3>")
        lines.append(_documents(missing[:_MISSING], block.judged, pictures, ranked=False))
    lines.append("</section>")
    return "\n".join(lines)


def _documents(documents: Sequence[str], judged: Mapping[str, int], pictures: _Pictures, ranked: bool = True) -> str:
    cells = []
    for rank, document in enumerate(documents, 1):
        grade = judged.get(document, 0)
        mark = "<b>relevant</b> " if grade > 0 and ranked else ""
        place = f"{rank}. " if ranked else ""
        style = ' class="relevant"' if grade > 0 else ""
        name = _text(document, end=True)
        cells.append(f"<li{style}>{pictures.img(document)}<p>{place}{mark}<bdi>{name}</bdi></p></li>")
    return "<ol>" + "\n".join(cells) + "</ol>"


def _text(text: str, end: bool = False) -> str:
    """Escaped for HTML, in one line, not too long: of names the end says most."""
    text = display_path(text)
    if len(text) > MAX_TEXT:
        text = "…" + text[-MAX_TEXT:] if end else text[:MAX_TEXT] + "…"
    return html.escape(text, quote=True)


def _accuracy(row: Row) -> float:
    name, value = next(iter(row.measures.items()))
    return value.value if higher_is_better(name) else -value.value


_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --good: #0a7d4f; --bad: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --good: #4ade9f; --bad: #fb9a6a; } }
body { font: 15px/1.4 system-ui, sans-serif; margin: 1rem auto; max-width: 1200px; padding: 0 1rem; }
section { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
h1 { font-size: 1.4rem; } h3 { font-size: .95rem; margin: .6rem 0 .3rem; }
h2 { font-size: 1.1rem; display: flex; gap: .8rem; align-items: center; overflow-wrap: anywhere; }
small { font-weight: normal; opacity: .75; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1rem; }
ol { list-style: none; display: flex; flex-wrap: wrap; gap: .6rem; margin: 0; padding: 0; }
li { width: 168px; border: 2px solid transparent; border-radius: 6px; padding: 2px; }
li.relevant { border-color: var(--good); } li b, .better { color: var(--good); } .worse { color: var(--bad); }
li p { font-size: .8rem; margin: .2rem 0 0; overflow-wrap: anywhere; }
img { max-width: 160px; max-height: 160px; background: #fff; display: block; }
.none { display: grid; place-items: center; width: 120px; height: 80px; border: 1px dashed var(--line); opacity: .7; }
"""

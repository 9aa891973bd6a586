"""Running text as pages: headings, paragraphs and tables flow onto A4 sheets of a display list."""

from dataclasses import dataclass

from cmrcli.samples.displaylist import Line, Primitive, Text
from cmrcli.samples.pdf import line_width
from cmrcli.samples.sheet import Sheet

WIDTH, HEIGHT = 210.0, 297.0
LEFT, RIGHT, TOP, BOTTOM = 25.0, 185.0, 270.0, 25.0
BODY = 2.6  # height of capitals in mm, about 10 points
LEADING = 5.4
_NO_LINE_START = "、。,.)」』ー・%"


@dataclass(frozen=True)
class Table:
    """A ruled table; the first row is its head."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs and tables; `new_page` starts it on a fresh page."""

    heading: str
    content: tuple[str | Table, ...]
    new_page: bool = False


@dataclass(frozen=True)
class Document:
    """A document: title, number, sections; the number stands in every page's foot."""

    title: str
    number: str
    date: str
    sections: tuple[Section, ...]


def typeset(document: Document) -> tuple[list[Sheet], list[tuple[str, int]]]:
    """The pages, and bookmarks (heading, page from 0)."""
    setter = _Setter(document)
    for line in wrapped(document.title, RIGHT - LEFT, 4.6):
        setter.put(line, 4.6, 9.0)
    setter.put(f"{document.number}    {document.date}", BODY, 8.0)
    for section in document.sections:
        if section.new_page or setter.y < BOTTOM + 30:
            setter.turn()
        setter.y -= 3.0
        setter.bookmarks.append((section.heading, len(setter.pages)))
        setter.put(section.heading, 3.4, 7.0)
        for item in section.content:
            if isinstance(item, Table):
                setter.table(item)
            else:
                setter.paragraph(item)
    setter.turn()
    total = len(setter.pages)
    sheets = []
    for i, page in enumerate(setter.pages):
        foot: list[Primitive] = [
            Line((LEFT, BOTTOM - 5), (RIGHT, BOTTOM - 5), "THIN"),
            Text((LEFT, BOTTOM - 10), document.number, 2.2),
            Text((RIGHT, BOTTOM - 10), f"{i + 1} / {total}", 2.2, anchor="right"),
        ]
        sheets.append(Sheet(WIDTH, HEIGHT, (*page, *foot), ""))
    return sheets, setter.bookmarks


class _Setter:
    """Fills pages from top to bottom."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.pages: list[list[Primitive]] = []
        self.page: list[Primitive] = []
        self.bookmarks: list[tuple[str, int]] = []
        self.y = TOP

    def turn(self) -> None:
        if self.page:
            self.pages.append(self.page)
        self.page, self.y = [], TOP

    def put(self, line: str, height: float, leading: float) -> None:
        if self.y < BOTTOM + leading:
            self.turn()
        self.y -= leading
        self.page.append(Text((LEFT, self.y), line, height))

    def paragraph(self, text: str) -> None:
        for line in wrapped(text, RIGHT - LEFT, BODY):
            self.put(line, BODY, LEADING)
        self.y -= 2.5

    def table(self, table: Table) -> None:
        columns = len(table.rows[0])
        widest = [max(line_width(r[k], BODY) for r in table.rows) + 4 for k in range(columns)]
        scale = (RIGHT - LEFT) / sum(widest)
        edges = [LEFT]
        for w in widest:
            edges.append(edges[-1] + w * scale)
        if self.y < BOTTOM + 7 * len(table.rows) + 4:
            self.turn()
        top = self.y - 1.5
        self.page.append(Line((LEFT, top), (RIGHT, top), "OUTLINE"))
        for i, row in enumerate(table.rows):
            low = top - 7.0 * (i + 1)
            for k, cell in enumerate(row):
                self.page.append(Text((edges[k] + 1.5, low + 2.2), cell, BODY))
            self.page.append(Line((LEFT, low), (RIGHT, low), "OUTLINE" if i in (0, len(table.rows) - 1) else "THIN"))
        bottom = top - 7.0 * len(table.rows)
        self.page += [Line((x, top), (x, bottom), "THIN") for x in edges]
        self.y = bottom - 4.0


def wrapped(text: str, width: float, height: float) -> list[str]:
    """Lines no wider than `width` mm; Latin text breaks at spaces, Japanese between any letters but before marks."""
    pieces: list[str] = []
    for word in text.split(" "):
        if any(ord(c) > 0x2E80 for c in word):
            pieces += _letters(word)
            pieces[-1] += " "
        else:
            pieces.append(word + " ")
    lines, line = [], ""
    for piece in pieces:
        if line and line_width((line + piece).rstrip(), height) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]


def _letters(word: str) -> list[str]:
    """A Japanese word as unbreakable pieces: single letters, Latin runs, marks glued to what they follow."""
    out: list[str] = []
    for c in word:
        if out and (c in _NO_LINE_START or (ord(c) < 0x2E80 and ord(out[-1][-1]) < 0x2E80)):
            out[-1] += c
        else:
            out.append(c)
    return out


def parsed(text: str) -> Document:
    """A document from a little Markdown: `# title`, `number | date`, `## headings`, paragraphs, `|` tables, `---`.

    `---` turns the page. The lines of a paragraph are joined, with a space unless they are Japanese.
    """
    first, second, *rest = text.split("\n")
    number, date = second.split(" | ")
    sections: list[Section] = []
    heading, content, fresh, turned = "", list[str | Table](), False, False
    for block in "\n".join(rest).split("\n\n"):
        block = block.strip()
        if block == "---":
            turned = True
        elif block.startswith("## "):
            if heading:
                sections.append(Section(heading, tuple(content), fresh))
            heading, content, fresh, turned = block[3:], [], turned, False
        elif block.startswith("|"):
            rows = (line.strip().strip("|").split("|") for line in block.split("\n"))
            content.append(Table(tuple(tuple(cell.strip() for cell in row) for row in rows)))
        elif block:
            content.append(("" if ord(block[0]) > 0x2E80 else " ").join(block.split("\n")))
    sections.append(Section(heading, tuple(content), fresh))
    return Document(first[2:], number, date, tuple(sections))

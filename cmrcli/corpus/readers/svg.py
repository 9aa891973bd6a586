"""SVG and SVGZ: one picture, drawn by resvg, and its text.

The document is parsed here first: references to anything but itself (files, the network) are removed, the nesting is
bounded, and its words are taken. resvg gets what remains.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import raster
from cmrcli.corpus.readers.result import ReadResult
from cmrcli.corpus.readers.source import Source
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from PIL.Image import Image

MOST_BYTES = 64 * 2**20  # of markup, unpacked
DEEPEST = 200  # nested elements; resvg's own recursion overflows its stack at some thousands
LONGEST_RATIO = 700  # beyond this resvg rounds the short edge to nothing
SMALLEST_EDGE_PX = 768  # icons are enlarged to this

_LENGTH = re.compile(r"\s*([\d.]+(?:[eE][+-]?\d+)?)\s*(px|pt|pc|mm|cm|in|q|)\s*$", re.IGNORECASE)
_PIXELS = {
    "": 1,
    "px": 1,
    "pt": 96 / 72,
    "pc": 16,
    "mm": 96 / 25.4,
    "cm": 96 / 2.54,
    "in": 96,
    "q": 96 / 101.6,
}
_DEFAULT_PX = 100.0  # of documents that state no size
_WORDS_IN = ("text", "title", "desc")


def read(source: Source, first: int, count: int | None, limits: Limits) -> ReadResult:
    if first > 1:
        return ReadResult("svg")
    root = _parse(_unpacked(source))
    has_text = any(_name(element) == "text" for element in root.iter())
    item = ReaderItem(None, vector=True)
    item.text = "\n".join(_words(root))
    if len(item.text) > limits.text_chars:
        item.text = item.text[: limits.text_chars]
        item.notes.append(f"text cut at {limits.text_chars} characters")
    item.title = next((" ".join("".join(e.itertext()).split()) for e in root if _name(e) == "title"), "")
    _detach(root)
    width, height = _size(root)
    raster_edge = min(limits.longest_edge_px, max(SMALLEST_EDGE_PX, round(max(width, height))))
    item.image = _render(root, width >= height, raster_edge, has_text, limits)
    item.width_px, item.height_px = item.image.size
    return ReadResult("svg", [item])


def _unpacked(source: Source) -> bytes:
    data = source.all_bytes(MOST_BYTES)
    if data[:2] != b"\x1f\x8b":
        return data
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise UnreadableFile("damaged", f"SVGZ: {error}") from None
    if unpacker.unconsumed_tail:
        raise UnreadableFile("too-large", f"more than {MOST_BYTES >> 20} MiB unpacked")
    if not unpacker.eof:
        raise UnreadableFile("damaged", "SVGZ: cut off")
    return plain


def _parse(data: bytes) -> Element:
    """The root element. expat itself refuses entities that blow up, and never opens anything outside."""
    parser: ElementTree.XMLPullParser[Element] = ElementTree.XMLPullParser(("start", "end"))
    depth = 0
    root: Element | None = None
    try:
        for start in range(0, len(data), 2**20):
            parser.feed(data[start : start + 2**20])
            for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                depth += 1 if event == "start" else -1
                root = element if root is None else root
                if depth > DEEPEST:
                    raise UnreadableFile("damaged", f"elements nested more than {DEEPEST} deep")
        parser.close()
    except ElementTree.ParseError as error:
        raise UnreadableFile("damaged", f"XML: {error}") from None
    if root is None or _name(root) != "svg":
        raise UnreadableFile("damaged", "no svg element")
    return root


def _name(element: Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""  # comments have a function for a tag


def _words(root: Element) -> list[str]:
    texts = (" ".join("".join(element.itertext()).split()) for element in root.iter() if _name(element) in _WORDS_IN)
    return list(dict.fromkeys(text for text in texts if text))


def _detach(root: Element) -> None:
    """Removes every reference that does not stay inside the document."""
    for element in root.iter():
        for key in [key for key in element.attrib if key.rpartition("}")[2] == "href"]:
            if not element.attrib[key].lstrip().startswith(("#", "data:")):
                del element.attrib[key]


def _size(root: Element) -> tuple[float, float]:
    """Width and height in pixels at 96 dpi, from the attributes or the view box; percentages mean the view box."""
    box = [
        float(number)
        for number in re.findall(r"-?[\d.]+(?:[eE][+-]?\d+)?", root.get("viewBox", ""))
        if _is_number(number)
    ]
    view = (box[2], box[3]) if len(box) == 4 else (_DEFAULT_PX, _DEFAULT_PX)
    sizes = []
    for key, other in zip(("width", "height"), view, strict=True):
        match = _LENGTH.match(root.get(key, ""))
        value = float(match[1]) * _PIXELS[match[2].lower()] if match and _is_number(match[1]) else other
        sizes.append(value)
    width, height = sizes
    if not (0 < width < 1e9 and 0 < height < 1e9):
        raise UnreadableFile("no-content", f"a picture of {width:g} x {height:g} pixels")
    if max(width, height) > LONGEST_RATIO * min(width, height):
        raise UnreadableFile("too-large", f"{width:g} x {height:g} pixels is no picture's shape")
    return width, height


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _render(root: Element, wide: bool, edge: int, has_text: bool, limits: Limits) -> Image:
    import PIL.Image
    import resvg_py

    markup = ElementTree.tostring(root, encoding="unicode")
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=markup,
            background="#ffffff",
            width=edge if wide else None,
            height=None if wide else edge,
            dpi=96.0,  # its default of 0 makes every size in millimetres nothing
            skip_system_fonts=not has_text,  # loading them takes longer than most drawings
        )
    except ValueError as error:
        raise UnreadableFile("damaged", str(error)) from None
    image = PIL.Image.open(io.BytesIO(png), formats=("PNG",))
    raster.refuse_bomb(raster.decoded_bytes(image.mode, *image.size), *image.size, limits)
    return raster.to_small(image, limits.longest_edge_px)

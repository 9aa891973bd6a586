"""Plain text and Markdown: one item of words, no picture.

The encoding, decided in this order: a byte order mark (UTF-8, UTF-16); UTF-8; UTF-16 without a mark when
every other byte of the sample is zero; then, of CP932 (Shift_JIS as Windows writes it) and EUC-JP, those that
decode without error, the one that gives the larger share of kana and common kanji; else Latin-1 as
Windows-1252. Bytes that no text holds mean a binary file with a text file's name.
"""

from __future__ import annotations

import re

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers.result import ReadResult
from cmrcli.corpus.readers.source import Source
from cmrcli.errors import UnreadableFile

_SAMPLE_BYTES = 64 * 1024
_BYTES_PER_CHAR = 4
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 27}) + b"\x7f"  # 27: ISO-2022-JP and terminal colours
_KANA_KANJI = re.compile("[\u3040-\u30ff\u3000-\u3002\uff10-\uff5a\u4e00-\u9fff]")
_RARE = re.compile(
    "[\uff61-\uff9f\ue000-\uf8ff\u0080-\u009f]"
)  # half-width kana and private use: signs of a wrong guess
_HEADING = re.compile(r"^(?:#\s+(?P<atx>.+?)\s*#*\s*$|(?P<setext>\S.*)\n=+\s*$)", re.MULTILINE)


def read(source: Source, first: int, count: int | None, limits: Limits) -> ReadResult:
    data = source.file.read(limits.text_chars * _BYTES_PER_CHAR + _SAMPLE_BYTES)
    text = decode(data)
    item = ReaderItem(None, text=text[: limits.text_chars])
    if len(text) > limits.text_chars or len(data) < source.size_bytes:
        item.notes.append(f"text cut at {limits.text_chars} characters")
    heading = _HEADING.search(text[:4096]) if source.extension in ("md", "markdown", "mdown", "mkd") else None
    if heading:
        item.title = (heading["atx"] or heading["setext"]).strip()
    if not text.strip():
        raise UnreadableFile("no-content", "white space only")
    return ReadResult("text", [item])


def decode(data: bytes) -> str:
    """The text, by the rule above. Raises UnreadableFile("damaged") for what is no text."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            return _clean(data[len(mark) :].decode(encoding, "replace"))
    sample = data[:_SAMPLE_BYTES]
    for encoding, zeros, others in (
        ("utf-16-le", sample[1::2], sample[::2]),
        ("utf-16-be", sample[::2], sample[1::2]),
    ):
        if zeros.count(0) > 0.4 * len(zeros) and others.count(0) == 0:
            return _clean(data.decode(encoding, "replace"))
    if len(sample.translate(None, _CONTROLS)) < len(sample):
        raise UnreadableFile("damaged", "a binary file, not text")
    if b"\x1b$" in sample or b"\x1b(J" in sample:
        text = _try(data, "iso2022_jp")
        if text is not None:
            return _clean(text)
    return _clean(_try(data, "utf-8") or _japanese(data) or data.decode("cp1252", "replace"))


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 4:  # cut in the middle of a character
            return data[: error.start].decode(encoding)
        return None


def _japanese(data: bytes) -> str | None:
    candidates = [text for encoding in ("cp932", "euc_jp") if (text := _try(data, encoding)) is not None]
    scored = [(len(_KANA_KANJI.findall(text)) - 2 * len(_RARE.findall(text)), text) for text in candidates]
    best, text = max(scored, key=lambda pair: pair[0], default=(0, ""))
    return text if best > 0 else None


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")

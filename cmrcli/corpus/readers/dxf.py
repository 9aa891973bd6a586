"""DXF through ezdxf: model space and every layout that holds something, as pictures and words.

Files that ezdxf refuses go through its recovery. Nothing outside the file is opened: images and external
references show as frames.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers.dxf_draw import draw
from cmrcli.corpus.readers.dxf_words import layout_words, shared_words
from cmrcli.corpus.readers.result import ReadResult
from cmrcli.corpus.readers.source import Source
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from ezdxf.document import Drawing
    from ezdxf.layouts.layout import Layout

MOST_BYTES = 256 * 2**20


def read(source: Source, first: int, count: int | None, limits: Limits) -> ReadResult:
    if source.size_bytes > MOST_BYTES:
        raise UnreadableFile("too-large", f"{source.size_bytes >> 20} MiB, at most {MOST_BYTES >> 20} MiB of DXF")
    result = ReadResult("dxf")
    document, recovered = _open(source)
    if recovered:
        result.notes.append(f"recovered: {recovered}")
    filled = [layout for layout in _layouts(document) if _holds_something(layout)]
    if not filled:
        raise UnreadableFile("damaged" if recovered else "no-content", recovered or "no entity in any layout")
    last = min(len(filled), limits.pages, len(filled) if count is None else first + count - 1)
    shared = shared_words(document) if first == 1 else []
    for number in range(first, last + 1):
        layout = filled[number - 1]
        item = ReaderItem(number, label=layout.name, vector=True)
        words = layout_words(layout) + (shared if number == 1 else [])
        item.text = "\n".join(dict.fromkeys(words))[: limits.text_chars]
        item.image = draw(document, layout, limits.longest_edge_px, item.notes)
        if item.image is not None:
            item.width_px, item.height_px = item.image.size
        if item.image is None and not item.text:
            result.notes.append(f"layout {number} has nothing to show")
            continue
        result.items.append(item)
    result.more_from = last + 1 if last < len(filled) else None
    return result


def _open(source: Source) -> tuple[Drawing, str]:
    """The drawing, and what was wrong with it when it had to be recovered, else ""."""
    _load_ezdxf()
    from ezdxf import filemanagement, recover

    path = os.fsdecode(source.path)
    try:
        return filemanagement.readfile(path), ""
    except MemoryError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
    try:
        return recover.readfile(path)[0], why
    except MemoryError:
        raise
    except Exception as error:
        raise UnreadableFile("damaged", f"{why}; recovery: {type(error).__name__}: {error}") from None


def _load_ezdxf() -> None:
    """Imports it quietly, with the list of the machine's fonts that it keeps on disk below our own cache folder."""
    if "ezdxf" in sys.modules:
        return
    from platformdirs import user_cache_dir

    logging.getLogger("ezdxf").setLevel(logging.CRITICAL + 1)
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = user_cache_dir("cmrcli")
    try:
        import ezdxf.fonts.fonts  # reads or writes the list  # noqa: F401
    finally:
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before


def _layouts(document: Drawing) -> list[Layout]:
    """Model space first, then the layouts in the order of their tabs."""
    names = [name for name in document.layout_names_in_taborder() if name.upper() != "MODEL"]
    return [document.modelspace(), *(document.layout(name) for name in names)]


def _holds_something(layout: Layout) -> bool:
    return any(entity.dxftype() != "VIEWPORT" or entity.dxf.get("id", 0) != 1 for entity in layout)

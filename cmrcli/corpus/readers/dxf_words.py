"""The words of a DXF: what its texts, dimensions and attributes say, then the names of its layers and blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ezdxf.document import Drawing
    from ezdxf.entities.dxfentity import DXFEntity
    from ezdxf.layouts.blocklayout import BlockLayout
    from ezdxf.layouts.layout import Layout

MOST_TEXTS = 20_000  # of one layout, blocks included
_DEEPEST = 8  # blocks within blocks


def layout_words(layout: Layout) -> list[str]:
    """The texts of a layout in the order of the file; those of a block once, however often it is inserted."""
    words: list[str] = []
    for text in _texts(layout, set(), 0):
        line = " ".join(text.split())
        if line:
            words.append(line)
        if len(words) >= MOST_TEXTS:
            break
    return words


def shared_words(document: Drawing) -> list[str]:
    """Names of layers, blocks and layouts, and the drawing's own properties."""
    names = [layer.dxf.name for layer in document.layers if layer.dxf.name not in ("0", "Defpoints")]
    names += [block.name for block in document.blocks if not block.name.startswith("*")]
    names += [str(value) for _, value in document.header.custom_vars.properties]
    return [name for name in names if name.strip()]


def _texts(entities: Iterable[DXFEntity], seen: set[str], depth: int) -> Iterator[str]:
    for entity in entities:
        try:
            yield from _of_entity(entity, seen, depth)
        except (AttributeError, KeyError, ValueError, TypeError, IndexError):
            continue  # a broken entity has nothing to say


def _of_entity(entity: DXFEntity, seen: set[str], depth: int) -> Iterator[str]:
    kind = entity.dxftype()
    if kind in ("TEXT", "MTEXT", "ATTRIB", "ATTDEF"):
        yield entity.plain_text()  # type: ignore[attr-defined]
    elif kind in ("DIMENSION", "ARC_DIMENSION", "LARGE_RADIAL_DIMENSION"):
        drawn = _block(entity, "geometry")  # what stands at the dimension line, as the CAD program wrote it
        texts = list(_texts(drawn, set(), _DEEPEST)) if drawn is not None else []
        yield from texts or [_dimension(entity)]
    elif kind in ("MULTILEADER", "MLEADER"):
        yield entity.get_mtext_content()  # type: ignore[attr-defined]
    elif kind == "TOLERANCE":
        yield entity.dxf.get("content", "")
    elif kind == "ACAD_TABLE":
        from ezdxf.entities.acad_table import read_acad_table_content

        for row in read_acad_table_content(entity):  # type: ignore[arg-type]
            yield " ".join(row)
    elif kind == "INSERT":
        for attribute in getattr(entity, "attribs", ()):
            yield attribute.plain_text()
        block = _block(entity)
        if block is not None and block.name not in seen and depth < _DEEPEST:
            seen.add(block.name)
            yield from _texts(block, seen, depth + 1)


def _dimension(entity: DXFEntity) -> str:
    """The text of a dimension that was saved without its drawing: the one given, with the measurement for its <>."""
    given = entity.dxf.get("text", "")
    measured = entity.dxf.get("actual_measurement", None)
    if measured is None:
        measured = entity.get_measurement()  # type: ignore[attr-defined]
    number = f"{measured:.4f}".rstrip("0").rstrip(".") if isinstance(measured, float) else ""
    return given.replace("<>", number) if given.strip() else number


def _block(entity: DXFEntity, attribute: str = "name") -> BlockLayout | None:
    name = entity.dxf.get(attribute, None)
    return entity.doc.blocks.get(name) if name and entity.doc is not None else None

"""What stands under each key of a `protocol.toml`: from TOML to the dataclass's value, and back."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmrcli.evaluation.sources import Source


def toml(value: Any, folder: str | os.PathLike[str]) -> str:
    """The value as TOML in one line; paths relative to the folder."""
    if isinstance(value, Path):
        return _relative(value, folder)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # A JSON string is a TOML one, but that TOML wants DEL escaped, and takes no half surrogates, escaped or not.
        text = value.encode("utf-8", "backslashreplace").decode("utf-8")
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    return "[" + ", ".join(toml(one, folder) for one in value) + "]"


def show(value: object) -> str:
    """A value in a message, not too long."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _relative(path: Path, folder: str | os.PathLike[str]) -> str:
    try:
        text = os.path.relpath(path, os.path.abspath(folder))
    except ValueError:  # another drive of Windows
        text = os.path.abspath(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return f'{{ b64 = "{base64.b64encode(os.fsencode(text)).decode("ascii")}" }}'
    return toml(text, folder)


# Readers: what TOML holds and the protocol's folder, to the value. They raise ValueError.


def _text(value: object, _: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{show(value)} is not a text")
    return value


def _texts(value: object, folder: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{show(value)} is not a list of texts")
    return tuple(_text(one, folder) for one in value)


def _switch(value: object, _: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{show(value)} is neither true nor false")
    return value


def _number(least: int) -> Callable[[object, str], int]:
    def read(value: object, _: str) -> int:
        if type(value) is not int or value < least:
            raise ValueError(f"{show(value)} is not a whole number from {least} on")
        return value

    return read


def _path(value: object, folder: str) -> Path:
    if isinstance(value, dict) and set(value) == {"b64"}:
        try:
            value = os.fsdecode(base64.b64decode(_text(value["b64"], folder), validate=True))
        except binascii.Error:
            raise ValueError("its b64 is not base64") from None
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{show(value)} is not a path")
    return Path(os.path.normpath(os.path.join(folder, value)))


def _encoder(value: object, folder: str) -> str | Path:
    if isinstance(value, dict) and set(value) == {"folder"}:
        return _path(value["folder"], folder)
    return _text(value, folder)


def _sources(value: object, folder: str) -> tuple[Source, ...]:
    found = []
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict) or set(one) != {"path", "sha256"}:
            raise ValueError("each is a path and its sha256")
        digest = _text(one["sha256"], folder)
        if not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            raise ValueError(f"{show(digest)} is not a SHA-256 in hex")
        found.append(Source(_path(one["path"], folder), digest))
    return tuple(found)


SOURCES = ("sources", "runs")
# Those come last in their tables: what follows a table of its own would belong to it.
TABLES: dict[str, dict[str, Callable[[object, str], Any]]] = {
    "truth": {
        "kind": _text,
        "images": _path,
        "split": _text,
        "protocol": _text,
        "sources": _sources,
    },
    "system": {
        "index": _path,
        "encoder": _encoder,
        "through": _text,
        "modes": _texts,
        "threads": _number(0),
        "runs": _sources,
    },
    "measure": {
        "k": _number(1),
        "measures": _texts,
        "repeats": _number(1),
        "seed": _number(0),
        "by": _texts,
        "requirements": _texts,
    },
    "cost": {"cold": _switch, "memory": _switch},
}

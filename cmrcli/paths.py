"""How paths and other names from outside are written: for people on one line, for scripts exactly."""

from __future__ import annotations

import os
import unicodedata


def display_path(path: str | bytes | os.PathLike[str]) -> str:
    """The path as one printable line: bytes that are not UTF-8 and control characters as escapes."""
    text = os.fsdecode(path)
    if text.isprintable():
        return text
    return "".join(c if is_shown(c) else c.encode("unicode_escape").decode("ascii") for c in readable(text))


def is_shown(character: str) -> bool:
    """Whether it may reach a terminal or a column of values as it is: printable, or a space of any width (U+3000)."""
    return character.isprintable() or unicodedata.category(character) == "Zs"


def readable(text: str) -> str:
    """Valid Unicode: undecodable bytes as \\x escapes. Control characters stay; JSON escapes them itself."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def path_fields(name: str, path: str | bytes) -> dict[str, str]:
    """The JSON fields of a path: `name`, and `name`_b64 with the exact bytes where they are not valid UTF-8.

    >>> path_fields("path", b"/caf\\xe9")
    {'path': '/caf\\\\xe9', 'path_b64': 'L2NhZuk='}
    """
    text = os.fsdecode(path)
    shown = readable(text)
    if shown == text:
        return {name: text}
    import base64

    return {name: shown, f"{name}_b64": base64.b64encode(os.fsencode(path)).decode("ascii")}

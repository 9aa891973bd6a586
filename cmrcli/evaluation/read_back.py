"""Dataclasses from JSON documents, checked field by field: what was kept may be damaged, or of another version.

Fields that are not known are left aside (newer versions add some); missing ones take their default where there is one.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T")


def read_back(wanted: type[T], document: object, where: str = "") -> T:
    """The dataclass that `dataclasses.asdict` and JSON made the document of.

    Args:
        where: path of the field within the whole document, for messages.

    Raises:
        ValueError: a field is missing or of another type; the message names it as `rows[2].cost.warm`.
    """
    if not isinstance(document, dict):
        raise ValueError(f"{where or 'the document'} is {_name(document)} instead of an object")
    values: dict[str, Any] = {}
    for name, (hint, required) in _fields(cast("Any", wanted)).items():
        place = f"{where}.{name}" if where else name
        if name in document:
            values[name] = _value(hint, document[name], place)
        elif required:
            raise ValueError(f"{place} is missing")
    return wanted(**values)


@functools.cache
def _fields(wanted: type[object]) -> dict[str, tuple[Any, bool]]:
    """Name -> type, and whether there is no default."""
    hints = typing.get_type_hints(wanted)
    missing = dataclasses.MISSING
    return {
        field.name: (hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(cast("Any", wanted))
    }


def _value(wanted: Any, value: object, where: str) -> object:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        (wanted,) = (argument for argument in arguments if argument is not type(None))
        return _value(wanted, value, where)
    if dataclasses.is_dataclass(wanted):
        return read_back(cast("type[object]", wanted), value, where)
    if origin is tuple and isinstance(value, list | tuple):  # all of ours are tuple[T, ...]
        return tuple(_value(arguments[0], one, f"{where}[{number}]") for number, one in enumerate(value))
    if origin in (dict, Mapping) and isinstance(value, dict):
        return {
            _key(arguments[0], key, where): _value(arguments[1], one, f"{where}.{key}") for key, one in value.items()
        }
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if wanted is str and isinstance(value, str):
        return _text(value, where)
    if wanted in (int, bool) and type(value) is wanted:
        return value
    raise ValueError(f"{where} is {_name(value)} instead of {_NAMES.get(origin or wanted, wanted)}")


def _key(wanted: type[int] | type[str], key: str, where: str) -> int | str:
    if wanted is str:
        return _text(key, where)
    try:
        return int(key)  # JSON has no other keys than strings
    except ValueError:
        raise ValueError(f"{where} has a key {key!r} that is not a whole number") from None


def _text(text: str, where: str) -> str:
    try:
        text.encode("utf-8", "surrogateescape")  # names of files have such surrogates; no others can be shown
    except UnicodeEncodeError:
        raise ValueError(f"{where} holds half a surrogate pair") from None
    return text


_NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    dict: "an object",
    Mapping: "an object",
}


def _name(value: object) -> str:
    if value is None:
        return "null"
    return "a list" if isinstance(value, list) else _NAMES.get(type(value), type(value).__name__)

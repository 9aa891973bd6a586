"""Typed reading of one table of `model.toml`: every value checked, every mistake named by its key."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from cmrcli.errors import EncoderError, display_path

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file and the SHA-256 that its content must have."""

    path: Path
    sha256: str


class Fields:
    """The keys of one table; `finish` refuses what nobody asked for: a typing error never passes silently."""

    def __init__(self, table: object, name: str, file: Path) -> None:
        self._name = name
        self._file = file
        self._asked: set[str] = set()
        if not isinstance(table, dict):
            raise self.error(f"the table [{name}] is missing")
        self._table: dict[str, object] = table

    def table(self, key: str) -> Fields:
        """The table of that name inside this one."""
        self._asked.add(key)
        return Fields(self._table.get(key), key, self._file)

    def string(self, key: str, default: str | None = None) -> str:
        """A printable line of text; required unless there is a default."""
        value = self._value(key, default)
        if not isinstance(value, str) or not value.isprintable() or (default is None and not value):
            raise self.error(f"{self._label(key)} must be a line of text, not {value!r}")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty when the key is absent."""
        value = self._value(key, ())
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise self.error(f"{self._label(key)} must be a list of texts, not {value!r}")
        return tuple(value)

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        """One of the options."""
        value = self._value(key, default)
        if not isinstance(value, str) or value not in options:
            raise self.error(f"{self._label(key)} must be one of {', '.join(options)}, not {value!r}")
        return value

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within low..high."""
        value = self._value(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.error(f"{self._label(key)} must be a whole number from {low} to {high}, not {value!r}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.error(f"{self._label(key)} must be true or false, not {value!r}")
        return value

    def number(self, key: str, default: float) -> float:
        """A finite number other than zero."""
        value = self._value(key, default)
        if not _is_number(value) or value == 0:
            raise self.error(f"{self._label(key)} must be a number other than zero, not {value!r}")
        return float(value)  # type: ignore[arg-type]

    def channels(self, key: str, default: float) -> tuple[float, float, float]:
        """Three finite numbers, one a colour channel: red, green, blue."""
        value = self._value(key, [default] * 3)
        if not isinstance(value, list) or len(value) != 3 or not all(_is_number(one) for one in value):
            raise self.error(f"{self._label(key)} must be three numbers (red, green, blue), not {value!r}")
        red, green, blue = (float(one) for one in value)
        return red, green, blue

    def sha256(self, key: str) -> str:
        """A SHA-256 as 64 lower-case hexadecimal digits."""
        value = self._value(key, None)
        if not isinstance(value, str) or not _SHA256.fullmatch(value.lower()):
            raise self.error(f"{self._label(key)} must be a SHA-256 of 64 hexadecimal digits, not {value!r}")
        return value.lower()

    def files(self, key: str) -> tuple[PinnedFile, ...]:
        """The files listed under `key` with the hashes under `key`_sha256; none when the key is absent."""
        names, hashes = self.strings(key), self.strings(f"{key}_sha256")
        if len(names) != len(hashes) or not all(_SHA256.fullmatch(one.lower()) for one in hashes):
            raise self.error(f"{self._label(key)}_sha256 must hold a SHA-256 for each file of {self._label(key)}")
        paths = [self._existing(key, name) for name in names]
        return tuple(PinnedFile(path, one.lower()) for path, one in zip(paths, hashes, strict=True))

    def pinned(self, key: str, hash_key: str) -> PinnedFile:
        """The file under one key, to be checked against the SHA-256 under another."""
        return PinnedFile(self._existing(key, self.string(key)), self.sha256(hash_key))

    def has(self, key: str) -> bool:
        """Whether the key is present."""
        return key in self._table

    def finish(self) -> None:
        """Refuses keys that the format does not know.

        Raises:
            EncoderError: naming them and the keys that exist.
        """
        unknown = sorted(set(self._table) - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked))
            raise self.error(f"{', '.join(map(self._label, unknown))} is not known; known here: {known}")

    def error(self, problem: str) -> EncoderError:
        """The problem with the file's name and the way to the description of the format."""
        return EncoderError(
            f"{display_path(self._file)}: {display_path(problem)}",
            "correct model.toml; every key is described in cmrcli/encoders/MODEL_TOML.md",
        )

    def _existing(self, key: str, name: str) -> Path:
        """An existing, non-empty regular file; `name` is relative to the folder of model.toml."""
        if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive:
            raise self.error(f"{self._label(key)} must be relative to the folder, not {display_path(name)}")
        path = self._file.parent / name
        try:
            if not path.is_file():
                raise EncoderError(
                    f"{display_path(path)} is missing ({self._label(key)} of {display_path(self._file)})",
                    "put the file there or correct the name in model.toml",
                )
            size_bytes = path.stat().st_size
        except OSError as error:
            raise unreadable(path, error) from None
        if size_bytes == 0:
            raise EncoderError(f"{display_path(path)} is empty", "fetch or copy the file again")
        return path

    def _value(self, key: str, default: object) -> object:
        self._asked.add(key)
        value = self._table.get(key, default)
        if value is None:
            raise self.error(f"{self._label(key)} is missing")
        return value

    def _label(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key


def unreadable(path: Path, error: OSError) -> EncoderError:
    """What the file system said about a file of an encoder."""
    return EncoderError(f"{display_path(path)}: {error.strerror or error}", "check its permissions")


def _is_number(value: object) -> bool:
    if isinstance(value, int):  # TOML's integers have no limit here; float() has
        return not isinstance(value, bool) and abs(value) < 2**53
    return isinstance(value, float) and math.isfinite(value)

"""The files that an evaluation is read from, pinned by their digests."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cmrcli.errors import UsageError, display_path

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A file or folder, and the digest it had (`digest_of`)."""

    path: Path
    sha256: str


def digest_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 in hex: of a file's bytes; of a folder, the names and sizes of all files below it.

    Raises:
        OSError: it cannot be read. UsageError: it is a pipe or a device, whose content cannot be read again.
    """
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise UsageError(f"{display_path(path)} is no file and no folder", "write its content to a file, and name that")
    digest = hashlib.sha256()
    if os.path.isdir(path):
        for name, size in sorted(_files_below(os.fsencode(path))):
            digest.update(name + b"\0" + str(size).encode("ascii") + b"\n")
        return digest.hexdigest()
    with open(path, "rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def source_of(path: str | os.PathLike[str]) -> Source:
    """The path, made absolute, with its digest now. OSError when it cannot be read."""
    return Source(Path(os.path.abspath(path)), digest_of(path))


def require_unchanged(place: str, source: Source) -> None:
    """Raise a UsageError that begins with the place unless the source is as it was."""
    name = display_path(source.path)
    try:
        digest = digest_of(source.path)
    except OSError as error:
        what = f"{place}: cannot read {name}: {error.strerror or error}"
        raise UsageError(what, "bring it back, or correct the path") from None
    if digest != source.sha256.lower():
        remedy = f"bring the old file back; or evaluate anew and write a new protocol (its SHA-256 now: {digest})"
        raise UsageError(f"{place}: {name} has changed since the protocol was written", remedy)


def _files_below(folder: bytes) -> list[tuple[bytes, int]]:
    found = []

    def fail(error: OSError) -> None:
        raise error

    for where, _, names in os.walk(folder, onerror=fail):
        for name in names:
            path = os.path.join(where, name)
            size = os.lstat(path).st_size
            found.append((os.path.relpath(path, folder).replace(os.fsencode(os.sep), b"/"), size))
    return found

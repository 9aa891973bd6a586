"""An opened file of the corpus: opened once, and never anything but a regular file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from cmrcli.errors import UnreadableFile

HEAD_BYTES = 4096  # what sniffing looks at

_CAUSES = {
    errno.ENOENT: "vanished",
    errno.ENOTDIR: "vanished",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Path as found, open file, size when opened, first HEAD_BYTES, extension (lower case, no dot)."""

    path: bytes
    file: BinaryIO
    size_bytes: int
    head: bytes
    extension: str

    def all_bytes(self, most: int) -> bytes:
        """The whole content. Raises UnreadableFile("too-large") beyond `most` bytes."""
        if self.size_bytes > most:
            raise UnreadableFile("too-large", f"{self.size_bytes >> 20} MiB, at most {most >> 20} MiB of this format")
        self.file.seek(0)
        return self.file.read(most + 1)[:most]


@contextmanager
def open_source(path: bytes) -> Iterator[Source]:
    """The file at `path`, for reading; never blocks on a pipe or a device.

    Raises UnreadableFile: "vanished", "permission", "empty", "io" (also for anything that is no regular file).
    """
    try:
        with _open(path) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(HEAD_BYTES)
            file.seek(0)
            if not head:
                raise UnreadableFile("empty")
            extension = os.fsdecode(os.path.splitext(os.path.basename(path))[1])[1:].lower()
            yield Source(path, file, size, head, extension)
    except OSError as error:
        # Decoders raise OSErrors of their own, without a number; those are the file's fault and pass on.
        if error.errno is None:
            raise
        raise UnreadableFile(_CAUSES.get(error.errno, "io"), error.strerror or repr(error)) from error


def _open(path: bytes) -> BinaryIO:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a device may already do something
        raise UnreadableFile("io", "not a regular file")
    descriptor = os.open(path, flags | getattr(os, "O_NOCTTY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableFile("io", "not a regular file")
    return os.fdopen(descriptor, "rb")

"""Files that are whole or not there: write beside, fsync, read back, rename, fsync the folder.

Every call that changes the disk outside SQLite goes through here, so that tests can make each of them fail.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from cmrcli.store.layout import FILE_MODE, FOLDER_MODE

READ_BYTES = 1 << 20
NO_LINKS = (errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOTSUP, errno.EACCES, errno.ENOSYS)


def make_folder(path: Path) -> None:
    """The folder, private to its owner; its parents too where they are missing."""
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkdir(path, FOLDER_MODE)


def write_file(path: Path, blocks: Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Size in bytes and hex SHA-256 of a new file, which is on the disk (fsync) when this returns.

    Raises:
        OSError: the disk is full and the like; what was written stays for the caller to remove.
    """
    import hashlib

    digest = hashlib.sha256()
    size = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), FILE_MODE)
    try:
        for block in blocks:
            view = memoryview(block).cast("B")
            digest.update(view)
            size += len(view)
            while view:
                view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return size, digest.hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for an immutable file; a copy where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        with open(source, "rb") as file:
            write_file(target, iter(lambda: file.read(READ_BYTES), b""))


def checksum(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def rename(source: Path, target: Path) -> None:
    """Give a finished file or folder its real name, for good (the parent folder is fsynced)."""
    os.rename(source, target)
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    """Make names inside the folder survive a power cut; Windows does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_folder(path: Path) -> bool:
    """Whether the folder is gone now; False where another process keeps it open (Windows)."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()

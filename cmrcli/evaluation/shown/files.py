"""Files that eval writes for people: whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os

from cmrcli.errors import OutputLost, UsageError, display_path

_DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Puts the data at the path, in place of a file that is there; written beside and renamed.

    Raises:
        UsageError: it cannot be written there. OutputLost: the disk is full or broken.
    """
    path = os.fspath(path)
    beside = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.part"
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # /dev/stdout, a pipe; a folder fails here
            with open(path, "wb") as file:
                file.write(data)
            return
        try:
            with open(beside, "xb") as file:
                file.write(data)
            os.replace(beside, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(beside)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = (error.strerror if isinstance(error, OSError) else "") or str(error)
        what = f"cannot write {display_path(path)}: {why}"
        if isinstance(error, OSError) and error.errno in _DISK_TROUBLE:
            raise OutputLost(what, "make room there, or name a file elsewhere") from None
        raise UsageError(what, "name a file in a folder that you may write to") from None

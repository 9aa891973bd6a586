"""Webdataset shards of labelled pictures: tar files with KEY.jpg beside KEY.cls.

Only plain files are taken from an archive, one by one, under names made here: what an archive calls them, links and
devices never reach the file system. Sizes are bounded.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Sequence

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.truths.folders import is_picture
from cmrcli.evaluation.truths.lines import PathLike, unreadable

MAX_PICTURE_BYTES = 64 << 20
MAX_BYTES = 16 << 30  # of all pictures together
_LABEL_BYTES = 32
_LABEL = re.compile(rb"[0-9]{1,9}")


def shards_in(folder: str) -> list[str]:
    """The tar files of a folder in the order of their numbers (0.tar, 1.tar, ... 10.tar)."""
    try:
        names = [name for name in os.listdir(folder) if name.lower().endswith(".tar") and not name.startswith(".")]
    except OSError as error:
        raise unreadable(folder, error) from None
    return [os.path.join(folder, name) for name in sorted(names, key=lambda name: (len(name), name))]


def read_shards(shards: Sequence[str], classes: int, scratch: PathLike | None) -> list[tuple[str, int]]:
    """(path of the unpacked picture, class from 0) in the order of the archives.

    Raises:
        UsageError: no scratch folder, a damaged archive, a picture without class or a class without picture, a class
            that is no number below `classes`, or sizes beyond the bounds.
    """
    if scratch is None:
        what = f"{display_path(shards[0])} is an archive"
        raise UsageError(what, "unpack the archives into a folder per class, test/CLASS/*.jpg")
    pictures: list[tuple[str, int]] = []
    left = MAX_BYTES
    for number, shard in enumerate(shards):
        folder = os.path.join(scratch, f"shard-{number}")
        try:
            os.makedirs(folder)
            paths, labels = _unpack(shard, folder, left)
        except (tarfile.TarError, EOFError) as error:
            raise UsageError(f"{display_path(shard)}: damaged archive: {error}", "get the archive again") from None
        except OSError as error:
            raise UsageError(f"{display_path(shard)}: cannot be unpacked: {error.strerror or error}",
                             "free space, or unpack it by hand") from None  # fmt: skip
        left -= sum(os.path.getsize(path) for path in paths.values())
        unpaired = sorted(paths.keys() ^ labels.keys())
        if unpaired:
            what = f"{display_path(shard)}: {display_path(unpaired[0])} has no " + (
                "class" if unpaired[0] in paths else "picture"
            )
            raise UsageError(what, "every picture needs KEY.cls beside it, with the number of its class")
        for key, path in paths.items():
            if labels[key] >= classes:
                what = f"{display_path(shard)}: {display_path(key)}.cls names class {labels[key]} of {classes}"
                raise UsageError(what, "classes are the lines of classnames.txt, counted from 0")
            pictures.append((path, labels[key]))
    if not pictures:
        raise UsageError(f"{display_path(shards[0])} holds no picture", "each shard holds KEY.jpg and KEY.cls")
    return pictures


def _unpack(shard: str, folder: str, left: int) -> tuple[dict[str, str], dict[str, int]]:
    """Pictures and classes by key."""
    paths: dict[str, str] = {}
    labels: dict[str, int] = {}
    with tarfile.open(shard, "r:") as archive:
        for member in archive:
            key, extension = os.path.splitext(member.name)
            if not member.isfile() or not (extension == ".cls" or is_picture(member.name)):
                continue  # folders, and the other fields that a sample may have
            picture = extension != ".cls"
            if key in (paths if picture else labels):
                raise UsageError(f"{display_path(shard)}: {display_path(member.name)} is there twice", "get it again")
            if member.size > (MAX_PICTURE_BYTES if picture else _LABEL_BYTES):
                what = f"{display_path(shard)}: {display_path(member.name)} has {member.size:,} bytes"
                raise UsageError(what, "get the archive again, or unpack it by hand")
            file = archive.extractfile(member)
            assert file is not None  # of plain files only links have none
            data = file.read()
            if len(data) != member.size:
                raise EOFError(f"{member.name} is cut off")
            if not picture:
                if not _LABEL.fullmatch(data.strip()):
                    what = f"{display_path(shard)}: {display_path(member.name)} is no number of a class"
                    raise UsageError(what, "write the class's line in classnames.txt, counted from 0")
                labels[key] = int(data)
                continue
            left -= len(data)
            if left < 0:
                raise UsageError(f"{display_path(shard)}: more than {MAX_BYTES >> 30} GiB", "unpack it by hand")
            paths[key] = os.path.join(folder, f"{len(paths)}{extension.lower()}")
            with open(paths[key], "wb") as copy:
                copy.write(data)
    return paths, labels

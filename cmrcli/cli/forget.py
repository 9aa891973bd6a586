"""`cmrcli forget`: take a folder out of an index."""

from __future__ import annotations

from typing import Annotated

import typer

from cmrcli.cli.guard import guarded
from cmrcli.cli.options import DebugOption, IndexOption, LockWaitOption, absolute, index_folder
from cmrcli.errors import UsageError, display_path


@guarded
def forget(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A folder or file that was indexed by this name.")],
    index: IndexOption = None,
    lock_wait: LockWaitOption = 10.0,
    debug: DebugOption = False,
) -> None:
    """Take a folder out of the index. The files themselves are not touched."""
    from cmrcli.store import open_reader, open_writer

    folder = index_folder(index)
    with open_reader(folder) as reader:
        identity = reader.encoder
    with open_writer(folder, identity, lock_wait) as writer:
        wanted = absolute(path)
        root = next((root for root in writer.roots() if root.path == wanted), None)
        if root is None:
            names = ", ".join(display_path(root.path) for root in writer.roots())
            raise UsageError(f"{display_path(wanted)} is not a root of this index", f"its roots: {names or 'none'}")
        removed = writer.forget_root(root.id)
        writer.maintain()
    print(f"{display_path(wanted)} and its {removed} files are out of the index")

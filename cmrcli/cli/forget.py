"""`cmrcli forget`: take a folder out of an index."""

from __future__ import annotations

from typing import Annotated

import typer

from cmrcli.cli.guard import guarded
from cmrcli.cli.options import DebugOption, IndexOption, LockWaitOption, absolute, index_folder
from cmrcli.errors import display_path


@guarded
def forget(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A folder or file that was indexed by this name.")],
    index: IndexOption = None,
    lock_wait: LockWaitOption = 10.0,
    debug: DebugOption = False,
) -> None:
    """Take a folder out of the index. The files themselves are not touched."""
    from cmrcli.indexing.forget import forget as take_out

    wanted = absolute(path)
    removed = take_out(index_folder(index), wanted, lock_wait)
    print(f"{display_path(wanted)} and its {removed} files are out of the index")

"""Takes a root out of an index."""

from __future__ import annotations

from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.indexing.journal import journaled


def forget(folder: Path, path: bytes, lock_wait_s: float = 10.0) -> int:
    """Files that left the index in `folder` with the root at `path` (absolute). The files themselves are not touched.

    Raises:
        UsageError: the path is no root. IndexMissing, IndexLocked, IndexDamaged.
    """
    from cmrcli.store import open_writer

    with open_writer(folder, None, lock_wait_s) as writer:
        root = next((root for root in writer.roots() if root.path == path), None)
        if root is None:
            names = ", ".join(display_path(one.path) for one in writer.roots())
            raise UsageError(f"{display_path(path)} is not a root of this index", f"its roots: {names or 'none'}")
        with journaled(writer, f"forget {display_path(path)}") as summary:
            removed = writer.forget_root(root.id)
            summary["removed"] = removed
            writer.maintain()
    return removed

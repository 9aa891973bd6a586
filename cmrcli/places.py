"""Where things live on this machine when nobody says otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path

INDEX_VARIABLE = "CMRCLI_INDEX"


def user_data() -> Path:
    """The user's data folder of cmrcli (indexes, encoders that were added)."""
    from platformdirs import user_data_path

    return user_data_path("cmrcli", appauthor=False)


def user_cache() -> Path:
    """The user's cache folder of cmrcli: what can be made again, and is missed by nobody.

    Raises:
        RuntimeError: this user has no home.
    """
    if sys.platform != "linux":
        from platformdirs import user_cache_path

        return user_cache_path("cmrcli", appauthor=False)
    # What platformdirs says, without the 5 ms of its import: a one-shot search looks here too.
    named = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(named) if os.path.isabs(named) else Path.home() / ".cache") / "cmrcli"


def default_index() -> Path:
    """CMRCLI_INDEX, or `index` in the user's data folder."""
    named = os.environ.get(INDEX_VARIABLE)
    return Path(named).expanduser() if named else user_data() / "index"

"""Where things live on this machine when nobody says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

INDEX_VARIABLE = "CMRCLI_INDEX"


def user_data() -> Path:
    """The user's data folder of cmrcli (indexes, encoders that were added)."""
    from platformdirs import user_data_path

    return user_data_path("cmrcli", appauthor=False)


def default_index() -> Path:
    """CMRCLI_INDEX, or `index` in the user's data folder."""
    named = os.environ.get(INDEX_VARIABLE)
    return Path(named).expanduser() if named else user_data() / "index"

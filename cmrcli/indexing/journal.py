"""Every run that changes an index leaves a line in its journal: who, when, what, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cmrcli.errors import CmrcliError

if TYPE_CHECKING:
    from cmrcli.store import Writer

INTERRUPTED, UNEXPECTED = 130, 9


@contextmanager
def journaled(writer: Writer, arguments: str) -> Iterator[dict[str, Any]]:
    """Notes the run around a block, which fills the summary; `exit_code` says how it ended when it was cut short."""
    summary: dict[str, Any] = {}
    run = writer.begin_run(arguments)
    try:
        yield summary
    except BaseException as error:
        code = UNEXPECTED
        if isinstance(error, KeyboardInterrupt):
            code = INTERRUPTED
        elif isinstance(error, CmrcliError):
            code = error.exit_code
        summary |= {"exit_code": code, "error": f"{type(error).__name__}: {error}"[:300]}
        raise
    finally:
        writer.end_run(run, summary)

"""Everything that can go wrong on purpose: one root, one leaf a cause, each with its exit code.

Library code raises these; only `cmrcli.cli` prints them and exits. A message says what failed and on
which path; `remedy` is the next step, worded as a person would type it. The codes are the README's table.
"""

from __future__ import annotations

from cmrcli.paths import display_path as display_path


class CmrcliError(Exception):
    """Root of all expected failures.

    Attributes:
        exit_code: what the process exits with when this ends a command.
        remedy: the next step for the user, or "" when there is none.
    """

    exit_code = 9

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(CmrcliError):
    """The command line asks for something that makes no sense (the same code as Typer's own)."""

    exit_code = 2


class IndexMissing(CmrcliError):
    """No index at that place."""

    exit_code = 10


class IndexLocked(CmrcliError):
    """Another process writes to the index and did not finish within the wait."""

    exit_code = 11


class IndexDamaged(CmrcliError):
    """A file of the index is missing, truncated or fails its checksum."""

    exit_code = 12


class IndexFormatError(CmrcliError):
    """The index was written in a format that this version does not know."""

    exit_code = 12


class IndexInaccessible(CmrcliError):
    """The disk of the index is full, or this user may not read or write there; what was committed stands."""

    exit_code = 14


class OutputLost(CmrcliError):
    """What a command said on stdout could not be written: its disk is full, its device broken."""

    exit_code = 14


class EncoderError(CmrcliError):
    """An encoder is missing, incomplete, broken, or not the one the index was made with."""

    exit_code = 13


class EmbeddingError(CmrcliError):
    """Vectors that cannot be used: wrong dimension, NaN or infinite values."""

    exit_code = 13


# What can be wrong with one file of the corpus. Part of the output contract: `skipped` counts by these words.
CAUSES = {
    "encrypted": "needs a password",
    "damaged": "not readable as its format",
    "empty": "zero bytes",
    "too-large": "larger than the decoding limit",
    "timeout": "took longer than the time limit",
    "memory": "took more memory than the limit",
    "crash": "crashed its reader",
    "permission": "not readable by this user",
    "vanished": "gone while the run was on",
    "io": "the file system reported an error",
    "no-content": "holds nothing that can be searched",
}


class UnreadableFile(CmrcliError):
    """One file of the corpus cannot be indexed. Ends that file, never the run.

    Attributes:
        cause: a key of CAUSES.
        detail: one line of what the reader said, already printable.
    """

    exit_code = 3

    def __init__(self, cause: str, detail: str = "") -> None:
        if cause not in CAUSES:
            raise ValueError(f"unknown cause {cause!r}")
        self.cause = cause
        self.detail = display_path(" ".join(detail.split()))[:300]
        super().__init__(f"{CAUSES[cause]}: {self.detail}" if self.detail else CAUSES[cause])

    def __reduce__(self) -> tuple[type[UnreadableFile], tuple[str, str]]:
        # Crosses the worker boundary; Exception's default would rebuild it from the message.
        return (UnreadableFile, (self.cause, self.detail))

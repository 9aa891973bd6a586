"""Fresh processes of this very program, for what only a process of its own can tell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cmrcli
from cmrcli.errors import CmrcliError, display_path


@dataclass(frozen=True, slots=True)
class Done:
    """How a process ended: its exit status, and what it wrote."""

    code: int
    out: bytes
    err: bytes

    @property
    def said(self) -> str:
        """The last line it said on stderr, else its exit status."""
        lines = self.err.decode("utf-8", "replace").strip().splitlines()
        return display_path(lines[-1]) if lines else f"exit status {self.code}"


def run_module(module: str, arguments: Sequence[str], given: bytes, timeout_s: float) -> Done:
    """`python -m module arguments`, with `given` on stdin, by the same interpreter and from the same code.

    The current folder is not on its import path, whatever lies there.

    Raises:
        CmrcliError: it could not be started, or took longer than `timeout_s`.
    """
    home = os.fspath(Path(cmrcli.__file__).parent.parent)
    path = os.pathsep.join(part for part in (home, os.environ.get("PYTHONPATH", "")) if part)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module, *arguments],
            input=given,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        raise CmrcliError(f"a process took longer than {timeout_s:.0f} s") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        raise CmrcliError(f"a process could not be started: {error}") from None
    return Done(done.returncode, done.stdout, done.stderr)

"""cmrcli as its users run it: a process of its own, and what it left on stdout and stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Done = subprocess.CompletedProcess[bytes]
Cli = Callable[..., Done]


def runner(index: Path, encoder: Path) -> Cli:
    """A function that runs cmrcli against the index (or --index of the caller) with the encoder."""

    def run(*arguments: str | Path | bytes, stdin: bytes = b"", **environment: str) -> Done:
        command = [sys.executable, "-m", "cmrcli", *arguments]
        asks = bool(arguments) and arguments[0] in ("search", "index", "eval") and "--encoder" not in arguments
        repeats = len(arguments) > 1 and str(arguments[1]).endswith(".toml")  # a protocol names its own
        if asks and not repeats:
            command += ["--encoder", encoder]
        variables = {**os.environ, "CMRCLI_INDEX": str(index), **environment}
        return subprocess.run(command, input=stdin, capture_output=True, env=variables, timeout=120)

    return run


def lines(done: Done) -> list[dict[str, object]]:
    """The objects of --format jsonl."""
    return [json.loads(line) for line in done.stdout.splitlines()]

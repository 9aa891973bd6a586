"""`make demo`: index a made-up engineering office with the bundled encoder, then find things across modalities.

Every search is printed as the command that made it, with its output; nothing is checked or edited here.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path


def run(*arguments: str, index: Path) -> None:
    """Runs cmrcli in a process of its own, as a person would, and prints the command before its output."""
    shown = " ".join(shlex.quote(argument) for argument in arguments)
    print(f"\n$ cmrcli {shown}", flush=True)
    environment = {**os.environ, "CMRCLI_INDEX": str(index)}
    subprocess.run([sys.executable, "-m", "cmrcli", *arguments], env=environment, check=False)


def main() -> None:
    from cmrcli.samples import demo_searches

    folder = Path(sys.argv[1])
    office, index = folder / "office", folder / "index"
    run("index", str(office), index=index)
    for title, arguments in demo_searches(office):
        print(f"\n--- {title}")
        run("search", *arguments, index=index)
    run("status", index=index)


if __name__ == "__main__":
    main()

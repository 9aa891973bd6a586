"""`python -m tests.bench [NAME...]`: runs benchmarks, all of them without a name; `--report` shows the last results."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time
import traceback

from tests.bench.measure import HERE, REPOSITORY
from tests.bench.record import report

# Each has `run(full: bool) -> Record | None`; None where its data are missing, which it has said.
BENCHMARKS = (
    "cold_search",
    "unchanged_run",
    "codes",
    "vectors",
    "graph",
    "index_photos",
    "index_memory",
    "badfiles",
    "office",
    "finds",
    "fragments",
    "fusion",
    "confidence",
    "hubness",
    "eval_matrix",
)
SCRIPTS = ("kinds", "walk")  # print tables of their own


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed and memory as ratios in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*BENCHMARKS, *SCRIPTS)))
    parser.add_argument("--full", action="store_true", help="also the sizes that take many minutes (see README.md)")
    parser.add_argument("--report", action="store_true", help="print the newest results as Markdown, measure nothing")
    arguments = parser.parse_args()
    if arguments.report:
        print(report())
        return 0
    unknown = sorted(set(arguments.names) - {*BENCHMARKS, *SCRIPTS})
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}")
    names = arguments.names or [*BENCHMARKS, *(name for name in SCRIPTS if (HERE / f"{name}.py").is_file())]
    missed: list[str] = []
    for name in names:
        started = time.monotonic()
        if name in SCRIPTS:
            print(f"\n{name}", flush=True)
            if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], cwd=REPOSITORY, check=False).returncode:
                missed.append(f"{name}: failed")
        else:
            try:
                record = importlib.import_module(f"tests.bench.{name}").run(arguments.full)
            except Exception:  # the others still have something to say
                traceback.print_exc()
                missed.append(f"{name}: failed")
                continue
            if record is None:
                continue
            record.show()
            record.keep()
            missed += [f"{name}: {figure.name}" for figure in record.figures if figure.met is False]
        print(f"    ({time.monotonic() - started:.0f} s)", flush=True)
    print("\n" + ("missed: " + "; ".join(missed) if missed else "every target reached"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

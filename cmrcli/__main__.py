"""`python -m cmrcli` and the `cmrcli` script."""

import os
import signal


def _interrupted_at_start(number: int, frame: object) -> None:
    """Ctrl-C while modules are still being imported: nothing has begun, and a traceback would say nothing."""
    os._exit(130)


if __name__ in ("__main__", "cmrcli.__main__"):
    signal.signal(signal.SIGINT, _interrupted_at_start)

from cmrcli.cli import main  # noqa: E402  (after the handler)

if __name__ == "__main__":
    main()

"""Runs one command and prints what it took, as JSON: python -I -S launch.py STDOUT STDERR COMMAND...

A process inherits the peak memory of the one that forked it until it execs. This one is small and imports
next to nothing, so that the peak it reports is the command's own, and its clock starts right before the command.
"""

import os
import sys
from time import perf_counter


def main(stdout: str, stderr: str, command: list[str]) -> None:
    out = os.open(stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    err = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    redirect = [(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)]
    started = perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=redirect)
    _, status, usage = os.wait4(pid, 0)
    wall_s = perf_counter() - started
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    cpu_s = usage.ru_utime + usage.ru_stime
    code = os.waitstatus_to_exitcode(status)
    print(f'{{"wall_s": {wall_s!r}, "cpu_s": {cpu_s!r}, "peak_bytes": {peak_bytes}, "exit_code": {code}}}')


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

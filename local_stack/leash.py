"""A watchdog that kills the supervisor's children when the supervisor dies.

A supervisor that ends in order stops its children itself; one that is killed with -9 cannot. So
it holds the writing end of a pipe to this process: the kernel closes it whatever the death was.
Linux's PR_SET_PDEATHSIG would reach direct children only (MLflow's server is a grandchild) and
does not exist on macOS.

As a script it runs by path, without the package: it reads `+pid` or `-pid`, one group leader a
line, and at the end of the input kills the groups that are left.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from typing import Self


class Leash:
    """The supervisor's end; a context manager that ends the watchdog."""

    def __init__(self) -> None:
        self._watchdog = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )

    def tie(self, group: int) -> None:
        """From now on the process group dies with this process."""
        self._say(f"+{group}")

    def untie(self, group: int) -> None:
        """The group has ended; its number may soon be another's."""
        self._say(f"-{group}")

    def _say(self, line: str) -> None:
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.write(line + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.communicate()


def survivors(lines: Iterable[str]) -> set[int]:
    """The process groups that were added and not taken away when the lines end.

    >>> survivors(["+7", "+8", "-7"])
    {8}
    """
    alive: set[int] = set()
    for line in lines:
        group = int(line[1:])
        (alive.add if line[0] == "+" else alive.discard)(group)
    return alive


def kill_group(group: int) -> None:
    """Kill whatever is left of a process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    for left in survivors(sys.stdin):
        kill_group(left)

"""Orders to die: one file per failpoint, which the process that reaches the point takes away.

A process that is armed (`faults.armed`) looks for its orders each time it passes a point. The file
goes just before the order is carried out, so whoever gave it sees that it was. Where two processes
pass the point, one of them takes it.
"""

import os
import signal
import threading
from collections import Counter
from enum import StrEnum
from pathlib import Path


class Action(StrEnum):
    """What becomes of the process at the point."""

    KILL = "kill"
    """SIGKILL, as `kill -9` does."""
    STOP = "stop"
    """SIGSTOP, until somebody continues it."""
    HANG = "hang"
    """The thread that came here stays here: alive, and doing nothing."""


class Orders:
    """The orders in a folder; both sides use it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self._passed: Counter[str] = Counter()

    def give(self, point: str, action: Action, passes: int = 1) -> None:
        """Order the process that passes `point` for the `passes`th time from now."""
        fresh = self.folder / f"{point}.new"
        fresh.write_text(f"{action} {passes}", encoding="utf-8")
        fresh.rename(self.folder / point)

    def pending(self, point: str) -> bool:
        """Whether nobody has carried the order out yet."""
        return (self.folder / point).exists()

    def obey(self, point: str) -> None:
        """Carry out the order for this point, if there is one and it is time."""
        path = self.folder / point
        try:
            action, passes = path.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            self._passed.pop(point, None)
            return
        self._passed[point] += 1
        if self._passed[point] >= int(passes) and self._taken(path):
            del self._passed[point]
            _carry_out(Action(action))

    def _taken(self, path: Path) -> bool:
        """Whether the order is ours: of several that try, one renames the file."""
        try:
            path.rename(path.with_suffix(f".{os.getpid()}"))
        except FileNotFoundError:
            return False
        return True


def _carry_out(action: Action) -> None:
    match action:
        case Action.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Action.STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Action.HANG:
            threading.Event().wait()

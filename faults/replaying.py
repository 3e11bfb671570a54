"""A replay as a person runs it: again and again, until its exit code is 0."""

import os
import subprocess
import sys
import threading
from signal import SIGKILL, SIGTERM, Signals
from typing import Final, Self

from faults.armed import ORDERS
from faults.plant import Plant
from faults.scenario import Session
from faults.supervised import until
from local_stack.pipeline import environment_of
from producers.manifest import FOLDER as MANIFESTS

_SPEED: Final = "15"
"""Cycles a second: a pass takes half a minute, and is struck in the middle."""
_ENGINES: Final = "1-60"
"""Up to 900 readings a second at that speed, about as many as the other scenarios publish."""


class Replaying:
    """`plantwatch replay` of the session's fleet in the plant's folder, where its manifest is.

    A context manager; on the way out nothing of it is left.
    """

    def __init__(self, session: Session, plant: Plant, *, passes: bool = False) -> None:
        """With `passes`, a finished pass is followed by another until `finish`."""
        self.codes: list[int] = []
        """Exit codes so far."""
        self._again = passes
        self._argv = (
            *(sys.executable, "-m", "commands.armed", "replay", "--dataset", session.fleet.subset),
            *("--split", session.fleet.split, "--engines", _ENGINES, "--speed", _SPEED),
        )
        self._folder = plant.home
        self._manifests = plant.home / MANIFESTS
        self._environment = environment_of(plant.settings) | {
            "PLANTWATCH_CONFIG": str(session.configs.resolve()),
            "CMAPSS_DIR": str((session.home / "cmapss").resolve()),
            ORDERS: str(plant.orders.folder),
        }
        self._child: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._child is not None:
            self._child.kill()
        self._thread.join()

    def until_publishing(self) -> None:
        """Wait until the run that is there now has saved its manifest (again)."""
        before = self._saved()
        until(lambda: self._saved() > before, "the replay publishes")

    def signal(self, number: Signals) -> None:
        until(lambda: self._child is not None, "the replay starts")
        assert self._child is not None
        self._child.send_signal(number)

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        runs = len(self.codes)
        self.signal(SIGTERM)
        until(lambda: len(self.codes) > runs, "the replay ends")

    def kill(self) -> None:
        """SIGKILL a run that is alive, and see it die of that."""
        runs = len(self.codes)
        while self.codes[runs:] != [-SIGKILL]:
            runs = len(self.codes)
            self.signal(SIGKILL)
            until(lambda: len(self.codes) > runs, "the replay ends")  # noqa: B023 (called at once)

    def finish(self) -> list[int]:
        """Wait for the exit code 0 of the (last) pass; all exit codes."""
        self._again = False
        until(lambda: not self._thread.is_alive(), "the replay is through")
        return self.codes

    def _saved(self) -> int:
        """When the manifest was last written, in nanoseconds; 0 while there is none."""
        return max((one.stat().st_mtime_ns for one in self._manifests.glob("*.json")), default=0)

    def _run(self) -> None:
        with (self._folder / "replay.log").open("ab") as log:
            while (self._again or self.codes[-1:] != [0]) and not self._over.is_set():
                self._child = subprocess.Popen(
                    self._argv,
                    cwd=self._folder,
                    env=os.environ | self._environment,
                    stdout=log,
                    stderr=log,
                )
                self.codes.append(self._child.wait())

"""A plantwatch command as a process of its own, with what it says."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from local_stack.pipeline import environment_of
from plantwatch.settings import Settings
from tests.support.servers import CONFIGS
from tests.support.waiting import PATIENCE_SEC, until


class Command:
    """One run, in a folder of its own, where it also keeps its log."""

    def __init__(self, folder: Path, settings: Settings, *arguments: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "commands.app", *arguments],
                cwd=folder,
                env=os.environ | environment_of(settings) | {"PLANTWATCH_CONFIG": str(CONFIGS)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to be so; fail with what was said when it never is, or at the end."""

        def holds() -> bool:
            assert self.process.poll() is None, self.said
            return condition()

        until(holds, lambda: self.said)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(PATIENCE_SEC)


Start = Callable[..., Command]

"""Processes under supervision, and what can be done to them; waiting until something is so."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import Final

import local_stack
from local_stack.process import Process, State, Status

PATIENCE_SEC: Final = 120.0
"""How long anything may take; the contract's own limit for catching up once all is healed."""
_LOOK_EVERY_SEC: Final = 0.05

interrupted: Final = threading.Event()
"""Somebody has pressed Ctrl-C: nothing is waited for any more."""


class FaultError(Exception):
    """The fault did not take place, or what must follow it did not: the scenario has failed."""


class NotRunnableError(Exception):
    """This machine cannot run the scenario; says what it would take."""


def until(
    holds: Callable[[], bool],
    what: str | Callable[[], str],
    seconds: float = PATIENCE_SEC,
) -> float:
    """Wait for something to be so; returns how long it took, in seconds.

    Raises:
        FaultError: it never was.
    """
    began = time.monotonic()
    while not holds():
        if interrupted.is_set():
            raise FaultError("interrupted")
        if time.monotonic() - began > seconds:
            raise FaultError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(_LOOK_EVERY_SEC)
    return time.monotonic() - began


class Processes:
    """Some processes under supervision, each behind a gate that can keep it from coming back."""

    def __init__(self, planned: local_stack.Plan) -> None:
        self._gates = {one.name: threading.Event() for stage in planned.stages for one in stage}
        for gate in self._gates.values():
            gate.set()
        stages = [[self._gated(one) for one in stage] for stage in planned.stages]
        self._plan = replace(planned, stages=stages)
        self._statuses: dict[str, Status] = {}

    @contextmanager
    def running(self) -> Iterator[local_stack.Stack]:
        """All of them at work for the length of the block; raises as `local_stack.running`."""
        with local_stack.running(self._plan) as stack:
            self._statuses = {one.name: one for one in stack.statuses}
            try:
                yield stack
            finally:
                self.continue_all()
                for gate in self._gates.values():
                    gate.set()

    def status(self, name: str) -> Status:
        """What its supervisor knows of it; changes while one looks."""
        return self._statuses[name]

    def log(self, name: str) -> str:
        """All that a process has written, in all its lives."""
        path = self._plan.home / "log" / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace")

    def until_logged(self, name: str, words: str, since: int = 0) -> None:
        """Wait until `words` stand in a process's log, after its first `since` characters."""
        until(lambda: words in self.log(name)[since:], f"{name} logs {words!r}")

    def pid(self, name: str) -> int:
        """Of the process, once it has one."""
        until(lambda: self._living(name) is not None, f"{name} starts")
        pid = self._living(name)
        return self.pid(name) if pid is None else pid

    def signal(self, name: str, number: Signals) -> None:
        """To whichever life of it there is now."""
        try:
            os.kill(self.pid(name), number)
        except ProcessLookupError:  # it has just ended by itself
            self.signal(name, number)

    def kill(self, name: str) -> None:
        """As `kill -9` does; its supervisor starts it again."""
        self.signal(name, SIGKILL)

    def hold(self, name: str) -> None:
        """Once it ends, do not start it again before `release`."""
        self._gates[name].clear()

    def release(self, name: str) -> None:
        """Let it be started again."""
        self._gates[name].set()

    def until_ready(self, name: str, restarts: int = -1) -> None:
        """Wait until it does its work, having been started again more often than `restarts`."""
        status = self.status(name)
        until(
            lambda: status.state is State.READY and status.restarts > restarts,
            lambda: f"{name} is ready, but {status.state} ({status.reason})",
        )

    def outage(self, name: str, seconds: float, number: Signals = SIGKILL) -> None:
        """End it, keep it away for a while, and wait until it is back."""
        restarts = self.status(name).restarts
        self.hold(name)
        try:
            self.signal(name, number)
            time.sleep(seconds)
        finally:
            self.release(name)
        self.until_ready(name, restarts)

    def freeze(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while; others that are stopped meanwhile stay so."""
        self.signal(name, SIGSTOP)
        time.sleep(seconds)
        self.signal(name, SIGCONT)

    def continue_all(self) -> None:
        """SIGCONT to every process, whichever was stopped."""
        for status in self._statuses.values():
            if status.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(status.pid, SIGCONT)

    def _living(self, name: str) -> int | None:
        # Between its end and the supervisor's notice of it the status still has the old pid.
        pid = self.status(name).pid
        return pid if pid is not None and Path(f"/proc/{pid}").exists() else None

    def _gated(self, process: Process) -> Process:
        def before_start() -> None:
            self._gates[process.name].wait()
            process.before_start()

        return replace(process, before_start=before_start)

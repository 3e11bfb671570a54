"""Keeps one process running: its states, restarts and end."""

import asyncio
import contextlib
import os
import time
from asyncio.subprocess import DEVNULL, STDOUT, create_subprocess_exec
from asyncio.subprocess import Process as Child
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local_stack.leash import Leash, kill_group
from local_stack.process import Process, State, Status, as_user
from plantwatch.errors import BadDataError, ConfigError, UnavailableError
from plantwatch.settings import Stack

PROBE_INTERVAL_SEC: Final = 0.1
TAIL_BYTES: Final = 4096
"""Enough of a log's end to hold its last line."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all keepers of one supervisor share; `sleep` and `now` are its clock, in seconds."""

    config: Stack
    logs: Path
    leash: Leash
    on_change: Callable[[], None]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic


class Keeper:
    """The life of one process; made and used on one event loop."""

    def __init__(self, process: Process, around: Surroundings) -> None:
        self.status = Status(process.name, State.WAITING, process.address)
        self._process = process
        self._around = around
        self._log = around.logs / f"{process.name}.log"
        self._settled = asyncio.Event()
        self._not_ready = "it does not answer"
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and wait until it is ready, done, or waits for a person (exit 65 or 78).

        Raises:
            UnavailableError: none of these in the time it has.
        """
        self._life = asyncio.create_task(self._live())
        limit = self._process.ready_timeout_sec or self._around.config.ready_timeout_sec
        try:
            await asyncio.wait_for(self._settled.wait(), limit)
        except TimeoutError:
            raise UnavailableError(
                f"{self.status.name} is not ready after {limit:g} s "
                f"({self.status.reason or self._not_ready}); read {self._log}"
            ) from None

    async def stop(self) -> None:
        """End it and whatever it started; returns when all is gone."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait([self._life])
        if self.status.state not in {State.DONE, State.HALTED}:
            self._become(State.STOPPED)

    async def _live(self) -> None:
        """Start again after each end, sooner or later, until there is no sense in it."""
        config, pause = self._around.config, self._around.config.restart_min_sec
        while True:
            began = self._around.now()
            code = await self._run_once()
            if code == 0 and self._process.runs_once:
                self._settle(State.DONE)
                return
            if code == BadDataError.exit_code:
                self._settle(State.HALTED)
                return
            if self._around.now() - began > config.restart_max_sec:
                pause = config.restart_min_sec
            self._become(State.RESTARTING)
            if code == ConfigError.exit_code:
                self._settled.set()
            await self._around.sleep(pause)
            pause = min(2 * pause, config.restart_max_sec)
            self.status.restarts += 1

    async def _run_once(self) -> int | None:
        """One run from start to end; the exit code, or None if it could not even start."""
        self._become(State.STARTING)
        self._log.touch()
        size = self._log.stat().st_size
        try:
            await asyncio.to_thread(self._process.before_start)
            child = await self._spawn()
        except Exception as error:  # noqa: BLE001 (shown by status, tried again)
            self.status.reason = _one_line(error)
            return None
        self._around.leash.tie(child.pid)
        probe = asyncio.create_task(self._await_ready())
        try:
            self._become(State.STARTING, child.pid)
            code = await child.wait()
        finally:
            probe.cancel()
            await self._end(child)
        self.status.reason = _reason(code, self._log, size) if code else ""
        return code

    async def _spawn(self) -> Child:
        process = self._process
        with self._log.open("ab") as log:
            return await create_subprocess_exec(
                *process.argv,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                cwd=process.folder,
                env=os.environ | process.environment,
                # A group of its own: all it starts can be killed with it, and a terminal's Ctrl-C
                # reaches the supervisor alone, which knows the order.
                start_new_session=True,
                **as_user(process.user),
            )

    async def _await_ready(self) -> None:
        while not self._process.runs_once:
            try:
                if await asyncio.to_thread(self._process.make_ready):
                    self._settle(State.READY)
                    return
            except Exception as error:  # noqa: BLE001 (a probe fails until it succeeds)
                self._not_ready = _one_line(error)
            await asyncio.sleep(PROBE_INTERVAL_SEC)

    async def _end(self, child: Child) -> None:
        if child.returncode is None:
            child.send_signal(self._process.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), self._around.config.stop_timeout_sec)
        kill_group(child.pid)
        await child.wait()
        self._around.leash.untie(child.pid)

    def _settle(self, state: State) -> None:
        self._become(state, self.status.pid if state is State.READY else None)
        self._settled.set()

    def _become(self, state: State, pid: int | None = None) -> None:
        self.status.state, self.status.pid = state, pid
        self._around.on_change()


def _reason(code: int, log: Path, start: int) -> str:
    """How a run ended and the last line it wrote to `log`, whose bytes begin at `start`."""
    if code < 0:
        return f"signal {-code}"  # came from outside: its own last line tells nothing
    with log.open("rb") as file:
        file.seek(max(start, log.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return f"exit {code}: {lines[-1].strip()}" if lines else f"exit {code}"


def _one_line(error: Exception) -> str:
    stderr: bytes | None = getattr(error, "stderr", None)
    if stderr:  # a failed helper program; its command line says less than its last words
        return stderr.decode(errors="replace").strip().splitlines()[-1]
    return " ".join(str(error).split())

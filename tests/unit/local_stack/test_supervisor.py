"""What a person can rely on, with small programs in place of servers."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_stack.keeper import Surroundings
from local_stack.leash import Leash
from local_stack.process import Process, State
from local_stack.supervisor import Supervisor
from plantwatch.configuration import load
from plantwatch.errors import UnavailableError
from tests.support.servers import CONFIGS

WAIT = "import signal; signal.pause()"


class Clock:
    """Who sleeps is noted, and wakes when the test says so."""

    def __init__(self) -> None:
        self.pauses: asyncio.Queue[float] = asyncio.Queue()
        self.wake = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.pauses.put_nowait(seconds)
        await self.wake.acquire()


@pytest.fixture
def leash() -> Iterator[Leash]:
    with Leash() as leash:
        yield leash


Make = Callable[..., tuple[Supervisor, Clock]]


@pytest.fixture
def supervise(tmp_path: Path, leash: Leash) -> Make:
    """A supervisor of stages of one process each, and its clock; changes are to `stack`."""

    def make(*processes: Process, **changes: float) -> tuple[Supervisor, Clock]:
        config, clock = load(CONFIGS, {}).stack.model_copy(update=changes), Clock()
        around = Surroundings(config, tmp_path, leash, lambda: None, clock.sleep, lambda: 0.0)
        return Supervisor([[process] for process in processes], around), clock

    return make


def program(code: str, name: str = "program", **more: Any) -> Process:
    return Process(name, (sys.executable, "-c", code), **more)


def holds(fifo: Path) -> str:
    """Code that holds a named pipe open: its reader sees the end when nobody lives that did."""
    return f"held = open({str(fifo)!r}, 'w')\n"


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


# The pause between restarts doubles up to the limit; status tells the last words.
def test_what_ends_is_started_again_ever_less_often(supervise: Make) -> None:
    async def scenario() -> None:
        crash = program("print('boom'); raise SystemExit(1)", make_ready=lambda: False)
        supervisor, clock = supervise(crash, restart_min_sec=1, restart_max_sec=4)
        starting = asyncio.create_task(supervisor.start())
        pauses = []
        for _ in range(4):
            pauses.append(await clock.pauses.get())
            clock.wake.release()
        [status] = supervisor.statuses
        assert pauses == [1, 2, 4, 4]
        assert status.restarts >= 3
        assert status.reason == "exit 1: boom"
        await supervisor.stop()
        starting.cancel()

    run(scenario)


# Exit 65 is too much bad input: a restart would only add to it.
def test_exit_65_is_left_to_a_person(supervise: Make) -> None:
    async def scenario() -> None:
        supervisor, clock = supervise(
            program("print('read them'); raise SystemExit(65)", make_ready=lambda: False)
        )
        await supervisor.start()
        await supervisor.stop()
        [status] = supervisor.statuses
        assert (status.state, status.reason) == (State.HALTED, "exit 65: read them")
        assert clock.pauses.empty()

    run(scenario)


# What comes after exit 78 is started; once a person has mended the cause, so is this one.
def test_exit_78_holds_nobody_up_and_heals_by_itself(supervise: Make, tmp_path: Path) -> None:
    grant = tmp_path / "grant"
    code = f"import pathlib\nif not pathlib.Path({str(grant)!r}).exists(): raise SystemExit(78)\n"

    async def scenario() -> None:
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()

        def make_ready() -> bool:
            loop.call_soon_threadsafe(ready.set)
            return grant.exists()

        sink = program(code + WAIT, "sink", make_ready=make_ready)
        supervisor, clock = supervise(sink, program(WAIT, "next"))
        await supervisor.start()
        assert [status.state for status in supervisor.statuses] == [State.RESTARTING, State.READY]
        assert supervisor.statuses[0].reason == "exit 78"
        grant.touch()
        ready.clear()
        clock.wake.release()
        await ready.wait()
        await supervisor.stop()
        assert supervisor.statuses[0].restarts == 1

    run(scenario)


# A sink finds its database: each stage waits for the one before.
def test_stages_start_when_the_one_before_is_ready(supervise: Make) -> None:
    asked, ready = threading.Event(), threading.Event()

    def make_ready() -> bool:
        asked.set()
        return ready.is_set()

    async def scenario() -> None:
        supervisor, _ = supervise(
            program(WAIT, "server", make_ready=make_ready), program(WAIT, "client")
        )
        starting = asyncio.create_task(supervisor.start())
        await asyncio.to_thread(asked.wait)
        assert [status.state for status in supervisor.statuses] == [State.STARTING, State.WAITING]
        ready.set()
        await starting
        assert [status.state for status in supervisor.statuses] == [State.READY, State.READY]
        await supervisor.stop()

    run(scenario)


# No sink is left without its database: the last stage stops first.
def test_stages_stop_in_reverse_order(supervise: Make, tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"

    def says(name: str) -> Process:
        here = tmp_path / name
        code = (
            "import pathlib, signal, sys\n"
            "def end(*_):\n"
            f"    print({name!r}, file=open({str(stopped)!r}, 'a'))\n"
            "    sys.exit()\n"
            "signal.signal(signal.SIGTERM, end)\n"
            f"pathlib.Path({str(here)!r}).touch()\n"
            "while True: signal.pause()\n"
        )
        return program(code, name, make_ready=here.exists)

    async def scenario() -> None:
        supervisor, _ = supervise(says("server"), says("client"))
        await supervisor.start()
        await supervisor.stop()
        assert {status.state for status in supervisor.statuses} == {State.STOPPED}

    run(scenario)
    assert stopped.read_text().split() == ["client", "server"]


# The end of one job is its success, and it is not repeated.
def test_one_job_is_done_once(supervise: Make) -> None:
    async def scenario() -> None:
        supervisor, clock = supervise(program("", runs_once=True))
        await supervisor.start()
        await supervisor.stop()
        assert supervisor.statuses[0].state is State.DONE
        assert clock.pauses.empty()

    run(scenario)


# A missing program is a reason like any other.
def test_what_cannot_even_start_says_why(supervise: Make) -> None:
    async def scenario() -> None:
        supervisor, clock = supervise(Process("gone", ("/no/such/program",)))
        starting = asyncio.create_task(supervisor.start())
        await clock.pauses.get()
        assert "No such file" in supervisor.statuses[0].reason
        await supervisor.stop()
        starting.cancel()

    run(scenario)


# One line names the process that is never ready, the reason, and the log to read.
def test_a_process_that_is_never_ready_ends_the_start(supervise: Make, tmp_path: Path) -> None:
    async def scenario() -> None:
        never = program(WAIT, "never", make_ready=lambda: False)
        supervisor, _ = supervise(never, ready_timeout_sec=0.01)
        with pytest.raises(UnavailableError, match="never is not ready") as caught:
            await supervisor.start()
        assert str(tmp_path / "never.log") in str(caught.value)
        await supervisor.stop()

    run(scenario)


# Nothing is left: neither one that ignores SIGTERM nor its children.
def test_a_process_that_will_not_end_is_killed_with_all_it_started(
    supervise: Make, tmp_path: Path, fifo: Path
) -> None:
    here = tmp_path / "here"
    code = (
        f"import os, signal, pathlib\n{holds(fifo)}"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.fork()\n"
        f"pathlib.Path({str(here)!r}).touch()\n"
        "while True: signal.pause()\n"
    )

    async def scenario() -> None:
        supervisor, _ = supervise(program(code, make_ready=here.exists), stop_timeout_sec=0.01)
        end = asyncio.create_task(asyncio.to_thread(fifo.read_text))
        await supervisor.start()
        await supervisor.stop()
        await end

    run(scenario)


# kill -9 leaves the supervisor no chance, and the leash takes over.
def test_no_child_survives_a_supervisor_that_is_killed(fifo: Path) -> None:
    code = f"""
import subprocess, sys
from local_stack.leash import Leash
child = subprocess.Popen([sys.executable, "-c", {holds(fifo) + WAIT!r}], start_new_session=True)
with Leash() as leash:
    leash.tie(child.pid)
    print("tied", flush=True)
    child.wait()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"tied\n"
        with fifo.open() as held:
            supervisor.send_signal(signal.SIGKILL)
            assert held.read() == ""

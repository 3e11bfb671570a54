"""The local stack as a whole: which processes, in which order, for how long."""

import asyncio
import difflib
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local_stack import kafka, kafka_users, mlflow, pipeline, postgres, prometheus, state
from local_stack.keeper import Surroundings
from local_stack.leash import Leash
from local_stack.process import Process, Skipped, State, Status, check_free
from local_stack.supervisor import Supervisor
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

Builder = Callable[[Settings, Path], Process | Skipped]

STAGES: Final[tuple[dict[str, Builder], ...]] = (
    {
        "kafka": kafka.process,
        "postgres": postgres.process,
        "mlflow": mlflow.process,
        "alertmanager": prometheus.alertmanager,
        "prometheus": prometheus.process,
    },
    {"migrate": pipeline.migrate, "model": pipeline.model},
    {
        "registry": pipeline.registry,
        "worker": pipeline.worker,
        "sink-postgres": pipeline.sink_postgres,
        "sink-prometheus": pipeline.sink_prometheus,
        "sink-shadow": pipeline.sink_shadow,
        "sink-readings": pipeline.sink_readings,
        "outbox": pipeline.outbox,
        "drift": pipeline.drift,
        "dashboard": pipeline.dashboard,
        "api": pipeline.api,
    },
)
"""Everything there is; a stage starts when all of the one before is ready."""
EVERYTHING: Final = tuple(name for stage in STAGES for name in stage)
LOCAL: Final = Path(".local")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to run; `settings` carry the database's passwords even if none were set."""

    settings: Settings
    home: Path
    stages: list[list[Process]]
    skipped: list[Status]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack; `statuses` change while one looks."""

    settings: Settings
    statuses: list[Status]


def plan(settings: Settings, only: Collection[str] = EVERYTHING, home: Path = LOCAL) -> Plan:
    """Choose and describe the processes; download Kafka if it must be; start nothing.

    Args:
        settings: Addresses and ports of everything.
        only: Names out of `EVERYTHING`.
        home: Folder of all data and logs.

    Raises:
        ConfigError: an unknown name, a port in use, a setting that names another machine, or a
            user of Kafka that is not ours.
        UnavailableError: Kafka's jars are neither cached nor to be had.
    """
    _check_names(only)
    settings = postgres.with_passwords(settings, home)
    if "kafka" in only:
        settings = kafka_users.with_login(settings, home)
    built = [[make(settings, home) for name, make in s.items() if name in only] for s in STAGES]
    stages = [[one for one in stage if isinstance(one, Process)] for stage in built]
    check_free(tuple(port for stage in stages for one in stage for port in one.ports))
    skipped = [one for stage in built for one in stage if isinstance(one, Skipped)]
    rows = [Status(one.name, State.SKIPPED, reason=one.reason) for one in skipped]
    return Plan(settings, home, stages, rows)


@contextmanager
def running(
    planned: Plan, on_change: Callable[[list[Status]], None] = lambda _: None
) -> Iterator[Stack]:
    """The stack, ready, for the length of the block; whatever happens, nothing of it is left.

    Supervision runs on a thread of its own, where `on_change` is called with all statuses
    whenever one changes.

    Raises:
        ConfigError: a stack is already up in the same home.
        UnavailableError: a process was not ready in time.
    """
    settled = threading.Event()

    def tell() -> None:
        statuses = supervisor.statuses + planned.skipped
        state.write(planned.home, state.Snapshot(os.getpid(), settled.is_set(), statuses))
        on_change(statuses)

    with state.held(planned.home), Leash() as leash, _event_loop() as loop:
        logs = planned.home / "log"
        logs.mkdir(parents=True, exist_ok=True)
        around = Surroundings(planned.settings.stack, logs, leash, tell)
        supervisor = Supervisor(planned.stages, around)
        starting = asyncio.run_coroutine_threadsafe(supervisor.start(), loop)
        try:
            starting.result()
            settled.set()
            tell()
            yield Stack(planned.settings, supervisor.statuses)
        finally:
            starting.cancel()
            asyncio.run_coroutine_threadsafe(supervisor.stop(), loop).result()


def _check_names(names: Collection[str]) -> None:
    for name in names:
        if name not in EVERYTHING:
            near = difflib.get_close_matches(name, EVERYTHING, n=1, cutoff=0)[0]
            raise ConfigError(
                f"the stack has no {name!r} (did you mean {near!r}?); choose from "
                f"{', '.join(EVERYTHING)}"
            )


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    # A daemon: a second Ctrl-C ends the process at once, and the leash does the rest.
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        # On its own thread: the caller's may have a loop of its own at work.
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

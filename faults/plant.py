"""Real servers and the pipeline's real processes, and what can be done to them."""

import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import Any, Final

import psycopg
from psycopg import sql

import local_stack
from connections.groups import behind
from faults.armed import ORDERS, SABOTAGE
from faults.orders import Action, Orders
from faults.points import Role
from local_stack.free import free_addresses
from local_stack.postgres import connect_as_superuser
from local_stack.process import Process, State, Status
from plantwatch.configuration import load
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings

PATIENCE_SEC: Final = 120.0
"""How long anything may take; the contract's own limit for catching up once all is healed."""
_LOOK_EVERY_SEC: Final = 0.05
PIPELINE: Final = ("migrate", "worker", "sink-postgres")


_ORDERS: Final = "orders"


class FaultError(Exception):
    """The fault did not take place, or what must follow it did not: the scenario has failed."""


class NotRunnableError(Exception):
    """This machine cannot run the scenario; says what it would take."""


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SEC) -> float:
    """Wait for something to be so; returns how long it took, in seconds.

    Raises:
        FaultError: it never was.
    """
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise FaultError(f"not within {seconds:g} s: {what}")
        time.sleep(_LOOK_EVERY_SEC)
    return time.monotonic() - began


class Processes:
    """Some processes under supervision, each behind a gate that can keep it from coming back."""

    def __init__(self, planned: local_stack.Plan) -> None:
        self._gates = {one.name: threading.Event() for stage in planned.stages for one in stage}
        for gate in self._gates.values():
            gate.set()
        self._plan = replace(
            planned, stages=[[self._gated(one) for one in stage] for stage in planned.stages]
        )
        self._statuses: dict[str, Status] = {}

    @contextmanager
    def running(self) -> Iterator[local_stack.Stack]:
        with local_stack.running(self._plan) as stack:
            self._statuses = {one.name: one for one in stack.statuses}
            try:
                yield stack
            finally:
                for gate in self._gates.values():
                    gate.set()

    def status(self, name: str) -> Status:
        return self._statuses[name]

    @property
    def names(self) -> list[str]:
        return list(self._statuses)

    def pid(self, name: str) -> int:
        """Of the process, once it has one."""
        until(lambda: self.status(name).pid is not None, f"{name} starts")
        pid = self.status(name).pid
        return self.pid(name) if pid is None else pid

    def signal(self, name: str, number: Signals) -> None:
        os.kill(self.pid(name), number)

    def kill(self, name: str) -> None:
        """As `kill -9` does; its supervisor starts it again."""
        self.signal(name, SIGKILL)

    def hold(self, name: str) -> None:
        """Once it ends, do not start it again before `release`."""
        self._gates[name].clear()

    def release(self, name: str) -> None:
        self._gates[name].set()

    def until_ready(self, name: str, restarts: int | None = None) -> None:
        """Wait until it does its work, having been started again more often than `restarts`."""

        def ready() -> bool:
            status = self.status(name)
            return status.state is State.READY and (restarts is None or status.restarts > restarts)

        until(ready, f"{name} is ready ({self.status(name).reason or 'no reason told'})")

    def outage(self, name: str, seconds: float, number: Signals = SIGKILL) -> None:
        """End it, keep it away for a while, and wait until it is back."""
        restarts = self.status(name).restarts
        self.hold(name)
        self.signal(name, number)
        time.sleep(seconds)
        self.release(name)
        self.until_ready(name, restarts)

    def frozen(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        pid = self.pid(name)
        os.kill(pid, SIGSTOP)
        time.sleep(seconds)
        os.kill(pid, SIGCONT)

    def _gated(self, process: Process) -> Process:
        def before_start() -> None:
            self._gates[process.name].wait()
            process.before_start()

        return replace(process, before_start=before_start)


@dataclass(frozen=True)
class Servers:
    """Kafka and PostgreSQL, for all scenarios of a session."""

    settings: Settings
    home: Path
    processes: Processes

    def admin(self) -> psycopg.Connection:
        """As the one who may do everything in PostgreSQL."""
        return connect_as_superuser(self.settings.postgres.port, self.home)


@contextmanager
def servers(configs: Path, home: Path) -> Iterator[Servers]:
    """The servers on free ports, their data under `home`.

    Raises:
        UnavailableError: Kafka's jars are neither cached nor to be had.
    """
    processes = Processes(
        local_stack.plan(load(configs, free_addresses()), ("kafka", "postgres"), home)
    )
    with processes.running() as stack:
        yield Servers(stack.settings, home, processes)


@dataclass(frozen=True)
class Plant:
    """One scenario's pipeline: topics, groups, database and folder are its own."""

    servers: Servers
    settings: Settings
    home: Path
    orders: Orders
    processes: Processes
    sabotage: str = ""
    others: list[Processes] = field(default_factory=list)
    """Those that `another` has started and that still run."""

    @contextmanager
    def another(self, name: str, **changes: Mapping[str, Any]) -> Iterator[Processes]:
        """One more process of a kind that runs already, with these sections of settings changed."""
        settings = self.settings
        for section, fields in changes.items():
            changed = getattr(settings, section).model_copy(update=fields)
            settings = settings.model_copy(update={section: changed})
        home = self.home / uuid.uuid4().hex
        planned = local_stack.plan(settings, (name,), home)
        processes = Processes(_armed(planned, self.home, self.sabotage))
        with processes.running():
            self.others.append(processes)
            try:
                yield processes
            finally:
                self.others.remove(processes)

    def continue_all(self) -> None:
        """SIGCONT to every process, whichever was stopped."""
        for processes in (self.processes, *self.others):
            for name in processes.names:
                if (pid := processes.status(name).pid) is not None:
                    os.kill(pid, SIGCONT)

    def carried_out(self, point: str, action: Action, passes: int = 1) -> None:
        """Give an order and wait until it is carried out."""
        self.orders.give(point, action, passes)
        until(lambda: not self.orders.pending(point), f"somebody passes {point}")

    def drained(self) -> float:
        """Wait until all that was published is scored and stored; how long that took.

        Raises:
            FaultError: it was not within the contract's 120 s.
        """
        return until(lambda: _behind(self.settings) == 0, "everything is scored and stored")

    def drained_below(self, messages: float) -> None:
        """Wait until fewer than these wait; for injections whose healing is to be seen."""
        until(lambda: 0 <= _behind(self.settings) < messages, "it is caught up with")

    def memory(self, name: str) -> int:
        """Resident bytes of a process (Linux)."""
        status = Path(f"/proc/{self.processes.pid(name)}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024


@contextmanager
def plant(
    on: Servers,
    configs: Path,
    home: Path,
    environ: Mapping[str, str],
    *,
    sabotage: str = "",
    names: tuple[str, ...] = PIPELINE,
) -> Iterator[Plant]:
    """A pipeline at work, with `environ` over the shipped settings; gone at the end."""
    settings = _settings(on, configs, environ)
    _create_database(on, settings)
    orders = Orders(home / _ORDERS)
    processes = Processes(_armed(local_stack.plan(settings, names, home), home, sabotage))
    with processes.running():
        yield Plant(on, settings, home, orders, processes, sabotage)


def _settings(on: Servers, configs: Path, environ: Mapping[str, str]) -> Settings:
    own, shared = uuid.uuid4().hex[:8], on.settings
    assert shared.postgres.password is not None
    return load(
        configs,
        free_addresses()
        | {
            "KAFKA_BOOTSTRAP_SERVERS": shared.kafka.bootstrap_servers,
            "POSTGRES_PORT": str(shared.postgres.port),
            "POSTGRES_PASSWORD": shared.postgres.password.get_secret_value(),
            "POSTGRES_DB": f"faults_{own}",
            "WORKER_GROUP_ID": f"worker-{own}",
            "SINK_POSTGRES_GROUP_ID": f"sink-postgres-{own}",
            # A supervisor that waits longer and longer would only make the table longer to fill.
            "STACK_RESTART_MIN_SEC": "0.1",
            "STACK_RESTART_MAX_SEC": "1",
        }
        | {f"TOPICS_{topic.upper()}": f"{topic}-{own}" for topic in _topics(shared)}
        | dict(environ),
    )


def _topics(settings: Settings) -> list[str]:
    return list(type(settings.topics).model_fields)


def _create_database(on: Servers, settings: Settings) -> None:
    names = sql.Identifier(settings.postgres.db), sql.Identifier(settings.postgres.user)
    with on.admin() as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))


def _armed(planned: local_stack.Plan, home: Path, sabotage: str) -> local_stack.Plan:
    """The same processes, those with failpoints armed; their orders lie under `home`."""
    told = {ORDERS: str((home / _ORDERS).resolve()), SABOTAGE: sabotage}
    stages = [[_armed_process(one, told) for one in stage] for stage in planned.stages]
    return replace(planned, stages=stages)


def _armed_process(process: Process, told: Mapping[str, str]) -> Process:
    _, _, module, *words = process.argv
    if module != "commands.app" or words[0] not in set(Role):
        return process
    return replace(
        process,
        argv=(sys.executable, "-m", "commands.armed", *words),
        environment={**process.environment, **told},
    )


def _behind(settings: Settings) -> int:
    try:
        return behind(settings)
    except UnavailableError:  # a server is on its way back
        return -1

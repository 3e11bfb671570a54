"""Real servers and a pipeline of real processes on them: topics, groups and database of its own."""

import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from confluent_kafka.admin import AdminClient
from psycopg import sql

import local_stack
from connections.kafka import METADATA_TIMEOUT_SEC, client_config
from faults.armed import ORDERS, SABOTAGE
from faults.orders import Action, Orders
from faults.points import Role
from faults.supervised import Processes, until
from local_stack.free import free_addresses
from local_stack.pipeline import environment_of
from local_stack.postgres import connect_as_superuser
from local_stack.process import Process
from plantwatch.configuration import load, with_changes
from plantwatch.settings import Settings

PIPELINE: Final = ("migrate", "worker", "sink-postgres")
_ORDERS: Final = "orders"


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
    armed: bool = True
    others: list[Processes] = field(default_factory=list)
    """Those that `another` has started and that still run."""

    @contextmanager
    def another(self, name: str, **changes: Mapping[str, Any]) -> Iterator[Processes]:
        """One more process of a kind that runs already, with these sections of settings changed."""
        settings = self.settings
        for section, fields in changes.items():
            settings = with_changes(settings, section, **fields)
        home = self.home / uuid.uuid4().hex
        planned = local_stack.plan(settings, (name,), home)
        if self.armed:
            planned = _armed(planned, self.home, self.sabotage)
        processes = Processes(planned)
        with processes.running():
            self.others.append(processes)
            try:
                yield processes
            finally:
                self.others.remove(processes)

    def continue_all(self) -> None:
        """SIGCONT to every process, whichever was stopped."""
        for processes in (self.processes, *self.others):
            processes.continue_all()

    def carry_out(self, point: str, action: Action, passes: int = 1) -> None:
        """Order what whoever passes the point is to do, and wait until it is done."""
        self.orders.give(point, action, passes)
        until(lambda: not self.orders.pending(point), f"somebody passes {point}")

    def memory(self, name: str, *, peak: bool = False) -> int:
        """Resident bytes of a process (Linux), now or the most it ever had."""
        status = Path(f"/proc/{self.processes.pid(name)}/status").read_text(encoding="utf-8")
        wanted = "VmHWM:" if peak else "VmRSS:"
        (line,) = (line for line in status.splitlines() if line.startswith(wanted))
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
    armed: bool = True,
) -> Iterator[Plant]:
    """A pipeline at work, with `environ` over the shipped settings; gone at the end.

    Not `armed` it is as its users run it: failpoints cost a few percent of speed.
    """
    settings = _settings(on, configs, environ)
    _create_database(on, settings)
    orders = Orders(home / _ORDERS)
    planned = local_stack.plan(settings, names, home)
    processes = Processes(_armed(planned, home, sabotage) if armed else planned)
    try:
        with processes.running():
            yield Plant(on, settings, home, orders, processes, sabotage, armed)
    finally:
        _drop(on, settings)


def _settings(on: Servers, configs: Path, environ: Mapping[str, str]) -> Settings:
    own, shared = uuid.uuid4().hex[:8], on.settings
    return load(
        configs,
        free_addresses()
        | _logins(shared)
        | {
            "KAFKA_BOOTSTRAP_SERVERS": shared.kafka.bootstrap_servers,
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


def _logins(shared: Settings) -> dict[str, str]:
    """Where PostgreSQL is, and who may come in."""
    variables = environment_of(shared).items()
    return {name: value for name, value in variables if name.startswith("POSTGRES_")}


def _topics(settings: Settings) -> list[str]:
    return list(type(settings.topics).model_fields)


def _create_database(on: Servers, settings: Settings) -> None:
    names = sql.Identifier(settings.postgres.db), sql.Identifier(settings.postgres.user)
    with on.admin() as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))


def _drop(on: Servers, settings: Settings) -> None:
    """Leave nothing behind: a broker that is killed later would have to recover it all."""
    with on.admin() as admin:
        database = sql.Identifier(settings.postgres.db)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
    client = AdminClient(client_config(settings))  # named: its answers come only while it lives
    present = client.list_topics(timeout=METADATA_TIMEOUT_SEC).topics
    ours = [name for name in settings.topics.model_dump().values() if name in present]
    for future in (client.delete_topics(ours) if ours else {}).values():
        future.result()


def _armed(planned: local_stack.Plan, home: Path, sabotage: str) -> local_stack.Plan:
    """The same processes, those with failpoints armed; their orders lie under `home`."""
    environ = {ORDERS: str((home / _ORDERS).resolve()), SABOTAGE: sabotage}
    stages = [[_armed_process(one, environ) for one in stage] for stage in planned.stages]
    return replace(planned, stages=stages)


def _armed_process(process: Process, environ: Mapping[str, str]) -> Process:
    _, _, module, *words = process.argv
    if module != "commands.app" or words[0] not in set(Role):
        return process
    return replace(
        process,
        argv=(sys.executable, "-m", "commands.armed", *words),
        environment={**process.environment, **environ},
    )

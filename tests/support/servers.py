"""Real servers for tests, on free ports, with their data in a folder that vanishes with them."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import local_stack
from local_stack.postgres import connect_as_superuser
from plantwatch.configuration import load
from plantwatch.errors import UnavailableError
from plantwatch.settings import Postgres, Settings

CONFIGS = Path(__file__).parents[2] / "configs"
"""Absolute: a test may stand in another folder."""


@dataclass(frozen=True)
class PostgresServer:
    """A server, and how to reach it as the one who may do everything."""

    settings: Postgres
    home: Path

    def admin(self) -> psycopg.Connection:
        return connect_as_superuser(self.settings.port, self.home)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, all different; held together for a moment to be so."""
    with ExitStack() as stack:
        return [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            for _ in range(count)
        ]


def free_addresses() -> dict[str, str]:
    """Variables that move every server and every metrics endpoint to a free port."""
    ports = [str(port) for port in free_ports(9)]
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{ports[0]}",
        "STACK_KAFKA_CONTROLLER_PORT": ports[1],
        "POSTGRES_PORT": ports[2],
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports[3]}",
        "STACK_PROMETHEUS_PORT": ports[4],
        "PRODUCER_METRICS_PORT": ports[5],
        "WORKER_METRICS_PORT": ports[6],
        "SINK_POSTGRES_METRICS_PORT": ports[7],
        "SINK_PROMETHEUS_METRICS_PORT": ports[8],
    }


@contextmanager
def served(*names: str) -> Iterator[tuple[Settings, Path]]:
    """These servers of the local stack, ready; skips the test where one cannot be had.

    The folder is not pytest's: PostgreSQL's own user may not enter that.
    """
    with tempfile.TemporaryDirectory(prefix="plantwatch-") as folder:
        home = Path(folder)
        try:
            planned = local_stack.plan(load(CONFIGS, free_addresses()), names, home)
        except UnavailableError as error:
            pytest.skip(str(error))
        with local_stack.running(planned) as stack:
            yield stack.settings, home

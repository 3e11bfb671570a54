"""Real servers for tests, on free ports, with their data in a folder that vanishes with them."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import local_stack
from local_stack.free import free_addresses
from local_stack.postgres import binary, connect_as_superuser
from plantwatch.configuration import load
from plantwatch.errors import UnavailableError
from plantwatch.settings import Postgres, Settings
from tests.support.coverage import not_measured

CONFIGS = Path(__file__).parents[2] / "configs"
"""Absolute: a test may stand in another folder."""


@dataclass(frozen=True)
class PostgresServer:
    """A server, and how to reach it as the one who may do everything."""

    settings: Postgres
    home: Path

    def admin(self) -> psycopg.Connection:
        return connect_as_superuser(self.settings.port, self.home)

    def postmaster(self) -> int:
        """The id of the process that all connections come to first."""
        return int((self.home / "postgres/data/postmaster.pid").read_text().splitlines()[0])


@contextmanager
def served(*names: str, **environ: str) -> Iterator[tuple[Settings, Path]]:
    """These servers of the local stack, ready; skips the test where one cannot be had.

    `environ` are variables beside those that move every port to a free one. PostgreSQL is that of
    STACK_POSTGRES_BIN, if somebody has set it.
    The folder is not pytest's: PostgreSQL's own user may not enter that.
    """
    with tempfile.TemporaryDirectory(prefix="plantwatch-") as folder:
        home = Path(folder)
        try:
            settings = load(CONFIGS, free_addresses() | _chosen() | environ)
            planned = local_stack.plan(settings, names, home)
        except UnavailableError as error:
            pytest.skip(str(error))
        with ExitStack() as stack:
            with not_measured():
                running = stack.enter_context(local_stack.running(planned))
            yield running.settings, home


@contextmanager
def halted(pid: int) -> Iterator[None]:
    """A process that is stopped, as if its machine were gone, for the length of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def postgres_program(name: str) -> Path:
    """A program of the PostgreSQL that is tested with."""
    return binary(load(CONFIGS, _chosen()).stack, name)


def _chosen() -> dict[str, str]:
    return {"STACK_POSTGRES_BIN": os.environ.get("STACK_POSTGRES_BIN", "")}

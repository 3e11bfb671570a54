"""Each image's packages by themselves run its services; `make images`, some minutes.

The servers are those of the local stack, but for MLflow, which is one of our images. It is one
test: a service needs those before it, and all of them together must do what they are for.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from connections.postgres import ROLES, connect, login, variable
from local_stack.free import free_addresses
from local_stack.pipeline import environment_of
from plantwatch.configuration import load
from plantwatch.settings import Settings
from tests.support import compose, images
from tests.support.images import Container
from tests.support.servers import CONFIGS, served
from tests.support.waiting import until

pytestmark = pytest.mark.images

DEFAULTS: Final = environment_of(load(CONFIGS, {}))
TRAINED_SEC: Final = 900.0
TABLES: Final = ("anomaly_events", "readings", "alembic_version")
STORES: Final = ("sink-postgres", "sink-prometheus", "sink-shadow", "sink-readings", "outbox")


def ports(free: dict[str, str]) -> list[tuple[str, str]]:
    """Those that health checks ask, by their variables."""
    return [
        (name, port)
        for name, port in free.items()
        if name.endswith("METRICS_PORT") or name in {"API_PORT", "STREAMLIT_PORT"}
    ]


class Run:
    """Starts services in front of the servers here."""

    def __init__(self, settings: Settings, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        # Others may be at work here: none of the ports of compose.yaml is taken for free.
        free = free_addresses()
        self.mlflow = free["MLFLOW_TRACKING_URI"].removeprefix("http://127.0.0.1")
        self._places = {
            "kafka:29092": settings.kafka.bootstrap_servers,
            "http://mlflow:5000": free["MLFLOW_TRACKING_URI"],
            ":5000": self.mlflow,
            "--port=5000": f"--port={self.mlflow[1:]}",
            "5000/": f"{self.mlflow[1:]}/",
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - a container's alone
            "/cmapss": os.environ.get("CMAPSS_DIR") or str(compose.ROOT / "data"),
            "/models": str(folder / "models"),
            "/alerts": str(folder / "alerts"),
            "/mlflow/": f"{folder}/",
        }
        postgres = settings.postgres
        self._given = {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(postgres.port)}
        for variable_of_port, port in ports(free):
            self._places[f"{DEFAULTS[variable_of_port]}/"] = f"{port}/"
            self._given[variable_of_port] = port
        self._secrets = {"API_KEY": "a key"}
        for role in ROLES:
            password = login(postgres, role)[1]
            assert password is not None
            self._secrets[variable(role, "password")] = password.get_secret_value()

    def start(self, name: str, **given: str) -> Container:
        container = Container(name, self._places, self._secrets, self._given | given)
        self._stack.callback(container.end)
        return container

    def once(self, *names: str) -> None:
        for name in names:
            container = self.start(name)
            assert container.process.wait(TRAINED_SEC) == 0, container.said

    def healthy(self, *names: str, **given: str) -> list[Container]:
        started = [self.start(name, **given) for name in names]
        for one in started:
            until(one.is_healthy, partial(said, one))
        return started


def said(container: Container) -> str:
    return container.said


@pytest.fixture
def settings() -> Iterator[Settings]:
    with served("kafka", "postgres") as (settings, _):
        yield settings


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Iterator[Run]:
    with ExitStack() as stack:
        yield Run(settings, tmp_path, stack)


# In the order of compose.yaml, from an empty database to verdicts of a replayed fleet: what each
# container has is enough, and none of them writes where it may not.
def test_all_of_it_works_with_what_is_in_the_images(run: Run, settings: Settings) -> None:
    images.app()
    before = images.files()
    run.once("migrate", "alerts")
    run.healthy("mlflow")
    hosts = [f"{name}{run.mlflow}" for name in ("mlflow", "127.0.0.1", "evil.example")]
    assert [status(run.mlflow, host) for host in hosts] == [200, 200, 403]
    run.once("train")
    run.healthy("registry")
    [worker] = run.healthy("worker", PYTHONPROFILEIMPORTTIME="1")
    running = run.healthy(*STORES, "drift", "streamlit", "fastapi")
    [replay] = run.healthy("replay")

    until(stored(settings), partial(said, replay))
    imported = set(re.findall(r"^import time:[ \d|]+\| +(\w+)", worker.said, re.MULTILINE))
    assert imported >= {"faust", "onnxruntime"}
    assert not imported & {"torch", "mlflow", "sklearn", "scipy", "pandas"}
    assert replay.end() == 75  # which says that it is not through
    assert [one.end() for one in running if one.name in {*STORES, "drift"}] == [0] * 6
    assert worker.end() == 0
    assert images.files() == before


def stored(settings: Settings) -> Callable[[], bool]:
    """Whether verdicts and readings are in their tables."""

    def looked() -> bool:
        with connect(settings, "reader") as connection:
            counts = [
                connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in TABLES
            ]
        return all(count != (0,) for count in counts)

    return looked


def status(port: str, host: str) -> int:
    """What MLflow answers to somebody who calls it by this name."""
    connection = HTTPConnection(f"127.0.0.1{port}", timeout=10)
    path = "/api/2.0/mlflow/experiments/search?max_results=1"
    connection.request("GET", path, headers={"Host": host})
    found = connection.getresponse().status
    connection.close()
    return found

"""What tests share: real servers, settings that lead to them, and NASA's files where they are."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from psycopg import sql

from local_stack.free import free_addresses
from plantwatch.configuration import load
from plantwatch.settings import Postgres, Settings
from tests.support.servers import CONFIGS, PostgresServer, served

ROOT = Path(__file__).parents[1]

set_hypothesis_home_dir(".local/cache/hypothesis")
# Without deadlines: a slow machine is no failure.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
# `make fuzz`: some 50,000 examples over the decoder's properties, others each time.
hypothesis.settings.register_profile("fuzz", max_examples=3_000, deadline=None)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a real broker."""
    with served("kafka") as (settings, _):
        yield settings.kafka.bootstrap_servers


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL; `database` is what a test uses of it."""
    with served("postgres") as (settings, home):
        yield PostgresServer(settings.postgres, home)


@pytest.fixture(scope="session")
def mlflow_server() -> Iterator[str]:
    """The address of a real, empty MLflow server; slow to start."""
    with served("mlflow") as (settings, _):
        yield settings.mlflow.tracking_uri


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Postgres]:
    """A fresh, empty database, owned by the user of these settings."""
    name = f"test_{uuid.uuid4().hex}"
    wanted = postgres.settings.model_copy(update={"db": name})
    with postgres.admin() as admin:
        names = sql.Identifier(name), sql.Identifier(wanted.user)
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    yield wanted
    with postgres.admin() as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(names[0]))


@pytest.fixture
def settings(request: pytest.FixtureRequest, kafka: str, database: Postgres) -> Settings:
    """Settings that lead to the real servers; topics, groups and ports are this test's own.

    The topics do not exist yet. A test that asks for `mlflow_server` too finds it here.
    """
    own = uuid.uuid4().hex
    environ = free_addresses() | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "TOPICS_READINGS": f"readings-{own}",
        "TOPICS_SCORES": f"scores-{own}",
        "TOPICS_ANOMALIES": f"anomalies-{own}",
        "TOPICS_DEAD_LETTERS": f"dead-letters-{own}",
        "TOPICS_SHADOW_SCORES": f"shadow-scores-{own}",
        "TOPICS_INCIDENTS": f"incidents-{own}",
        "WORKER_GROUP_ID": f"worker-{own}",
        "SINK_POSTGRES_GROUP_ID": f"sink-postgres-{own}",
        "SINK_PROMETHEUS_GROUP_ID": f"sink-prometheus-{own}",
        "SINK_SHADOW_GROUP_ID": f"sink-shadow-{own}",
        "SINK_READINGS_GROUP_ID": f"sink-readings-{own}",
        "DRIFT_GROUP_ID": f"drift-{own}",
    }
    if "mlflow_server" in request.fixturenames:
        environ["MLFLOW_TRACKING_URI"] = request.getfixturevalue("mlflow_server")
    return load(CONFIGS, environ).model_copy(update={"postgres": database})


@pytest.fixture(scope="session")
def cmapss_dir() -> Path:
    """The folder of NASA's C-MAPSS files."""
    for folder in (os.environ.get("CMAPSS_DIR"), "data/raw"):
        # Absolute: the test that asks may stand in another folder.
        if folder and (absolute := ROOT / folder / "train_FD001.txt").exists():
            return absolute.parent
    pytest.skip("NASA's C-MAPSS files are not here; run `make download-data` or set CMAPSS_DIR")

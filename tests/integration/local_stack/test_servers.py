"""The servers of the local stack, really started."""

import json
import os
import queue
import signal
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg
import pytest
import yaml
from confluent_kafka import Producer

import local_stack
from connections.kafka import ensure_topics
from local_stack.free import free_addresses
from local_stack.postgres import connect_as_superuser
from local_stack.process import State, Status
from monitoring.alerts import table
from plantwatch.configuration import load
from plantwatch.settings import Postgres, Settings
from tests.support.programs import needs
from tests.support.servers import CONFIGS, served

pytestmark = pytest.mark.real


# A message is acknowledged by the broker that the settings name.
def test_kafka_keeps_what_it_is_sent(settings: Settings) -> None:
    ensure_topics(settings)
    reports: list[object] = []
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap_servers})
    producer.produce(settings.topics.readings, b"x", on_delivery=lambda e, _: reports.append(e))
    assert producer.flush(30) == 0
    assert reports == [None]


def connect(database: Postgres, password: str) -> psycopg.Connection:
    return psycopg.connect(
        host=database.host,
        port=database.port,
        dbname=database.db,
        user=database.user,
        password=password,
    )


# The user of the settings may make tables and is no superuser.
def test_postgres_lets_its_user_work_in_its_database(database: Postgres) -> None:
    assert database.password is not None
    with connect(database, database.password.get_secret_value()) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1")
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert row.fetchone() == (False,)


# PostgreSQL may be the distribution's: `make test-postgres15` runs all tests of tables on it.
def test_postgres_may_be_another_one() -> None:
    binaries = Path("/usr/lib/postgresql/15/bin")
    if not binaries.exists():
        pytest.skip("no PostgreSQL 15; get it with `apt install postgresql-15`")
    with (
        served("postgres", STACK_POSTGRES_BIN=str(binaries)) as (settings, home),
        connect_as_superuser(settings.postgres.port, home) as connection,
    ):
        assert connection.info.server_version // 10_000 == 15


# Nobody on this machine gets in without the password.
def test_postgres_asks_for_the_password(database: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(database, "wrong")


# The supervisor starts a server that was killed again, and says what happened.
def test_a_server_that_is_killed_comes_back_with_its_data() -> None:
    changes: queue.Queue[Status] = queue.Queue()

    def note(statuses: list[Status]) -> None:
        if statuses[0].state is State.READY:
            changes.put(statuses[0])

    with tempfile.TemporaryDirectory(prefix="plantwatch-") as folder:
        planned = local_stack.plan(load(CONFIGS, free_addresses()), ["postgres"], Path(folder))
        port = planned.settings.postgres.port
        with local_stack.running(planned, note) as stack:
            [status] = stack.statuses
            with connect_as_superuser(port, planned.home) as connection:
                connection.execute("CREATE TABLE t AS SELECT 1")
            changes.queue.clear()
            assert status.pid is not None
            os.kill(status.pid, signal.SIGKILL)
            assert changes.get(timeout=120).reason == "signal 9"
            with connect_as_superuser(port, planned.home) as connection:
                assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]


def http(url: str, method: str = "GET", body: bytes | None = None) -> bytes:
    headers = {"Content-Type": "application/json"}
    request = Request(url, body, headers, method=method)  # noqa: S310 (our own servers)
    with urlopen(request, timeout=60) as response:  # noqa: S310 (the same)
        return bytes(response.read())


# Artifacts travel through the server: a client needs no access to its disk.
def test_mlflow_keeps_experiments_and_artifacts(mlflow_server: str) -> None:
    body = json.dumps({"name": "an experiment"}).encode()
    made = http(f"{mlflow_server}/api/2.0/mlflow/experiments/create", "POST", body)
    assert json.loads(made)["experiment_id"]
    artifacts = f"{mlflow_server}/api/2.0/mlflow-artifacts/artifacts"
    http(f"{artifacts}/folder/model.onnx", "PUT", b"weights")
    [file] = json.loads(http(f"{artifacts}?path=folder"))["files"]
    assert (file["path"], file["file_size"]) == ("model.onnx", 7)


# Prometheus scrapes every process of the pipeline, and has the rules of all alerts.
@needs("prometheus")
def test_prometheus_knows_whom_to_scrape() -> None:
    with served("prometheus") as (settings, _):
        api = f"http://127.0.0.1:{settings.stack.prometheus_port}/api/v1"
        config = yaml.safe_load(json.loads(http(f"{api}/status/config"))["data"]["yaml"])
        groups = json.loads(http(f"{api}/rules?type=alert"))["data"]["groups"]
    assert {job["job_name"] for job in config["scrape_configs"]} == {
        *("producer", "worker", "sink-postgres", "sink-prometheus", "sink-shadow", "sink-readings"),
        "outbox",
        "drift",
        "api",
    }
    names = {rule["name"] for group in groups for rule in group["rules"]}
    assert names == {alert.name for alert in table(settings)}

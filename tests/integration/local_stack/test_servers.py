"""The servers of the local stack, really started."""

import psycopg
import pytest
from confluent_kafka import Producer

from connections.kafka import ensure_topics
from plantwatch.settings import Postgres, Settings

pytestmark = pytest.mark.real


def test_kafka_keeps_what_it_is_sent(settings: Settings) -> None:
    """A message is acknowledged by the broker that the settings name."""
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


def test_postgres_lets_its_user_work_in_its_database(database: Postgres) -> None:
    """The user of the settings may make tables and is no superuser."""
    assert database.password is not None
    with connect(database, database.password.get_secret_value()) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1")
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert row.fetchone() == (False,)


def test_postgres_asks_for_the_password(database: Postgres) -> None:
    """Nobody on this machine gets in without it."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(database, "wrong")

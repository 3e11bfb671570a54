"""The PostgreSQL sink on a real server, in good and in bad times."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from connections.postgres import connect
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.errors import ConfigError, StoreAwayError, UnavailableError
from plantwatch.messages import SensorContribution
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from sinks.postgres import PostgresSink, _insert
from tests.support.servers import PostgresServer, halted
from tests.support.stored import do
from tests.support.verdicts import row

pytestmark = pytest.mark.real

NOW = 1_700_000_003.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Impatient ones, so that what takes 15 s in production takes 2 here."""
    upgrade(settings)
    return with_sink(settings, deadline_sec=2.0, lock_timeout_sec=0.2)


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def sink(settings: Settings, exporter: Exporter) -> Iterator[PostgresSink]:
    sink = PostgresSink(settings, exporter.histogram(metrics.STORED_LATENCY), clock=lambda: NOW)
    yield sink
    sink.close()


def with_sink(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"sink": settings.sink.model_copy(update=changes)})


# A verdict becomes one row with everything that is known of it; created_at is the server's.
def test_a_row_says_all(settings: Settings, sink: PostgresSink) -> None:
    sensors = (SensorContribution(11, 2.5), SensorContribution(4, -1e-9))
    wanted = row(
        7,
        is_anomaly=True,
        anomaly_score=0.1 + 0.2,
        top_sensors=sensors,
        regime=2,
        unseen_regime=True,
    )
    sink.write([wanted])
    assert do(
        settings,
        "SELECT sensor_id, cycle, detected_at, anomaly_score, is_anomaly, confidence,"
        " model_version, model_digest, source_partition, first_offset, last_offset, top_sensors,"
        " regime, unseen_regime FROM anomaly_events",
    ) == [
        (
            "FD001-engine-001", 7, wanted.detected_at, 0.1 + 0.2, True, 0.75,
            "isolation_forest_v1", "d1", 3, 78, 107,
            [{"sensor": 11, "contribution": 2.5}, {"sensor": 4, "contribution": -1e-9}], 2, True,
        )
    ]  # fmt: skip


# The first message of an identity counts, within a batch and between batches.
def test_the_first_counts(settings: Settings, sink: PostgresSink) -> None:
    first, second = row(1, anomaly_score=0.1), row(1, anomaly_score=0.9)
    outcome = sink.write([first, second, row(2)])
    assert list(outcome.stored) == [first, row(2)]
    assert (outcome.known, list(outcome.refused)) == (1, [])
    assert sink.write([second]).known == 1
    assert do(settings, "SELECT anomaly_score FROM anomaly_events WHERE cycle = 1") == [(0.1,)]


# Publish-to-stored is measured once per row, when it is new.
def test_latency_is_of_new_rows(sink: PostgresSink, exporter: Exporter) -> None:
    sink.write([row(1), row(2)])
    sink.write([row(1), row(2)])
    value = exporter.registry.get_sample_value
    assert value("plantwatch_publish_to_stored_seconds_count") == 2
    assert value("plantwatch_publish_to_stored_seconds_sum") == pytest.approx(6.0)


# Rows that PostgreSQL will never take are named with its reason; all others are stored.
def test_bad_rows_are_refused_alone(settings: Settings, sink: PostgresSink) -> None:
    bad = [
        row(2, sensor_id="with \0 in it"),
        row(2**63),
        row(4, confidence=1.5),
        row(5, model_version="v" * 129),
        row(6, partition=2**31),
    ]
    good = [row(cycle) for cycle in (1, 8, 9)]
    outcome = sink.write([good[0], *bad, *good[1:]])
    assert [refusal.row for refusal in outcome.refused] == bad
    assert "violates check constraint" in outcome.refused[2].detail
    assert list(outcome.stored) == good
    assert do(settings, "SELECT cycle FROM anomaly_events ORDER BY 1") == [(1,), (8,), (9,)]


# The table itself refuses scores that are no numbers, whoever writes them.
@pytest.mark.parametrize("score", ["NaN", "Infinity", "-Infinity"])
def test_scores_are_finite(settings: Settings, sink: PostgresSink, score: str) -> None:
    sink.write([row(1)])
    with pytest.raises(psycopg.errors.CheckViolation):
        do(settings, "UPDATE anomaly_events SET anomaly_score = %s", score)


# What a person must mend stops the sink with the next step, and gives up no row.
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("REVOKE INSERT ON anomaly_events FROM anomaly_writer", r"permission denied.*grant"),
        ("DROP TABLE anomaly_events", r"does not exist.*plantwatch migrate"),
        ("ALTER TABLE anomaly_events DROP COLUMN confidence", "plantwatch migrate"),
    ],
)
def test_a_person_is_asked(settings: Settings, sink: PostgresSink, harm: str, words: str) -> None:
    do(settings, harm)
    with pytest.raises(ConfigError, match=words):
        sink.write([row(1)])


# A wrong password, or none, is for a person too; the message names the variable.
@pytest.mark.parametrize("password", ["wrong", None])
def test_a_password_is_asked_for(settings: Settings, password: str | None) -> None:
    document = settings.model_dump() | {"postgres": settings.postgres.model_dump()}
    document["postgres"]["writer_password"] = password
    sink = PostgresSink(
        Settings.model_validate(document), Exporter().histogram(metrics.STORED_LATENCY)
    )
    with pytest.raises(ConfigError, match="POSTGRES_WRITER_PASSWORD"):
        sink.write([row(1)])


@contextmanager
def locked(settings: Settings, _: PostgresServer) -> Iterator[None]:
    with connect(settings, "owner") as other:
        other.execute("LOCK TABLE anomaly_events")
        yield


@contextmanager
def read_only(settings: Settings, server: PostgresServer) -> Iterator[None]:
    with server.admin() as admin:
        name = settings.postgres.db
        admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        yield
        admin.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


@contextmanager
def stopped(_: Settings, server: PostgresServer) -> Iterator[None]:
    """The postmaster does not accept connections, as if its machine were gone."""
    with halted(server.postmaster()):
        yield


# A table locked, a server read-only or stopped is away: nothing of the batch is stored, the sink
# says so within its deadline, and the same batch is stored as soon as the trouble is over.
@pytest.mark.parametrize(("trouble", "why"), [(locked, "55"), (read_only, "25"), (stopped, "lost")])
def test_trouble_passes(
    settings: Settings,
    postgres: PostgresServer,
    sink: PostgresSink,
    trouble: Callable[..., Any],
    why: str,
) -> None:
    started = time.monotonic()
    with trouble(settings, postgres), pytest.raises(StoreAwayError) as away:
        sink.write([row(1)])
    assert away.value.why == why
    assert time.monotonic() - started < 2 * settings.sink.deadline_sec
    assert len(sink.write([row(1)]).stored) == 1


# A server process that stops in mid-conversation raises nothing by itself: the sink's own deadline
# cuts the line. Continued, the server drops what was half done, and the batch is stored once.
def test_a_stopped_backend_is_given_up(sink: PostgresSink) -> None:
    sink.write([row(1)])
    assert sink._database.connection is not None
    backend = sink._database.connection.info.backend_pid
    started = time.monotonic()
    with halted(backend), pytest.raises(StoreAwayError) as away:
        sink.write([row(1), row(2)])
    assert away.value.why == "lost"
    assert 1.5 < time.monotonic() - started < 4
    outcome = sink.write([row(1), row(2)])
    assert (len(outcome.stored), outcome.known) == (1, 1)


# Should the sink itself be stopped in mid-batch, the server frees the keys it holds.
def test_a_stopped_sink_holds_no_keys(settings: Settings, sink: PostgresSink) -> None:
    impatient = with_sink(settings, idle_timeout_sec=0.3)
    zombie = PostgresSink(impatient, Exporter().histogram(metrics.STORED_LATENCY))
    zombie.write([row(1)])
    connection = zombie._database.connection
    assert connection is not None
    connection.execute("SELECT 1")  # begins a transaction, which never ends
    _insert(connection, zombie._table, [row(2)])
    patient = with_sink(settings, lock_timeout_sec=2.0)
    other = PostgresSink(patient, Exporter().histogram(metrics.STORED_LATENCY))
    assert len(other.write([row(2)]).stored) == 1
    other.close()
    zombie.close()
    assert sink.write([row(1), row(2)]).known == 2


# Migrating twice, or with everything in place, changes nothing.
def test_migrations_can_be_repeated(settings: Settings, sink: PostgresSink) -> None:
    sink.write([row(1)])
    upgrade(settings)
    assert do(settings, "SELECT count(*) FROM anomaly_events") == [(1,)]


# Migrating without a server tells which address does not answer.
def test_migrating_needs_a_server(settings: Settings) -> None:
    absent = settings.postgres.model_copy(update={"port": 1})
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1 is away"):
        upgrade(settings.model_copy(update={"postgres": absent}))

"""Open incidents and silent machines, as the metrics have them."""

import time
from collections.abc import Iterator

import pytest

from connections.postgres import connect
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.settings import Settings
from sinks.census import Census
from sinks.migrate import upgrade
from sinks.postgres import PostgresSink
from sinks.readings import ReadingsSink
from sinks.writer import writer
from tests.support.clock import Clock
from tests.support.readings import reading_row
from tests.support.verdicts import row

pytestmark = pytest.mark.real


@pytest.fixture
def settings(settings: Settings) -> Settings:
    upgrade(settings)
    return settings


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def census(settings: Settings, exporter: Exporter, clock: Clock) -> Iterator[Census]:
    database = writer(settings)
    yield Census(settings, database, exporter, clock)
    database.close()


def opened(exporter: Exporter, severity: str, state: str) -> float | None:
    labels = {"severity": severity, "state": state}
    return exporter.registry.get_sample_value("plantwatch_open_incidents", labels)


def silent(exporter: Exporter) -> float | None:
    return exporter.registry.get_sample_value("plantwatch_silent_machines")


# Incidents count by severity and state for as long as they are open, each machine's once.
def test_open_incidents_are_counted(
    settings: Settings, census: Census, exporter: Exporter, clock: Clock
) -> None:
    sink = PostgresSink(settings, Exporter().histogram(metrics.STORED_LATENCY))
    for number, level in enumerate((0.7, 0.7, 0.99)):
        name = f"m{number}"
        sink.write(
            [row(n, sensor_id=name, is_anomaly=True, anomaly_score=level) for n in range(1, 6)]
        )
    sink.close()
    census.take()
    assert (opened(exporter, "warning", "open"), opened(exporter, "critical", "open")) == (2, 1)
    with connect(settings, "operator") as person:
        person.execute(
            "UPDATE incidents SET acknowledged_at = now(), acknowledged_by = 'me' "
            "WHERE sensor_id = 'm0'"
        )
        person.execute(
            "UPDATE incidents SET closed_at = now(), closed_by = 'me', closed_why = 'by hand' "
            "WHERE sensor_id = 'm2'"
        )
    census.take()  # too early
    assert opened(exporter, "critical", "open") == 1
    clock.now += settings.outbox.look_sec
    census.take()
    assert (opened(exporter, "warning", "open"), opened(exporter, "critical", "open")) == (1, 0)
    assert opened(exporter, "warning", "acknowledged") == 1


# A machine is silent once nothing came in for long enough, unless somebody works on it.
def test_silent_machines_are_counted(
    settings: Settings, census: Census, exporter: Exporter, clock: Clock
) -> None:
    sink = ReadingsSink(settings, Exporter().histogram(metrics.STORED_LATENCY))
    clock.now = float(round(clock.now)) - settings.streamlit.silent_after_sec
    sink.write([reading_row(1, clock.now, sensor_id=name) for name in ("a", "b", "c")])
    census.take()
    assert silent(exporter) == 0
    clock.now += settings.streamlit.silent_after_sec
    sink.write([reading_row(2, clock.now, sensor_id="a")])
    sink.close()
    census.take()
    assert silent(exporter) == 0
    with connect(settings, "owner") as owner:
        owner.execute(
            "INSERT INTO maintenance (sensor_id, starts_at, ends_at, reason, created_by) "
            "SELECT sensor_id, event_time, event_time + interval '1 hour', 'bearing', 'me' "
            "FROM readings WHERE sensor_id = 'c'"
        )
    clock.now += settings.outbox.look_sec
    census.take()
    assert silent(exporter) == 1

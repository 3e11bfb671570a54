"""Verdicts that were kept for long enough go, on a real PostgreSQL; those of an incident stay."""

from collections.abc import Iterator
from typing import Any

import pytest

from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.configuration import with_changes
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from sinks.postgres import SHADOW_EVENTS, PostgresSink
from tests.support import stored
from tests.support.clock import Clock
from tests.support.stored import do

pytestmark = pytest.mark.real

DAY = 86_400.0
NOW = 1_800_000_000.0
VERDICTS = """
INSERT INTO {} (sensor_id, cycle, detected_at, anomaly_score, is_anomaly, confidence, model_version,
    model_digest, source_partition, first_offset, last_offset, created_at)
SELECT '{}', n, timestamptz '2026-01-01' + n * interval '1 h', 0.5, true, 0.5, 'v', 'd', {}, n,
    n + 30, to_timestamp({})
FROM generate_series({}, {}) AS n
"""


@pytest.fixture
def clock() -> Clock:
    """Rows are dated by it, years from the server's own."""
    return Clock(NOW)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Ten days are kept; ten rows are looked at at once, each minute. The young are nobody's."""
    upgrade(settings)
    own = with_changes(settings, "sink", verdicts_days=10, delete_rows=10, tend_sec=60.0)
    do(own, "ALTER TABLE anomaly_events DISABLE TRIGGER anomaly_events_young")
    do(own, "ALTER TABLE shadow_events DISABLE TRIGGER shadow_events_young")
    return own


@pytest.fixture
def sink(settings: Settings, clock: Clock) -> Iterator[PostgresSink]:
    sink = made(settings, clock)
    yield sink
    sink.close()


def made(settings: Settings, clock: Clock, **more: Any) -> PostgresSink:
    return PostgresSink(settings, Exporter().histogram(metrics.STORED_LATENCY), clock, **more)


def incident(settings: Settings, first: int, last: int) -> None:
    """One of machine `m`, whose windows lie from `first` to `last`."""
    with stored.owner(settings) as owner:
        stored.incident(owner, "m", first_offset=first, last_offset=last)


def fill(
    settings: Settings,
    cycles: range,
    days: float,
    *,
    sensor: str = "m",
    partition: int = 0,
    table: str = "anomaly_events",
) -> None:
    """Store verdicts that are so many days old."""
    created = NOW - days * DAY
    first, last = cycles[0], cycles[-1]
    do(settings, VERDICTS.format(table, sensor, partition, created, first, last))


def cycles(settings: Settings, sensor: str = "m", table: str = "anomaly_events") -> list[int]:
    asked = f"SELECT cycle FROM {table} WHERE sensor_id = '{sensor}' ORDER BY id"
    return [cycle for (cycle,) in do(settings, asked)]


# What is old goes, the oldest first, some at a time; what is young stays, and is looked at again
# when it is old.
def test_old_verdicts_go_little_by_little(
    settings: Settings, sink: PostgresSink, clock: Clock
) -> None:
    fill(settings, range(25), 11)
    fill(settings, range(25, 30), 9)
    sink.tend()
    assert cycles(settings) == list(range(10, 30))
    sink.tend()
    assert cycles(settings) == list(range(20, 30))
    sink.tend()
    assert cycles(settings) == list(range(25, 30))
    clock.now += 2 * DAY
    sink.tend()
    assert cycles(settings) == []


# Once a minute it is asked for, not after each batch.
def test_it_looks_now_and_then(settings: Settings, sink: PostgresSink, clock: Clock) -> None:
    sink.tend()
    fill(settings, range(5), 11)
    clock.now += 59
    sink.tend()
    assert len(cycles(settings)) == 5
    clock.now += 1
    sink.tend()
    assert cycles(settings) == []


# Unless somebody says for how long, verdicts are kept for ever.
def test_nothing_goes_unless_told(settings: Settings, clock: Clock) -> None:
    fill(settings, range(5), 10_000)
    sink = made(with_changes(settings, "sink", verdicts_days=0), clock)
    sink.tend()
    sink.close()
    assert len(cycles(settings)) == 5


# The verdicts behind an incident stay with it, however old; those of other machines with the same
# offsets, or of the same in another partition, do not. What stays does not stop what comes after.
def test_the_evidence_of_incidents_stays(settings: Settings, sink: PostgresSink) -> None:
    fill(settings, range(40), 11)
    fill(settings, range(40), 11, sensor="other")
    fill(settings, range(100, 140), 11, partition=1)
    incident(settings, 35, 60)  # a verdict's window ends at its cycle + 30
    for _ in range(13):
        sink.tend()
    assert cycles(settings) == list(range(5, 31))
    assert cycles(settings, "other") == []


# A transaction that began early may store its rows late, with ids among older ones: nothing behind
# it is passed over for good.
def test_a_straggler_is_not_passed_over(
    settings: Settings, sink: PostgresSink, clock: Clock
) -> None:
    fill(settings, range(2), 11)
    fill(settings, range(2, 3), 9)
    fill(settings, range(3, 6), 11)
    sink.tend()
    assert cycles(settings) == [2, 3, 4, 5]
    clock.now += 2 * DAY
    sink.tend()
    assert cycles(settings) == []


# Challengers' verdicts go as well.
def test_those_of_challengers_go_too(settings: Settings, clock: Clock) -> None:
    fill(settings, range(5), 11, table="shadow_events")
    sink = made(settings, clock, table=SHADOW_EVENTS)
    sink.tend()
    sink.close()
    assert cycles(settings, table="shadow_events") == []


# Nobody waits for a deletion that goes on: neither inserts, nor another process that would delete.
def test_deleting_is_in_nobodys_way(settings: Settings, sink: PostgresSink, clock: Clock) -> None:
    fill(settings, range(10), 11)
    quick = with_changes(settings, "sink", lock_timeout_sec=0.5)
    other = made(quick, clock)
    with sink._database.transaction() as connection:
        pruning = sink._pruning
        gone = pruning._tending._delete_alone(connection, pruning._prune, clock.now)
        assert gone == 10
        fill(quick, range(100, 110), 0)
        other.tend()
    other.close()
    assert cycles(settings) == list(range(100, 110))

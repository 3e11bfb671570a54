"""The sink of readings on a real PostgreSQL: what it keeps, and for how long."""

from collections.abc import Iterator

import pytest

from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from sinks.readings import ReadingsSink
from tests.support.clock import Clock
from tests.support.readings import message, reading_row, sent
from tests.support.stored import do

pytestmark = pytest.mark.real

HOUR = 3600.0
NOW = 1_800_000_000.0


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A day is kept; ten rows are deleted at once, each minute."""
    upgrade(settings)
    changes = {"delete_rows": 10, "lock_timeout_sec": 0.5, "tend_sec": 60.0}
    return settings.model_copy(update={"sink": settings.sink.model_copy(update=changes)})


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def sink(settings: Settings, clock: Clock, exporter: Exporter) -> Iterator[ReadingsSink]:
    sink = ReadingsSink(settings, exporter.histogram(metrics.STORED_LATENCY), clock)
    yield sink
    sink.close()


def cycles(settings: Settings) -> list[int]:
    return [cycle for (cycle,) in do(settings, "SELECT cycle FROM readings ORDER BY cycle")]


# A reading becomes one row: settings, then sensors, as float32, and where on Kafka it lies.
def test_a_row_says_all(settings: Settings, sink: ReadingsSink, exporter: Exporter) -> None:
    sensors = [0.1, -1e-60, 3.4e38, 1e-40, 641, -0.0, 2**53 + 1, *[0.5] * 14]
    wanted = reading_row(7, NOW - 2, sensors=sensors)
    assert list(sink.write([wanted]).stored) == [wanted]
    [row] = do(
        settings,
        "SELECT sensor_id, cycle, extract(epoch FROM event_time)::bigint, values,"
        " extract(epoch FROM published_at)::bigint, source_partition, source_offset FROM readings",
    )
    assert row[:3] == ("FD001-engine-001", 7, 1_700_000_007)
    assert row[4:] == (NOW - 2, 3, 107)
    kept = [0.0, 0.25, 100.0, 0.1, 0.0, 3.4e38, 1e-40, 641.0, 0.0, 2.0**53, *[0.5] * 14]
    assert row[3] == pytest.approx(kept, rel=1e-6)
    value = exporter.registry.get_sample_value
    assert value("plantwatch_publish_to_stored_seconds_sum") == pytest.approx(2)


# Whatever the decoder lets through has its place in the table.
def test_odd_readings_are_kept(settings: Settings, sink: ReadingsSink) -> None:
    odd = [
        message(sent(1, sensor_id='{"a\\b", NULL} ü'), 0, NOW),
        message(sent(-(2**63), event_time="0001-01-01T00:00:00Z"), 1, NOW),
        message(sent(2**63 - 1, event_time="9999-12-31T23:59:59.999999Z"), 2, NOW),
        message(sent(4, event_time="2026-11-27T12:00:00.5+05:30", settings=[1, 2, 3]), 3, NOW),
    ]
    rows = [row for row in map(sink.read, odd) if row]
    assert len(rows) == 4
    assert sink.write(rows).stored == rows
    assert cycles(settings) == [-(2**63), 1, 4, 2**63 - 1]
    assert do(settings, "SELECT sensor_id FROM readings WHERE cycle = 1") == [('{"a\\b", NULL} ü',)]


# The first copy of a reading counts, within a batch and between batches.
def test_the_first_counts(settings: Settings, sink: ReadingsSink) -> None:
    first, second = reading_row(1, NOW), reading_row(1, NOW, sensors=[9.0] * 21)
    outcome = sink.write([first, second, reading_row(2, NOW)])
    assert (len(outcome.stored), outcome.known) == (2, 1)
    assert sink.write([second]).known == 1
    assert do(settings, "SELECT values[4] FROM readings WHERE cycle = 1") == [(0.125,)]


# What is no reading is the worker's to bury; what is too old to be kept is not stored at all.
def test_some_messages_are_not_for_it(sink: ReadingsSink, clock: Clock) -> None:
    good = message(sent(1), 1, NOW - 23 * HOUR)
    assert sink.read(good) is not None
    assert sink.read(message(sent(1), 1, NOW - 25 * HOUR)) is None
    for bad in (b"no json", None, b"{}"):
        assert sink.read(type(good)(3, 1, good.timestamp, good.key, bad)) is None
    assert sink.read(type(good)(3, 1, good.timestamp, b"another", good.value)) is None
    clock.now += 2 * HOUR
    assert sink.read(good) is None


# A producer's clock that is ahead, by however much, does not keep its readings longer.
@pytest.mark.parametrize("ahead", [HOUR, 1e12])
def test_nothing_is_published_in_the_future(sink: ReadingsSink, ahead: float) -> None:
    row = sink.read(message(sent(1), 1, NOW + ahead))
    assert row is not None
    assert row.published == 1000 * NOW


# Rows older than what is kept are deleted, the oldest first, some at a time; the rest stay.
def test_old_rows_are_deleted_little_by_little(
    settings: Settings, sink: ReadingsSink, clock: Clock
) -> None:
    sink.write([reading_row(cycle, NOW - 23 * HOUR + cycle) for cycle in range(25)])
    sink.tend()
    assert len(cycles(settings)) == 25
    clock.now += HOUR + 23  # of the 25 all but the last two are past it
    sink.tend()
    assert cycles(settings) == list(range(10, 25))
    sink.tend()
    sink.tend()
    assert cycles(settings) == [23, 24]
    clock.now += 59
    sink.tend()
    assert cycles(settings) == [23, 24], "not yet: it looks once a minute"
    clock.now += 1
    sink.tend()
    assert cycles(settings) == []


# An insert does not wait for a deletion that goes on, nor does another sink's deletion.
def test_deleting_is_in_nobodys_way(settings: Settings, sink: ReadingsSink, clock: Clock) -> None:
    sink.write([reading_row(cycle, NOW - 23 * HOUR) for cycle in range(10)])
    other = ReadingsSink(settings, Exporter().histogram(metrics.STORED_LATENCY), clock)
    clock.now += 2 * HOUR
    with other._database.transaction() as connection:
        assert other._tending._delete_alone(connection, other._delete, clock.now) == 10
        fresh = [reading_row(cycle, clock.now) for cycle in range(100, 1100)]
        assert len(sink.write(fresh).stored) == 1000
        sink.tend()
        assert len(cycles(settings)) == 1010, "the other's deletion is not committed yet"
    other.close()
    assert len(cycles(settings)) == 1000


# Nothing is left of a reading after its time, however many there are to come.
def test_a_reading_may_come_again_after_its_time(
    settings: Settings, sink: ReadingsSink, clock: Clock
) -> None:
    sink.write([reading_row(1, NOW)])
    clock.now += 25 * HOUR
    sink.tend()
    assert len(sink.write([reading_row(1, clock.now)]).stored) == 1
    assert cycles(settings) == [1]

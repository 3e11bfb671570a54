"""Readings, and score events as the worker writes them, made without a worker, on their topics."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final

from connections.kafka import CheckedProducer, ensure_topics, producer_config
from data.fleet import Fleet
from plantwatch.errors import UnavailableError
from plantwatch.instants import to_iso
from plantwatch.messages import (
    IncidentRule,
    ScoreEvent,
    SensorContribution,
    SensorReading,
    identity,
)
from plantwatch.settings import Settings
from producers import replay

_ORIGIN: Final = 1_764_000_000_000_000
"""Event time of the first pass, in microseconds since 1970: any will do."""
_ANOMALOUS: Final = 0.1
"""The share of anomalies, which are longer messages; on NASA's tests it is about that."""
_BEFORE: Final = 29
"""Readings of a window before its last."""
_FLUSH_SEC: Final = 60.0


def events(fleet: Fleet, count: int, rule: IncidentRule) -> list[ScoreEvent]:
    """Verdicts on `count` readings of a fleet, pass after pass, no two of one identity.

    In the order in which a plant sends its readings; the same each time. Anomalies are strewn at
    random, so that incidents come and go far more often than machines fail.
    """
    rng = Random(0)
    return [
        _event(reading, time, number, rule, rng)
        for number, (reading, time) in enumerate(_readings(fleet, count))
    ]


def readings(fleet: Fleet, count: int) -> list[SensorReading]:
    """The readings that `events` are of."""
    return [reading for reading, _ in _readings(fleet, count)]


def preload(settings: Settings, topic: str, messages: Iterable[ScoreEvent | SensorReading]) -> None:
    """Put messages on a topic, acknowledged on return.

    Raises:
        UnavailableError: no broker answers, or not in time.
    """
    ensure_topics(settings)
    producer = CheckedProducer(producer_config(settings))
    for one in messages:
        producer.send(topic, one.sensor_id.encode(), one.to_bytes())
    if not producer.flush(_FLUSH_SEC):
        raise UnavailableError(f"Kafka did not take the messages within {_FLUSH_SEC:g} s")


def _readings(fleet: Fleet, count: int) -> Iterator[tuple[SensorReading, int]]:
    """With their event times: each pass begins where the cycles of the one before end."""
    rows, cycles = replay.order(fleet, fleet.slices, {}), int(fleet.cycle.max())
    for number in range(count):
        row = int(rows[number % len(rows)])
        passed = number // len(rows) * cycles
        sensor_id, cycle = fleet.identity(row)
        time = replay.event_time(_ORIGIN, passed + cycle)
        reading = SensorReading(
            sensor_id=sensor_id,
            cycle=cycle,
            event_time=to_iso(time),
            settings=fleet.settings[row].tolist(),
            sensors=fleet.sensors[row].tolist(),
        )
        yield reading, time


def _event(
    reading: SensorReading, time: int, number: int, rule: IncidentRule, rng: Random
) -> ScoreEvent:
    anomalous, score = rng.random() < _ANOMALOUS, rng.random() / 2
    return ScoreEvent(
        id=identity(reading.sensor_id, reading.cycle, reading.event_time),
        sensor_id=reading.sensor_id,
        cycle=reading.cycle,
        event_time=reading.event_time,
        anomaly_score=score + anomalous / 2,
        is_anomaly=anomalous,
        confidence=rng.random(),
        raw=rng.gauss(0, 1),
        model_version="bench_v1",
        model_digest="0" * 64,
        partition=0,
        offset=number,
        first_offset=max(0, number - _BEFORE),
        published_at=time // 1000,
        top_sensors=tuple(
            SensorContribution(sensor, rng.gauss(0, 1)) for sensor in (4, 11, 15) if anomalous
        ),
        regime=0,
        window_start=to_iso(time - _BEFORE * replay.CYCLE_MICROSECONDS),
        alarm=rule,
    )

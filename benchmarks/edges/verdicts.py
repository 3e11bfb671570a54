"""Score events as the worker writes them, made without a worker, and put on `scores`."""

from collections.abc import Sequence
from random import Random
from typing import Final

from connections.kafka import CheckedProducer, ensure_topics, producer_config
from data.fleet import Fleet
from plantwatch.errors import UnavailableError
from plantwatch.messages import ScoreEvent, SensorContribution, identity, to_iso
from plantwatch.settings import Settings
from producers import replay

_ORIGIN: Final = 1_764_000_000_000_000
"""Event time of the first pass, in microseconds since 1970: any will do."""
_ANOMALOUS: Final = 0.1
"""The share of anomalies, which are longer messages; on NASA's tests it is about that."""
_FLUSH_SEC: Final = 60.0


def events(fleet: Fleet, count: int) -> list[ScoreEvent]:
    """Verdicts on `count` readings of a fleet, pass after pass, no two of one identity.

    In the order in which a plant sends its readings; the same each time.
    """
    rows, rng = replay.order(fleet, fleet.slices, {}), Random(0)
    cycles = int(fleet.cycle.max())
    return [
        _event(fleet, int(rows[n % len(rows)]), n // len(rows) * cycles, n, rng)
        for n in range(count)
    ]


def preload(settings: Settings, verdicts: Sequence[ScoreEvent]) -> None:
    """Put verdicts on `scores`, acknowledged on return.

    Raises:
        UnavailableError: no broker answers, or not in time.
    """
    ensure_topics(settings)
    producer = CheckedProducer(producer_config(settings))
    for event in verdicts:
        producer.send(settings.topics.scores, event.sensor_id.encode(), event.to_bytes())
    if not producer.flush(_FLUSH_SEC):
        raise UnavailableError(f"Kafka did not take the scores within {_FLUSH_SEC:g} s")


def _event(fleet: Fleet, row: int, passed: int, number: int, rng: Random) -> ScoreEvent:
    """A verdict on a row; `passed` are the cycles of event time that earlier passes have taken."""
    sensor_id, cycle = fleet.sensor_id(int(fleet.engine[row])), int(fleet.cycle[row])
    time = replay.event_time(_ORIGIN, passed + cycle)
    anomalous, score = rng.random() < _ANOMALOUS, rng.random() / 2
    return ScoreEvent(
        id=identity(sensor_id, cycle, to_iso(time)),
        sensor_id=sensor_id,
        cycle=cycle,
        event_time=to_iso(time),
        anomaly_score=score + anomalous / 2,
        is_anomaly=anomalous,
        confidence=rng.random(),
        raw=rng.gauss(0, 1),
        model_version="bench_v1",
        model_digest="0" * 64,
        partition=0,
        offset=number,
        first_offset=max(0, number - 29),
        published_at=time // 1000,
        top_sensors=tuple(
            SensorContribution(sensor, rng.gauss(0, 1)) for sensor in (4, 11, 15) if anomalous
        ),
    )

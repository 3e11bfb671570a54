"""Verdicts to feed sinks with."""

from typing import Any

from plantwatch.instants import to_iso
from plantwatch.messages import ScoreEvent, identity
from sinks.sink import Record, Row, row_of


def verdict(cycle: int = 1, sensor_id: str = "FD001-engine-001", **changes: Any) -> ScoreEvent:
    """A sound verdict; cycles are a second apart (huge ones wrap: only their size is of use)."""
    event_time = to_iso(1_700_000_000_000_000 + cycle % 1_000_000 * 1_000_000)
    fields: dict[str, Any] = {
        "id": identity(sensor_id, cycle, event_time),
        "sensor_id": sensor_id,
        "cycle": cycle,
        "event_time": event_time,
        "anomaly_score": 0.25,
        "is_anomaly": False,
        "confidence": 0.75,
        "raw": -1.5,
        "model_version": "isolation_forest_v1",
        "model_digest": "d1",
        "partition": 3,
        "offset": 100 + cycle,
        "first_offset": 71 + cycle,
        "published_at": 1_700_000_000_000,
    }
    return ScoreEvent(**fields | changes)


def record(value: bytes | None, offset: int = 0, partition: int = 0) -> Record:
    """A message of `scores`, as read two seconds after its reading was published."""
    return Record(partition, offset, 1_700_000_002_000, b"FD001-engine-001", value)


def row(cycle: int = 1, **changes: Any) -> Row:
    """A sound verdict as a sink gets it."""
    return row_of(record(verdict(cycle, **changes).to_bytes(), offset=cycle))

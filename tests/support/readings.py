"""Readings to feed their sink with."""

import time
from typing import Any

from plantwatch.decode import Reading, decode
from plantwatch.instants import to_iso
from plantwatch.messages import SensorReading
from plantwatch.settings import Reading as Shape
from sinks.readings import ReadingRow
from sinks.sink import Record

SHAPE = Shape(settings=3, sensors=21, max_bytes=65536)


def sent(cycle: int = 1, sensor_id: str = "FD001-engine-001", **changes: Any) -> SensorReading:
    """A sound reading; cycles are a second apart (huge ones wrap)."""
    fields: dict[str, Any] = {
        "sensor_id": sensor_id,
        "cycle": cycle,
        "event_time": to_iso(1_700_000_000_000_000 + cycle % 1_000_000 * 1_000_000),
        "settings": [0.0, 0.25, 100.0],
        "sensors": [cycle / 8, *range(20)],
    }
    return SensorReading(**fields | changes)


def message(reading: SensorReading, offset: int, published: float) -> Record:
    """It on partition 3 of `readings`; `published` is in seconds since 1970."""
    key = reading.sensor_id.encode()
    return Record(3, offset, round(1000 * published), key, reading.to_bytes())


def reading_row(cycle: int = 1, published: float | None = None, **changes: Any) -> ReadingRow:
    """A sound reading as its sink gets it, published just now unless told."""
    when = time.time() if published is None else published
    record = message(sent(cycle, **changes), 100 + cycle, when)
    found = decode(record.key, record.value, SHAPE)
    assert isinstance(found, Reading)
    return ReadingRow(found, record.timestamp, record)

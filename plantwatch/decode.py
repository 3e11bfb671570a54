"""Bytes to a reading, or to a reject with a reason. Total: no exception escapes `decode`.

Facts this code stands on: `orjson` refuses bad UTF-8, NaN literals, lone surrogates, numbers beyond
float64 and nesting beyond 1024 (Python's `repr` of what it lets through still recurses too deep);
it lets through numbers beyond float32, NUL characters (PostgreSQL refuses them only at INSERT) and
booleans, which Python takes for integers. Of a repeated key the last counts.
"""

from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from plantwatch.instants import from_iso
from plantwatch.messages import MAX_SENSOR_ID, SCHEMA_VERSION
from plantwatch.settings import Reading as Shape


class Reason(StrEnum):
    """Why a message is in the dead letters: a closed list, bounded as a metric's label."""

    TOMBSTONE = "tombstone"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    BAD_SCHEMA_VERSION = "bad_schema_version"
    BAD_SENSOR_ID = "bad_sensor_id"
    BAD_CYCLE = "bad_cycle"
    BAD_EVENT_TIME = "bad_event_time"
    BAD_VALUES = "bad_values"
    NOT_FINITE = "not_finite"
    KEY_MISMATCH = "key_mismatch"
    TOO_MANY_MACHINES = "too_many_machines"
    MODEL_ERROR = "model_error"
    LATE = "late"
    CONFLICT = "conflict"


class Reading(NamedTuple):
    """A decoded reading: identity (sensor_id, cycle, time in microseconds) and its values.

    `values` holds settings, then sensors; each fits a float32, which is what it becomes.
    """

    sensor_id: str
    cycle: int
    time: int
    values: list[float]


class Reject(NamedTuple):
    """Why a message is no reading; `detail` is short, printable, and for people."""

    reason: Reason
    detail: str = ""


_FIELDS: Final = frozenset(
    {"schema_version", "sensor_id", "cycle", "event_time", "settings", "sensors"}
)
_NUMBERS: Final = frozenset({int, float})
_BIGINT: Final = 2**63
FLOAT32_OVERFLOW: Final = 3.4028235677973366e38
"""The first magnitude that rounds to infinity as float32: halfway past the largest finite one."""


def decode(key: bytes | None, value: bytes | None, shape: Shape) -> Reading | Reject:
    """Turn one Kafka message into a reading.

    Args:
        key: must be the reading's sensor_id: the key decides the partition, and a machine's
            readings must all be in one.
        value: the JSON of a `SensorReading`.
        shape: how many settings and sensors, and the largest length in bytes.

    Returns:
        The reading, or the reject that the caller counts and sends to the dead letters.
    """
    try:
        return _reading(key, _document(value, shape), shape)
    except _RefusedError as refused:
        return Reject(refused.reason, refused.detail)


class _RefusedError(Exception):
    """Leaves this module as a `Reject` only."""

    def __init__(self, reason: Reason, detail: object = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = _printable(detail)


def _printable(found: object) -> str:
    """At most 80 printable characters about something that a stranger sent.

    A container goes by its type: spelling it out takes milliseconds, or recurses too deep.
    """
    if isinstance(found, list | dict):
        return type(found).__name__
    short = found[:80] if isinstance(found, str | bytes) else found
    plain = isinstance(short, str) and short.isascii() and short.isprintable()
    return (str(short) if plain else ascii(short))[:80]


def _document(value: bytes | None, shape: Shape) -> dict[str, Any]:
    if value is None:
        raise _RefusedError(Reason.TOMBSTONE)
    if len(value) > shape.max_bytes:
        raise _RefusedError(Reason.TOO_LARGE, f"{len(value)} bytes")
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise _RefusedError(Reason.NOT_JSON, error.msg) from None
    if type(document) is not dict:
        raise _RefusedError(Reason.NOT_AN_OBJECT, type(document).__name__)
    if document.keys() == _FIELDS:
        return document
    if missing := _FIELDS - document.keys():
        raise _RefusedError(Reason.MISSING_FIELD, ", ".join(sorted(missing)))
    raise _RefusedError(Reason.UNKNOWN_FIELD, min(document.keys() - _FIELDS))


def _reading(key: bytes | None, document: dict[str, Any], shape: Shape) -> Reading:
    """Check the fields in a fixed order, so that a message always has the same reason."""
    sensor_id = document["sensor_id"]
    if type(sensor_id) is not str or not 0 < len(sensor_id) <= MAX_SENSOR_ID:
        raise _RefusedError(Reason.BAD_SENSOR_ID, sensor_id)
    if not sensor_id.isprintable():
        raise _RefusedError(Reason.BAD_SENSOR_ID, sensor_id)
    if key != sensor_id.encode():
        raise _RefusedError(Reason.KEY_MISMATCH, key)
    version, cycle = document["schema_version"], document["cycle"]
    if type(version) is not int or version != SCHEMA_VERSION:
        raise _RefusedError(Reason.BAD_SCHEMA_VERSION, version)
    if type(cycle) is not int or not -_BIGINT <= cycle < _BIGINT:
        raise _RefusedError(Reason.BAD_CYCLE, cycle)
    time = _microseconds(document["event_time"])
    values = _values(document["settings"], document["sensors"], shape)
    return Reading(sensor_id, cycle, time, values)


def _microseconds(value: object) -> int:
    time = from_iso(value) if type(value) is str else None
    if time is None:
        raise _RefusedError(Reason.BAD_EVENT_TIME, value)
    return time


def _values(settings: object, sensors: object, shape: Shape) -> list[float]:
    if type(settings) is not list or len(settings) != shape.settings:
        raise _RefusedError(Reason.BAD_VALUES, "settings")
    if type(sensors) is not list or len(sensors) != shape.sensors:
        raise _RefusedError(Reason.BAD_VALUES, "sensors")
    values: list[float] = settings + sensors
    if not _NUMBERS.issuperset(map(type, values)):
        raise _RefusedError(Reason.BAD_VALUES, "not all are numbers")
    if max(values) >= FLOAT32_OVERFLOW or min(values) <= -FLOAT32_OVERFLOW:
        raise _RefusedError(Reason.NOT_FINITE)
    return values

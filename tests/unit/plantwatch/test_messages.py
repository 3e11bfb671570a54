from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plantwatch.instants import to_iso, to_microseconds
from plantwatch.messages import (
    MAX_RULE,
    IncidentRule,
    ScoreEvent,
    SensorContribution,
    identity,
    score_event_from_bytes,
)

INSTANTS = st.datetimes(timezones=st.just(UTC))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
BIGINT = st.integers(-(2**63), 2**63 - 1)
LEVELS = st.integers(1, MAX_RULE)
EVENTS = st.builds(
    ScoreEvent,
    id=st.text(),
    sensor_id=st.text(min_size=1, max_size=64),
    cycle=BIGINT,
    event_time=INSTANTS.map(to_microseconds).map(to_iso),
    anomaly_score=FINITE,
    is_anomaly=st.booleans(),
    confidence=FINITE,
    raw=FINITE,
    model_version=st.text(),
    model_digest=st.text(),
    partition=st.integers(0, 2**31 - 1),
    offset=BIGINT,
    first_offset=BIGINT,
    published_at=BIGINT,
    top_sensors=st.lists(
        st.builds(SensorContribution, sensor=LEVELS, contribution=FINITE), max_size=3
    ).map(tuple),
    unseen_regime=st.booleans(),
    regime=st.none() | BIGINT,
    window_start=st.none() | INSTANTS.map(to_microseconds).map(to_iso),
    alarm=st.none()
    | st.builds(IncidentRule, hits=LEVELS, of=LEVELS, clean=LEVELS, critical=FINITE),
)

EVENT: dict[str, Any] = {
    "id": "FD001-engine-001/31/2026-11-23T02:15:11.000000Z",
    "sensor_id": "FD001-engine-001",
    "cycle": 31,
    "event_time": "2026-11-23T02:15:11.000000Z",
    "anomaly_score": 0.75,
    "is_anomaly": True,
    "confidence": 0.875,
    "raw": 3.5,
    "model_version": "isolation_forest_v3",
    "model_digest": "0" * 64,
    "partition": 2,
    "offset": 1234,
    "first_offset": 1000,
    "published_at": 1_795_400_111_000,
    "schema_version": 1,
}


# Two readings share an id only if they are the same reading, even where machines have slashes.
@given(st.text("a/1", min_size=1), BIGINT, INSTANTS)
def test_an_id_tells_which_reading_it_is(sensor_id: str, cycle: int, instant: datetime) -> None:
    event_time = to_iso(to_microseconds(instant))
    assert identity(sensor_id, cycle, event_time).rsplit("/", 2) == [
        sensor_id,
        str(cycle),
        event_time,
    ]


# A verdict read from a topic is the verdict that was written, to the last bit.
@given(EVENTS)
def test_score_events_survive_the_wire(event: ScoreEvent) -> None:
    assert score_event_from_bytes(event.to_bytes()) == event


# A subscriber finds plain JSON with the names of the documentation.
def test_a_score_event_is_plain_json() -> None:
    named = (SensorContribution(11, 2.5), SensorContribution(4, 1.0))
    event = ScoreEvent(
        **EVENT,
        top_sensors=named,
        unseen_regime=True,
        regime=2,
        window_start="2026-11-23T02:14:42.000000Z",
        alarm=IncidentRule(hits=3, of=5, clean=10, critical=0.9),
    )
    assert orjson.loads(event.to_bytes()) == EVENT | {
        "top_sensors": [
            {"sensor": 11, "contribution": 2.5},
            {"sensor": 4, "contribution": 1.0},
        ],
        "unseen_regime": True,
        "regime": 2,
        "window_start": "2026-11-23T02:14:42.000000Z",
        "alarm": {"hits": 3, "of": 5, "clean": 10, "critical": 0.9},
    }


# A message of before verdicts named sensors, or their rule, is still a verdict.
def test_older_score_events_are_read() -> None:
    event = score_event_from_bytes(orjson.dumps(EVENT))
    assert (event.top_sensors, event.unseen_regime) == ((), False)
    assert (event.regime, event.window_start, event.alarm) == (None, None, None)


# A newer producer may add fields: an older sink still reads the message.
def test_unknown_fields_of_a_score_event_are_ignored() -> None:
    assert score_event_from_bytes(orjson.dumps(EVENT | {"mood": 3})) == ScoreEvent(**EVENT)


# A verdict that is not a number, or whose types are wrong, is refused before it reaches a table.
@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("anomaly_score", "NaN"),
        ("anomaly_score", "Infinity"),
        ("anomaly_score", "1e999"),
        ("anomaly_score", '"0.5"'),
        ("anomaly_score", "null"),
        ("confidence", "-Infinity"),
        ("raw", "true"),
        ("is_anomaly", "1"),
        ("is_anomaly", '"true"'),
        ("cycle", "1.0"),
        ("cycle", '"31"'),
        ("cycle", "true"),
        ("event_time", "1795400111"),
        ("sensor_id", '""'),
        ("sensor_id", '"' + "x" * 65 + '"'),
        ("sensor_id", '"\\ud800"'),
        ("model_version", "null"),
        ("offset", "[]"),
    ],
)
def test_wrong_values_are_refused(field: str, text: str) -> None:
    other = {name: value for name, value in EVENT.items() if name != field}
    value = orjson.dumps(other)[:-1] + f',"{field}":{text}}}'.encode()
    with pytest.raises(ValidationError):
        score_event_from_bytes(value)


# Every field of a verdict but the schema version must be there.
@pytest.mark.parametrize("field", sorted(EVENT.keys() - {"schema_version"}))
def test_a_missing_field_is_refused(field: str) -> None:
    with pytest.raises(ValidationError):
        score_event_from_bytes(orjson.dumps({k: v for k, v in EVENT.items() if k != field}))


# Whatever bytes stand on the topic, reading them ends in a verdict or in the one refusal.
@given(st.binary() | st.integers(0, 3000).map(lambda depth: b"[" * depth))
def test_foreign_bytes_are_refused_and_nothing_else(value: bytes) -> None:
    with pytest.raises(ValidationError):
        score_event_from_bytes(value)

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plantwatch.messages import (
    MAX_DEAD_LETTER_BYTES,
    MAX_RULE,
    DeadLetter,
    IncidentRule,
    ScoreEvent,
    SensorContribution,
    dead_letter_from_bytes,
    identity,
    score_event_from_bytes,
    to_datetime,
    to_iso,
    to_microseconds,
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


# An instant becomes microseconds and comes back exactly, from the year 1 to the year 9999.
@given(INSTANTS)
def test_instants_survive_as_microseconds(instant: datetime) -> None:
    assert to_datetime(to_microseconds(instant)) == instant


# There is one spelling of an instant, always 27 characters, so that texts sort like times.
@given(INSTANTS, INSTANTS)
def test_the_spelling_of_instants_sorts_like_time(one: datetime, other: datetime) -> None:
    texts = [to_iso(to_microseconds(instant)) for instant in (one, other)]
    assert [len(text) for text in texts] == [27, 27]
    assert datetime.fromisoformat(texts[0]) == one
    assert (texts[0] < texts[1]) is (one < other)


# The zone that an instant was written in does not matter.
def test_the_same_instant_in_another_zone_is_the_same() -> None:
    tokyo = datetime(2026, 11, 23, 11, 15, 11, tzinfo=timezone(timedelta(hours=9)))
    assert to_iso(to_microseconds(tokyo)) == "2026-11-23T02:15:11.000000Z"


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


def dead_letter(key: bytes | None, value: bytes | None) -> dict[str, Any]:
    letter = DeadLetter.of("readings", 3, 42, key, value, reason="not_json", detail="what it said")
    read: dict[str, Any] = orjson.loads(letter.to_bytes())
    return read


# A dead letter names where the message stood and repeats its bytes, whatever they were.
@given(st.none() | st.binary(), st.none() | st.binary())
def test_a_dead_letter_repeats_the_message(key: bytes | None, value: bytes | None) -> None:
    letter = dead_letter(key, value)
    assert letter["id"] == "readings/3/42"
    assert letter["reason"] == "not_json"
    for sent, kept in ((key, letter["key"]), (value, letter["value"])):
        assert (None if kept is None else base64.b64decode(kept)) == sent
    assert letter["length"] == len(value or b"")
    assert letter["sha256"] == hashlib.sha256(value or b"").hexdigest()


# Of a huge message 64 KiB are repeated; the length and the digest are those of the whole.
@pytest.mark.parametrize("beyond", [0, 1, 1_000_000])
def test_a_dead_letter_is_cut_but_says_what_it_was(beyond: int) -> None:
    value = b"x" * MAX_DEAD_LETTER_BYTES + b"y" * beyond
    letter = dead_letter(b"k" * 100_000, value)
    assert base64.b64decode(letter["value"]) == b"x" * 65_536
    assert len(base64.b64decode(letter["key"])) == 65_536
    assert letter["length"] == 65_536 + beyond
    assert letter["sha256"] == hashlib.sha256(value).hexdigest()


# A tombstone and an empty message are told apart.
def test_a_tombstone_is_not_an_empty_message() -> None:
    assert dead_letter(b"k", None)["value"] is None
    assert dead_letter(b"k", b"")["value"] == ""


# Whoever reads a dead letter has the message again, and knows when a part of it is missing.
@given(st.none() | st.binary(), st.none() | st.binary(), st.sampled_from([0, 70_000]))
def test_a_dead_letter_is_read_back(key: bytes | None, value: bytes | None, more: int) -> None:
    value = (value or b"") + b"x" * more if more else value
    sent = DeadLetter.of("readings", 3, 42, key, value, reason="late")
    letter = dead_letter_from_bytes(sent.to_bytes())
    assert letter == sent
    assert letter.truncated is (more > 0)
    assert letter.original == (key, value[:MAX_DEAD_LETTER_BYTES] if value is not None else None)


# Of a key only what is kept is known: a full one counts as cut.
def test_a_huge_key_counts_as_truncated() -> None:
    assert DeadLetter.of("readings", 0, 0, b"k" * 70_000, b"", reason="key_mismatch").truncated


# Whatever bytes stand among the dead letters, reading them ends in a letter or in the one refusal.
@given(st.binary() | st.integers(0, 3000).map(lambda depth: b"[" * depth))
def test_foreign_bytes_are_no_dead_letter(value: bytes) -> None:
    with pytest.raises(ValidationError):
        dead_letter_from_bytes(value)

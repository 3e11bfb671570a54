"""Old and new messages side by side: the bytes of every earlier form, and of forms yet to come.

tests/data/messages holds what the program wrote on that day, byte for byte. A change of a message
adds a file and changes none.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from plantwatch.configuration import load
from plantwatch.dead_letter import DeadLetter, dead_letter_from_bytes
from plantwatch.decode import Reading, Reason, Reject, decode
from plantwatch.messages import (
    IncidentEvent,
    ScoreEvent,
    score_event_from_bytes,
)
from sinks.sink import Record, row_of
from tests.support.servers import CONFIGS
from tests.support.topics import incident_event

OLD: Final = Path(__file__).parents[2] / "data" / "messages"
KEY: Final = b"FD001-engine-001"
SHAPE: Final = load(CONFIGS, {}).reading


def of(value: bytes) -> Reading | Reject:
    return decode(KEY, value, SHAPE)


READERS: dict[str, tuple[type, Callable[[bytes], Any]]] = {
    "score": (ScoreEvent, score_event_from_bytes),
    "incident": (IncidentEvent, incident_event),
    "dead-letter": (DeadLetter, dead_letter_from_bytes),
    "reading": (Reading, of),
}
FILES: Final = sorted(OLD.iterdir())


def reader(file: Path) -> tuple[type, Callable[[bytes], Any]]:
    return READERS[file.name.partition("-20")[0]]


# What any earlier version has written is read today, with all that it says.
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_old_messages_are_read(file: Path) -> None:
    kind, read = reader(file)
    found = read(file.read_bytes())
    assert type(found).__name__ == kind.__name__
    if kind is not Reading:
        said, again = json.loads(file.read_bytes()), json.loads(found.to_bytes())
        assert {key: again[key] for key in said} == said


# Of every kind of message there is an old one.
def test_no_kind_is_forgotten() -> None:
    assert {file.name.partition("-20")[0] for file in FILES} == set(READERS)


# What a later version adds to what we write is passed over by those who do not know it yet: a
# worker may be newer than a sink, a sink than a subscriber.
@pytest.mark.parametrize(
    "file", [file for file in FILES if "reading" not in file.name], ids=lambda file: file.stem
)
def test_newer_messages_are_read(file: Path) -> None:
    _, read = reader(file)
    newer = json.loads(file.read_bytes()) | {"added": {"later": [1, "x"]}, "schema_version": 2}
    found = read(json.dumps(newer).encode())
    assert found.schema_version == 2
    newer["schema_version"] = 1
    assert read(json.dumps(newer).encode()) == read(file.read_bytes())


# The same within an incident, and within the sensors of a verdict.
def test_newer_parts_are_read() -> None:
    incident = json.loads((OLD / "incident-2026-11-27.json").read_bytes())
    incident["incident"] |= {"added": 1}
    assert incident_event(json.dumps(incident).encode()).incident.id == 7
    score = json.loads((OLD / "score-2026-11-27.json").read_bytes())
    score["top_sensors"][0] |= {"added": 1}
    score["alarm"] |= {"added": 1}
    assert score_event_from_bytes(json.dumps(score).encode()).top_sensors[0].sensor == 11


# A verdict from before there was evidence is stored like any other; it names none.
def test_an_old_verdict_is_stored() -> None:
    row = row_of(Record(0, 1, 0, KEY, (OLD / "score-2026-11-23.json").read_bytes()))
    assert (row.sensor_id, row.event.top_sensors, row.event.alarm) == ("FD001-engine-001", (), None)


# A reading is another matter: what it says beside the values that we know may change their meaning,
# so that a wrong verdict came of it. It waits among the dead letters, whole, for workers that know.
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"unit": "imperial"}, Reason.UNKNOWN_FIELD),
        ({"schema_version": 2}, Reason.BAD_SCHEMA_VERSION),
    ],
)
def test_a_newer_reading_waits(change: dict[str, object], reason: Reason) -> None:
    newer = json.loads((OLD / "reading-2026-11-23.json").read_bytes()) | change
    value = json.dumps(newer).encode()
    found = of(value)
    assert isinstance(found, Reject)
    assert found.reason is reason
    letter = DeadLetter.of("readings", 0, 1, KEY, value, reason=found.reason)
    assert dead_letter_from_bytes(letter.to_bytes()).original == (KEY, value)

"""What travels on the topics, and how it becomes bytes.

Every message is one JSON object, keyed by `sensor_id`. Times are UTC instants with microseconds,
`2026-11-23T02:15:11.000000Z` (`plantwatch.instants`); dead letters are in `plantwatch.dead_letter`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import orjson
from pydantic import ConfigDict, Field, TypeAdapter

from plantwatch.instants import WRITTEN

SCHEMA_VERSION: Final = 1
MAX_SENSOR_ID: Final = 64
"""Characters; the width of `anomaly_events.sensor_id`."""


def identity(sensor_id: str, cycle: int, event_time: str) -> str:
    """The id of a reading and of its score: what subscribers deduplicate by."""
    return f"{sensor_id}/{cycle}/{event_time}"


@dataclass(unsafe_hash=True)
class SensorReading:
    """One row of one machine, as a producer publishes it on `readings`.

    `settings` say how the machine is operated, `sensors` what is measured; how many of each there
    are, in which order and unit, is the data set's. `cycle` counts the machine's readings.
    """

    # Nobody changes one, here or in `ScoreEvent`, but frozen they would take twice as long to make,
    # and with slots orjson would take three times as long over the fields.

    sensor_id: str
    cycle: int
    event_time: str
    settings: Sequence[float]
    sensors: Sequence[float]
    schema_version: int = SCHEMA_VERSION

    def to_bytes(self) -> bytes:
        return orjson.dumps(self)


@dataclass(frozen=True, slots=True)
class SensorContribution:
    """What a sensor, by its number from 1, adds to `raw`; high speaks for an anomaly."""

    sensor: Annotated[int, Field(ge=1, lt=2**31)]
    contribution: float


MAX_RULE: Final = 1000
"""Verdicts that a rule of incidents may look back; so many levels a machine may cost a store."""
_Verdicts = Annotated[int, Field(ge=1, le=MAX_RULE)]


@dataclass(frozen=True, slots=True)
class IncidentRule:
    """When verdicts become an incident and when it is over; see `plantwatch.incidents`.

    It opens when `hits` of the last `of` verdicts are anomalous, is critical when so many have an
    `anomaly_score` of at least `critical`, and closes when the last `clean` are all normal.
    """

    hits: _Verdicts
    of: _Verdicts
    clean: _Verdicts
    critical: float


@dataclass(unsafe_hash=True)
class ScoreEvent:
    """A verdict on one window: on `scores` always, on `anomalies` too when `is_anomaly`.

    `event_time` is that of the window's last reading. `raw` is the detector's score before it is
    mapped to [0, 1]; both are high when anomalous, and `anomaly_score` is 0.5 at the threshold.
    `partition`, `offset` and `first_offset` say where on `readings` the window lies;
    `published_at` is Kafka's timestamp of its last reading, in milliseconds. `top_sensors` are the
    sensors that move `raw` most, largest by size first, of anomalies only; `unseen_regime` says
    that the machine was in an operating regime which training never saw: the score means little;
    `regime` is that of the last reading, from 0 as the model's card has them. `window_start` is the
    event time of the window's first reading; `alarm` the rule by which such verdicts become an
    incident, which sinks cannot know otherwise. Messages of before these have none of them.
    """

    __pydantic_config__ = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)

    id: str
    sensor_id: Annotated[str, Field(min_length=1, max_length=MAX_SENSOR_ID)]
    cycle: int
    event_time: str
    anomaly_score: float
    is_anomaly: bool
    confidence: float
    raw: float
    model_version: str
    model_digest: str
    partition: int
    offset: int
    first_offset: int
    published_at: int
    top_sensors: tuple[SensorContribution, ...] = ()
    unseen_regime: bool = False
    regime: int | None = None
    window_start: Annotated[str, Field(pattern=WRITTEN)] | None = None
    alarm: IncidentRule | None = None
    schema_version: int = SCHEMA_VERSION

    def to_bytes(self) -> bytes:
        return orjson.dumps(self)


_SCORE_EVENT = TypeAdapter(ScoreEvent)


def score_event_from_bytes(value: bytes) -> ScoreEvent:
    """Parse and check a `scores` or `anomalies` message.

    Raises:
        pydantic.ValidationError: it is none; the caller sends the bytes to the dead letters.
    """
    return _SCORE_EVENT.validate_json(value)


Severity = Literal["warning", "critical"]
ClosedWhy = Literal["recovered", "maintenance", "by hand"]
IncidentKind = Literal["opened", "escalated", "acknowledged", "closed"]


@dataclass(frozen=True, slots=True)
class Incident:
    """What is known of an incident, as its row has it; all times but those of people's acts are
    event times.

    `last_*` are of its newest anomalous verdict; `anomalies` counts them, those that made it open
    included. `peak_*`, sensors, regime and model are of the verdict with the highest
    `anomaly_score` since it opened. The readings behind it lie on `readings` in
    `source_partition`, from `first_offset` to `last_offset`. `id` is None until it is stored.
    """

    sensor_id: str
    severity: Severity
    opened_at: str
    opened_cycle: int
    escalated_at: str | None
    last_at: str
    last_cycle: int
    anomalies: int
    peak_score: float
    peak_at: str
    peak_cycle: int
    top_sensors: tuple[SensorContribution, ...]
    regime: int | None
    unseen_regime: bool
    model_version: str
    model_digest: str
    source_partition: int
    first_offset: int
    last_offset: int
    acknowledged_at: str | None = None
    acknowledged_by: str | None = None
    closed_at: str | None = None
    closed_by: str | None = None
    closed_why: ClosedWhy | None = None
    false_alarm: bool | None = None
    note: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """A move of an incident, on `incidents`, with the incident as it then was.

    Keyed by `sensor_id`, so that the moves of a machine stay in order. One may come twice, under
    the same `id`.
    """

    __pydantic_config__ = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)

    id: str
    sensor_id: str
    kind: IncidentKind
    incident: Incident
    schema_version: int = SCHEMA_VERSION

    def to_bytes(self) -> bytes:
        return orjson.dumps(self)


RESCORED: Final = "plantwatch-rescored"
"""Header: 1 on a verdict that was computed after a model had failed on the window."""

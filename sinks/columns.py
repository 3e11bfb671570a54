"""The columns of a table of verdicts, and how a batch is spelled: one array per column.

Arrays that need no quoting are spelled here, as PostgreSQL reads them: psycopg takes each of their
values in hand, which was half of what a row cost. Times are spelled already, one way only
(`sinks.sink.row_of` sees to that), with microseconds and in UTC whatever the session's zone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

import orjson

from plantwatch.messages import ScoreEvent, SensorContribution
from sinks.arrays import array

Spelled = list[str] | str


@dataclass(frozen=True, slots=True)
class Column:
    """A column, its type, and its values for a batch as a parameter of psycopg's."""

    name: LiteralString
    type: LiteralString
    spell: Callable[[Sequence[ScoreEvent]], Spelled]


def _bool(value: bool) -> str:  # noqa: FBT001
    return "t" if value else "f"


def _sensors(sensors: tuple[SensorContribution, ...]) -> str:
    r"""A word of an array of jsonb. JSON of numbers has quotes about its names, and no backslash.

    >>> _sensors((SensorContribution(4, 0.5),))
    '"[{\\"sensor\\":4,\\"contribution\\":0.5}]"'
    """
    if not sensors:
        return "[]"
    return '"' + orjson.dumps(sensors).decode().replace('"', '\\"') + '"'


VERDICT: Final = (
    Column("sensor_id", "text", lambda events: [e.sensor_id for e in events]),
    Column("cycle", "bigint", lambda events: array(str(e.cycle) for e in events)),
    Column("detected_at", "timestamptz", lambda events: array(e.event_time for e in events)),
    Column("anomaly_score", "float8", lambda events: array(repr(e.anomaly_score) for e in events)),
    Column("is_anomaly", "boolean", lambda events: array(_bool(e.is_anomaly) for e in events)),
    Column("confidence", "float8", lambda events: array(repr(e.confidence) for e in events)),
    Column("model_version", "text", lambda events: [e.model_version for e in events]),
    Column("model_digest", "text", lambda events: [e.model_digest for e in events]),
    Column("source_partition", "integer", lambda events: array(str(e.partition) for e in events)),
    Column("first_offset", "bigint", lambda events: array(str(e.first_offset) for e in events)),
    Column("last_offset", "bigint", lambda events: array(str(e.offset) for e in events)),
)
EVIDENCE: Final = (
    Column("top_sensors", "jsonb", lambda events: array(_sensors(e.top_sensors) for e in events)),
    Column(
        "regime",
        "integer",
        lambda events: array("NULL" if e.regime is None else str(e.regime) for e in events),
    ),
    Column(
        "unseen_regime", "boolean", lambda events: array(_bool(e.unseen_regime) for e in events)
    ),
)
"""What an incident shows of its verdicts; nobody is alarmed by a challenger's, which have none."""


_INSERT: Final = """
INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})
ON CONFLICT ({identity}) DO NOTHING
RETURNING source_partition, last_offset, model_digest
"""


def insert(
    table: LiteralString, columns: Sequence[Column], identity: LiteralString
) -> LiteralString:
    """Insert a batch, one parameter a column; of each new row, return what `PostgresSink` asks."""
    return _INSERT.format(
        table=table,
        names=", ".join(one.name for one in columns),
        arrays=", ".join(f"%s::{one.type}[]" for one in columns),
        identity=identity,
    )

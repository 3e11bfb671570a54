"""The columns of a table of verdicts, and how a batch is spelled: one array per column.

psycopg takes each value in hand, which was half of what a row cost. Times are spelled already, one
way only (`sinks.sink.row_of` sees to that), with microseconds and in UTC whatever the session's
zone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

import orjson

from plantwatch.messages import ScoreEvent, SensorContribution
from sinks.arrays import array, quoted


@dataclass(frozen=True, slots=True)
class Column:
    """A column, its type, and how a verdict's value is spelled in an array."""

    name: LiteralString
    type: LiteralString
    spell: Callable[[ScoreEvent], str]


def _bool(value: bool) -> str:  # noqa: FBT001 - its one value
    return "t" if value else "f"


def _number(value: int | None) -> str:
    return "NULL" if value is None else str(value)


def _sensors(sensors: tuple[SensorContribution, ...]) -> str:
    return quoted(orjson.dumps(sensors).decode()) if sensors else "[]"


VERDICT: Final = (
    Column("sensor_id", "text", lambda event: quoted(event.sensor_id)),
    Column("cycle", "bigint", lambda event: str(event.cycle)),
    Column("detected_at", "timestamptz", lambda event: event.event_time),
    Column("anomaly_score", "float8", lambda event: repr(event.anomaly_score)),
    Column("is_anomaly", "boolean", lambda event: _bool(event.is_anomaly)),
    Column("confidence", "float8", lambda event: repr(event.confidence)),
    Column("model_version", "text", lambda event: quoted(event.model_version)),
    Column("model_digest", "text", lambda event: quoted(event.model_digest)),
    Column("source_partition", "integer", lambda event: str(event.partition)),
    Column("first_offset", "bigint", lambda event: str(event.first_offset)),
    Column("last_offset", "bigint", lambda event: str(event.offset)),
)
EVIDENCE: Final = (
    Column("top_sensors", "jsonb", lambda event: _sensors(event.top_sensors)),
    Column("regime", "integer", lambda event: _number(event.regime)),
    Column("unseen_regime", "boolean", lambda event: _bool(event.unseen_regime)),
)
"""What an incident shows of its verdicts; nobody is alarmed by a challenger's, which have none."""

_INSERT: Final = """
INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})
"""


def insertion(table: LiteralString, columns: Sequence[Column]) -> LiteralString:
    """Insert a batch, one parameter a column."""
    return _INSERT.format(
        table=table,
        names=", ".join(one.name for one in columns),
        arrays=", ".join(f"%s::{one.type}[]" for one in columns),
    )


def spell(columns: Sequence[Column], events: Sequence[ScoreEvent]) -> list[str]:
    """The parameters of `insertion`."""
    return [array(map(one.spell, events)) for one in columns]

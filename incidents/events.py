"""Verdicts as PostgreSQL has them, by pages, or the newest of a machine. Changes nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

import psycopg
from psycopg.rows import dict_row

from incidents.queries import contributions
from plantwatch.messages import SensorContribution


@dataclass(frozen=True, slots=True)
class Event:
    """A row of `anomaly_events`.

    `detected_at` is the event time of the window's last reading; `first_offset` to `last_offset` is
    where on `readings`, in `source_partition`, the window lies.
    """

    id: int
    sensor_id: str
    cycle: int
    detected_at: datetime
    anomaly_score: float
    is_anomaly: bool
    confidence: float
    top_sensors: Sequence[SensorContribution]
    regime: int | None
    unseen_regime: bool
    model_version: str
    model_digest: str
    source_partition: int
    first_offset: int
    last_offset: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which verdicts; None leaves a condition out. `until` is not included."""

    sensor_id: str | None
    is_anomaly: bool | None
    since: datetime | None
    until: datetime | None


_COLUMNS: Final = ", ".join(Event.__dataclass_fields__)

_PAGE: Final = f"""
SELECT {_COLUMNS} FROM anomaly_events
WHERE (%(sensor_id)s::text IS NULL OR sensor_id = %(sensor_id)s)
    AND (%(is_anomaly)s::boolean IS NULL OR is_anomaly = %(is_anomaly)s)
    AND (%(since)s::timestamptz IS NULL OR detected_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR detected_at < %(until)s)
    AND (%(at)s::timestamptz IS NULL OR (detected_at, id) < (%(at)s, %(id)s))
ORDER BY detected_at DESC, id DESC
LIMIT %(limit)s
"""  # noqa: S608 - the columns are ours
_NEWEST: Final = f"""
SELECT {_COLUMNS} FROM anomaly_events
WHERE sensor_id = %(sensor_id)s ORDER BY detected_at DESC LIMIT %(limit)s
"""  # noqa: S608 - the columns are ours


def page(
    connection: psycopg.Connection, wanted: Wanted, limit: int, before: tuple[datetime, int] | None
) -> list[Event]:
    """At most `limit` verdicts, the newest first; `before`: earlier than this time and id."""
    at, id_ = before or (None, None)
    return _read(connection, _PAGE, **asdict(wanted), limit=limit, at=at, id=id_)


def newest(connection: psycopg.Connection, sensor_id: str, limit: int) -> list[Event]:
    """At most `limit` verdicts of a machine, the newest first."""
    return _read(connection, _NEWEST, sensor_id=sensor_id, limit=limit)


def _read(connection: psycopg.Connection, query: LiteralString, **values: Any) -> list[Event]:
    rows = connection.cursor(row_factory=dict_row).execute(query, values)
    return [
        Event(**row | {"top_sensors": contributions(row["top_sensors"])}) for row in rows.fetchall()
    ]

"""What the page asks of PostgreSQL, as the reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg
from psycopg.rows import class_row

from incidents import machines, maintenance
from incidents.events import Event, newest
from incidents.maintenance import Maintenance
from incidents.queries import Choice, Incident, listed


@dataclass(frozen=True, slots=True)
class MachineRow:
    """The newest of all that is stored about one machine; None where there is nothing.

    `heard_at` is when its newest verdict or reading came in, by our clock. `recent` is its last
    levels, newest last: 0 clean, 1 anomalous, 2 critical. `maintained` says whether the event time
    of its newest lies in a maintenance window.
    """

    sensor_id: str
    cycle: int | None
    heard_at: datetime
    anomaly_score: float | None
    model_version: str | None
    model_digest: str | None
    recent: str
    maintained: bool
    incident_id: int | None
    severity: str | None
    acknowledged_by: str | None


# One look into an index per machine and table: the page must not get slower with its history.
_FLEET: Final = f"""{machines.NAMES}
SELECT machines.sensor_id, coalesce(verdict.cycle, reading.cycle) AS cycle,
    greatest(verdict.created_at, reading.published_at) AS heard_at, verdict.anomaly_score,
    verdict.model_version, verdict.model_digest, coalesce(states.recent, '') AS recent,
    EXISTS (
        SELECT FROM maintenance WHERE maintenance.sensor_id = machines.sensor_id
            AND times.event_time BETWEEN starts_at AND ends_at
    ) AS maintained,
    incidents.id AS incident_id, incidents.severity, incidents.acknowledged_by
FROM machines
LEFT JOIN LATERAL (
    SELECT * FROM anomaly_events WHERE anomaly_events.sensor_id = machines.sensor_id
    ORDER BY detected_at DESC LIMIT 1
) AS verdict ON true
LEFT JOIN LATERAL (
    SELECT * FROM readings WHERE readings.sensor_id = machines.sensor_id
    ORDER BY event_time DESC LIMIT 1
) AS reading ON true
CROSS JOIN LATERAL (
    SELECT greatest(verdict.detected_at, reading.event_time) AS event_time
) AS times
LEFT JOIN machine_states AS states ON states.sensor_id = machines.sensor_id
LEFT JOIN incidents ON incidents.sensor_id = machines.sensor_id AND incidents.closed_at IS NULL
"""  # noqa: S608 - no value of others in it


def fleet(connection: psycopg.Connection) -> list[MachineRow]:
    """Every machine of which anything is stored, in no order."""
    with connection.cursor(row_factory=class_row(MachineRow)) as cursor:
        return cursor.execute(_FLEET).fetchall()


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A row of `readings`; `values` are settings, then sensors."""

    cycle: int
    event_time: datetime
    values: Sequence[float]
    source_partition: int
    source_offset: int


@dataclass(frozen=True, slots=True)
class MachineHistory:
    """The newest of one machine, oldest first; incidents and maintenance newest first."""

    verdicts: Sequence[Event]
    readings: Sequence[StoredReading]
    incidents: Sequence[Incident]
    maintenance: Sequence[Maintenance]


_READINGS: Final = f"""
SELECT {", ".join(StoredReading.__dataclass_fields__)} FROM readings
WHERE sensor_id = %s ORDER BY event_time DESC LIMIT %s
"""  # noqa: S608 - the columns are ours


def history(connection: psycopg.Connection, sensor_id: str, limit: int) -> MachineHistory:
    """At most `limit` of a machine's newest verdicts and readings, and what went with them."""
    verdicts = newest(connection, sensor_id, limit)[::-1]
    with connection.cursor(row_factory=class_row(StoredReading)) as cursor:
        readings = cursor.execute(_READINGS, (sensor_id, limit)).fetchall()[::-1]
    since = min(
        (*(one.detected_at for one in verdicts[:1]), *(r.event_time for r in readings[:1])),
        default=None,
    )
    return MachineHistory(
        verdicts,
        readings,
        listed(connection, Choice(sensor_id, since=since), limit),
        maintenance.listed(connection, sensor_id, since),
    )

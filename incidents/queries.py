"""Incidents as PostgreSQL has them, for people to look at. Changes nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, LiteralString

import psycopg
from psycopg.rows import dict_row

from plantwatch.errors import RefusedError
from plantwatch.messages import SensorContribution


class Phase(StrEnum):
    """Where an incident is in its life."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of `incidents`.

    Times are event times, but for `acknowledged_at` and a `closed_at` by hand, which are people's.
    `top_sensors` are those of the peak; `first_offset` to `last_offset` is where on `readings`, in
    `source_partition`, its windows lie.
    """

    id: int
    sensor_id: str
    severity: str
    opened_at: datetime
    opened_cycle: int
    escalated_at: datetime | None
    last_at: datetime
    last_cycle: int
    anomalies: int
    peak_score: float
    peak_at: datetime
    peak_cycle: int
    top_sensors: Sequence[SensorContribution]
    regime: int | None
    unseen_regime: bool
    model_version: str
    model_digest: str
    source_partition: int
    first_offset: int
    last_offset: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    closed_why: str | None
    false_alarm: bool | None
    note: str | None

    @property
    def phase(self) -> Phase:
        if self.closed_at is not None:
            return Phase.CLOSED
        return Phase.OPEN if self.acknowledged_at is None else Phase.ACKNOWLEDGED

    @property
    def judgement(self) -> str:
        """What people said of it: `real`, `false alarm`, or nothing."""
        return {None: "", True: "false alarm", False: "real"}[self.false_alarm]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which incidents; None leaves a condition out. `closed` None: open and closed ones."""

    sensor_id: str | None = None
    severity: str | None = None
    closed: bool | None = None
    acknowledged: bool | None = None
    since: datetime | None = None


_COLUMNS: Final = ", ".join(Incident.__dataclass_fields__)

_ONE: Final = f"SELECT {_COLUMNS} FROM incidents WHERE id = %(id)s"  # noqa: S608 - ours

_CHOSEN: Final = f"""
SELECT {_COLUMNS} FROM incidents
WHERE (%(sensor_id)s::text IS NULL OR sensor_id = %(sensor_id)s)
    AND (%(severity)s::text IS NULL OR severity = %(severity)s)
    AND (%(closed)s::boolean IS NULL OR (closed_at IS NOT NULL) = %(closed)s)
    AND (%(acknowledged)s::boolean IS NULL OR (acknowledged_at IS NOT NULL) = %(acknowledged)s)
    AND (%(since)s::timestamptz IS NULL OR last_at >= %(since)s)
"""  # noqa: S608 - the columns are ours

_LISTED: Final = f"""{_CHOSEN}
ORDER BY closed_at IS NOT NULL, severity = 'critical' DESC, acknowledged_at IS NOT NULL,
    peak_score DESC, opened_at DESC, id DESC
LIMIT %(limit)s
"""

# From where the page before ended, not so many rows on: no page is slower than the first, and a row
# that comes in between moves none.
_PAGE: Final = f"""{_CHOSEN}
    AND (%(at)s::timestamptz IS NULL OR (opened_at, id) < (%(at)s, %(id)s))
ORDER BY opened_at DESC, id DESC
LIMIT %(limit)s
"""


def listed(connection: psycopg.Connection, choice: Choice, limit: int) -> list[Incident]:
    """At most `limit` incidents: what needs somebody first, then by peak score."""
    return _read(connection, _LISTED, **asdict(choice), limit=limit)


def page(
    connection: psycopg.Connection, choice: Choice, limit: int, before: tuple[datetime, int] | None
) -> list[Incident]:
    """At most `limit` incidents, the last opened first; `before`: before this time and id."""
    at, id_ = before or (None, None)
    return _read(connection, _PAGE, **asdict(choice), limit=limit, at=at, id=id_)


def one(connection: psycopg.Connection, incident_id: int) -> Incident:
    """One incident.

    Raises:
        RefusedError: there is none of this number; the message says how to find those there are.
    """
    found = _read(connection, _ONE, id=incident_id)
    if not found:
        raise RefusedError(
            f"there is no incident {incident_id}; `plantwatch incident list --all` shows those "
            "that there are"
        )
    return found[0]


def _read(connection: psycopg.Connection, query: LiteralString, **values: Any) -> list[Incident]:
    rows = connection.cursor(row_factory=dict_row).execute(query, values)
    return [
        Incident(**row | {"top_sensors": contributions(row["top_sensors"])})
        for row in rows.fetchall()
    ]


def contributions(column: Sequence[dict[str, Any]]) -> list[SensorContribution]:
    """A column `top_sensors` as it comes from PostgreSQL."""
    return [SensorContribution(**one) for one in column]


def in_words(sensors: Sequence[SensorContribution]) -> str:
    """Sensors and what they added to the raw score; empty where a model does not tell.

    >>> in_words([SensorContribution(11, 0.5), SensorContribution(4, -0.25)])
    '11 (+0.50), 4 (-0.25)'
    """
    return ", ".join(f"{one.sensor} ({one.contribution:+.2f})" for one in sensors)

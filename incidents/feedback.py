"""What people say of an incident: one conditional UPDATE each, so that of two at once one wins.

The loser's UPDATE waits for the winner's, finds its condition no longer true, and changes nothing;
what it then reads is who was first.
"""

from typing import Final, LiteralString

import psycopg

from incidents import queries
from incidents.queries import Incident
from plantwatch.errors import RefusedError

_ACKNOWLEDGE: Final = """
UPDATE incidents SET acknowledged_at = now(), acknowledged_by = %(by)s
WHERE id = %(id)s AND acknowledged_at IS NULL AND closed_at IS NULL RETURNING id
"""
_CLOSE: Final = """
UPDATE incidents SET closed_at = now(), closed_by = %(by)s, closed_why = 'by hand',
    false_alarm = %(false_alarm)s, note = coalesce(%(note)s, note)
WHERE id = %(id)s AND closed_at IS NULL RETURNING id
"""
_JUDGE: Final = """
UPDATE incidents SET false_alarm = %(false_alarm)s, note = coalesce(%(note)s, note)
WHERE id = %(id)s AND closed_at IS NOT NULL AND false_alarm IS DISTINCT FROM %(false_alarm)s
RETURNING id
"""


def acknowledge(connection: psycopg.Connection, incident_id: int, by: str) -> Incident:
    """Say that somebody is at it; the incident as it is then.

    Raises:
        RefusedError: there is none, it is closed, or somebody was first: who, and when.
    """
    if _changed(connection, _ACKNOWLEDGE, id=incident_id, by=by):
        return queries.one(connection, incident_id)
    found = queries.one(connection, incident_id)
    if found.closed_at is not None:
        raise RefusedError(f"{_closed(found)}; there is nothing left to acknowledge")
    raise RefusedError(
        f"incident {found.id} of {found.sensor_id} is acknowledged already: by "
        f"{found.acknowledged_by}, {found.acknowledged_at:%Y-%m-%d %H:%M:%S} UTC; ask them"
    )


def close(
    connection: psycopg.Connection, incident_id: int, by: str, note: str | None = None
) -> Incident:
    """Close an open incident as one that was real; what comes after may open another.

    Raises:
        RefusedError: there is none, or it is closed already: by whom, and when.
    """
    if _changed(connection, _CLOSE, id=incident_id, by=by, note=note, false_alarm=False):
        return queries.one(connection, incident_id)
    raise RefusedError(
        f"{_closed(queries.one(connection, incident_id))}; `plantwatch incident false-alarm` still "
        "takes what you say of it, --real that it was none"
    )


def judge(
    connection: psycopg.Connection,
    incident_id: int,
    by: str,
    *,
    false_alarm: bool,
    note: str | None = None,
) -> Incident:
    """Say whether an incident was a false alarm; an open one is closed by it.

    Raises:
        RefusedError: there is none, or this is what somebody has said of it already.
    """
    values = {"id": incident_id, "by": by, "note": note, "false_alarm": false_alarm}
    if _changed(connection, _CLOSE, **values) or _changed(connection, _JUDGE, **values):
        return queries.one(connection, incident_id)
    found = queries.one(connection, incident_id)
    raise RefusedError(
        f"incident {found.id} of {found.sensor_id} is called {found.judgement} already; nothing "
        "was changed"
    )


def _changed(connection: psycopg.Connection, statement: LiteralString, **values: object) -> bool:
    with connection.transaction():
        return connection.execute(statement, values).fetchone() is not None


def _closed(found: Incident) -> str:
    who = f"by {found.closed_by}" if found.closed_by else f"by itself ({found.closed_why})"
    return (
        f"incident {found.id} of {found.sensor_id} is closed since "
        f"{found.closed_at:%Y-%m-%d %H:%M:%S} UTC, {who}"
    )

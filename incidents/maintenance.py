"""Maintenance windows: while a machine is worked on, it raises nothing.

A verdict is muted when its own window overlaps one of these in event time, so a machine is quiet
until a whole window of readings lies behind the end.
"""

import difflib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import psycopg
from psycopg.rows import class_row

from incidents import machines
from plantwatch.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A row of `maintenance`; both ends belong to it, in event time."""

    id: int
    sensor_id: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str
    created_at: datetime

    @property
    def called_off(self) -> bool:
        """It ended before it began: it is no more."""
        return self.ends_at <= self.starts_at


_COLUMNS: Final = "id, sensor_id, starts_at, ends_at, reason, created_by, created_at"

_OVERLAPPING: Final = f"""
SELECT {_COLUMNS} FROM maintenance
WHERE sensor_id = %s AND starts_at <= %s AND ends_at >= %s ORDER BY starts_at LIMIT 1
"""  # noqa: S608 - the columns are ours
_INSERT: Final = f"""
INSERT INTO maintenance (sensor_id, starts_at, ends_at, reason, created_by)
VALUES (%s, %s, %s, %s, %s) RETURNING {_COLUMNS}
"""  # noqa: S608 - the columns are ours
_LISTED: Final = f"""
SELECT {_COLUMNS} FROM maintenance
WHERE (%(sensor_id)s::text IS NULL OR sensor_id = %(sensor_id)s)
    AND (%(since)s::timestamptz IS NULL OR ends_at >= %(since)s)
ORDER BY starts_at DESC, id DESC
"""  # noqa: S608 - the columns are ours
_END: Final = """
UPDATE maintenance SET ends_at = %(at)s
WHERE id = %(id)s AND starts_at < %(at)s AND ends_at > %(at)s RETURNING id
"""
_CALL_OFF: Final = "DELETE FROM maintenance WHERE id = %(id)s AND starts_at >= %(at)s RETURNING id"


def add(
    connection: psycopg.Connection,
    sensor_id: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    reason: str,
    by: str,
) -> Maintenance:
    """Put a machine under maintenance between two aware times.

    Of two at once that overlap one wins: they wait for each other, by a lock on the machine.

    Raises:
        RefusedError: it ends before it starts, overlaps another of the machine, or nobody ever
            heard of the machine. Nothing was changed.
    """
    if starts_at >= ends_at:
        raise RefusedError(
            f"it would end at {_utc(ends_at)}, not after its start at {_utc(starts_at)}; give a "
            "later end"
        )
    with connection.transaction(), connection.cursor(row_factory=class_row(Maintenance)) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [sensor_id])
        _check_known(connection, sensor_id)
        other = cursor.execute(_OVERLAPPING, (sensor_id, ends_at, starts_at)).fetchone()
        if other is not None:
            raise RefusedError(
                f"{sensor_id} is under maintenance {other.id} from {_utc(other.starts_at)} to "
                f"{_utc(other.ends_at)} ({other.reason}, {other.created_by}), which this would "
                f"overlap; `plantwatch maintenance end {other.id}` ends it, or choose other times"
            )
        row = cursor.execute(_INSERT, (sensor_id, starts_at, ends_at, reason, by)).fetchone()
    assert row is not None
    return row


def listed(
    connection: psycopg.Connection, sensor_id: str | None = None, since: datetime | None = None
) -> list[Maintenance]:
    """Windows of one machine, or all, that end at `since` or later; the latest first."""
    with connection.cursor(row_factory=class_row(Maintenance)) as cursor:
        return cursor.execute(_LISTED, {"sensor_id": sensor_id, "since": since}).fetchall()


def end(connection: psycopg.Connection, maintenance_id: int, at: datetime) -> Maintenance:
    """End a window at an aware time within it; one that begins later is called off, and is gone.

    Raises:
        RefusedError: there is none, or it has ended by then.
    """
    with connection.transaction():
        before = _one(connection, maintenance_id)
        for statement in (_END, _CALL_OFF):
            if connection.execute(statement, {"id": maintenance_id, "at": at}).fetchone():
                return replace(before, ends_at=at)
    raise RefusedError(
        f"maintenance {before.id} of {before.sensor_id} has ended already, at "
        f"{_utc(before.ends_at)}; nothing was changed"
    )


def _one(connection: psycopg.Connection, maintenance_id: int) -> Maintenance:
    """A window, locked: what is read of it stays so until the transaction ends."""
    query = f"SELECT {_COLUMNS} FROM maintenance WHERE id = %s FOR UPDATE"  # noqa: S608 - ours
    with connection.cursor(row_factory=class_row(Maintenance)) as cursor:
        found = cursor.execute(query, [maintenance_id]).fetchone()
    if found is None:
        raise RefusedError(
            f"there is no maintenance {maintenance_id}; `plantwatch maintenance list --all` shows "
            "those that there are"
        )
    return found


def _check_known(connection: psycopg.Connection, sensor_id: str) -> None:
    if machines.is_known(connection, sensor_id):
        return
    near = difflib.get_close_matches(sensor_id, machines.names(connection), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "the dashboard lists those that there are"
    raise RefusedError(
        f"nothing is stored of a machine {sensor_id!r}, no verdict and no reading; {hint}"
    )


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"

"""Incidents, moved in the transaction of the verdicts that move them.

Only rows that the INSERT has reported as new move anything, and what they move commits with them:

- a crash before the commit leaves neither rows nor moves, and the batch is read again; one after
  it leaves both, and then the rows are known, which moves nothing. The same for a batch written
  twice, and for a topic read from its beginning;
- bad rows are bisected away, and the good rows inserted, before anything moves: a row takes part
  exactly if it is stored;
- a zombie, stopped in mid-batch, and its successor insert the same keys: one waits for the other
  and then finds them known. Rows that come later in a machine's stream cannot overtake it, for
  the successor begins at or below the zombie's rows, and meets their keys before it moves on;
- people close and acknowledge meanwhile. Like theirs, our locks go from an incident to the state
  of its machine, in the order of machines, so nobody waits in a circle. Each look is a statement
  of its own: the states are read after a wait for an incident, and show what was waited for.

A deadlock that another program makes is an error of class 40: all is rolled back and done again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg

from plantwatch.incidents import CALM, Machine, Maintenance, follow
from plantwatch.instants import to_iso, to_microseconds
from plantwatch.messages import Incident, IncidentRule, ScoreEvent, SensorContribution
from sinks.sink import Row

_OF_PEOPLE: Final = {"acknowledged_at", "acknowledged_by", "closed_by", "false_alarm", "note"}
_OF_THE_RULE: Final = [one.name for one in fields(Incident) if one.name not in _OF_PEOPLE | {"id"}]

# Rows as JSON, in and out: one parameter for any number of columns, and no float loses a bit.
_OPEN: Final = """
SELECT to_jsonb(incidents) FROM incidents
WHERE closed_at IS NULL AND sensor_id = ANY(%s) ORDER BY sensor_id FOR UPDATE
"""
_RECENT: Final = """
SELECT sensor_id, recent FROM machine_states
WHERE sensor_id = ANY(%s) ORDER BY sensor_id FOR UPDATE
"""
_MAINTENANCE: Final = """
SELECT sensor_id, starts_at, ends_at FROM maintenance
WHERE sensor_id = ANY(%s) AND ends_at >= %s::timestamptz
"""
_UPDATE: Final = """
UPDATE incidents SET ({}) = ROW ({})
FROM jsonb_populate_recordset(NULL::incidents, %s::jsonb) AS moved
WHERE incidents.id = moved.id
""".format(", ".join(_OF_THE_RULE), ", ".join(f"moved.{name}" for name in _OF_THE_RULE))
_INSERT: Final = """
INSERT INTO incidents ({0})
SELECT {0} FROM jsonb_populate_recordset(NULL::incidents, %s::jsonb)
""".format(", ".join(_OF_THE_RULE))
_REMEMBER: Final = """
INSERT INTO machine_states (sensor_id, recent) SELECT * FROM unnest(%s::text[], %s::text[])
ON CONFLICT (sensor_id) DO UPDATE SET recent = EXCLUDED.recent
"""
_FORGET: Final = "DELETE FROM machine_states WHERE sensor_id = ANY(%s)"


@dataclass(slots=True)
class _Known:
    """What was found of the machines of a batch; a calm one without maintenance is in neither."""

    machines: dict[str, Machine]
    maintenance: Mapping[str, list[Maintenance]]


@dataclass(slots=True)
class _Changes:
    """What there is to write."""

    recent: dict[str, str] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)


def move(connection: psycopg.Connection, rows: Sequence[Row], rule: IncidentRule) -> None:
    """Let new rows move the incidents of their machines; within the caller's transaction.

    One round trip where all is calm, whatever the number of machines.

    Args:
        connection: in UTC, for what years 1 and 9999 are elsewhere nobody can read.
        rows: just inserted, each for the first time; in any order but that of a machine's own.
        rule: for verdicts that bring none of their own.
    """
    if not rows:
        return
    known = _look(connection, [row.event for row in rows])
    changes = _Changes()
    for sensor_id, events in _relevant(rows, known).items():
        before = known.machines.get(sensor_id, CALM)
        followed = follow(before, events, rule, known.maintenance.get(sensor_id, ()))
        after = followed.machine
        if after.recent != before.recent:
            changes.recent[sensor_id] = after.recent
        touched = (*followed.closed, after.incident)
        changes.incidents += [one for one in touched if one and one is not before.incident]
    _write(connection, changes)


def incident_of(row: Mapping[str, Any]) -> Incident:
    """A row of `incidents` as PostgreSQL writes it in JSON, with times as messages spell them."""
    times = {
        name: to_iso(to_microseconds(datetime.fromisoformat(value)))
        for name, value in row.items()
        if name.endswith("_at") and value is not None
    }
    sensors = tuple(SensorContribution(**one) for one in row["top_sensors"])
    return Incident(**{**row, **times, "top_sensors": sensors})


def _look(connection: psycopg.Connection, events: Sequence[ScoreEvent]) -> _Known:
    names = sorted({event.sensor_id for event in events})
    since = min(event.window_start or event.event_time for event in events)
    with connection.pipeline():
        incidents = connection.execute(_OPEN, [names])
        recent = connection.execute(_RECENT, [names])
        maintenance = connection.execute(_MAINTENANCE, [names, since])
    machines = {name: Machine(levels) for name, levels in recent}
    for (row,) in incidents:
        incident = incident_of(row)
        calm = machines.get(incident.sensor_id, CALM)
        machines[incident.sensor_id] = replace(calm, incident=incident)
    return _Known(machines, _by_machine(maintenance))


def _by_machine(found: Iterable[tuple[str, datetime, datetime]]) -> dict[str, list[Maintenance]]:
    windows: dict[str, list[Maintenance]] = defaultdict(list)
    for sensor_id, *span in found:
        windows[sensor_id].append(Maintenance(*(to_iso(to_microseconds(one)) for one in span)))
    return windows


def _relevant(rows: Sequence[Row], known: _Known) -> dict[str, list[ScoreEvent]]:
    """The verdicts of machines of which there is anything to say, each machine's in its order."""
    names = {row.event.sensor_id for row in rows if row.event.is_anomaly} | known.machines.keys()
    relevant = [row for row in rows if row.event.sensor_id in names]
    relevant.sort(key=lambda row: (row.event.sensor_id, row.record.partition, row.record.offset))
    events: dict[str, list[ScoreEvent]] = defaultdict(list)
    for row in relevant:
        events[row.event.sensor_id].append(row.event)
    return events


def _write(connection: psycopg.Connection, changes: _Changes) -> None:
    """Old incidents first: of a machine, one must be closed before the next one is opened."""
    old = [one for one in changes.incidents if one.id is not None]
    new = [one for one in changes.incidents if one.id is None]
    kept = {name: levels for name, levels in changes.recent.items() if levels}
    gone = [name for name, levels in changes.recent.items() if not levels]
    with connection.pipeline():
        if old:
            connection.execute(_UPDATE, [orjson.dumps(old).decode()])
        if new:
            connection.execute(_INSERT, [orjson.dumps(new).decode()])
        if kept:
            connection.execute(_REMEMBER, [list(kept), list(kept.values())])
        if gone:
            connection.execute(_FORGET, [gone])

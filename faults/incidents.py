"""The incidents of a plant, held against the rule: run over the rows that the table has.

Whatever was done to the pipeline, its rows are those of the readings (the ledger says so), so
incidents that are those of the rows are the same in every run.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from psycopg.rows import dict_row

from connections.postgres import connect
from plantwatch.incidents import CALM, follow
from plantwatch.instants import to_iso, to_microseconds
from plantwatch.messages import Incident, ScoreEvent, SensorContribution
from plantwatch.settings import Settings
from sinks.incidents import incident_of

_ROWS: Final = """
SELECT sensor_id, cycle, detected_at, anomaly_score, is_anomaly, confidence, model_version,
    model_digest, source_partition AS partition, first_offset, last_offset AS offset,
    top_sensors, regime, unseen_regime
FROM anomaly_events ORDER BY sensor_id, source_partition, last_offset
"""
_INCIDENTS: Final = "SELECT to_jsonb(incidents) FROM incidents ORDER BY sensor_id, id"

Found = dict[str, list[Incident]]
"""The incidents of each machine that had any, the first one first, without their numbers."""


def compared(settings: Settings) -> dict[str, float]:
    """How many incidents there are, and of how many machines they are not those of the rule."""
    found, right = stored(settings), expected(settings)
    wrong = sum(found.get(name) != right.get(name) for name in found.keys() | right.keys())
    return {"incidents": sum(map(len, found.values())), "incidents_wrong": wrong}


def stored(settings: Settings) -> Found:
    """What the table has, machine by machine in the order of opening."""
    with connect(settings, "reader") as connection:
        rows = connection.execute(_INCIDENTS).fetchall()
    every = [replace(incident_of(row), id=None) for (row,) in rows]
    return {name: list(own) for name, own in groupby(every, lambda one: one.sensor_id)}


def expected(settings: Settings) -> Found:
    """What the rule makes of the rows, a machine after the other; nothing muted, none by hand."""
    rule, found = settings.anomaly.rule(), {}
    for name, events in groupby(_events(settings), lambda event: event.sensor_id):
        if incidents := follow(CALM, events, rule).incidents:
            found[name] = list(incidents)
    return found


def _events(settings: Settings) -> Iterator[ScoreEvent]:
    with (
        connect(settings, "reader") as connection,
        connection.cursor("events", row_factory=dict_row) as rows,
    ):
        for row in rows.execute(_ROWS):
            yield _event(row)


def _event(row: dict[str, Any]) -> ScoreEvent:
    """As far as the rule looks at it."""
    time = to_iso(to_microseconds(row.pop("detected_at")))
    sensors = tuple(SensorContribution(**one) for one in row.pop("top_sensors"))
    return ScoreEvent(id="", event_time=time, raw=0.0, published_at=0, top_sensors=sensors, **row)

"""Which machines there are: those of which a verdict or a reading is stored."""

from typing import Final

import psycopg

from sinks.distinct import sensor_ids

_IS_KNOWN: Final = """
SELECT EXISTS (SELECT FROM anomaly_events WHERE sensor_id = %(sensor_id)s)
    OR EXISTS (SELECT FROM readings WHERE sensor_id = %(sensor_id)s)
"""

_JUDGED: Final = sensor_ids("anomaly_events", "judged")
_HEARD: Final = sensor_ids("readings", "heard")
NAMES: Final = f"""
WITH RECURSIVE {_JUDGED}, {_HEARD}, machines AS (
    SELECT sensor_id FROM judged WHERE sensor_id IS NOT NULL
    UNION
    SELECT sensor_id FROM heard WHERE sensor_id IS NOT NULL
)
"""  # noqa: S608 - the tables are ours
"""The beginning of a query that goes on with a SELECT from `machines` (sensor_id)."""


def is_known(connection: psycopg.Connection, sensor_id: str) -> bool:
    row = connection.execute(_IS_KNOWN, {"sensor_id": sensor_id}).fetchone()
    return row is not None and bool(row[0])


def names(connection: psycopg.Connection) -> list[str]:
    """All of them, in the order of their names."""
    query = f"{NAMES} SELECT sensor_id FROM machines ORDER BY sensor_id"  # noqa: S608 - ours
    return [name for (name,) in connection.execute(query).fetchall()]

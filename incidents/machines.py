"""Which machines there are: those of which a verdict or a reading is stored."""

from typing import Final

import psycopg

_IS_KNOWN: Final = """
SELECT EXISTS (SELECT FROM anomaly_events WHERE sensor_id = %(sensor_id)s)
    OR EXISTS (SELECT FROM readings WHERE sensor_id = %(sensor_id)s)
"""

# From one name to the next by the index: DISTINCT would read every row of both tables.
NAMES: Final = """
WITH RECURSIVE judged AS (
    (SELECT sensor_id FROM anomaly_events ORDER BY sensor_id LIMIT 1)
    UNION ALL
    SELECT (SELECT sensor_id FROM anomaly_events WHERE sensor_id > judged.sensor_id
            ORDER BY sensor_id LIMIT 1)
    FROM judged WHERE judged.sensor_id IS NOT NULL
), heard AS (
    (SELECT sensor_id FROM readings ORDER BY sensor_id LIMIT 1)
    UNION ALL
    SELECT (SELECT sensor_id FROM readings WHERE sensor_id > heard.sensor_id
            ORDER BY sensor_id LIMIT 1)
    FROM heard WHERE heard.sensor_id IS NOT NULL
), machines AS (
    SELECT sensor_id FROM judged WHERE sensor_id IS NOT NULL
    UNION
    SELECT sensor_id FROM heard WHERE sensor_id IS NOT NULL
)
"""
"""The beginning of a query that goes on with a SELECT from `machines` (sensor_id)."""


def is_known(connection: psycopg.Connection, sensor_id: str) -> bool:
    row = connection.execute(_IS_KNOWN, {"sensor_id": sensor_id}).fetchone()
    return row is not None and bool(row[0])


def names(connection: psycopg.Connection) -> list[str]:
    """All of them, in the order of their names."""
    query = f"{NAMES} SELECT sensor_id FROM machines ORDER BY sensor_id"  # noqa: S608 - ours
    return [name for (name,) in connection.execute(query).fetchall()]

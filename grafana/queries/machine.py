"""What the dashboard of one machine asks."""

from typing import Final

from grafana.spec import Sql
from incidents import machines

MACHINES: Final = f"{machines.NAMES} SELECT sensor_id FROM machines ORDER BY sensor_id"
OF_MACHINE: Final = "sensor_id = ${machine:sqlstring}"
SCORE: Final = Sql(
    f"""
SELECT detected_at AS time, 'production' AS metric, anomaly_score AS value
FROM anomaly_events WHERE {OF_MACHINE} AND $__timeFilter(detected_at) ORDER BY time
""",
    "time_series",
)
SHADOW_SCORE: Final = Sql(
    f"""
SELECT detected_at AS time, 'challenger ' || model_version AS metric, anomaly_score AS value
FROM shadow_events WHERE {OF_MACHINE} AND $__timeFilter(detected_at) ORDER BY time
""",
    "time_series",
)
NEWEST: Final = Sql(f"""
SELECT anomaly_score AS score, confidence
FROM anomaly_events WHERE {OF_MACHINE} ORDER BY detected_at DESC LIMIT 1
""")
HEARD: Final = Sql(f"""
SELECT extract(epoch FROM now() - published_at) AS "since the last reading"
FROM readings WHERE {OF_MACHINE} ORDER BY event_time DESC LIMIT 1
""")
REASONS: Final = Sql(
    f"""
SELECT $__timeGroup(detected_at, $__interval) AS time, 'sensor ' || top.sensor AS metric,
    avg(top.contribution) AS value
FROM anomaly_events, jsonb_to_recordset(top_sensors) AS top(sensor integer, contribution float8)
WHERE {OF_MACHINE} AND $__timeFilter(detected_at) GROUP BY time, metric ORDER BY time, metric
""",
    "time_series",
)
REGIME: Final = Sql(
    f"""
SELECT detected_at AS time, CASE WHEN unseen_regime THEN -1 ELSE regime END AS regime
FROM anomaly_events WHERE {OF_MACHINE} AND $__timeFilter(detected_at) AND regime IS NOT NULL
ORDER BY time
""",
    "time_series",
)
MODEL_OF_MACHINE: Final = Sql(f"""
SELECT detected_at AS time, model_version AS model
FROM anomaly_events WHERE {OF_MACHINE} AND $__timeFilter(detected_at) ORDER BY time
""")
MACHINE_INCIDENTS: Final = Sql(f"""
SELECT id AS incident, opened_at AS opened, severity, peak_score AS peak,
    opened_cycle AS "at cycle", anomalies,
    'sensor ' || (top_sensors -> 0 ->> 'sensor') AS "top sensor",
    closed_why AS closed, acknowledged_by AS "acknowledged by", false_alarm AS "false alarm", note
FROM incidents WHERE {OF_MACHINE} ORDER BY opened_at DESC LIMIT 50
""")
SENSOR: Final = Sql(
    f"""
SELECT event_time AS time, values[${{settings}} + $sensor] AS "reading"
FROM readings WHERE {OF_MACHINE} AND $__timeFilter(event_time) ORDER BY time
""",
    "time_series",
)
# What normal machines of the line show in the same regime: PostgreSQL does not have the card.
SENSOR_BAND: Final = Sql(
    f"""
WITH normal AS (
    SELECT regime, values[${{settings}} + $sensor] AS value
    FROM anomaly_events JOIN readings USING (sensor_id, cycle)
    WHERE split_part(sensor_id, '-', 1) = split_part(${{machine:sqlstring}}, '-', 1)
        AND event_time = detected_at AND anomaly_score < ${{normal_score}}
        AND $__timeFilter(detected_at)
), band AS (
    SELECT regime, avg(value) AS middle, coalesce(stddev(value), 0) AS spread
    FROM normal GROUP BY regime
)
SELECT detected_at AS time, middle - 3 * spread AS "lowest expected",
    middle + 3 * spread AS "highest expected"
FROM anomaly_events JOIN band ON band.regime IS NOT DISTINCT FROM anomaly_events.regime
WHERE {OF_MACHINE} AND $__timeFilter(detected_at) ORDER BY time
""",
    "time_series",
)

"""What the plant floor asks: machines and their incidents, of the lines that are chosen."""

from typing import Final

from grafana.spec import Prom, Sql
from incidents import machines

# A machine's line is its name up to the first hyphen: FD001 of FD001-engine-034.
LINES: Final = f"""{machines.NAMES}
SELECT DISTINCT split_part(sensor_id, '-', 1) AS line FROM machines ORDER BY line
"""


def _of_lines(column: str = "sensor_id") -> str:
    return f"split_part({column}, '-', 1) IN (${{line:sqlstring}})"


# The same judgement as the live page's (`dashboard.fleet`), in its order.
_FLEET: Final = f"""{machines.NAMES}, fleet AS (
    SELECT machines.sensor_id, verdict.anomaly_score, verdict.detected_at, CASE
        WHEN incidents.id IS NOT NULL THEN 'alarm'
        WHEN EXISTS (
            SELECT FROM maintenance WHERE maintenance.sensor_id = machines.sensor_id
                AND greatest(verdict.detected_at, reading.event_time) BETWEEN starts_at AND ends_at
        ) THEN 'maintenance'
        WHEN now() - greatest(verdict.created_at, reading.published_at)
            > make_interval(secs => ${{silent_after_sec}}) THEN 'silent'
        WHEN verdict.anomaly_score IS NULL THEN 'warming up'
        WHEN coalesce(states.recent, '') ~ '[^0]' THEN 'watch'
        ELSE 'healthy'
    END AS condition
    FROM machines
    LEFT JOIN LATERAL (
        SELECT anomaly_score, detected_at, created_at FROM anomaly_events
        WHERE anomaly_events.sensor_id = machines.sensor_id ORDER BY detected_at DESC LIMIT 1
    ) AS verdict ON true
    LEFT JOIN LATERAL (
        SELECT event_time, published_at FROM readings
        WHERE readings.sensor_id = machines.sensor_id ORDER BY event_time DESC LIMIT 1
    ) AS reading ON true
    LEFT JOIN machine_states AS states ON states.sensor_id = machines.sensor_id
    LEFT JOIN incidents ON incidents.sensor_id = machines.sensor_id AND incidents.closed_at IS NULL
    WHERE {_of_lines("machines.sensor_id")}
)"""
CONDITIONS: Final = Sql(f"""{_FLEET}
SELECT count(*) FILTER (WHERE condition = 'healthy') AS "healthy",
    count(*) FILTER (WHERE condition = 'watch') AS "watch",
    count(*) FILTER (WHERE condition = 'alarm') AS "alarm",
    count(*) FILTER (WHERE condition = 'silent') AS "silent",
    count(*) FILTER (WHERE condition = 'maintenance') AS "maintenance",
    count(*) FILTER (WHERE condition = 'warming up') AS "warming up"
FROM fleet
""")
OPEN_COUNT: Final = Sql(f"""
SELECT count(*) FILTER (WHERE severity = 'critical') AS "critical",
    count(*) FILTER (WHERE severity = 'warning') AS "warning"
FROM incidents WHERE closed_at IS NULL AND {_of_lines()}
""")
OPEN_INCIDENTS: Final = Sql(f"""
SELECT sensor_id AS machine, severity, extract(epoch FROM now() - opened_at) AS age,
    peak_score AS peak, anomalies, 'sensor ' || (top_sensors -> 0 ->> 'sensor') AS "top sensor",
    acknowledged_by AS "acknowledged by", id AS incident
FROM incidents WHERE closed_at IS NULL AND {_of_lines()}
ORDER BY severity, acknowledged_by IS NOT NULL, peak_score DESC LIMIT 100
""")
HIGHEST_SCORES: Final = Sql(f"""{_FLEET}
SELECT sensor_id AS machine, anomaly_score AS score, condition FROM fleet
WHERE anomaly_score IS NOT NULL ORDER BY anomaly_score DESC LIMIT 15
""")
FLEET_STATES: Final = Sql(
    f"""
WITH worst AS (
    SELECT sensor_id FROM anomaly_events
    WHERE $__timeFilter(detected_at) AND {_of_lines()}
    GROUP BY sensor_id ORDER BY max(anomaly_score) DESC, sensor_id LIMIT 20
)
SELECT $__timeGroup(detected_at, $__interval) AS time, anomaly_events.sensor_id AS metric,
    max(CASE WHEN incidents.severity = 'critical' THEN 3 WHEN incidents.id IS NOT NULL THEN 2
        WHEN is_anomaly THEN 1 ELSE 0 END) AS value
FROM anomaly_events JOIN worst ON worst.sensor_id = anomaly_events.sensor_id
LEFT JOIN incidents ON incidents.sensor_id = anomaly_events.sensor_id
    AND detected_at BETWEEN incidents.opened_at
        AND coalesce(incidents.closed_at, incidents.last_at)
WHERE $__timeFilter(detected_at)
GROUP BY time, metric ORDER BY time, metric
""",
    "time_series",
)
NUISANCE: Final = Sql(f"""
SELECT count(*) FILTER (WHERE false_alarm)::float8 / nullif(count(false_alarm), 0) AS "false alarms"
FROM incidents WHERE {_of_lines()}
""")
INCIDENT_RATE: Final = Sql(f"""
SELECT count(DISTINCT incidents.id)::float8 / nullif(count(DISTINCT anomaly_events.sensor_id), 0)
    AS "incidents per machine"
FROM anomaly_events LEFT JOIN incidents ON incidents.sensor_id = anomaly_events.sensor_id
    AND $__timeFilter(incidents.opened_at)
WHERE $__timeFilter(detected_at) AND {_of_lines("anomaly_events.sensor_id")}
""")
INCIDENT_MOVES: Final = Prom(
    "sum by (kind) (increase(plantwatch_incidents_total[$__rate_interval]))", "{{kind}}"
)
INCIDENTS_OPEN: Final = Prom(
    "sum by (severity, state) (plantwatch_open_incidents)", "{{severity}}, {{state}}"
)
SILENT: Final = Prom("max(plantwatch_silent_machines)", "silent machines")
ANOMALY_SHARE: Final = Prom("max(plantwatch_anomaly_ratio)", "anomalous")

"""Every query of every dashboard, once.

PromQL keeps to `plantwatch.metrics`, SQL to the tables of `sinks/migrations`; tests hold both to
it. `or vector(0)` stands where no series means that it never happened.
"""

from typing import Final

from grafana.spec import Prom, Sql
from incidents import machines

# A machine's line is its name up to the first hyphen: FD001 of FD001-engine-034.
LINES: Final = f"""{machines.NAMES}
SELECT DISTINCT split_part(sensor_id, '-', 1) AS line FROM machines ORDER BY line
"""
MACHINES: Final = f"{machines.NAMES} SELECT sensor_id FROM machines ORDER BY sensor_id"
WORKERS: Final = "label_values(plantwatch_lag_readings, instance)"

_OF_LINES: Final = "split_part({}, '-', 1) IN (${{line:sqlstring}})"


def _of_lines(column: str = "sensor_id") -> str:
    return _OF_LINES.format(column)


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

UP: Final = Prom("min by (job) (up)", "{{job}}")

# One machine
_MACHINE: Final = "sensor_id = ${machine:sqlstring}"

SCORE: Final = Sql(
    f"""
SELECT detected_at AS time, 'production' AS metric, anomaly_score AS value
FROM anomaly_events WHERE {_MACHINE} AND $__timeFilter(detected_at) ORDER BY time
""",
    "time_series",
)
SHADOW_SCORE: Final = Sql(
    f"""
SELECT detected_at AS time, 'challenger ' || model_version AS metric, anomaly_score AS value
FROM shadow_events WHERE {_MACHINE} AND $__timeFilter(detected_at) ORDER BY time
""",
    "time_series",
)
NEWEST: Final = Sql(f"""
SELECT anomaly_score AS score, confidence
FROM anomaly_events WHERE {_MACHINE} ORDER BY detected_at DESC LIMIT 1
""")
HEARD: Final = Sql(f"""
SELECT extract(epoch FROM now() - published_at) AS "since the last reading"
FROM readings WHERE {_MACHINE} ORDER BY event_time DESC LIMIT 1
""")
REASONS: Final = Sql(
    f"""
SELECT $__timeGroup(detected_at, $__interval) AS time, 'sensor ' || top.sensor AS metric,
    avg(top.contribution) AS value
FROM anomaly_events, jsonb_to_recordset(top_sensors) AS top(sensor integer, contribution float8)
WHERE {_MACHINE} AND $__timeFilter(detected_at) GROUP BY time, metric ORDER BY time, metric
""",
    "time_series",
)
REGIME: Final = Sql(
    f"""
SELECT detected_at AS time, CASE WHEN unseen_regime THEN -1 ELSE regime END AS regime
FROM anomaly_events WHERE {_MACHINE} AND $__timeFilter(detected_at) AND regime IS NOT NULL
ORDER BY time
""",
    "time_series",
)
MODEL_OF_MACHINE: Final = Sql(f"""
SELECT detected_at AS time, model_version AS model
FROM anomaly_events WHERE {_MACHINE} AND $__timeFilter(detected_at) ORDER BY time
""")
MACHINE_INCIDENTS: Final = Sql(f"""
SELECT id AS incident, opened_at AS opened, severity, peak_score AS peak,
    opened_cycle AS "at cycle", anomalies,
    'sensor ' || (top_sensors -> 0 ->> 'sensor') AS "top sensor",
    closed_why AS closed, acknowledged_by AS "acknowledged by", false_alarm AS "false alarm", note
FROM incidents WHERE {_MACHINE} ORDER BY opened_at DESC LIMIT 50
""")
SENSOR: Final = Sql(
    f"""
SELECT event_time AS time, values[${{settings}} + $sensor] AS "reading"
FROM readings WHERE {_MACHINE} AND $__timeFilter(event_time) ORDER BY time
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
WHERE {_MACHINE} AND $__timeFilter(detected_at) ORDER BY time
""",
    "time_series",
)

# The pipeline
_HERE: Final = 'instance=~"$instance"'

UNACCOUNTED: Final = Prom("sum(plantwatch_unaccounted_readings)", "in no class")
CLASSES: Final = Prom(
    f"sum by (class) (rate(plantwatch_readings_total{{{_HERE}}}[$__rate_interval]))", "{{class}}"
)
CLASS_TOTALS: Final = Prom(
    f"sum by (class) (plantwatch_readings_total{{{_HERE}}})", "{{class}}", instant=True
)
LAG: Final = Prom(
    f"sum by (partition) (plantwatch_lag_readings{{{_HERE}}})", "partition {{partition}}"
)
SINK_LAG: Final = Prom("sum by (sink) (plantwatch_sink_lag_messages)", "{{sink}}")
SINK_ROWS: Final = Prom(
    "sum by (sink, result) (rate(plantwatch_sink_rows_total[$__rate_interval]))",
    "{{sink}} {{result}}",
)
SINK_RETRIES: Final = Prom(
    "sum by (sink, why) (increase(plantwatch_sink_retries_total[$__rate_interval])) or vector(0)",
    "{{sink}} {{why}}",
)
REFUSED: Final = Prom(
    'sum by (sink) (increase(plantwatch_sink_rows_total{result="refused"}[$__rate_interval]))',
    "{{sink}} refused",
)


def latency(share: str) -> Prom:
    """From Kafka's timestamp of a reading to its verdict, at one share of the readings."""
    rate = "sum by (le) (rate(plantwatch_publish_to_verdict_seconds_bucket[$__rate_interval]))"
    return Prom(f"histogram_quantile({share}, {rate})", f"p{share[2:].ljust(2, '0')}")


def stored_latency(share: str) -> Prom:
    """From Kafka's timestamp of a reading to its verdict's row, at one share of the readings."""
    rate = "sum by (le) (rate(plantwatch_publish_to_stored_seconds_bucket[$__rate_interval]))"
    return Prom(f"histogram_quantile({share}, {rate})", f"p{share[2:].ljust(2, '0')}")


CHUNK_SECONDS: Final = Prom(
    "histogram_quantile(0.99, "
    "sum by (le) (rate(plantwatch_chunk_seconds_bucket[$__rate_interval])))",
    "p99",
)
CHUNK_SIZE: Final = Prom(
    "sum(rate(plantwatch_chunk_readings_sum[$__rate_interval]))"
    " / sum(rate(plantwatch_chunk_readings_count[$__rate_interval]))",
    "readings in a chunk",
)
DEAD_LETTERS: Final = Prom(
    "sum by (class) (increase("
    'plantwatch_readings_total{class=~"conflict|late|rejected"}[$__rate_interval])) or vector(0)',
    "{{class}}",
)
REJECTS: Final = Prom(
    "sum by (reason) (increase(plantwatch_rejects_total[$__rate_interval])) or vector(0)",
    "{{reason}}",
)
PRODUCED: Final = Prom(
    "sum(rate(plantwatch_readings_published_total[$__rate_interval]))", "published"
)
PRODUCE_RETRIES: Final = Prom(
    "sum(increase(plantwatch_produce_retries_total[$__rate_interval]))", "producer waited"
)
REBALANCES: Final = Prom(
    "sum(increase(plantwatch_rebalances_total[$__rate_interval]))", "take-overs"
)
READ_BACK: Final = Prom(
    "sum(rate(plantwatch_read_back_readings_total[$__rate_interval]))", "read back"
)
TRUNCATED: Final = Prom("sum(plantwatch_history_truncated_total)", "take-overs", instant=True)
KNOWN_MACHINES: Final = Prom("sum(plantwatch_machines)", "machines", instant=True)
OUTBOX: Final = Prom("max(plantwatch_outbox_rows)", "being published")
BATCHES: Final = Prom(
    "histogram_quantile(0.5, "
    "sum by (le, sink) (rate(plantwatch_sink_batch_rows_bucket[$__rate_interval])))",
    "{{sink}}",
)

# Models
MODEL: Final = Prom("sum by (model_version) (plantwatch_model_info)", "{{model_version}}")
CHALLENGER: Final = Prom(
    "sum by (model_version) (plantwatch_challenger_info) or vector(0)",
    "challenger {{model_version}}",
)
SCORE_DISTRIBUTION: Final = Prom(
    "sum by (le) (increase(plantwatch_anomaly_score_bucket[$__rate_interval]))", "{{le}}"
)
OUTCOMES: Final = Prom(
    "sum by (outcome) (rate(plantwatch_verdicts_total[$__rate_interval]))", "{{outcome}}"
)
ANOMALIES: Final = Prom("sum(rate(plantwatch_anomalies_total[$__rate_interval]))", "anomalous")
SHADOW_WINDOWS: Final = Prom(
    "sum by (result) (rate(plantwatch_shadow_windows_total[$__rate_interval])) or vector(0)",
    "{{result}}",
)
MODELS_REFUSED: Final = Prom(
    "sum by (role) (plantwatch_models_refused_total) or vector(0)", "{{role}}", instant=True
)
# 0 is for never, and a process that follows no registry exports it, too.
REGISTRY_AGE: Final = Prom(
    "time() - max(plantwatch_registry_contact_timestamp_seconds > 0)", "since the last answer"
)
SHADOW_SHARE: Final = Prom(
    "sum(rate(plantwatch_shadow_disagreements_total[$__rate_interval])) or vector(0)",
    "judged otherwise",
)
DISAGREEMENT: Final = Sql(
    """
SELECT $__timeGroup(detected_at, $__interval) AS time, shadow_events.model_version AS metric,
    avg((anomaly_events.is_anomaly <> shadow_events.is_anomaly)::int) AS value
FROM anomaly_events JOIN shadow_events USING (sensor_id, cycle, detected_at)
WHERE $__timeFilter(detected_at) GROUP BY time, metric ORDER BY time, metric
""",
    "time_series",
)
VERSIONS: Final = Sql("""
SELECT model_version AS model, left(model_digest, 12) AS digest,
    min(detected_at) AS "first verdict", max(detected_at) AS "last verdict", count(*) AS verdicts,
    avg(is_anomaly::int) AS "anomalous", avg(unseen_regime::int) AS "unseen regime"
FROM anomaly_events WHERE $__timeFilter(detected_at)
GROUP BY model_version, model_digest ORDER BY "last verdict" DESC LIMIT 20
""")
UNSEEN: Final = Sql(
    """
SELECT $__timeGroup(detected_at, $__interval) AS time, avg(unseen_regime::int) AS "unseen regime"
FROM anomaly_events WHERE $__timeFilter(detected_at) GROUP BY time ORDER BY time
""",
    "time_series",
)
DRIFT_SHIFT: Final = Prom("max by (sensor) (plantwatch_drift_shift_spreads)", "sensor {{sensor}}")
DRIFTING: Final = Prom("max by (sensor) (plantwatch_drifting)", "sensor {{sensor}}")
DRIFT_READINGS: Final = Prom(
    "sum by (outcome) (rate(plantwatch_drift_readings_total[$__rate_interval]))", "{{outcome}}"
)
DRIFT_ALARMS: Final = Prom(
    "sum(increase(plantwatch_drift_alarms_total[$__rate_interval])) or vector(0)", "alarms"
)
UNSEEN_RATE: Final = Prom(
    "sum(rate(plantwatch_unseen_regime_verdicts_total[$__rate_interval]))", "unseen regime"
)
TRAINED: Final = Prom(
    "time() - max(plantwatch_model_trained_timestamp_seconds)", "since training", instant=True
)
IN_SERVICE: Final = Sql("""
SELECT extract(epoch FROM now() - min(created_at)) AS "in service" FROM anomaly_events
WHERE model_digest = (SELECT model_digest FROM anomaly_events ORDER BY detected_at DESC LIMIT 1)
""")

# What annotations show; their times are milliseconds since 1970.
INCIDENT_REGIONS: Final = f"""
SELECT extract(epoch FROM opened_at) * 1000 AS time,
    extract(epoch FROM coalesce(closed_at, last_at)) * 1000 AS timeend,
    'incident ' || id || ', peak ' || round(peak_score::numeric, 2) AS text, severity AS tags
FROM incidents WHERE {_MACHINE} AND opened_at <= $__timeTo()
    AND coalesce(closed_at, last_at) >= $__timeFrom()
"""
MAINTENANCE_REGIONS: Final = f"""
SELECT extract(epoch FROM starts_at) * 1000 AS time, extract(epoch FROM ends_at) * 1000 AS timeend,
    'maintenance: ' || reason AS text, created_by AS tags
FROM maintenance WHERE {_MACHINE} AND starts_at <= $__timeTo() AND ends_at >= $__timeFrom()
"""
ALL_INCIDENTS: Final = """
SELECT extract(epoch FROM opened_at) * 1000 AS time,
    'incident ' || id || ' of ' || sensor_id AS text, severity AS tags
FROM incidents WHERE $__timeFilter(opened_at) ORDER BY opened_at DESC LIMIT 200
"""
ALL_MAINTENANCE: Final = """
SELECT extract(epoch FROM starts_at) * 1000 AS time, extract(epoch FROM ends_at) * 1000 AS timeend,
    'maintenance of ' || sensor_id || ': ' || reason AS text, created_by AS tags
FROM maintenance WHERE starts_at <= $__timeTo() AND ends_at >= $__timeFrom()
ORDER BY starts_at DESC LIMIT 200
"""
MODEL_SWAPS: Final = """
SELECT extract(epoch FROM min(detected_at)) * 1000 AS time,
    'first verdict of ' || model_version AS text, 'model' AS tags
FROM anomaly_events WHERE $__timeFilter(detected_at)
GROUP BY model_version, model_digest
"""

"""What the dashboard of models and drift asks."""

from typing import Final

from grafana.spec import Prom, Sql

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

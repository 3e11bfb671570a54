"""Every metric's name, kind, help and labels, once; `connections.prometheus` makes them live.

No label without a bound: machines never appear in one.
"""

from dataclasses import dataclass
from typing import Final, Literal

LATENCY_BUCKETS: Final = (
    0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0,
)  # fmt: skip
BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as data. Counters get `_total` from the exporter, so names leave it out."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


# producer
READINGS_PUBLISHED = Metric(
    "plantwatch_readings_published", "counter", "Readings acknowledged by Kafka."
)
PRODUCE_RETRIES = Metric(
    "plantwatch_produce_retries", "counter", "Times the producer waited because its queue was full."
)

# worker
READINGS = Metric(
    "plantwatch_readings", "counter", "Readings finished by the worker, by class.", ("class",)
)
REJECTS = Metric(
    "plantwatch_rejects", "counter", "Readings rejected, by reason (a closed list).", ("reason",)
)
ANOMALIES = Metric("plantwatch_anomalies", "counter", "Windows judged anomalous.")
VERDICT_LATENCY = Metric(
    "plantwatch_publish_to_verdict_seconds",
    "histogram",
    "From Kafka's timestamp of a reading to its verdict.",
    buckets=LATENCY_BUCKETS,
)
CHUNK_READINGS = Metric(
    "plantwatch_chunk_readings",
    "histogram",
    "Readings in one chunk, of one partition or several.",
    buckets=BATCH_BUCKETS,
)
CHUNK_SECONDS = Metric(
    "plantwatch_chunk_seconds",
    "histogram",
    "Time to decode, score and emit one chunk.",
    buckets=LATENCY_BUCKETS,
)
LAG = Metric(
    "plantwatch_lag_readings", "gauge", "Readings not yet finished, by partition.", ("partition",)
)
UNACCOUNTED = Metric(
    "plantwatch_unaccounted_readings",
    "gauge",
    "Readings received since the group began minus those in a class, by partition; always 0.",
    ("partition",),
)
MACHINES = Metric(
    "plantwatch_machines", "gauge", "Machines with history, by partition.", ("partition",)
)
READ_BACK = Metric(
    "plantwatch_read_back_readings", "counter", "Readings read again to rebuild state."
)
REBALANCES = Metric("plantwatch_rebalances", "counter", "Partition assignments taken over.")
HISTORY_TRUNCATED = Metric(
    "plantwatch_history_truncated", "counter", "Take-overs that found needed readings expired."
)

SHADOW_WINDOWS = Metric(
    "plantwatch_shadow_windows",
    "counter",
    "Windows handed to the challenger, by result: scored, failed (production is not concerned).",
    ("result",),
)
SHADOW_DISAGREEMENTS = Metric(
    "plantwatch_shadow_disagreements",
    "counter",
    "Windows that the challenger scored and judged otherwise than production.",
)
CHALLENGER = Metric(
    "plantwatch_challenger_info",
    "gauge",
    "1 for the model that scores in shadow; absent when there is none.",
    ("model_version", "digest"),
)
MODELS_REFUSED = Metric(
    "plantwatch_models_refused",
    "counter",
    "Models that were named and could not be used, by role: production, challenger.",
    ("role",),
)
REGISTRY_CONTACT = Metric(
    "plantwatch_registry_contact_timestamp_seconds",
    "gauge",
    "When the registry last answered the process that follows it, in seconds since 1970, 0 for "
    "never; when that is long ago, the models last fetched and verified are in use.",
)

MODEL_TRAINED = Metric(
    "plantwatch_model_trained_timestamp_seconds",
    "gauge",
    "When the model in use was trained, in seconds since 1970.",
)

# sinks
SINK_ROWS = Metric(
    "plantwatch_sink_rows",
    "counter",
    "Rows by sink and result: stored, known, refused, passed over.",
    ("sink", "result"),
)
SINK_BATCH_ROWS = Metric(
    "plantwatch_sink_batch_rows",
    "histogram",
    "Rows written in one batch.",
    ("sink",),
    BATCH_BUCKETS,
)
SINK_RETRIES = Metric(
    "plantwatch_sink_retries", "counter", "Writes tried again, by SQLSTATE class.", ("sink", "why")
)
SINK_LAG = Metric(
    "plantwatch_sink_lag_messages", "gauge", "Messages not yet written, by partition.",
    ("sink", "partition"),
)  # fmt: skip
STORED_LATENCY = Metric(
    "plantwatch_publish_to_stored_seconds",
    "histogram",
    "From Kafka's timestamp of a reading to its verdict's row being committed.",
    buckets=LATENCY_BUCKETS,
)
VERDICTS = Metric(
    "plantwatch_verdicts", "counter", "Verdicts seen on `scores`, by outcome.", ("outcome",)
)
SCORES = Metric(
    "plantwatch_anomaly_score",
    "histogram",
    "Anomaly scores; 0.5 is the threshold.",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)
ANOMALY_RATE = Metric(
    "plantwatch_anomaly_ratio", "gauge", "Share of anomalies among the last 1,000 verdicts."
)

UNSEEN_REGIME = Metric(
    "plantwatch_unseen_regime_verdicts",
    "counter",
    "Verdicts on machines in an operating regime that training never saw: they mean little.",
)

# drift
DRIFT_READINGS = Metric(
    "plantwatch_drift_readings",
    "counter",
    "Readings that drift was looked for in, by outcome: tested, unseen regime, unusable (no "
    "reading, or numbers beyond measure).",
    ("outcome",),
)
DRIFT_ALARMS = Metric(
    "plantwatch_drift_alarms",
    "counter",
    "Times that a sensor of the fleet began to drift from the training data, by its number.",
    ("sensor",),
)
DRIFTING = Metric(
    "plantwatch_drifting",
    "gauge",
    "1 while a sensor of the fleet drifts from the training data, by its number; absent without a "
    "model.",
    ("sensor",),
)
DRIFT_SHIFT = Metric(
    "plantwatch_drift_shift_spreads",
    "gauge",
    "How far the fleet's last points (`drift.calm_points`) are from the training data, by sensor, "
    "in spreads of what the other sensors do not explain.",
    ("sensor",),
)

# outbox
INCIDENTS = Metric(
    "plantwatch_incidents",
    "counter",
    "Moves of incidents published, by kind (opened, escalated, acknowledged, closed) and severity.",
    ("kind", "severity"),
)
OUTBOX = Metric(
    "plantwatch_outbox_rows",
    "gauge",
    "Moves of incidents that are being published, at most a batch; above 0 while Kafka is away.",
)

OPEN_INCIDENTS = Metric(
    "plantwatch_open_incidents",
    "gauge",
    "Incidents that are not over, by severity and state (open, acknowledged); at most one a "
    "machine.",
    ("severity", "state"),
)
SILENT_MACHINES = Metric(
    "plantwatch_silent_machines",
    "gauge",
    "Machines whose readings are stored and of which none came in for `streamlit.silent_after_sec`;"
    " those in maintenance are left out.",
)

# api
API_REQUESTS = Metric(
    "plantwatch_api_requests",
    "counter",
    "Requests answered, by route (`other` for none of ours) and status.",
    ("route", "status"),
)
API_SECONDS = Metric(
    "plantwatch_api_request_seconds",
    "histogram",
    "From a request's first byte to the last of its answer, by route.",
    ("route",),
    LATENCY_BUCKETS,
)
API_WINDOWS = Metric(
    "plantwatch_api_windows", "counter", "Windows judged for callers, by outcome.", ("outcome",)
)

# everywhere
MODEL = Metric(
    "plantwatch_model_info", "gauge", "1 for the model in use.", ("model_version", "digest")
)

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))

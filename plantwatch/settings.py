"""Every knob there is, as types: one frozen section per top-level key of configs/*.yaml.

`plantwatch.configuration` builds them from the files and the environment.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, SecretStr, model_validator

from plantwatch.broker import Kafka
from plantwatch.features import Kind
from plantwatch.messages import MAX_RULE, IncidentRule
from plantwatch.sections import Port, Positive, Seconds, Section, Share
from plantwatch.serving import Alerts, Api, Drift, Grafana, Streamlit

# In the environment a list is written as in the files: [1, 2].
_LISTED = BeforeValidator(lambda value: yaml.safe_load(value) if isinstance(value, str) else value)
Scaling = Literal["gain", "zscore", "minmax"]
Head = Literal["mixture", "mixture_self_trained", "trend", "mse", "logistic", "mixture_logistic"]


class Topics(Section):
    readings: str
    scores: str
    anomalies: str
    dead_letters: str
    shadow_scores: str
    incidents: str


class Reading(Section):
    settings: int = Field(ge=0)
    sensors: Positive
    max_bytes: Positive


class Window(Section):
    length: int = Field(ge=2)
    history: int = Field(ge=2)
    max_gap: int = Field(ge=0)
    horizon: Positive
    max_machines: Positive

    @model_validator(mode="after")
    def _history_holds_a_window(self) -> Self:
        if self.history < self.length:
            raise ValueError("history must be at least length, or nothing is ever scored")
        return self


class Producer(Section):
    queue_messages: Positive
    linger_ms: int = Field(ge=0)
    drain_timeout_sec: Seconds
    manifest_interval_sec: Seconds
    tail_messages: Positive
    metrics_port: Port


class Worker(Section):
    group_id: str
    instance_id: str
    chunk_size: Positive
    chunk_fill_ms: Positive
    chunks_ahead: Positive
    commit_interval_sec: Seconds
    session_timeout_sec: Seconds
    heartbeat_sec: Seconds
    watchdog_sec: Seconds
    metrics_port: Port


class Rejects(Section):
    max_percent: float = Field(gt=0, le=100)
    per_readings: Positive
    max_in_a_row: Positive


class Sink(Section):
    postgres_group_id: str
    prometheus_group_id: str
    shadow_group_id: str
    readings_group_id: str
    instance_id: str
    session_timeout_sec: Seconds
    heartbeat_sec: Seconds
    batch_rows: Positive
    batch_ms: Positive
    fetch_wait_ms: Positive
    commit_interval_sec: Seconds
    retry_min_sec: Seconds
    retry_max_sec: Seconds
    deadline_sec: Annotated[float, Field(ge=2)]
    lock_timeout_sec: Seconds
    idle_timeout_sec: Seconds
    readings_hours: float = Field(ge=0)
    verdicts_days: float = Field(ge=0)
    tend_sec: Seconds
    delete_rows: Positive
    postgres_metrics_port: Port
    prometheus_metrics_port: Port
    shadow_metrics_port: Port
    readings_metrics_port: Port

    @model_validator(mode="after")
    def _a_days_verdicts_are_kept(self) -> Self:
        # The database refuses to delete younger ones: see migration 0007.
        if 0 < self.verdicts_days < 1:
            raise ValueError("verdicts_days must be 0, which keeps them for ever, or at least 1")
        return self


class Outbox(Section):
    poll_sec: Seconds
    batch_rows: Positive
    look_sec: Seconds
    metrics_port: Port


class Postgres(Section):
    host: str
    port: Port
    db: str
    user: str
    password: SecretStr | None
    writer_user: str
    writer_password: SecretStr | None
    operator_user: str
    operator_password: SecretStr | None
    reader_user: str
    reader_password: SecretStr | None

    @model_validator(mode="after")
    def _each_role_is_another(self) -> Self:
        users = [self.user, self.writer_user, self.operator_user, self.reader_user]
        if len(set(users)) < len(users):
            raise ValueError("user, writer_user, operator_user and reader_user must all differ")
        return self


class Log(Section):
    level: str = Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")


class Metrics(Section):
    host: str


class Stack(Section):
    min_disk_mb: Positive
    min_memory_mb: Positive
    kafka_version: str
    kafka_heap_mb: Positive
    kafka_controller_port: Port
    postgres_bin: Path | None
    prometheus_port: Port
    alertmanager_port: Port
    scrape_interval_sec: Seconds
    ready_timeout_sec: Seconds
    train_timeout_sec: Seconds
    stop_timeout_sec: Seconds
    restart_min_sec: Seconds
    restart_max_sec: Seconds


class Model(Section):
    name: str
    alias: str
    stage: str
    challenger: str
    challenger_max_share: Share
    cache: Path
    refresh_sec: Seconds


class AlarmRule(Section):
    """In alarm when `hits` of the last `of` verdicts are anomalous."""

    hits: Positive
    of: Annotated[int, Field(gt=0, le=MAX_RULE)]

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.hits > self.of:
            raise ValueError("hits must not exceed of, or there is never an alarm")
        return self

    def __str__(self) -> str:
        return f"{self.hits} of {self.of}"


class Anomaly(Section):
    threshold: Share
    label_rul: Positive
    alarm_hits: Positive
    alarm_of: Annotated[int, Field(gt=0, le=MAX_RULE)]
    alarm_clean: Annotated[int, Field(gt=0, le=MAX_RULE)]
    critical_score: Share
    top_sensors: Positive

    @property
    def alarm(self) -> AlarmRule:
        return AlarmRule(hits=self.alarm_hits, of=self.alarm_of)

    def rule(self, alarm: AlarmRule | None = None) -> IncidentRule:
        """The whole rule of incidents, with `alarm` where a model brings one of its own."""
        alarm = alarm or self.alarm
        return IncidentRule(alarm.hits, alarm.of, self.alarm_clean, self.critical_score)

    @model_validator(mode="after")
    def _alarm_can_be_met(self) -> Self:
        if self.alarm_hits > self.alarm_of:
            raise ValueError("alarm_hits must not exceed alarm_of, or there is never an alarm")
        return self


class Features(Section):
    sensors: Annotated[tuple[Positive, ...], _LISTED]
    setting_scale: Annotated[tuple[float, ...], _LISTED]
    regimes: Positive
    min_setting_range: float = Field(ge=0)
    regime_radius: float = Field(gt=0)
    gain_range: Annotated[tuple[float, float], _LISTED]
    level_rows: Positive
    rolling_rows: Positive


class IsolationForest(Section):
    features: Kind
    scaling: Scaling
    trees: Positive
    max_samples: Positive


class DirectionMixture(Section):
    features: ClassVar[Kind] = "level_slope"

    scaling: Scaling
    head: Head


class LstmAe(Section):
    features: Literal["sequence", "rolling"]
    scaling: Scaling
    head: Head
    hidden_dim: Positive
    num_layers: Positive
    latent_dim: Positive


class Patchtst(Section):
    features: ClassVar[Kind] = "sequence"

    scaling: Scaling
    head: Head
    context: Positive
    patch: Positive
    model_dim: Positive
    num_layers: Positive
    attention_heads: Positive
    feedforward_dim: Positive


class MixtureHead(Section):
    directions: Annotated[tuple[Positive, ...], _LISTED]
    end_windows: Positive
    failing_share: Share
    shrinkage: Share
    suspect_share: Share
    suspect_weight: Share
    rounds: Positive


class TrendHead(Section):
    directions: Positive
    end_windows: Positive
    spread_floor: float = Field(gt=0)


class LogisticHead(Section):
    inverse_penalty: float = Field(gt=0)


class Mlflow(Section):
    tracking_uri: str
    experiment_name: str
    timeout_sec: Positive


class Training(Section):
    dataset: str
    validation_share: Share
    seed: int
    normal_rul: Positive
    threshold: Literal["f1", "budget"]
    threshold_resamples: Positive
    life_bins: Positive
    detectors: Annotated[dict[str, dict[str, Any]], _LISTED]


class NetworkTraining(Section):
    windows: Positive
    epochs: Positive
    batch_size: Positive
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    clip_norm: float = Field(gt=0)
    corrupted_share: float = Field(ge=0, le=1)
    level_shift: float = Field(ge=0)
    ramp: float = Field(ge=0)


class Variant(Section):
    """A type of model with some fields of some sections changed: {section: {field: value}}."""

    model: str
    changes: dict[str, dict[str, Any]]


class Evaluation(Section):
    seeds: Positive
    folds: int = Field(ge=2)
    processes: Positive
    bootstraps: Positive
    label_ruls: Annotated[tuple[Positive, ...], _LISTED]
    alarm_rules: Annotated[tuple[AlarmRule, ...], _LISTED]
    on_time: Annotated[tuple[Positive, Positive], _LISTED]
    calibration_bins: Positive
    peer_windows: Positive
    pca_variance: Share
    variants: Annotated[dict[str, Variant], _LISTED]


class AlarmBudget(Section):
    false_alarms: float = Field(ge=0)
    per: Literal["1000_cycles", "machine_week"]
    cycle_hours: float = Field(gt=0)
    rules: Annotated[tuple[AlarmRule, ...], _LISTED]


class Settings(Section):
    """Every knob there is; built once by `load` and handed down."""

    kafka: Kafka
    topics: Topics
    reading: Reading
    window: Window
    producer: Producer
    worker: Worker
    rejects: Rejects
    sink: Sink
    outbox: Outbox
    drift: Drift
    postgres: Postgres
    metrics: Metrics
    log: Log
    stack: Stack
    model: Model
    anomaly: Anomaly
    features: Features
    isolation_forest: IsolationForest
    direction_mixture: DirectionMixture
    lstm_ae: LstmAe
    patchtst: Patchtst
    mixture_head: MixtureHead
    trend_head: TrendHead
    logistic_head: LogisticHead
    mlflow: Mlflow
    training: Training
    lstm_training: NetworkTraining
    patchtst_training: NetworkTraining
    evaluation: Evaluation
    alarm_budget: AlarmBudget
    api: Api
    streamlit: Streamlit
    alerts: Alerts
    grafana: Grafana

    @model_validator(mode="after")
    def _verdicts_outlive_their_messages(self) -> Self:
        hours = 24 * self.sink.verdicts_days
        if 0 < hours < self.kafka.events_retention_hours:
            raise ValueError(
                "sink.verdicts_days must not be shorter than kafka.events_retention_hours: the "
                "ledger would miss rows whose messages it still finds"
            )
        return self

"""The sections of configs/pipeline_config.yaml: all between the machines and the database."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from plantwatch.settings.section import Port, Positive, Seconds, Section


class Kafka(Section):
    bootstrap_servers: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"]
    sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]
    sasl_username: str | None
    sasl_password: SecretStr | None
    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None
    partitions: Positive
    replication_factor: Positive
    max_message_bytes: Positive
    reconnect_max_ms: Positive
    prefetch_kb: Positive
    fetch_kb: Positive
    fetch_queue_backoff_ms: Positive
    readings_retention_bytes: Positive
    events_retention_hours: Positive


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


class Drift(Section):
    group_id: str
    machines: Positive
    pending: Positive
    tolerance: float = Field(gt=0)
    threshold: float = Field(gt=0)
    anchor_points: Positive
    calm_points: Positive
    report_rows: Positive
    report_distance: float = Field(gt=0)
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


class Metrics(Section):
    host: str


class Log(Section):
    level: str = Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")


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

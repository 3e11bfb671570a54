"""The sections of configs/serving_config.yaml: the API, the page, alerts and Grafana."""

from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, model_validator

from plantwatch.metrics import LATENCY_BUCKETS
from plantwatch.settings.section import LISTED, Port, Positive, Seconds, Section, Share

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "::1")
"""How a browser on this machine asks for it; a page that knows no key answers to no other name."""


class Api(Section):
    host: str
    port: Port
    key: SecretStr | None
    max_batch_size: Annotated[int, Field(gt=0, json_schema_extra={"env": "MAX_BATCH_SIZE"})]
    max_body_bytes: Positive
    page_rows: Positive
    max_page_rows: Positive
    deadline_sec: Seconds


class Streamlit(Section):
    api_url: str
    host: str
    port: Port
    behind_loopback: bool
    refresh_interval_sec: Seconds
    deadline_sec: Seconds
    silent_after_sec: Seconds
    history: Positive
    incidents_shown: Positive
    tiles: Positive


class Alerts(Section):
    grafana_url: str
    runbook_url: str
    page_webhook: str
    ticket_webhook: str
    group_wait_sec: Seconds
    group_interval_sec: Seconds
    page_repeat_sec: Seconds
    ticket_repeat_sec: Seconds
    keep_firing_sec: Seconds
    lag_readings: Positive
    lag_messages: Positive
    retries_per_sec: float = Field(gt=0)
    p99_sec: Seconds
    latency_sec: Seconds
    latency_objective: Share
    uptime_objective: Share
    registry_silent_sec: Seconds
    stale_days: Positive
    disagreement: Share
    unseen_regimes: Share

    @model_validator(mode="after")
    def _latency_is_counted(self) -> Self:
        if self.latency_sec not in LATENCY_BUCKETS:
            raise ValueError(f"latency_sec must be one of {LATENCY_BUCKETS}, which are counted")
        return self


class Grafana(Section):
    token: SecretStr | None
    folder: str = Field(min_length=1)
    deadline_sec: Seconds
    prometheus_url: str
    postgres_address: str
    close_score: Share
    false_alarms: Annotated[tuple[float, float], LISTED]
    anomalous: Annotated[tuple[float, float], LISTED]
    incidents_per_machine: Annotated[tuple[float, float], LISTED]

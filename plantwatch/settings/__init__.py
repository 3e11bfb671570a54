"""Every setting, as types: one frozen section per top-level key of configs/*.yaml.

Each file there has its module here: `pipeline`, `model`, `training`, `serving`; `section` is what
they are made of. `plantwatch.configuration` builds `Settings` from the files and the environment.
"""

from typing import Self

from pydantic import model_validator

from plantwatch.settings.model import (
    AlarmRule,
    Anomaly,
    DirectionMixture,
    Features,
    Head,
    IsolationForest,
    LogisticHead,
    LstmAe,
    MixtureHead,
    Model,
    Patchtst,
    Scaling,
    TrendHead,
)
from plantwatch.settings.pipeline import (
    Drift,
    Kafka,
    Log,
    Metrics,
    Outbox,
    Postgres,
    Producer,
    Reading,
    Rejects,
    Sink,
    Stack,
    Topics,
    Window,
    Worker,
)
from plantwatch.settings.section import Section, Share
from plantwatch.settings.serving import Alerts, Api, Grafana, Streamlit
from plantwatch.settings.training import (
    AlarmBudget,
    Evaluation,
    Mlflow,
    NetworkTraining,
    Training,
    Variant,
)

__all__ = [
    "AlarmBudget",
    "AlarmRule",
    "Alerts",
    "Anomaly",
    "Api",
    "DirectionMixture",
    "Drift",
    "Features",
    "Head",
    "IsolationForest",
    "Kafka",
    "LstmAe",
    "Metrics",
    "MixtureHead",
    "NetworkTraining",
    "Patchtst",
    "Postgres",
    "Reading",
    "Rejects",
    "Scaling",
    "Section",
    "Settings",
    "Share",
    "Sink",
    "Stack",
    "Topics",
    "TrendHead",
    "Variant",
    "Window",
    "Worker",
]


class Settings(Section):
    """Every setting there is; built once by `plantwatch.configuration.load` and handed down."""

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

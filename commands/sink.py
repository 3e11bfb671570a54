"""`plantwatch sink`: move verdicts from Kafka into a store, until told to stop."""

import signal
from enum import StrEnum
from threading import Event
from typing import Annotated

import structlog
import typer

from connections.kafka import CheckedProducer, ensure_topics, producer_config
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings
from sinks.consume import SinkLoop
from sinks.dead_letters import DeadLetters
from sinks.instruments import Instruments
from sinks.postgres import SHADOW_EVENTS, PostgresSink
from sinks.prometheus import PrometheusSink
from sinks.sink import Sink
from sinks.subscription import Subscription


class Store(StrEnum):
    """The stores there are."""

    POSTGRES = "postgres"
    PROMETHEUS = "prometheus"
    SHADOW = "shadow"


def sink(
    context: typer.Context, store: Annotated[Store, typer.Argument(help="Where verdicts go.")]
) -> None:
    """Move every verdict from Kafka into a store; SIGTERM or Ctrl-C finishes the batch in hand.

    Production's verdicts go to postgres and prometheus, those of a challenger to shadow, a table of
    its own.
    """
    settings = context.ensure_object(Settings)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    exporter = Exporter()
    # Kafka first: that the metrics are served is how a supervisor knows that we are at work.
    _await_kafka(settings, stopping)
    topic = settings.topics.shadow_scores if store is Store.SHADOW else settings.topics.scores
    target, group_id = _target(store, settings, exporter)
    SinkLoop(
        knobs=settings.sink,
        subscription=Subscription(settings, group_id, topic),
        sink=target,
        letters=DeadLetters(settings.topics, topic, CheckedProducer(producer_config(settings))),
        instruments=Instruments(exporter, target.name),
        stopping=stopping,
    ).run()


def _target(store: Store, settings: Settings, exporter: Exporter) -> tuple[Sink, str]:
    """The store with its metrics served, and the consumer group that reads for it."""
    knobs = settings.sink
    if store is Store.PROMETHEUS:
        exporter.start(knobs.prometheus_metrics_port, "SINK_PROMETHEUS_METRICS_PORT")
        return PrometheusSink(exporter), knobs.prometheus_group_id
    latency = exporter.histogram(metrics.STORED_LATENCY)
    if store is Store.SHADOW:
        exporter.start(knobs.shadow_metrics_port, "SINK_SHADOW_METRICS_PORT")
        return PostgresSink(settings, latency, table=SHADOW_EVENTS), knobs.shadow_group_id
    exporter.start(knobs.postgres_metrics_port, "SINK_POSTGRES_METRICS_PORT")
    return PostgresSink(settings, latency), knobs.postgres_group_id


def _await_kafka(settings: Settings, stopping: Event) -> None:
    """Wait for the broker and the topics: a sink may be started before they are there."""
    while not stopping.is_set():
        try:
            ensure_topics(settings)
        except UnavailableError as error:
            structlog.get_logger().warning("waiting for Kafka", error=str(error))
        else:
            return

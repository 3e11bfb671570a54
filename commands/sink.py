"""`plantwatch sink`: move verdicts from Kafka into a store, until told to stop."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from commands.stopping import stop_signal
from connections.kafka import CheckedProducer, await_topics, producer_config
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.settings import Settings, Topics
from sinks.consume import SinkLoop
from sinks.dead_letters import DeadLetters
from sinks.instruments import Instruments
from sinks.postgres import ANOMALY_EVENTS, SHADOW_EVENTS, PostgresSink
from sinks.prometheus import PrometheusSink
from sinks.readings import ReadingsSink
from sinks.sink import Record, Sink, row_of
from sinks.subscription import Subscription


class Store(StrEnum):
    """The stores there are."""

    POSTGRES = "postgres"
    PROMETHEUS = "prometheus"
    SHADOW = "shadow"
    READINGS = "readings"


def sink(
    context: typer.Context, store: Annotated[Store, typer.Argument(help="Where the rows go.")]
) -> None:
    """Move every verdict from Kafka into a store; SIGTERM or Ctrl-C finishes the batch in hand.

    Production's verdicts go to postgres and prometheus, those of a challenger to shadow, a table of
    its own. The store `readings` keeps the readings themselves for SINK_READINGS_HOURS. While a
    store is away the messages wait in Kafka.

    \b
    plantwatch sink postgres
    SINK_INSTANCE_ID=sink-2 SINK_POSTGRES_METRICS_PORT=9112 plantwatch sink postgres

    Exit code 69: Kafka is not there. 78: the store refuses us, or another has our instance id.
    """
    settings = context.ensure_object(Settings)
    if store is Store.READINGS and settings.sink.readings_hours == 0:
        print("SINK_READINGS_HOURS is 0: no readings are kept, so there is nothing to do.")
        return
    stopping = stop_signal()
    exporter = Exporter()
    # Kafka first: that the metrics are served is how a supervisor knows that we are at work.
    await_topics(settings, stopping)
    topic = _topic(store, settings.topics)
    port, group_id = f"{store}_metrics_port", f"{store}_group_id"
    exporter.start(settings.metrics, getattr(settings.sink, port), f"SINK_{port}".upper())
    target, read = _target(store, settings, exporter)
    SinkLoop(
        settings=settings.sink,
        subscription=Subscription(settings, getattr(settings.sink, group_id), topic),
        read=read,
        sink=target,
        letters=DeadLetters(settings.topics, topic, CheckedProducer(producer_config(settings))),
        instruments=Instruments(exporter, target.name),
        stopping=stopping,
    ).run()


def _topic(store: Store, topics: Topics) -> str:
    own = {Store.SHADOW: topics.shadow_scores, Store.READINGS: topics.readings}
    return own.get(store, topics.scores)


def _target(
    store: Store, settings: Settings, exporter: Exporter
) -> tuple[Sink[Any], Callable[[Record], Any]]:
    """The store, and what makes its rows of messages."""
    if store is Store.PROMETHEUS:
        return PrometheusSink(exporter), row_of
    latency = exporter.histogram(metrics.STORED_LATENCY)
    if store is Store.READINGS:
        readings = ReadingsSink(settings, latency)
        return readings, readings.read
    table = SHADOW_EVENTS if store is Store.SHADOW else ANOMALY_EVENTS
    return PostgresSink(settings, latency, table=table), row_of

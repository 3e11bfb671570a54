"""`plantwatch outbox`: publish the moves of incidents, until told to stop."""

import typer

from commands.stopping import stop_signal
from connections.kafka import CheckedProducer, await_topics, producer_config
from connections.prometheus import Exporter
from plantwatch.settings import Settings
from sinks.outbox import Relay


def outbox(context: typer.Context) -> None:
    """Publish each move of an incident on the topic `incidents`; SIGTERM or Ctrl-C ends it.

    A move (opened, escalated, acknowledged, closed) waits in PostgreSQL until Kafka has it, so that
    it is told at least once, whoever made it; a message that comes twice has the same id. Of
    several such processes one works at a time.
    """
    settings = context.ensure_object(Settings)
    stopping = stop_signal()
    exporter = Exporter()
    relay = Relay(settings, CheckedProducer(producer_config(settings)), exporter)
    # Kafka first: that the metrics are served is how a supervisor knows that we are at work.
    await_topics(settings, stopping)
    exporter.start(settings.metrics, settings.outbox.metrics_port, "OUTBOX_METRICS_PORT")
    relay.run(stopping)

"""`plantwatch worker`: score what arrives on `readings`, until told to stop."""

import asyncio
from pathlib import Path

import typer

from connections.kafka import ensure_topics
from connections.prometheus import Exporter
from models.cache import load_production
from plantwatch.settings import Settings
from stream_processors.telemetry import Telemetry
from stream_processors.worker import run


def worker(context: typer.Context) -> None:
    """Score every reading's window with the production model; SIGTERM drains and exits 0.

    Several workers share the work: give each its own WORKER_INSTANCE_ID and WORKER_METRICS_PORT.
    """
    settings: Settings = context.obj
    detector = load_production(settings)
    exporter = Exporter()
    telemetry = Telemetry(exporter)
    telemetry.model(detector.version, detector.digest)
    exporter.start(settings.worker.metrics_port, "WORKER_METRICS_PORT")
    ensure_topics(settings)
    asyncio.run(run(settings, detector, telemetry, Path(".local/faust")))

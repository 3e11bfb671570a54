"""`plantwatch worker`: score what arrives on `readings`, until told to stop."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

import typer

from connections.kafka import ensure_topics
from connections.prometheus import Exporter
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

FAUST_DATA: Final = Path(".local/faust")


def worker(context: typer.Context) -> None:
    """Score every reading's window with the production model; SIGTERM drains and exits 0.

    Starts with the model fetched last and swaps when another one is: `plantwatch models follow`,
    which `plantwatch up` runs, keeps the two in step with the registry. What the registry calls
    challenger scores the same windows in shadow.

    Several workers share the work, each under an instance id and with a port of its own:

    \b
    plantwatch worker
    WORKER_INSTANCE_ID=worker-2 WORKER_METRICS_PORT=9111 plantwatch worker

    Exit code 65: so much is rejected that a person must look (section `rejects` of the settings).
    69: Kafka is not there. 78: no production model, or a damaged one.
    """
    # Here, not above: Faust and onnxruntime take seconds, which no other command should wait for.
    from models.cache import Fetched, is_fetched, load_production
    from stream_processors.app import run
    from stream_processors.telemetry import Telemetry

    settings = context.ensure_object(Settings)
    if not is_fetched(settings):
        _fetch_model()
    detector = load_production(settings)
    exporter = Exporter()
    telemetry = Telemetry(exporter)
    telemetry.model(detector.version, detector.digest)
    ensure_topics(settings)
    exporter.start(settings.metrics, settings.worker.metrics_port, "WORKER_METRICS_PORT")
    FAUST_DATA.mkdir(parents=True, exist_ok=True)  # Faust makes the last folder only

    asyncio.run(run(settings, detector, telemetry, FAUST_DATA, Fetched(settings)))


def _fetch_model() -> None:
    """Ask the registry in a process of its own: MLflow takes seconds and memory to import.

    Raises:
        ConfigError: the registry has no production model, or a damaged one, or is away.
    """
    command = [sys.executable, "-m", "commands.app", "models", "fetch"]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    if fetched.returncode != 0:
        why = fetched.stderr.strip().rpartition("\n")[2].removeprefix("plantwatch: ")
        raise ConfigError(f"no model was ever fetched here, and {why}")

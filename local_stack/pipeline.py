"""plantwatch's own processes: migrations, the first training, the worker, the sinks, the outbox."""

import importlib.util
import json
import sys
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from local_stack.kafka_users import in_role
from local_stack.process import LOOPBACK, Port, Process, Skipped, answers, listens
from plantwatch.configuration import variables
from plantwatch.settings import Settings


def migrate(settings: Settings, _home: Path) -> Process:
    """Bring the database's tables up to date; the sinks start after it."""
    return Process(
        name="migrate",
        argv=command("migrate"),
        environment=environment_of(settings),
        runs_once=True,
    )


def model(settings: Settings, _home: Path) -> Process:
    """Train if the registry has no production model: without one no worker can start."""
    return Process(
        name="model",
        argv=command("train", "--if-missing"),
        environment=environment_of(settings),
        runs_once=True,
        ready_timeout_sec=settings.stack.train_timeout_sec,
    )


def registry(settings: Settings, _home: Path) -> Process:
    """Brings the registry's models here, so that workers swap without a restart."""
    return Process(
        name="registry",
        argv=command("models", "follow"),
        environment=environment_of(settings),
    )


def worker(settings: Settings, home: Path) -> Process:
    port = Port(settings.worker.metrics_port, "WORKER_METRICS_PORT")
    return _service(in_role(settings, home, "worker"), "worker", ("worker",), port)


def sink_postgres(settings: Settings, home: Path) -> Process:
    port = Port(settings.sink.postgres_metrics_port, "SINK_POSTGRES_METRICS_PORT")
    return _service(in_role(settings, home, "sink"), "sink-postgres", ("sink", "postgres"), port)


def sink_prometheus(settings: Settings, home: Path) -> Process:
    port = Port(settings.sink.prometheus_metrics_port, "SINK_PROMETHEUS_METRICS_PORT")
    own = in_role(settings, home, "sink")
    return _service(own, "sink-prometheus", ("sink", "prometheus"), port)


def sink_shadow(settings: Settings, home: Path) -> Process:
    port = Port(settings.sink.shadow_metrics_port, "SINK_SHADOW_METRICS_PORT")
    return _service(in_role(settings, home, "sink"), "sink-shadow", ("sink", "shadow"), port)


def sink_readings(settings: Settings, home: Path) -> Process | Skipped:
    if settings.sink.readings_hours == 0:
        return Skipped("sink-readings", "SINK_READINGS_HOURS is 0: no readings are kept")
    port = Port(settings.sink.readings_metrics_port, "SINK_READINGS_METRICS_PORT")
    return _service(in_role(settings, home, "sink"), "sink-readings", ("sink", "readings"), port)


def outbox(settings: Settings, home: Path) -> Process:
    port = Port(settings.outbox.metrics_port, "OUTBOX_METRICS_PORT")
    return _service(in_role(settings, home, "outbox"), "outbox", ("outbox",), port)


def drift(settings: Settings, home: Path) -> Process | Skipped:
    """The watcher of drift, where river is installed."""
    if importlib.util.find_spec("river") is None:
        return Skipped("drift", "river is not installed; `make install` has it")
    port = Port(settings.drift.metrics_port, "DRIFT_METRICS_PORT")
    return _service(in_role(settings, home, "drift"), "drift", ("drift", "watch"), port)


def dashboard(settings: Settings, _home: Path) -> Process | Skipped:
    """The live page, where Streamlit is installed."""
    if importlib.util.find_spec("streamlit") is None:
        return Skipped("dashboard", "Streamlit is not installed; `make install` has it")
    address = f"http://{LOOPBACK}:{settings.streamlit.port}"
    return Process(
        name="dashboard",
        argv=command("dashboard"),
        address=address,
        ports=(Port(settings.streamlit.port, "STREAMLIT_PORT"),),
        make_ready=partial(answers, f"{address}/_stcore/health"),
        environment=environment_of(settings),
    )


def api(settings: Settings, _home: Path) -> Process:
    """The HTTP API; ready when it answers, for the model may come in a moment later."""
    address = f"http://{LOOPBACK}:{settings.api.port}"
    return Process(
        name="api",
        argv=command("serve"),
        address=address,
        ports=(Port(settings.api.port, "API_PORT"),),
        make_ready=partial(answers, f"{address}/healthz"),
        environment=environment_of(settings),
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as variables, so that a child runs with exactly those of its supervisor."""
    values: dict[str, str] = {}
    sections = settings.model_dump(mode="json")
    for section, field, variable in variables():
        value = getattr(getattr(settings, section), field)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            listed = isinstance(value, tuple | dict)
            values[variable] = json.dumps(sections[section][field]) if listed else str(value)
    return values


def _service(settings: Settings, name: str, arguments: tuple[str, ...], port: Port) -> Process:
    """Ready when its metrics are served, which each of them does once it is connected."""
    return Process(
        name=name,
        argv=command(*arguments),
        address=f"http://{LOOPBACK}:{port.number}/metrics",
        ports=(port,),
        make_ready=partial(listens, port.number),
        environment=environment_of(settings),
    )


def command(*arguments: str) -> tuple[str, ...]:
    """The `plantwatch` command of this interpreter."""
    return (sys.executable, "-m", "commands.app", *arguments)

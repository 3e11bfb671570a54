"""plantwatch's own processes: migrations, the first training, the worker, the sinks, the outbox."""

import importlib.util
import json
import sys
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from local_stack.kafka_users import in_role
from local_stack.ports import port_of
from local_stack.process import LOOPBACK, Process, Skipped, answers, listens
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
    return _service(in_role(settings, home, "worker"), "worker", "worker")


def sink_postgres(settings: Settings, home: Path) -> Process:
    return _service(in_role(settings, home, "sink"), "sink-postgres", "sink", "postgres")


def sink_prometheus(settings: Settings, home: Path) -> Process:
    return _service(in_role(settings, home, "sink"), "sink-prometheus", "sink", "prometheus")


def sink_shadow(settings: Settings, home: Path) -> Process:
    return _service(in_role(settings, home, "sink"), "sink-shadow", "sink", "shadow")


def sink_readings(settings: Settings, home: Path) -> Process | Skipped:
    if settings.sink.readings_hours == 0:
        return Skipped("sink-readings", "SINK_READINGS_HOURS is 0: no readings are kept")
    return _service(in_role(settings, home, "sink"), "sink-readings", "sink", "readings")


def outbox(settings: Settings, home: Path) -> Process:
    return _service(in_role(settings, home, "outbox"), "outbox", "outbox")


def drift(settings: Settings, home: Path) -> Process | Skipped:
    """The watcher of drift, where river is installed."""
    if importlib.util.find_spec("river") is None:
        return Skipped("drift", "river is not installed; `make install` has it")
    return _service(in_role(settings, home, "drift"), "drift", "drift", "watch")


def dashboard(settings: Settings, _home: Path) -> Process | Skipped:
    """The live page, where Streamlit is installed."""
    if importlib.util.find_spec("streamlit") is None:
        return Skipped("dashboard", "Streamlit is not installed; `make install` has it")
    port = port_of(settings, "dashboard")
    address = f"http://{LOOPBACK}:{port.number}"
    return Process(
        name="dashboard",
        argv=command("dashboard"),
        address=address,
        ports=(port,),
        make_ready=partial(answers, f"{address}/_stcore/health"),
        environment=environment_of(settings),
    )


def api(settings: Settings, _home: Path) -> Process:
    """The HTTP API; ready when it answers, for the model may come in a moment later."""
    port = port_of(settings, "api")
    address = f"http://{LOOPBACK}:{port.number}"
    return Process(
        name="api",
        argv=command("serve"),
        address=address,
        ports=(port,),
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


def _service(settings: Settings, name: str, *arguments: str) -> Process:
    """Ready when its metrics are served, which each of them does once it is connected."""
    port = port_of(settings, name)
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

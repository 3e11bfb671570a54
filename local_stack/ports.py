"""Where each process of the stack listens on this machine, and which variable moves it."""

from collections.abc import Iterator
from typing import Final

from local_stack.process import Port
from plantwatch.settings import Settings

_FIELDS: Final = {
    "kafka": ("stack", "kafka_controller_port"),
    "postgres": ("postgres", "port"),
    "prometheus": ("stack", "prometheus_port"),
    "alertmanager": ("stack", "alertmanager_port"),
    "producer": ("producer", "metrics_port"),
    "worker": ("worker", "metrics_port"),
    "sink-postgres": ("sink", "postgres_metrics_port"),
    "sink-prometheus": ("sink", "prometheus_metrics_port"),
    "sink-shadow": ("sink", "shadow_metrics_port"),
    "sink-readings": ("sink", "readings_metrics_port"),
    "outbox": ("outbox", "metrics_port"),
    "drift": ("drift", "metrics_port"),
    "dashboard": ("streamlit", "port"),
    "api": ("api", "port"),
}
"""Section and field. Kafka's clients and MLflow's come by an address, which is a setting itself:
Kafka's port here is its controller's.
"""


def port_of(settings: Settings, process: str) -> Port:
    """The port of a process by its name in the stack, or of the `producer`."""
    section, field = _FIELDS[process]
    return Port(getattr(getattr(settings, section), field), _variable(section, field))


def ports(settings: Settings) -> Iterator[tuple[str, Port]]:
    """Every process that has a port, with its port."""
    return ((process, port_of(settings, process)) for process in _FIELDS)


def variables() -> list[str]:
    """Those that move the ports, in the same order."""
    return [_variable(*field) for field in _FIELDS.values()]


def _variable(section: str, field: str) -> str:
    return f"{section}_{field}".upper()

"""Ports that nobody has: for a stack beside the one that the settings describe."""

import socket
from contextlib import ExitStack
from typing import Final

from local_stack.process import LOOPBACK

_PORTS: Final = (
    "STACK_KAFKA_CONTROLLER_PORT",
    "POSTGRES_PORT",
    "STACK_PROMETHEUS_PORT",
    "STACK_ALERTMANAGER_PORT",
    "PRODUCER_METRICS_PORT",
    "WORKER_METRICS_PORT",
    "SINK_POSTGRES_METRICS_PORT",
    "SINK_PROMETHEUS_METRICS_PORT",
    "SINK_SHADOW_METRICS_PORT",
    "SINK_READINGS_METRICS_PORT",
    "OUTBOX_METRICS_PORT",
    "DRIFT_METRICS_PORT",
    "STREAMLIT_PORT",
)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, all different; held together for a moment to be so."""
    with ExitStack() as stack:
        return [
            stack.enter_context(socket.create_server((LOOPBACK, 0))).getsockname()[1]
            for _ in range(count)
        ]


def free_addresses() -> dict[str, str]:
    """Variables that move every server and every metrics endpoint to a free port."""
    kafka, mlflow, api, *ports = free_ports(3 + len(_PORTS))
    return dict(zip(_PORTS, map(str, ports), strict=True)) | {
        "KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{kafka}",
        "MLFLOW_TRACKING_URI": f"http://{LOOPBACK}:{mlflow}",
        "API_PORT": str(api),
        "STREAMLIT_API_URL": f"http://{LOOPBACK}:{api}",
    }

"""Ports that nobody has: for a stack beside the one that the settings describe."""

import socket
from contextlib import ExitStack

from local_stack.ports import variables
from local_stack.process import LOOPBACK


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, all different; held together for a moment to be so."""
    with ExitStack() as stack:
        return [
            stack.enter_context(socket.create_server((LOOPBACK, 0))).getsockname()[1]
            for _ in range(count)
        ]


def free_addresses() -> dict[str, str]:
    """Variables that move every server and every metrics endpoint to a free port."""
    kafka, mlflow, *numbers = free_ports(2 + len(variables()))
    moved = dict(zip(variables(), map(str, numbers), strict=True))
    return moved | {
        "KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{kafka}",
        "MLFLOW_TRACKING_URI": f"http://{LOOPBACK}:{mlflow}",
        "STREAMLIT_API_URL": f"http://{LOOPBACK}:{moved['API_PORT']}",
    }

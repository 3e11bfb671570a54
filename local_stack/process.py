"""What the supervisor needs to know about one process, and where its things lie."""

import os
import pwd
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from plantwatch.errors import ConfigError

LOOPBACK = "127.0.0.1"
PROBE_TIMEOUT_SEC = 2.0
"""How long one question of a readiness probe waits for its answer."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port on the loopback interface, and the variable that moves it."""

    number: int
    variable: str


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the stack.

    `before_start` is called before each start, and must find its work already done. `make_ready`
    is called again and again after it, until it returns True: the process does its work. Both may
    block; what they raise is shown as the reason why there is no progress.
    """

    name: str
    argv: tuple[str, ...]
    address: str = ""
    ports: tuple[Port, ...] = ()
    before_start: Callable[[], None] = lambda: None
    make_ready: Callable[[], bool] = lambda: True
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    """Where it runs; None: where the supervisor does."""
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    runs_once: bool = False
    """It does one job and exits 0, which is its way of being ready."""
    ready_timeout_sec: float | None = None
    """How long it may take until it is; None: the stack's `ready_timeout_sec`."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A process that is not part of this stack, and what to do to have it."""

    name: str
    reason: str


class State(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    RESTARTING = "restarting"
    HALTED = "halted"
    STOPPED = "stopped"
    SKIPPED = "skipped"


@dataclass(slots=True)
class Status:
    """What `plantwatch status` shows of one process; `reason` is why it last ended."""

    name: str
    state: State
    address: str = ""
    pid: int | None = None
    restarts: int = 0
    reason: str = ""


def as_user(name: str | None) -> dict[str, Any]:
    """Arguments that make subprocess run it as another user, without the groups of root."""
    if name is None:
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def listens(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.create_connection((LOOPBACK, port), timeout=PROBE_TIMEOUT_SEC):
        return True


def answers(url: str) -> bool:
    """Whether an HTTP server answers with success."""
    try:
        with urlopen(url, timeout=PROBE_TIMEOUT_SEC) as response:  # noqa: S310 (our own servers)
            return bool(response.status == 200)  # noqa: PLR2004 (HTTP OK)
    except HTTPException:
        return False


def loopback_port(address: str, variable: str) -> Port:
    """The port of a `host:port` or URL that the local stack is to serve.

    Raises:
        ConfigError: it names another machine, where this stack cannot start anything.
    """
    host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
    if host not in {LOOPBACK, "localhost"} or not port.isdigit():
        raise ConfigError(
            f"{variable}={address} is not on this machine, so the local stack cannot serve it; "
            f"unset {variable}, or name the processes to start with --only"
        )
    return Port(int(port), variable)


def check_free(ports: tuple[Port, ...]) -> None:
    """Raise before anything starts if a port is taken.

    Raises:
        ConfigError: the port is in use; the message names the variable that moves it.
    """
    for port in ports:
        try:
            socket.create_server((LOOPBACK, port.number)).close()
        except OSError as error:
            raise ConfigError(
                f"port {port.number}: {os.strerror(error.errno or 0)}; "
                f"end the process that has it or set {port.variable} to a free one"
            ) from None

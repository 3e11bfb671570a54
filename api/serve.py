"""The API listens: on this machine only, unless a key is set."""

import gc
import ipaddress
import signal
import socket
from typing import Final

import uvicorn

from api.app import build
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

_COLLECT_AFTER: Final = 100_000
"""Containers that came and did not go; Python's own is 700."""


def listener(settings: Settings) -> socket.socket:
    """A socket at `api.host` and `api.port`.

    Raises:
        ConfigError: others could reach it, and there is no key; or the address cannot be had.
    """
    api = settings.api
    if api.key is None and not _is_loopback(api.host):
        raise ConfigError(
            f"API_HOST={api.host} would serve everybody there, and no key is set; set API_KEY, "
            "which requests then carry as X-API-Key, or keep to 127.0.0.1"
        )
    try:
        return socket.create_server(
            (api.host, api.port),
            family=socket.AF_INET6 if ":" in api.host else socket.AF_INET,
            backlog=2048,
        )
    except OSError as error:
        raise ConfigError(
            f"{api.host}:{api.port}: {error.strerror}; end the process that has it, or set "
            "API_HOST and API_PORT to an address of this machine that is free"
        ) from None


def serve(settings: Settings, at: socket.socket) -> None:
    """Answer requests until SIGTERM or Ctrl-C; those in hand are answered then."""
    app = build(settings)
    # A batch is 15,000 rows, none in a circle: the collector would walk them, and all modules, over
    # and over while they are parsed.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    config = uvicorn.Config(
        app,
        # What went wrong with a request is in our own log; here only what is wrong with the server.
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(settings.stack.stop_timeout_sec),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn sends itself the signal again when it is done: by then there is nothing to end.
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[at])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

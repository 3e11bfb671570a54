"""Where the API listens, and what it refuses to."""

import socket

import pytest

from api.serve import listener
from plantwatch.configuration import load
from plantwatch.errors import ConfigError
from tests.support.servers import CONFIGS

EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused without a key


# Without a key nobody else can reach it; with one they may.
def test_beyond_this_machine_it_needs_a_key() -> None:
    with pytest.raises(ConfigError, match="set API_KEY"):
        listener(load(CONFIGS, {"API_HOST": EVERYWHERE}))
    port = _free()
    with listener(load(CONFIGS, {"API_HOST": EVERYWHERE, "API_PORT": port, "API_KEY": "k"})) as at:
        assert at.getsockname() == (EVERYWHERE, int(port))


# By default it is on loopback.
def test_by_default_it_keeps_to_this_machine() -> None:
    with listener(load(CONFIGS, {"API_PORT": _free()})) as at:
        assert at.getsockname()[0] == "127.0.0.1"


# An address that cannot be had is one line that says which variables move it.
def test_a_taken_port_is_one_line() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match="API_PORT"),
    ):
        listener(load(CONFIGS, {"API_PORT": str(taken.getsockname()[1])}))


def _free() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return str(found.getsockname()[1])

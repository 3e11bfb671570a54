"""`plantwatch up`, `status` and `down`, as a person uses them."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_stack import state
from local_stack.free import free_addresses
from tests.support.servers import CONFIGS

pytestmark = pytest.mark.real

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's: PostgreSQL's own user may not enter that."""
    with tempfile.TemporaryDirectory(prefix="plantwatch-") as name:
        yield Path(name)


@pytest.fixture
def plantwatch(folder: Path) -> Iterator[Run]:
    """The command in a folder of its own; whatever it started is stopped at the end."""
    environ = os.environ | free_addresses() | {"PLANTWATCH_CONFIG": str(CONFIGS.resolve())}

    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "commands.app", *arguments],
            cwd=folder,
            env=environ | more,
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    run("down")


# A second `up` says that the first is up; after `down` no process and no port is left.
def test_up_starts_once_and_down_leaves_nothing(plantwatch: Run, folder: Path) -> None:
    up = plantwatch("up", "--only", "postgres")
    assert up.returncode == 0, up.stderr
    running = state.read(folder / ".local")
    assert running is not None
    [postgres] = running.processes
    assert postgres.address in up.stdout
    assert "already up" in plantwatch("up").stdout
    assert postgres.address in plantwatch("status").stdout

    assert plantwatch("down").stdout == "The local stack is down.\n"
    assert state.read(folder / ".local") is None
    assert postgres.pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(postgres.pid, 0)
    port = int(postgres.address.split(":")[1].split("/")[0])
    socket.create_server(("127.0.0.1", port)).close()
    assert plantwatch("down").stdout == "The local stack is not up.\n"


# Data, users and the password made for them stay in `.local/`.
def test_the_second_start_finds_what_the_first_one_made(plantwatch: Run, folder: Path) -> None:
    for _ in range(2):
        assert plantwatch("up", "--only", "postgres,migrate").returncode == 0
        assert plantwatch("down").returncode == 0
    assert (folder / ".local" / "stack.env").read_text().count("POSTGRES_PASSWORD=") == 1


# A port that somebody has ends it with exit 78, and names the variable to change.
def test_a_port_in_use_is_one_line_and_nothing_starts(plantwatch: Run, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        up = plantwatch("up", "--only", "postgres", POSTGRES_PORT=port)
    assert up.returncode == 78
    assert len(up.stderr.splitlines()) == 1
    assert "set POSTGRES_PORT" in up.stderr
    assert not (folder / ".local" / "postgres").exists()

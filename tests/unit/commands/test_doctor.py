"""`plantwatch doctor` as a person sees it."""

import os
import socket
import subprocess
import sys

from local_stack.free import free_addresses, free_ports


def doctor(**environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "commands.app", "doctor"],
        env=os.environ | free_addresses() | environ,
        capture_output=True,
        text=True,
        check=False,
    )


# A fit machine: exit 0, a table of at most 100 columns, and the sum of it.
def test_a_fit_machine() -> None:
    (port,) = free_ports(1)
    ended = doctor(API_PORT=str(port), COLUMNS="200")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert max(map(len, ended.stdout.splitlines())) <= 100
    assert ended.stdout.splitlines()[-1].endswith("0 fail")


# A port that somebody has: exit 1, and the row names the variable that moves it.
def test_a_taken_port() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        ended = doctor(API_PORT=str(port))
    assert ended.returncode == 1
    assert "API_PORT" in ended.stdout
    assert ended.stdout.splitlines()[-1].endswith("1 fail")

"""`plantwatch serve` as a process of its own: long bodies, many callers, its end."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local_stack.free import free_ports
from tests.support.api import request, tiny_settings
from tests.support.commands import Command

pytestmark = pytest.mark.real

MB = 2**20
CLIENTS = 200


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Command, int]]:
    """The process, ready, and its port."""
    (port,) = free_ports(1)
    settings = tiny_settings(tmp_path / "models", API_PORT=str(port))
    command = Command(tmp_path, settings, "serve")
    try:
        command.until(lambda: f"http://127.0.0.1:{port}" in command.said)
        command.until(lambda: _answers(port))
        yield command, port
    finally:
        command.process.kill()
        command.process.wait()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def peak(command: Command) -> int:
    """Bytes of memory that the process had at most."""
    status = Path(f"/proc/{command.process.pid}/status").read_text(encoding="ascii")
    (line,) = [one for one in status.splitlines() if one.startswith("VmHWM:")]
    return 1024 * int(line.split()[1])


# A body of 100 MB is refused, whether it says its length or comes in pieces, and costs no more than
# 8 MB.
@pytest.mark.parametrize("header", ["content-length: 104857600", "transfer-encoding: chunked"])
def test_a_hundred_megabytes_are_refused(served: tuple[Command, int], header: str) -> None:
    command, port = served
    before = peak(command)
    piece = b" " * 65536
    wrapped = f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if "chunked" in header else piece
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        head = "POST /detect HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        line.sendall(f"{head}{header}\r\n\r\n".encode())
        for _ in range(100 * MB // len(piece)):
            line.sendall(wrapped)
        if "chunked" in header:
            line.sendall(b"0\r\n\r\n")
        assert line.recv(12) == b"HTTP/1.1 413"
    assert peak(command) - before <= 8 * MB
    assert _answers(port)


# Two hundred callers at once: all are answered, none with an error.
def test_two_hundred_callers(served: tuple[Command, int]) -> None:
    _, port = served

    async def ask() -> list[int]:
        # No connection twice: what lies idle for five seconds the server closes, and on a busy
        # machine that is when a caller comes back to it.
        limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=0)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=60
        ) as client:

            async def one(number: int) -> int:
                path = "/detect/batch" if number % 10 == 0 else "/detect"
                body = {"windows": [request()] * 20} if number % 10 == 0 else request()
                return (await client.post(path, json=body)).status_code

            return await asyncio.gather(*(one(number) for number in range(2 * CLIENTS)))

    assert set(asyncio.run(ask())) == {200}


# SIGTERM ends it cleanly; its log is one JSON object a line, with the model and each request.
def test_its_end_and_its_log(served: tuple[Command, int]) -> None:
    command, port = served
    httpx.post(f"http://127.0.0.1:{port}/detect", json=request())
    assert command.end() == 0
    lines = [json.loads(one) for one in command.said.splitlines() if not one.startswith("http")]
    assert "lstm_ae_v1" in {line.get("now") for line in lines}
    assert "/detect" in {line.get("path") for line in lines}

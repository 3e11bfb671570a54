"""Load on an HTTP server: so many requests a second whatever it answers, or as many as it takes.

A latency counts from when a request was due, not from when there was room to send it: who is slow
for a second has made all wait that were due in it.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

import numpy as np

_STATUS: Final = slice(9, 12)
"""Where the number stands in `HTTP/1.1 200 OK`."""
_CONNECTIONS: Final = 64
"""Of a steady load: a request that is due when all of them wait for answers waits, too."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of some requests: seconds each, from when it was due; `failed` were answered with
    5xx, or not at all.
    """

    seconds: tuple[float, ...]
    failed: int
    took: float

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.took

    def at(self, share: float) -> float:
        """The latency, in ms, that so large a share of the requests keeps to."""
        return float(1000 * np.quantile(self.seconds, share))


class Connection:
    """A connection that is kept, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> bool:
        """Send a request and read all of its answer; whether that is an error of the server's."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length: " in lower:
            length = int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await self._reader.readexactly(length)
        else:  # in pieces
            while size := int(await self._reader.readline(), 16):
                await self._reader.readexactly(size + 2)
            await self._reader.readline()
        return int(head[_STATUS]) >= HTTPStatus.INTERNAL_SERVER_ERROR

    def close(self) -> None:
        self._writer.close()


def post(path: str, body: bytes) -> bytes:
    """A POST of JSON, as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body


async def steady(port: int, requests: Sequence[bytes], rate: float, number: int) -> Load:
    """`number` requests, `rate` a second, over connections that are kept."""
    latencies: list[float] = []
    failed = 0

    async def ask(due: float, request: bytes) -> None:
        nonlocal failed
        connection = await idle.get()
        broke = await connection.ask(request)  # awaited first: others count meanwhile
        failed += broke
        idle.put_nowait(connection)
        latencies.append(time.perf_counter() - due)

    async with _connections(port, _CONNECTIONS) as connections:
        idle: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in connections:
            idle.put_nowait(connection)
        began = time.perf_counter()
        asked = []
        for n, request in zip(range(number), itertools.cycle(requests), strict=False):
            due = began + n / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.append(asyncio.create_task(ask(due, request)))
        await asyncio.gather(*asked)
        return Load(tuple(latencies), failed, time.perf_counter() - began)


async def flat_out(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Each of `clients` asks again as soon as it is answered, for so many seconds."""
    latencies: list[float] = []
    failed = 0

    async def ask(connection: Connection) -> None:
        nonlocal failed
        own = itertools.cycle(requests)
        while (due := time.perf_counter()) < began + seconds:
            broke = await connection.ask(next(own))
            failed += broke
            latencies.append(time.perf_counter() - due)

    async with _connections(port, clients) as connections:
        began = time.perf_counter()
        await asyncio.gather(*map(ask, connections))
        return Load(tuple(latencies), failed, time.perf_counter() - began)


@asynccontextmanager
async def _connections(port: int, number: int) -> AsyncIterator[list[Connection]]:
    opened = [await Connection.to(port) for _ in range(number)]
    yield opened
    for connection in opened:
        connection.close()

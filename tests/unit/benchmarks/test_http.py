"""The load on the API, and the bare server beside it, tried on a tiny model."""

import asyncio
from pathlib import Path

import httpx
import orjson
import pytest
from starlette.types import Message

from benchmarks.http.bare import Bare
from benchmarks.http.load import flat_out, post, steady
from commands.bench_api import compared, rates
from tests.support.api import request, running, tiny_settings, window


def port_of(client: httpx.Client) -> int:
    assert client.base_url.port is not None
    return client.base_url.port


# So many requests as were asked for are answered, at the rate that was asked for at most.
def test_a_steady_load(tmp_path: Path) -> None:
    asked = [post("/detect", orjson.dumps(request(sensor_id=f"m{n}"))) for n in range(3)]
    with running(tiny_settings(tmp_path)) as client:
        found = asyncio.run(steady(port_of(client), asked, 500, 50))
        metrics = client.get("/metrics").text
    assert (len(found.seconds), found.failed) == (50, 0)
    assert found.per_second <= 520
    assert 0 < found.at(0.5) <= found.at(1)
    assert 'plantwatch_api_requests_total{route="/detect",status="200"} 50.0' in metrics


# Who is answered asks again, until the time is over; refusals are no failures of the server.
def test_flat_out(tmp_path: Path) -> None:
    with running(tiny_settings(tmp_path)) as client:
        found = asyncio.run(flat_out(port_of(client), [post("/detect", b"{}")], 4, 0.2))
        metrics = client.get("/metrics").text
    assert found.failed == 0
    assert f'route="/detect",status="422"}} {len(found.seconds)}.0' in metrics


# A server that fails is counted as failing.
def test_failures_are_counted(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path)
    (tmp_path / "production.json").unlink()
    with running(settings) as client:
        asked = [post("/detect", orjson.dumps(request()))]
        assert asyncio.run(steady(port_of(client), asked, 500, 5)).failed == 5


# The bare server does the same sum as the model behind the API.
def test_the_bare_server(tmp_path: Path) -> None:
    tiny_settings(tmp_path)
    body = orjson.dumps(request(window=window(0.5)))
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Bare(tmp_path)({"type": "http"}, receive, send))
    assert orjson.loads(sent[1]["body"])["raw"] == pytest.approx(3.0)


# The table says what was measured beside what was promised.
def test_the_tables() -> None:
    figures = {
        "rates": [{"wanted": 50, "held": 50, "p50": 2.04, "p99": 9.0, "most": 12, "failed": 0}],
        "flat_out": {"plantwatch": [60.0, 70.0], "bare": [100.0, 100.0]},
        "one_ms": [2.0],
        "batch_ms": [30.0],
        "batch": 500,
        "many": {"clients": 200, "per_s": 100.0, "p99": 50.0, "failed": 1},
    }
    assert rates(figures)[1] == ("50", "50", "2.0", "9.0", "0")
    measured = {row[0]: row[1] for row in compared(figures)}
    assert measured["a batch of 500 by one"] == "30 ms by 2.0 ms: 15"
    assert measured["flat out by the bare server"] == "0.65 (0.60-0.70)"
    assert measured["answered with 5xx"] == "1"

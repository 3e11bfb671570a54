"""What every request passes: the key, the body's length, its name, the log, errors of ours."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from models.onnx_detector import OnnxDetector
from tests.support.api import request, running, tiny_settings

KEY = "open sesame"
OURS = ("/health", "/healthz", "/readyz", "/metrics")
THEIRS = ("/model", "/openapi.json", "/events", "/incidents", "/nothing")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with running(tiny_settings(tmp_path, API_MAX_BODY_BYTES="1000")) as found:
        yield found


# With a key nobody gets in without it, but the probes; a wrong one is as good as none.
def test_the_key_is_asked_for(tmp_path: Path) -> None:
    with running(tiny_settings(tmp_path, API_KEY=KEY)) as client:
        for headers in ({}, {"x-api-key": KEY[:-1]}, {"x-api-key": KEY + "x"}, {"x-api-key": ""}):
            for path in THEIRS:
                answer = client.get(path, headers=headers)
                assert (answer.status_code, path) == (401, path)
                assert "X-API-Key" in answer.json()["detail"]
            assert client.post("/detect", json=request(), headers=headers).status_code == 401
        for path in OURS:
            assert client.get(path).status_code == 200
        sent = {"x-api-key": KEY, "host": "api.example"}
        assert client.post("/detect", json=request(), headers=sent).status_code == 200


# Without one, a page in a browser that calls this machine by another name reads nothing.
def test_other_names_of_this_machine_are_refused(client: httpx.Client) -> None:
    assert client.get("/model", headers={"host": "evil.example"}).status_code == 421
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert client.get("/model", headers={"host": host}).status_code == 200


# A body that says it is too long is refused; so is one that comes in pieces and says nothing.
@pytest.mark.parametrize("pieces", [1, 50])
def test_a_long_body_is_refused(client: httpx.Client, pieces: int) -> None:
    body = [b" " * (2000 // pieces)] * pieces
    answer = client.post(
        "/detect",
        content=body[0] if pieces == 1 else iter(body),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["detail"]


# A body in pieces that is short enough is put together.
def test_a_body_in_pieces(client: httpx.Client) -> None:
    body = json.dumps(request()).encode()
    pieces = (body[at : at + 10] for at in range(0, len(body), 10))
    headers = {"content-type": "application/json"}
    assert client.post("/detect", content=pieces, headers=headers).status_code == 200


# The caller's own id is kept, so that his log and ours meet; an odd one is replaced.
def test_each_request_has_an_id(client: httpx.Client) -> None:
    own = client.get("/model", headers={"x-request-id": "trace-7"})
    assert own.headers["x-request-id"] == "trace-7"
    odd = client.get("/model", headers={"x-request-id": "a b\tc"}).headers["x-request-id"]
    other = client.get("/model").headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}-[0-9]+", odd)
    assert re.fullmatch("[0-9a-f]{32}-[0-9]+", other)
    assert odd != other


# A line for each request says what was asked, how it ended, how long it took, and under which id.
def test_each_request_is_logged(client: httpx.Client) -> None:
    with capture_logs() as lines:
        answer = client.post("/detect", json=request(), headers={"x-request-id": "trace-7"})
    assert answer.headers["server-timing"].startswith("app;dur=")
    (line,) = [one for one in lines if one["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/detect", 200)
    assert line["ms"] > 0


# An error of ours is a 500 that names the request, tells nothing else, and is in the log; the next
# request is served.
def test_an_error_of_ours(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret")

    with monkeypatch.context() as patch, capture_logs() as lines:
        patch.setattr(OnnxDetector, "judge", broken)
        answer = client.post("/detect", json=request(), headers={"x-request-id": "trace-7"})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "an error of ours, logged under request trace-7"}
    assert "a request failed" in {line["event"] for line in lines}
    assert client.post("/detect", json=request()).status_code == 200


# Requests are counted by route and status; what is no route of ours adds no label of its own.
def test_requests_are_counted(client: httpx.Client) -> None:
    client.post("/detect", json=request())
    for number in range(3):
        client.get(f"/nothing/{number}")
    told = client.get("/metrics").text
    assert 'plantwatch_api_requests_total{route="/detect",status="200"} 1.0' in told
    assert 'plantwatch_api_requests_total{route="other",status="404"} 3.0' in told
    assert 'plantwatch_api_windows_total{outcome="normal"} 1.0' in told
    assert 'plantwatch_model_info{digest="' in told

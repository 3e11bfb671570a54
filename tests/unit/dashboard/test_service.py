"""What the page tells of the API."""

import socket
import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from dashboard.service import ApiStatus, Service, ask
from plantwatch.configuration import load
from tests.support.api import running, tiny_settings
from tests.support.servers import CONFIGS
from tests.support.waiting import PATIENCE_SEC, until

ADDRESS = "http://fastapi:8000"


# The real one: by which model it judges, and that it has none yet.
def test_it_tells_the_model(tmp_path: Path) -> None:
    own = tiny_settings(tmp_path)
    with running(own) as client:
        found = ask(str(client.base_url), PATIENCE_SEC)
        assert found == ApiStatus("judges windows by lstm_ae_v1", "lstm_ae_v1")
    (tmp_path / "production.json").unlink()
    with running(own) as client:
        assert ask(str(client.base_url), PATIENCE_SEC) == ApiStatus("has no model yet")


# Somebody else, or a mistyped address: words, no traceback.
@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("", 500, "answers 500, as our API does not"),
        ("", 404, "answers 404, as our API does not"),
        ("hello", 200, "is not the address of our API"),
        ("[1]", 200, "is not the address of our API"),
        ('{"model_version": null}', 200, "is not the address of our API"),
        ('{"model_version": "' + "v" * 20_000 + '"}', 200, "is not the address of our API"),
    ],
)
def test_somebody_else_is_there(httpserver: HTTPServer, body: str, status: int, words: str) -> None:
    httpserver.expect_request("/other/health").respond_with_data(body, status=status)
    assert ask(httpserver.url_for("/other/"), PATIENCE_SEC) == ApiStatus(words)


def test_the_address_is_none() -> None:
    assert ask("none", PATIENCE_SEC) == ApiStatus("is not the address of our API")


def test_nobody_is_there() -> None:
    assert ask("http://127.0.0.1:1", PATIENCE_SEC) == ApiStatus("does not answer")


# One that takes the call and says nothing is given up.
def test_it_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert ask(f"http://127.0.0.1:{port}", 0.1) == ApiStatus("does not answer")


# Who draws the page never waits, however long the API takes to say something.
def test_nobody_waits(tmp_path: Path) -> None:
    once = {"STREAMLIT_REFRESH_INTERVAL_SEC": "86400"}  # Its thread goes on beyond the test.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = {"STREAMLIT_API_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        settings = load(CONFIGS, once | away)
        began = time.monotonic()
        assert Service(settings).status == ApiStatus("has not answered yet")
        assert time.monotonic() - began < settings.streamlit.deadline_sec
    with running(tiny_settings(tmp_path)) as client:
        service = Service(load(CONFIGS, once | {"STREAMLIT_API_URL": str(client.base_url)}))
        until(lambda: service.status.model == "lstm_ae_v1")


# One line whatever there is to say, and no link: the address may be one that no browser knows.
@pytest.mark.parametrize(
    ("status", "streams", "line"),
    [
        (ApiStatus("does not answer"), "lstm_ae_v1", "API: `http://fastapi:8000` does not answer."),
        (ApiStatus("by v1", "v1"), "v1", "API: `http://fastapi:8000` by v1."),
        (ApiStatus("by v1", "v1"), None, "API: `http://fastapi:8000` by v1."),
        (
            ApiStatus("by v1", "v1"),
            "v_2",
            "API: `http://fastapi:8000` by v1; **most machines are judged by v\\_2**.",
        ),
    ],
)
def test_it_is_one_line(status: ApiStatus, streams: str | None, line: str) -> None:
    assert status.sentence(ADDRESS, streams) == line

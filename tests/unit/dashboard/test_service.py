"""What the page tells of the API."""

from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from dashboard.service import said
from plantwatch.configuration import load
from plantwatch.settings import Settings
from tests.support.api import running, tiny_settings
from tests.support.servers import CONFIGS


def settings(address: str) -> Settings:
    return load(CONFIGS, {"STREAMLIT_API_URL": address})


# The real one: by which model it judges, and that it has none yet.
def test_it_tells_the_model(tmp_path: Path) -> None:
    own = tiny_settings(tmp_path)
    with running(own) as client:
        assert said(settings(str(client.base_url))) == "judges windows by lstm_ae_v1"
    (tmp_path / "production.json").unlink()
    with running(own) as client:
        assert said(settings(str(client.base_url))) == "has no model yet"


# Nobody there, or somebody else: a word, no traceback on the page.
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/error", "answers 500"),
        ("/words", "does not answer"),
        ("/other", "does not answer"),
        ("/nothing", "answers 500"),
    ],
)
def test_somebody_else_is_there(httpserver: HTTPServer, path: str, words: str) -> None:
    httpserver.expect_request("/error/health").respond_with_data("", status=500)
    httpserver.expect_request("/words/health").respond_with_data("hello")
    httpserver.expect_request("/other/health").respond_with_json({"ok": True})
    assert said(settings(httpserver.url_for(path))) == words


def test_nobody_is_there() -> None:
    assert said(settings("http://127.0.0.1:1")) == "does not answer"

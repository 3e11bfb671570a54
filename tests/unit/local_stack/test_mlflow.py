"""MLflow, where it runs and where it is asked: it may unpickle nothing, whoever asks it to."""

import os
from pathlib import Path

import pytest

from local_stack import mlflow
from models import registry
from plantwatch.configuration import load
from tests.support.servers import CONFIGS

NAME = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"


# The server is started so, and so is every client of ours, before it imports MLflow.
def test_mlflow_may_not_unpickle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(NAME, "true")
    settings = load(CONFIGS, {})
    assert mlflow.process(settings, tmp_path).environment[NAME] == "false"
    with registry.client(settings):
        assert os.environ[NAME] == "false"

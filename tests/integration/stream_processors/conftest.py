"""Workers as processes: a real model that was fetched before, and a registry that is away."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connections.kafka import ensure_topics
from local_stack.free import free_ports
from plantwatch.configuration import with_changes
from plantwatch.settings import Settings
from tests.support.commands import Command, Start
from tests.support.small_training import cached_model


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache as `plantwatch models fetch` leaves it: a small forest, in production."""
    cache = tmp_path_factory.mktemp("models")
    cached_model(cache)
    return cache


@pytest.fixture
def settings(settings: Settings, model_cache: Path) -> Settings:
    """Those of a worker whose registry is away, in small chunks; the topics are made."""
    away = f"http://127.0.0.1:{free_ports(1)[0]}"
    own = with_changes(settings, "model", cache=model_cache)
    own = with_changes(own, "mlflow", tracking_uri=away)
    own = with_changes(own, "worker", chunk_size=8, commit_interval_sec=0.2, session_timeout_sec=6)
    ensure_topics(own)
    return own


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Starts workers; kills those that a test leaves running."""
    with ExitStack() as stack:

        def begin(configured: Settings = settings) -> Command:
            folder = tmp_path / f"worker-{len(list(tmp_path.iterdir()))}"
            worker = Command(folder, configured, "worker")
            stack.callback(worker.wait)
            stack.callback(worker.process.kill)
            return worker

        yield begin

"""A run whose broker has gone away: it ends in time, and says what to do."""

from pathlib import Path

import pytest

from data import datasets
from data.simulate import simulate
from plantwatch.configuration import load
from plantwatch.errors import UnfinishedError
from producers.manifest import Manifest
from producers.manifest import load as load_manifest
from producers.run import Progress, Run

FLEET = simulate(datasets.simulated(datasets.CONFIGS, "FD001"), "test")
BEGUN = Manifest(
    cluster="abc",
    dataset="FD001",
    split="test",
    engines=(1, 2),
    source=FLEET.source,
    data_hash=FLEET.data_hash,
    origin=1_000_000_000,
)
NOBODY = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "PRODUCER_DRAIN_TIMEOUT_SEC": "0.2"}


# What is not acknowledged within the drain timeout is given up, and stays to be done.
def test_drain_is_bounded(tmp_path: Path) -> None:
    settings = load(datasets.CONFIGS, NOBODY)
    run = Run(settings, FLEET, BEGUN, tmp_path / "m.json", lambda _: None)
    with pytest.raises(UnfinishedError, match=r"0 of .* rows acknowledged; run the same command"):
        run.publish(None, lambda: False)
    assert load_manifest(tmp_path / "m.json") == BEGUN


# A full queue makes the run wait, not fail, and a request to stop is noticed meanwhile.
def test_full_queue_waits_until_stopped(tmp_path: Path) -> None:
    settings = load(datasets.CONFIGS, NOBODY | {"PRODUCER_QUEUE_MESSAGES": "10"})
    seen: list[Progress] = []
    run = Run(settings, FLEET, BEGUN, tmp_path / "m.json", seen.append)
    with pytest.raises(UnfinishedError):
        run.publish(None, lambda: bool(seen) and seen[-1].retries > 0)
    assert run.delivery.pending() >= 10  # librdkafka counts its own errors, too


# The origin is on disk before the first row is: a run killed at once finds its identities again.
def test_origin_is_saved_first(tmp_path: Path) -> None:
    settings = load(datasets.CONFIGS, NOBODY)
    path = tmp_path / "m.json"
    run = Run(settings, FLEET, BEGUN, path, lambda _: None)
    with pytest.raises(UnfinishedError):
        run.publish(None, should_stop=path.exists)
    assert run.delivery.pending() == 0
    assert load_manifest(path) == BEGUN

"""Another model in production, and no worker restarted: no window lost, none scored twice."""

from pathlib import Path

import pytest

from models.cache import Role, load_production, write_named
from models.card import NETWORK
from plantwatch.messages import score_event_from_bytes
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings
from tests.support import plant, topics
from tests.support.commands import Start
from tests.support.small_training import other_model, own_cache, small_fleet

pytestmark = pytest.mark.real


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return own_cache(settings, tmp_path / "models")


# Half of the readings come before the swap, half after: each is scored once, by the model that was
# in production then, and the commits name the new one.
def test_a_swap_loses_and_repeats_nothing(settings: Settings, start: Start) -> None:
    fleet = small_fleet("train", engines=6)
    rows = plant.rows(fleet)
    half = len(rows) // 2
    first = plant.offline(fleet, settings.window.length, load_production(settings))
    topics.publish(settings, [plant.reading(fleet, row) for row in rows[:half]])
    worker = start(settings)
    worker.until(lambda: topics.committed(settings) == half)
    other = other_model(settings.model.cache)
    write_named(settings.model.cache, Role.PRODUCTION, other)
    worker.until(lambda: "model swapped" in worker.said)
    second = plant.offline(fleet, settings.window.length, load_production(settings))
    topics.publish(settings, [plant.reading(fleet, row) for row in rows[half:]])
    worker.until(lambda: topics.committed(settings) == len(rows))
    events = [
        score_event_from_bytes(one.value) for one in topics.read(settings, settings.topics.scores)
    ]
    assert sorted(one.id for one in events) == sorted(first)
    for one in events:
        wanted = second if one.model_digest == other.digest else first
        assert one.anomaly_score == pytest.approx(wanted[one.id], rel=0, abs=TOLERANCE)
    assert {one.model_version for one in events} == {"isolation_forest_v1", "lstm_ae_v2"}
    commits = topics.commits(settings).values()
    assert {one.metadata.model for one in commits} == {other.digest}
    assert worker.process.poll() is None


# A damaged model is refused before it is parsed; the old one goes on, and the log says why.
def test_a_damaged_model_is_not_swapped_in(settings: Settings, start: Start) -> None:
    fleet = small_fleet("train", engines=2)
    rows = plant.rows(fleet)
    worker = start(settings)
    worker.until(lambda: "took over" in worker.said)
    other = other_model(settings.model.cache)
    network = settings.model.cache / other.digest / NETWORK
    network.write_bytes(network.read_bytes() + b"one byte too many")
    write_named(settings.model.cache, Role.PRODUCTION, other)
    worker.until(lambda: "cannot be used" in worker.said)
    topics.publish(settings, [plant.reading(fleet, row) for row in rows])
    worker.until(lambda: topics.committed(settings) == len(rows))
    scores = topics.read(settings, settings.topics.scores)
    assert scores
    versions = {score_event_from_bytes(one.value).model_version for one in scores}
    assert versions == {"isolation_forest_v1"}

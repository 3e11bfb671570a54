"""A challenger comes, fails and goes while a worker works: production never notices."""

import signal
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from psycopg import sql

from connections.postgres import connect
from models.cache import Named, Role, load, load_production, note_contact, write_named
from models.card import NETWORK
from plantwatch.configuration import with_changes
from plantwatch.messages import ScoreEvent, score_event_from_bytes
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from tests.support import plant, topics
from tests.support.commands import Command, Start
from tests.support.small_training import other_model, own_cache, small_fleet
from tests.support.topics import Found

pytestmark = pytest.mark.real


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return own_cache(settings, tmp_path / "models")


def challenge(settings: Settings, named: Named | None) -> None:
    write_named(settings.model.cache, Role.CHALLENGER, named)


def events(found: list[Found]) -> dict[tuple[int, str], ScoreEvent]:
    """Verdicts by partition and id; a second one of the same fails the test."""
    read = [(one.place.partition, score_event_from_bytes(one.value)) for one in found]
    by_id = {(partition, event.id): event for partition, event in read}
    assert len(by_id) == len(read)
    return by_id


def metric(settings: Settings, name: str) -> float:
    url = f"http://127.0.0.1:{settings.worker.metrics_port}/metrics"
    with urllib.request.urlopen(url) as page:
        lines = page.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


# A third of the readings has a challenger from the start, in the second it is damaged, in the third
# there is none: production scores them all, the challenger the first third, on the same partitions.
def test_a_challenger_scores_in_shadow(settings: Settings, start: Start) -> None:
    fleet = small_fleet("train", engines=6)
    rows = plant.rows(fleet)
    length = settings.window.length
    thirds = [rows[n * len(rows) // 3 : (n + 1) * len(rows) // 3] for n in range(3)]
    named = other_model(settings.model.cache)
    wanted = plant.offline(fleet, length, load(settings, named))
    production = plant.offline(fleet, length, load_production(settings))
    challenge(settings, named)
    worker = start(settings)
    done = publish(settings, worker, thirds[0], 0)
    shadowed = topics.read(settings, settings.topics.shadow_scores)

    network = settings.model.cache / named.digest / NETWORK
    network.write_bytes(network.read_bytes()[:-1])
    challenge(settings, named.model_copy(update={"version": 3, "model_version": "lstm_ae_v3"}))
    worker.until(lambda: "cannot be used" in worker.said)
    done = publish(settings, worker, thirds[1], done)
    assert metric(settings, 'plantwatch_models_refused_total{role="challenger"}') == 1
    assert metric(settings, "plantwatch_challenger_info") == 0

    challenge(settings, None)
    publish(settings, worker, thirds[2], done)

    scores = events(topics.read(settings, settings.topics.scores))
    assert sorted(one for _, one in scores) == sorted(production)
    assert {one.model_version for one in scores.values()} == {"isolation_forest_v1"}
    shadows = events(shadowed)
    assert shadows
    assert shadows.keys() == {key for key in scores if key in shadows}
    assert len(shadows) == metric(settings, 'plantwatch_shadow_windows_total{result="scored"}')
    assert topics.read(settings, settings.topics.shadow_scores) == shadowed
    for (_, name), one in shadows.items():
        assert one.anomaly_score == pytest.approx(wanted[name], rel=0, abs=TOLERANCE)
        assert (one.model_version, one.model_digest) == ("lstm_ae_v2", named.digest)
    anomalies = events(topics.read(settings, settings.topics.anomalies))
    assert {one.model_version for one in anomalies.values()} <= {"isolation_forest_v1"}
    assert worker.said.count("cannot be used") == 1
    assert worker.process.poll() is None


def publish(settings: Settings, worker: Command, rows: list[int], before: int) -> int:
    """Some more rows; returns once they are committed, with how many that are in all."""
    fleet = small_fleet("train", engines=6)
    topics.publish(settings, [plant.reading(fleet, row) for row in rows])
    worker.until(lambda: topics.committed(settings) == before + len(rows))
    return before + len(rows)


# When the registry last answered its follower can be scraped from the worker.
def test_the_last_contact_with_the_registry_is_shown(settings: Settings, start: Start) -> None:
    worker = start(settings)
    worker.until(lambda: "took over" in worker.said)
    name = "plantwatch_registry_contact_timestamp_seconds"
    assert metric(settings, name) == 0
    note_contact(settings.model.cache)
    when = (settings.model.cache / "contact").stat().st_mtime
    worker.until(lambda: metric(settings, name) == pytest.approx(when, abs=1e-3, rel=0))


@pytest.fixture
def sink(settings: Settings, tmp_path: Path) -> Iterator[Callable[[str], Command]]:
    """Starts sinks, the tables being made; kills those that a test leaves running."""
    upgrade(settings)
    with ExitStack() as stack:

        def begin(store: str) -> Command:
            one = Command(
                tmp_path / f"sink-{len(list(tmp_path.iterdir()))}", settings, "sink", store
            )
            stack.callback(one.wait)
            stack.callback(one.process.kill)
            return one

        yield begin


def stored(settings: Settings, table: str) -> list[tuple[str, int, str]]:
    """The windows that have a row, in order."""
    with connect(settings, "owner") as connection:
        query = sql.SQL("SELECT sensor_id, cycle, detected_at::text FROM {} ORDER BY 1, 2, 3")
        rows = connection.execute(query.format(sql.Identifier(table)))
        return [(str(sensor), int(cycle), str(at)) for sensor, cycle, at in rows]


# The worker is killed (kill -9) in the middle of its work, and so is the challenger's sink: in the
# end the challenger has a row for every window that production has one for, and no other.
def test_kills_leave_no_gap_in_shadow(
    settings: Settings, start: Start, sink: Callable[[str], Command]
) -> None:
    fleet = small_fleet("train", engines=6)
    rows = plant.rows(fleet)
    challenge(settings, other_model(settings.model.cache))
    topics.publish(settings, [plant.reading(fleet, row) for row in rows])
    slow = with_changes(settings, "worker", chunk_size=2, chunks_ahead=1)
    sink("postgres")
    for share in (0.2, 0.5):
        worker, shadow = start(slow), sink("shadow")
        done = int(share * len(rows))
        worker.until(lambda: len(stored(settings, "shadow_events")) > done)  # noqa: B023 (called at once)
        shadow.end(signal.SIGKILL)
        worker.end(signal.SIGKILL)
        assert topics.committed(settings) < len(rows), "killed too late to prove anything"
    worker = start(slow)
    sink("shadow")
    windows = len(plant.offline(fleet, settings.window.length, load_production(settings)))
    worker.until(lambda: topics.committed(settings) == len(rows))
    for table in ("shadow_events", "anomaly_events"):
        worker.until(lambda: len(stored(settings, table)) == windows)  # noqa: B023 (called at once)
    assert stored(settings, "shadow_events") == stored(settings, "anomaly_events")

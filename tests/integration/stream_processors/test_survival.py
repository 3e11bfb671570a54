"""Workers that are killed, that come and that go: nothing is missing and nothing is wrong."""

import json
import signal
import time
from collections.abc import Callable
from itertools import chain

import pytest

from data.fleet import Fleet
from local_stack.free import free_ports
from models.cache import load_production
from plantwatch.configuration import with_changes
from plantwatch.messages import score_event_from_bytes
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings
from tests.support import plant, topics
from tests.support.commands import Command, Start
from tests.support.small_training import small_fleet

pytestmark = pytest.mark.real

SHARES = (0.1, 0.35, 0.6)
"""How much of the scores is on the broker when a worker is killed."""


def _scored(settings: Settings) -> int:
    """Scores on the broker, repeats included."""
    return sum(topics.ends(settings, settings.topics.scores).values())


def _assert_whole(settings: Settings, fleet: Fleet) -> None:
    """Every window has a score whose first message is right; the commits' counts are those of a
    run without any trouble.
    """
    wanted = plant.offline(fleet, settings.window.length, load_production(settings))
    scores = plant.first_of_each(topics.read(settings, settings.topics.scores))
    assert scores == pytest.approx(wanted, rel=0, abs=TOLERANCE)
    commits = topics.commits(settings).values()
    assert sum(one.metadata.counts.get("scored", 0) for one in commits) == len(wanted)
    for one in commits:
        assert sum(one.metadata.counts.values()) == one.offset - one.metadata.start
    assert topics.read(settings, settings.topics.dead_letters) == []


# Two workers under one instance id would fight for ever: the older one ends and says why.
def test_a_second_worker_of_one_name_is_noticed(settings: Settings, start: Start) -> None:
    first = start()
    first.until(lambda: "took over" in first.said)
    (port,) = free_ports(1)
    start(with_changes(settings, "worker", metrics_port=port))
    assert first.wait() == 69
    assert "WORKER_INSTANCE_ID" in first.said.splitlines()[-1]


# Killed three times (kill -9) in the middle of its work, the worker goes on where it was.
def test_kills_lose_nothing(settings: Settings, start: Start) -> None:
    fleet = small_fleet("train")
    slow = with_changes(settings, "worker", chunk_size=2, chunks_ahead=1)
    rows = plant.rows(fleet)
    topics.publish(settings, [plant.reading(fleet, row) for row in rows])
    for share in SHARES:
        worker = start(slow)
        worker.until(lambda: _scored(settings) > share * len(rows))  # noqa: B023 (called at once)
        worker.end(signal.SIGKILL)
        assert topics.committed(settings) < len(rows), "killed too late to prove anything"
    worker = start(slow)
    worker.until(lambda: topics.committed(settings) == len(rows))
    _assert_whole(settings, fleet)


# Told to stop (SIGTERM) in the middle of its work, the worker finishes what it has begun and exits
# 0: what is on `scores` is exactly what is committed, and the next worker redoes nothing.
def test_a_busy_worker_drains(
    settings: Settings, start: Start, record_property: Callable[[str, float], None]
) -> None:
    fleet = small_fleet("train")
    slow = with_changes(settings, "worker", chunk_size=2, chunks_ahead=1, commit_interval_sec=3600)
    rows = plant.rows(fleet)
    topics.publish(settings, [plant.reading(fleet, row) for row in rows])
    worker = start(slow)
    worker.until(lambda: _scored(settings) > SHARES[0] * len(rows))
    told = time.monotonic()
    assert worker.end() == 0, worker.said
    record_property("drained_sec", round(time.monotonic() - told, 2))

    commits = topics.commits(settings)
    assert topics.committed(settings) < len(rows), "stopped too late to prove anything"
    scores = topics.read(settings, settings.topics.scores)
    assert len(scores) == sum(one.metadata.counts.get("scored", 0) for one in commits.values())
    events = [score_event_from_bytes(one.value) for one in scores]
    assert [one.id for one in events if one.offset >= commits[one.partition].offset] == []

    worker = start()
    worker.until(lambda: topics.committed(settings) == len(rows))
    assert worker.end() == 0, worker.said
    _assert_whole(settings, fleet)
    scores = topics.read(settings, settings.topics.scores)
    assert len({score_event_from_bytes(one.value).id for one in scores}) == len(scores)


def _held(worker: Command) -> list[int]:
    """The partitions that a worker has last taken over."""
    lines = [line for line in worker.said.splitlines() if '"took over"' in line]
    return json.loads(lines[-1])["partitions"] if lines else []


# Workers share the partitions. While one joins, one is told to stop and one is killed, readings
# keep coming, and all are scored as if one worker had done it all.
def test_workers_come_and_go(settings: Settings, start: Start) -> None:
    fleet = small_fleet("train")
    rows = plant.rows(fleet)
    stages = [rows[at : at + len(rows) // 4 + 1] for at in range(0, len(rows), len(rows) // 4 + 1)]
    published = 0

    def publish_next() -> None:
        nonlocal published
        stage = stages.pop(0)
        topics.publish(settings, [plant.reading(fleet, row) for row in stage])
        published += len(stage)

    def begin(name: str) -> Command:
        (port,) = free_ports(1)
        return start(with_changes(settings, "worker", instance_id=name, metrics_port=port))

    def at_work(*workers: Command) -> None:
        """They hold all partitions, each some, and are through with what was published."""
        for worker in workers:
            worker.until(lambda: bool(_held(worker)))  # noqa: B023 (called at once)
        workers[0].until(lambda: sorted(chain(*map(_held, workers))) == [*range(8)])
        workers[0].until(lambda: topics.committed(settings) == published)

    one, two = begin("one"), begin("two")
    publish_next()
    at_work(one, two)
    three = begin("three")
    publish_next()
    at_work(one, two, three)
    publish_next()
    assert one.end() == 0, one.said
    at_work(two, three)
    publish_next()
    two.end(signal.SIGKILL)
    at_work(three)
    _assert_whole(settings, fleet)

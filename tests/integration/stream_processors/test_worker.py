"""`plantwatch worker` as a process of its own, on a real broker, with a real model."""

import json
import re
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # untyped
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from connections.kafka import client_config
from data.fleet import Fleet
from local_stack.free import free_ports
from models.cache import load_production, read_production
from models.card import NETWORK
from plantwatch.configuration import with_changes
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings
from tests.support import plant, topics
from tests.support.commands import Command, Start
from tests.support.small_training import small_fleet
from tests.support.topics import Place, Sent

pytestmark = pytest.mark.real

BAD = 5
"""Messages of `_bad_day` that decode to nothing."""


class Planned(NamedTuple):
    """A message, and the reason of its dead letter if it gets one."""

    sent: Sent
    reason: str | None = None


def _bad_day(fleet: Fleet) -> list[Planned]:
    """The fleet's rows, but for each engine's last, with all that can be wrong among them."""
    ends = {rows.stop - 1 for rows in fleet.slices.values()}
    order = [row for row in plant.rows(fleet) if row not in ends]
    planned = {row: [Planned(plant.reading(fleet, row))] for row in order}
    first, second = list(fleet.slices.values())[:2]
    # Cycle 5 of the first engine comes after its cycle 10.
    planned[first.start + 9] += [Planned(planned.pop(first.start + 4)[0].sent, "late")]
    again, bad = planned[first.start + 39][0].sent, second.start + 40
    planned[first.start + 40] += [
        Planned(again),
        Planned(plant.reading(fleet, first.start + 39, shift=1.0), "conflict"),
        Planned(again),
    ]
    planned[bad] += [
        Planned(Sent(again.key, b"\xff\x00poison"), "not_json"),
        Planned(Sent(again.key, None), "tombstone"),
        Planned(Sent(None, again.value), "key_mismatch"),
        Planned(Sent(b"another-machine", again.value), "key_mismatch"),
        Planned(Sent(again.key, b"{}"), "missing_field"),
    ]
    return [one for row in order for one in planned.get(row, ())]


def _reported(settings: Settings) -> Counter[str]:
    """Readings by class, as the worker's /metrics tells."""
    address = f"http://127.0.0.1:{settings.worker.metrics_port}/metrics"
    try:
        text = urlopen(address).read().decode()
    except OSError:
        return Counter()
    found = re.findall(r'plantwatch_readings_total{class="(\w+)"} ([\d.]+)', text)
    return Counter({kind: int(float(number)) for kind, number in found})


def _letters(settings: Settings) -> set[tuple[Place, str]]:
    """Where on `readings` each dead letter comes from, and why."""
    found = [json.loads(one.value) for one in topics.read(settings, settings.topics.dead_letters)]
    assert {letter["origin"] for letter in found} == {settings.topics.readings}
    letters = {(Place(one["partition"], one["offset"]), one["reason"]) for one in found}
    assert len(letters) == len(found)
    return letters


# Among poison, repeats and stragglers every window is scored once and rightly, the dead letters are
# exactly the bad messages, and what SIGTERM leaves committed adds up. Started again, the worker
# redoes nothing: each engine's next reading makes one score, out of readings from before.
def test_every_reading_is_accounted_for(settings: Settings, start: Start) -> None:
    fleet = small_fleet("test")
    plan = _bad_day(fleet)
    places = topics.publish(settings, [one.sent for one in plan])
    lazy = with_changes(settings, "worker", commit_interval_sec=3600)

    worker = start(lazy)
    worker.until(lambda: _reported(settings).total() == len(plan))
    reported = _reported(settings)
    assert worker.end() == 0, worker.said
    assert topics.committed(settings) == len(plan)
    counts = _counts(settings)
    assert counts == reported
    assert counts["rejected"] == BAD
    assert (counts["duplicate"], counts["conflict"], counts["late"]) == (2, 1, 1)
    bad = {(at, one.reason) for at, one in zip(places, plan, strict=True) if one.reason}
    assert _letters(settings) == bad

    topics.publish(settings, [plant.reading(fleet, r.stop - 1) for r in fleet.slices.values()])
    worker = start()
    worker.until(lambda: topics.committed(settings) == len(plan) + len(fleet.slices))
    assert worker.end() == 0, worker.said
    assert _letters(settings) == bad
    scores = topics.read(settings, settings.topics.scores)
    wanted = plant.offline(fleet, settings.window.length, load_production(settings))
    assert len(scores) == len(wanted) == _counts(settings)["scored"]
    assert plant.first_of_each(scores) == pytest.approx(wanted, rel=0, abs=TOLERANCE)


def _counts(settings: Settings) -> Counter[str]:
    """Readings by class as committed, once they are seen to add up in each partition."""
    total: Counter[str] = Counter()
    for commit in topics.commits(settings).values():
        assert sum(commit.metadata.counts.values()) == commit.offset - commit.metadata.start
        total.update(commit.metadata.counts)
    return total


# An anomaly is on both topics with the same bytes, in the same partition, and nothing else is.
def test_anomalies_are_scores(settings: Settings, start: Start) -> None:
    fleet = small_fleet("train")
    order = plant.rows(fleet)
    topics.publish(settings, [plant.reading(fleet, row) for row in order])
    worker = start()
    worker.until(lambda: topics.committed(settings) == len(order))
    scores = topics.read(settings, settings.topics.scores)
    anomalies = topics.read(settings, settings.topics.anomalies)
    assert anomalies
    assert Counter((one.place.partition, one.key, one.value) for one in anomalies) == Counter(
        (one.place.partition, one.key, one.value)
        for one in scores
        if json.loads(one.value)["is_anomaly"]
    )


# A broker that refuses verdicts ends the worker; what it could not deliver is not committed, so
# that it is done again once the broker takes it.
def test_lost_outputs_are_never_committed(settings: Settings, start: Start) -> None:
    fleet = small_fleet("test")
    _limit(settings, "1")
    order = plant.rows(fleet)
    places = topics.publish(settings, [plant.reading(fleet, row) for row in order])
    first_scored: dict[int, int] = {}
    for row, place in zip(order, places, strict=True):
        if fleet.cycle[row] >= settings.window.length:
            first_scored.setdefault(place.partition, place.offset)

    worker = start()
    _assert_ends_with(worker, "refused a message for good", 69)  # its supervisor restarts it
    done = topics.commits(settings)
    assert {n for n, offset in first_scored.items() if done[n].offset > offset} == set()
    assert topics.read(settings, settings.topics.scores) == []

    _limit(settings, "1000000")
    worker = start()
    worker.until(lambda: topics.committed(settings) == len(order))
    wanted = plant.offline(fleet, settings.window.length, load_production(settings))
    scores = plant.first_of_each(topics.read(settings, settings.topics.scores))
    assert scores == pytest.approx(wanted, rel=0, abs=TOLERANCE)


def _limit(settings: Settings, max_message_bytes: str) -> None:
    """Make the broker refuse larger messages on `scores`."""
    entry = ConfigEntry(
        "max.message.bytes",
        max_message_bytes,
        incremental_operation=AlterConfigOpType.SET,
    )
    scores = ConfigResource(
        ConfigResource.Type.TOPIC, settings.topics.scores, incremental_configs=[entry]
    )
    admin = AdminClient(client_config(settings))
    for future in admin.incremental_alter_configs([scores]).values():
        future.result()


@pytest.fixture
def blocked(settings: Settings) -> Iterator[Settings]:
    """Somebody else has the port of the worker's metrics."""
    with socket.create_server(("127.0.0.1", settings.worker.metrics_port)):
        yield settings


# What a person must mend is one last line that names it, with an exit code that says whether to
# wait (69) or to change something (78), and no traceback. All at once: a start takes seconds.
def test_failures_are_one_line(blocked: Settings, start: Start, tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    damaged = tmp_path / "damaged"
    shutil.copytree(blocked.model.cache, damaged)
    _flip_a_bit(damaged / read_production(damaged).digest / NETWORK)
    cases = {
        "no model was ever fetched": (with_changes(blocked, "model", cache=tmp_path / "none"), 78),
        "is corrupted (sha256 differs)": (with_changes(blocked, "model", cache=damaged), 78),
        "WORKER_METRICS_PORT": (blocked, 78),
        "no Kafka broker answers": (with_changes(blocked, "kafka", bootstrap_servers=nowhere), 69),
    }
    started = [(says, code, start(case)) for says, (case, code) in cases.items()]
    for says, code, worker in started:
        _assert_ends_with(worker, says, code)


def _assert_ends_with(worker: Command, says: str, code: int) -> None:
    assert worker.wait() == code, worker.said
    assert "Traceback" not in worker.said
    last = worker.said.splitlines()[-1]
    assert says in last
    assert last.startswith("plantwatch: ")


def _flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

"""The moves of incidents on their way from PostgreSQL to Kafka."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson
import pytest
from confluent_kafka import KafkaException

from connections.kafka import CheckedProducer, ensure_topics, producer_config
from connections.postgres import connect
from connections.prometheus import Exporter
from local_stack.pipeline import environment_of
from plantwatch import metrics
from plantwatch.errors import StoreAwayError
from plantwatch.instants import to_iso, to_microseconds
from plantwatch.messages import IncidentEvent
from plantwatch.settings import Settings
from sinks.locks import Lock
from sinks.migrate import upgrade
from sinks.outbox import Relay
from sinks.postgres import PostgresSink
from tests.support.stored import do
from tests.support.topics import Found, ends, incident_event, read
from tests.support.verdicts import row
from tests.support.waiting import until

pytestmark = pytest.mark.real


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With tables and topics; an incident is over after 4 normal verdicts."""
    upgrade(settings)
    ensure_topics(settings)
    until(lambda: has_leaders(settings))
    anomaly = settings.anomaly.model_copy(update={"alarm_clean": 4})
    return settings.model_copy(update={"anomaly": anomaly})


def has_leaders(settings: Settings) -> bool:
    """Whether all of a new topic can be read already."""
    with suppress(KafkaException):
        return bool(ends(settings, settings.topics.incidents))
    return False


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def relay(settings: Settings, exporter: Exporter) -> Iterator[Relay]:
    relay = Relay(settings, CheckedProducer(producer_config(settings)), exporter)
    yield relay
    relay.close()


def happen(settings: Settings, levels: str, **changes: Any) -> None:
    """Verdicts with these levels reach the sink."""
    scores = {"0": 0.25, "1": 0.75, "2": 0.95}
    sink = PostgresSink(settings, Exporter().histogram(metrics.STORED_LATENCY))
    sink.write(
        [
            row(cycle, anomaly_score=scores[level], is_anomaly=level != "0", **changes)
            for cycle, level in enumerate(levels, start=1)
        ]
    )
    sink.close()


def left(settings: Settings) -> int:
    ((count,),) = do(settings, "SELECT count(*) FROM outbox")
    return int(count)


def found(settings: Settings) -> list[Found]:
    return read(settings, settings.topics.incidents)


def events(settings: Settings) -> list[IncidentEvent]:
    return [incident_event(one.value) for one in found(settings)]


# Each move is published once, in order, under the machine's key, and then waits no longer.
def test_moves_are_published(settings: Settings, relay: Relay, exporter: Exporter) -> None:
    happen(settings, "1112220000")
    assert left(settings) == relay.publish() == 3
    assert [one.kind for one in events(settings)] == ["opened", "escalated", "closed"]
    assert {one.key for one in found(settings)} == {b"FD001-engine-001"}
    assert len({one.id for one in events(settings)}) == 3
    assert left(settings) == relay.publish() == 0
    value = exporter.registry.get_sample_value
    labels = {"kind": "escalated", "severity": "critical"}
    assert value("plantwatch_incidents_total", labels) == 1


# A message says all that is known of the incident, with times spelled as everywhere.
def test_a_message_says_all(settings: Settings, relay: Relay) -> None:
    happen(settings, "111", regime=2)
    with connect(settings, "operator") as person:
        person.execute("UPDATE incidents SET acknowledged_at = now(), acknowledged_by = 'me'")
    relay.publish()
    ((number, opened_at),) = do(settings, "SELECT id, opened_at FROM incidents")
    opened, acknowledged = (orjson.loads(one.value) for one in found(settings))
    assert opened["id"].startswith(f"incident/{number}/")
    assert (opened["kind"], opened["sensor_id"]) == ("opened", "FD001-engine-001")
    assert opened["incident"]["opened_at"] == to_iso(to_microseconds(opened_at))
    assert (opened["incident"]["regime"], opened["incident"]["acknowledged_by"]) == (2, None)
    assert (acknowledged["kind"], acknowledged["incident"]["acknowledged_by"]) == (
        "acknowledged",
        "me",
    )


# While one relay is at work another one publishes nothing; it takes over when the first is gone.
def test_one_works_at_a_time(settings: Settings, relay: Relay) -> None:
    happen(settings, "111")
    with connect(settings, "writer") as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [Lock.OUTBOX])
        assert relay.publish() == 0
        assert left(settings) == 1
    assert relay.publish() == 1


class Unheard(CheckedProducer):
    """After the first message Kafka does not answer any more."""

    deaf = False

    def send(self, *message: Any, **more: Any) -> None:
        super().send(*message, **more)
        self.deaf = True

    def flush(self, timeout: float) -> bool:
        return not self.deaf and super().flush(timeout)


# What Kafka has not acknowledged stays, and comes under the same id when it is sent once more.
def test_nothing_is_deleted_before_kafka_has_it(
    settings: Settings, exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(settings, "111")
    producer = Unheard(producer_config(settings))
    relay = Relay(settings, producer, exporter)
    with pytest.raises(StoreAwayError):
        relay.publish()
    with pytest.raises(StoreAwayError):  # what was sent is waited for, before it is sent once more
        relay.publish()
    assert left(settings) == 1
    producer.deaf = False
    assert producer.flush(10)
    monkeypatch.setattr(Unheard, "send", CheckedProducer.send)
    relay.publish()
    relay.close()
    assert left(settings) == 0
    first, second = found(settings)
    assert first.value == second.value


# More than a batch is published batch after batch, in the order in which it happened.
def test_batches_follow_one_another(settings: Settings, exporter: Exporter) -> None:
    outbox = settings.outbox.model_copy(update={"batch_rows": 2})
    small = settings.model_copy(update={"outbox": outbox})
    happen(settings, "1110000" * 3)
    relay = Relay(small, CheckedProducer(producer_config(small)), exporter)
    stopping = Event()
    running = Thread(target=relay.run, args=(stopping,))
    running.start()
    until(lambda: left(settings) == 0)
    stopping.set()
    running.join()
    assert [one.kind for one in events(settings)] == ["opened", "closed"] * 3


# Killed and started again, the command loses no move; what it tells twice has the same id.
def test_a_killed_relay_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    for number in range(300):
        happen(settings, "1110000", sensor_id=f"m{number}")
    every = {
        f"incident/{one}/{two}" for one, two in do(settings, "SELECT incident_id, id FROM outbox")
    }
    outbox = settings.outbox.model_copy(update={"batch_rows": 10})
    small = settings.model_copy(update={"outbox": outbox})
    for reached in (550, 300, 0):
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "commands.app", "outbox"],
                env=os.environ | environment_of(small),
                stderr=log,
            )
        until(lambda: left(settings) <= reached)  # noqa: B023 (called at once)
        process.send_signal(signal.SIGKILL if reached else signal.SIGTERM)
        assert process.wait() == (-signal.SIGKILL if reached else 0), (tmp_path / "log").read_text()
    once = {one.id: one for one in events(settings)}
    assert once.keys() == every
    assert [one.kind for one in once.values()].count("closed") == 300

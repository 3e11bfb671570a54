"""The judge on real servers: a pipeline that did its work is in order, and tampering shows."""

import json
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import Producer

from connections.kafka import ensure_topics, producer_config
from connections.postgres import connect
from data.fleet import Fleet
from ledger.findings import Fault, Findings
from ledger.run import run
from ledger.sources import cluster
from plantwatch.configuration import with_changes
from plantwatch.dead_letter import DeadLetter
from plantwatch.messages import score_event_from_bytes
from plantwatch.settings import Settings
from producers.manifest import Manifest
from sinks.migrate import upgrade
from tests.support import plant, topics
from tests.support.commands import Command
from tests.support.small_training import small_fleet, without_registry
from tests.support.stored import do
from tests.support.topics import Sent

pytestmark = pytest.mark.real

DELETE_ONE = "DELETE FROM anomaly_events WHERE id = (SELECT min(id) + 3 FROM anomaly_events)"
CHANGE_ONE = """
UPDATE anomaly_events SET anomaly_score = 1 - anomaly_score
WHERE id = (SELECT max(id) - 3 FROM anomaly_events)
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Those of a pipeline with a small model and no registry; topics and tables are made."""
    own = without_registry(settings, tmp_path / "models")
    ensure_topics(own)
    upgrade(own)
    return own


@pytest.fixture
def at_rest(settings: Settings, tmp_path: Path) -> Settings:
    """A worker and a sink have done all there was to do with a disorderly fleet, and ended."""
    sent = disorderly(small_fleet("test"))
    topics.publish(settings, sent)
    _refuse_a_challenger(settings)
    with ExitStack() as stack:
        worker, sink = (
            Command(tmp_path / name[0], settings, *name)
            for name in (("worker",), ("sink", "postgres"))
        )
        for process in (worker, sink):
            stack.callback(process.wait)
            stack.callback(process.process.kill)
        worker.until(lambda: topics.committed(settings) == len(sent))
        assert worker.end() == 0, worker.said
        scores = sum(topics.ends(settings, settings.topics.scores).values())
        sink.until(lambda: stored(settings) == scores)
        assert sink.end() == 0, sink.said
    return settings


def _refuse_a_challenger(settings: Settings) -> None:
    """A dead letter of what a challenger said: nothing that the ledger judges."""
    letter = DeadLetter.of(settings.topics.shadow_scores, 0, 0, b"", b"{", reason="bad_event")
    producer = Producer(producer_config(settings))
    producer.produce(settings.topics.dead_letters, letter.to_bytes(), partition=0)
    assert producer.flush(30) == 0


def disorderly(fleet: Fleet) -> list[Sent]:
    """A fleet's rows with repeats, contradictions, neighbours exchanged, and what is no reading."""
    rng = Random(1)
    sent: list[Sent] = []
    for row in plant.rows(fleet):
        one, luck = plant.reading(fleet, row), rng.random()
        sent.append(one)
        if luck < 0.05:
            sent.append(one)
        elif luck < 0.10:
            sent.append(plant.reading(fleet, row, shift=1.0))
        elif luck < 0.15:
            sent.append(Sent(one.key, b'{"half": '))
        elif luck < 0.20 and len(sent) > 12:
            sent[-1], sent[-12] = sent[-12], sent[-1]
    return sent


def stored(settings: Settings) -> int:
    ((number,),) = do(settings, "SELECT count(*) FROM anomaly_events")
    return int(number)


def execute(settings: Settings, statement: str) -> None:
    with connect(settings, "owner") as connection:
        assert connection.execute(statement).rowcount == 1


def judged(settings: Settings, manifests: Path = Path("nowhere")) -> Findings:
    return run(settings, manifests, lambda _done, _total: None)


# A disorderly fleet went through worker and sink: all is in order, and the command says so. Then a
# row is deleted, one is changed, and a verdict is forged: each is found, under its own name.
def test_what_is_right_is_in_order_and_tampering_shows(at_rest: Settings, tmp_path: Path) -> None:
    command = Command(tmp_path / "ledger", at_rest, "ledger")
    assert command.wait() == 0, command.said
    summary = json.loads(command.said.splitlines()[-1])
    assert summary["faults"] == {}
    assert (summary["lost"], summary["doubled"], summary["wrong"]) == (0, 0, 0)
    assert summary["scored"] == summary["stored"] == stored(at_rest) > 500
    assert summary["dead"] > 50
    assert all(len(line) <= 100 for line in command.said.splitlines()[:-1])

    execute(at_rest, DELETE_ONE)
    found = judged(at_rest)
    assert found.document()["faults"] == {"lost": 1}

    execute(at_rest, CHANGE_ONE)
    found = judged(at_rest)
    assert (found.lost, found.doubled, found.wrong) == (1, 0, 1)

    forge(at_rest)
    found = judged(at_rest)
    assert set(found.faults) == {
        Fault.LOST,
        Fault.WRONG_SCORE,
        Fault.UNFOUNDED_SCORE,
        Fault.LAG,  # the sink has ended and has not read it
    }
    again = Command(tmp_path / "again", at_rest, "ledger")
    assert again.wait() == 1
    assert "FAULT 1 x has a window, but neither a row nor a dead letter: FD001-" in again.said


def forge(settings: Settings) -> None:
    """Put a verdict on `scores` that nobody came to."""
    true = topics.read(settings, settings.topics.scores)[0]
    event = score_event_from_bytes(true.value)
    forged = true.value.replace(event.id.encode(), b"FD001-engine-999/1/x")
    producer = Producer(producer_config(settings))
    producer.produce(settings.topics.scores, forged, partition=true.place.partition)
    assert producer.flush(30) == 0


# A row that a producer's manifest calls acknowledged, and that is not on the topic, is lost.
def test_what_a_producer_knows_to_be_acknowledged_must_be_there(
    settings: Settings, tmp_path: Path
) -> None:
    fleet = small_fleet("test")
    topics.publish(settings, [plant.reading(fleet, row) for row in plant.rows(fleet)[:24]])
    manifest = Manifest(
        cluster=cluster(settings),
        dataset="FD001",
        split="test",
        engines=(1, 2),
        source="simulated, not NASA data",
        data_hash="",
        origin=plant.ORIGIN,
        acked={1: 2, 2: 3},
    )
    manifest.save(tmp_path / "manifests" / "FD001-test.json")
    found = judged(settings, tmp_path / "manifests")
    assert (found.published, found.lost) == (24, 1)
    number, example = found.faults[Fault.UNDELIVERED]
    assert number == 1
    assert example.startswith("FD001-engine-002/3/2026-01-01")


# A partition that another model judged, which is nowhere to be had, is named as such.
def test_a_model_that_is_nowhere_is_a_fault(at_rest: Settings, tmp_path: Path) -> None:
    without = with_changes(at_rest, "model", cache=tmp_path / "empty")
    found = judged(without)
    assert set(found.faults) == {Fault.NO_MODEL}
    assert found.number(Fault.NO_MODEL) == found.scored

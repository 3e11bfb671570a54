"""`plantwatch sink` as a process of its own, between a real broker and a real database."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from connections import span
from connections.kafka import ensure_topics
from connections.postgres import connect
from connections.tail import tail
from local_stack.pipeline import environment_of
from plantwatch.messages import ScoreEvent
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from tests.support.readings import sent
from tests.support.servers import PostgresServer, halted
from tests.support.stored import do
from tests.support.verdicts import verdict

pytestmark = pytest.mark.real

PATIENCE_SEC = 60.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Impatient ones, with the tables and topics made."""
    changes = {"deadline_sec": 2.0, "retry_max_sec": 0.5, "batch_rows": 100}
    quick = settings.model_copy(update={"sink": settings.sink.model_copy(update=changes)})
    upgrade(quick)
    ensure_topics(quick)
    return quick


class SinkProcess:
    """One run of the command, with what it says."""

    def __init__(self, settings: Settings, log: Path, store: str = "postgres") -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "commands.app", "sink", store],
                env=os.environ | environment_of(settings),
                stderr=output,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SEC)


Start = Callable[..., SinkProcess]


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Starts sinks; kills those that a test leaves running."""
    with ExitStack() as stack:

        def begin(store: str = "postgres", configured: Settings = settings) -> SinkProcess:
            log = tmp_path / f"sink-{len(list(tmp_path.iterdir()))}.log"
            sink = SinkProcess(configured, log, store)
            stack.callback(sink.process.wait)
            stack.callback(sink.process.kill)
            return sink

        yield begin


def publish(settings: Settings, values: Iterable[bytes], topic: str | None = None) -> None:
    """Put messages on a topic, `scores` unless told, spread over its partitions."""
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap_servers})
    for number, value in enumerate(values):
        producer.produce(topic or settings.topics.scores, value, partition=number % 8)
        producer.poll(0)
    assert producer.flush(PATIENCE_SEC) == 0


def verdicts(count: int, **changes: Any) -> list[ScoreEvent]:
    return [verdict(cycle, **changes) for cycle in range(1, count + 1)]


def encoded(events: Iterable[ScoreEvent]) -> list[bytes]:
    return [event.to_bytes() for event in events]


def stored(settings: Settings) -> list[int]:
    """The cycles in the table; a row stored twice would show twice."""
    return [cycle for (cycle,) in do(settings, "SELECT cycle FROM anomaly_events ORDER BY cycle")]


def shadowed(settings: Settings) -> list[int]:
    return [cycle for (cycle,) in do(settings, "SELECT cycle FROM shadow_events ORDER BY cycle")]


def committed(settings: Settings) -> int:
    """How many messages the group of the sink has committed past."""
    group = {"group.id": settings.sink.postgres_group_id}
    consumer = Consumer({"bootstrap.servers": settings.kafka.bootstrap_servers} | group)
    partitions = [TopicPartition(settings.topics.scores, number) for number in range(8)]
    try:
        return sum(max(0, at.offset) for at in consumer.committed(partitions, timeout=30))
    finally:
        consumer.close()


def until(condition: Callable[[], bool], sink: SinkProcess | None = None) -> None:
    """Wait for something to be so; fail with what the sink said when it never is."""
    deadline = time.monotonic() + PATIENCE_SEC
    while not condition():
        said = sink.said if sink else ""
        assert time.monotonic() < deadline, said
        assert sink is None or sink.process.poll() is None, said
        time.sleep(0.05)


def letters(settings: Settings, count: int) -> list[dict[str, Any]]:
    found = tail(settings, settings.topics.dead_letters, from_beginning=True)
    return [json.loads(next(found)) for _ in range(count)]


def letters_waiting(settings: Settings) -> int:
    held = span.held(settings, settings.topics.dead_letters)
    return sum(len(offsets) for offsets in held.values())


def scraped(address: str) -> str:
    try:
        return str(urlopen(address).read().decode())  # noqa: S310 (our own process)
    except OSError:
        return ""


# Every verdict is a row once, though each message comes twice, and SIGTERM ends the sink with
# exit 0 and everything committed.
def test_rows_are_stored_once(settings: Settings, start: Start) -> None:
    publish(settings, encoded(verdicts(500)) * 2)
    sink = start()
    until(lambda: committed(settings) == 1000, sink)
    assert sink.end() == 0, sink.said
    assert stored(settings) == list(range(1, 501))


# Messages that are no verdicts, and verdicts that PostgreSQL refuses, end in the dead letters with
# their origin and reason; the others around them are stored.
def test_bad_rows_end_in_dead_letters(settings: Settings, start: Start) -> None:
    good = encoded(verdicts(50))
    bad = [b"no json", verdict(99, confidence=7.0).to_bytes()]
    publish(settings, good[:25] + bad + good[25:])
    sink = start()
    until(lambda: committed(settings) == 52, sink)
    assert stored(settings) == list(range(1, 51))
    found = sorted(letters(settings, 2), key=lambda letter: letter["reason"])
    assert [letter["reason"] for letter in found] == ["bad_event", "store_refused"]
    assert {letter["origin"] for letter in found} == {settings.topics.scores}
    assert [letter["partition"] for letter in found] == [25 % 8, 26 % 8]
    assert found[1]["sensor_id"] == "FD001-engine-001"
    assert "23514" in found[1]["detail"] or "check constraint" in found[1]["detail"]


# A challenger's verdicts go into a table of their own, once; what is none has its own origin.
def test_shadow_verdicts_have_a_table_of_their_own(settings: Settings, start: Start) -> None:
    topic = settings.topics.shadow_scores
    publish(settings, [*encoded(verdicts(50)) * 2, b"no json"], topic)
    sink = start("shadow")
    [letter] = letters(settings, 1)
    assert (letter["origin"], letter["reason"]) == (topic, "bad_event")
    until(lambda: shadowed(settings) == list(range(1, 51)), sink)
    assert sink.end() == 0, sink.said
    assert stored(settings) == []


# Readings are kept beside the verdicts, once; what is no reading is not this sink's to bury.
def test_readings_are_kept(settings: Settings, start: Start) -> None:
    topics = settings.topics
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap_servers})
    for reading in [sent(cycle) for cycle in range(1, 51)] * 2:
        producer.produce(topics.readings, reading.to_bytes(), reading.sensor_id, partition=0)
    producer.produce(topics.readings, b"no json", partition=0)
    assert producer.flush(PATIENCE_SEC) == 0
    sink = start("readings")
    address = f"http://127.0.0.1:{settings.sink.readings_metrics_port}/metrics"
    wanted = [
        'plantwatch_sink_rows_total{result="stored",sink="readings"} 50.0',
        'plantwatch_sink_rows_total{result="known",sink="readings"} 50.0',
        'plantwatch_sink_rows_total{result="passed over",sink="readings"} 1.0',
    ]
    until(lambda: all(line in scraped(address) for line in wanted), sink)
    assert sink.end() == 0, sink.said
    with connect(settings, "reader") as connection:
        rows = connection.execute("SELECT cycle FROM readings ORDER BY cycle").fetchall()
    assert rows == [(cycle,) for cycle in range(1, 51)]
    assert letters_waiting(settings) == 0


# Told to keep none, it says so and ends; nothing is wrong with that.
def test_no_readings_need_be_kept(settings: Settings) -> None:
    off = settings.model_copy(
        update={"sink": settings.sink.model_copy(update={"readings_hours": 0.0})}
    )
    ended = subprocess.run(
        [sys.executable, "-m", "commands.app", "sink", "readings"],
        env=os.environ | environment_of(off),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("SINK_READINGS_HOURS is 0: no readings are kept")


# Without the right to INSERT the sink ends with exit 78 and the next step, and commits nothing;
# once it is granted, the next start stores everything.
def test_a_revoked_grant_waits_for_a_person(settings: Settings, start: Start) -> None:
    publish(settings, encoded(verdicts(20)))
    with connect(settings, "owner") as owner:
        owner.execute("REVOKE INSERT ON anomaly_events FROM anomaly_writer")
    sink = start()
    assert sink.process.wait(PATIENCE_SEC) == 78
    last = sink.said.splitlines()[-1]
    assert "grant it and start again" in last
    assert "Traceback" not in sink.said
    assert committed(settings) == 0
    with connect(settings, "owner") as owner:
        owner.execute("GRANT INSERT ON anomaly_events TO anomaly_writer")
    start()
    until(lambda: stored(settings) == list(range(1, 21)))


# Killed at any moment (kill -9), the sink goes on where it was: no verdict lost, none doubled.
def test_kill_loses_nothing(settings: Settings, start: Start) -> None:
    publish(settings, encoded(verdicts(20_000)))
    for reached in (500, 4_000, 9_000):
        sink = start()
        until(lambda: len(stored(settings)) > reached, sink)  # noqa: B023 (called at once)
        sink.end(signal.SIGKILL)
    sink = start()
    until(lambda: committed(settings) == 20_000, sink)
    assert stored(settings) == list(range(1, 20_001))


# Told to stop (SIGTERM) in the middle of its work, the sink ends with exit 0 and as many rows as
# are committed, and the next one goes on from there.
def test_a_busy_sink_drains(
    settings: Settings, start: Start, record_property: Callable[[str, float], None]
) -> None:
    publish(settings, encoded(verdicts(20_000)))
    sink = start()
    until(lambda: len(stored(settings)) > 500, sink)
    told = time.monotonic()
    assert sink.end() == 0, sink.said
    record_property("drained_sec", round(time.monotonic() - told, 2))
    done = committed(settings)
    assert done < 20_000, "stopped too late to prove anything"
    assert len(stored(settings)) == done
    sink = start()
    until(lambda: committed(settings) == 20_000, sink)
    assert sink.end() == 0, sink.said
    assert stored(settings) == list(range(1, 20_001))


def backends(server: PostgresServer, settings: Settings) -> list[int]:
    with server.admin() as admin:
        rows = admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s", [settings.postgres.db]
        )
        return [pid for (pid,) in rows.fetchall()]


# PostgreSQL stopped (SIGSTOP, as a dead machine would look) and continued: the sink waits, says
# so, stays alive, and afterwards everything is stored once.
def test_a_stopped_server_loses_nothing(
    settings: Settings, postgres: PostgresServer, start: Start
) -> None:
    publish(settings, encoded(verdicts(100)))
    sink = start()
    until(lambda: len(stored(settings)) == 100, sink)
    with ExitStack() as stack:
        for pid in [*backends(postgres, settings), postgres.postmaster()]:
            stack.enter_context(halted(pid))
        publish(settings, encoded(verdicts(2_000)))
        until(lambda: sink.said.count("waiting for the store") >= 2, sink)
    until(lambda: committed(settings) == 2_100, sink)
    assert stored(settings) == list(range(1, 2_001))


# PostgreSQL killed in mid-run and started again (here by its supervisor): nothing is lost.
def test_a_killed_server_loses_nothing(
    settings: Settings, postgres: PostgresServer, start: Start
) -> None:
    publish(settings, encoded(verdicts(10_000)))
    sink = start()
    until(lambda: len(stored(settings)) > 500, sink)
    killed = postgres.postmaster()
    os.kill(killed, signal.SIGKILL)
    until(lambda: "waiting for the store" in sink.said, sink)
    until(lambda: committed(settings) == 10_000, sink)
    assert postgres.postmaster() != killed
    assert stored(settings) == list(range(1, 10_001))


# A sink that is told to stop while the database is away stops, with exit 0, and commits nothing
# that is not stored.
def test_stopping_does_not_wait_for_the_database(settings: Settings, start: Start) -> None:
    publish(settings, encoded(verdicts(10)))
    away = settings.postgres.model_copy(update={"port": 1})
    sink = start(configured=settings.model_copy(update={"postgres": away}))
    until(lambda: "waiting for the store" in sink.said, sink)
    assert sink.end() == 0
    assert committed(settings) == 0


# Two sinks under one instance id would fight for ever: the older one ends and says why.
def test_a_second_sink_of_one_name_is_noticed(settings: Settings, start: Start) -> None:
    first = start()
    until(lambda: "partitions assigned" in first.said, first)
    port = {"postgres_metrics_port": settings.sink.prometheus_metrics_port}
    start(configured=settings.model_copy(update={"sink": settings.sink.model_copy(update=port)}))
    assert first.process.wait(PATIENCE_SEC) == 78
    assert "SINK_INSTANCE_ID" in first.said.splitlines()[-1]


# Before there is a broker the sink waits and says so.
def test_it_waits_for_kafka(settings: Settings, start: Start) -> None:
    nowhere = settings.kafka.model_copy(update={"bootstrap_servers": "127.0.0.1:1"})
    sink = start(configured=settings.model_copy(update={"kafka": nowhere}))
    until(lambda: "waiting for Kafka" in sink.said, sink)
    assert sink.end() == 0


# The Prometheus sink serves what it counted, and its lag, on its port.
def test_prometheus_can_scrape(settings: Settings, start: Start) -> None:
    publish(settings, encoded(verdicts(30, is_anomaly=True)))
    sink = start("prometheus")
    address = f"http://127.0.0.1:{settings.sink.prometheus_metrics_port}/metrics"

    def counted() -> bool:
        text = scraped(address)
        return (
            'plantwatch_verdicts_total{outcome="anomaly"} 30.0' in text
            and 'plantwatch_sink_lag_messages{partition="0",sink="prometheus"} 0.0' in text
        )

    until(counted, sink)
    assert sink.end() == 0

"""Replays into a real broker: what a consumer of `readings` finds there."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from aiokafka.partitioner import murmur2  # type: ignore[import-untyped]  # has no types
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connections.kafka import ensure_topics
from data import cmapss, datasets
from data.fleet import Fleet
from data.simulate import simulate
from plantwatch.decode import Reading, decode
from plantwatch.errors import UnavailableError, UnfinishedError
from plantwatch.settings import Settings
from producers import kafka, manifest, run

pytestmark = pytest.mark.real

ROOT = Path.cwd()
SIMULATED = datasets.simulated(datasets.CONFIGS, "FD001")
FLEET = simulate(
    SIMULATED.model_copy(update={"fleet": SIMULATED.fleet.model_copy(update={"engines": 12})}),
    "test",
)


@contextmanager
def consumer(settings: Settings) -> Iterator[Consumer]:
    """Reads `readings` from its beginning."""
    config = {
        "bootstrap.servers": settings.kafka.bootstrap_servers,
        "group.id": "test",
        "enable.partition.eof": True,
    }
    topic, partitions = settings.topics.readings, range(settings.kafka.partitions)
    with closing(Consumer(config)) as opened:
        opened.assign([TopicPartition(topic, number, 0) for number in partitions])
        yield opened


def messages(settings: Settings) -> list[Message]:
    """Everything on `readings`; each partition in its order."""
    found: list[Message] = []
    ended: set[int] = set()
    with consumer(settings) as source:
        while len(ended) < settings.kafka.partitions:
            message = source.poll(30)
            assert message is not None
            if message.error() is None:
                found.append(message)
            else:
                ended.add(message.partition() or 0)
    return found


def await_messages(settings: Settings, count: int) -> None:
    """Return when so many have arrived."""
    with consumer(settings) as source:
        while count:
            message = source.poll(30)
            assert message is not None
            count -= message.error() is None


def readings(settings: Settings) -> list[Reading]:
    decoded = [decode(m.key(), m.value(), settings.reading) for m in messages(settings)]
    assert all(isinstance(reading, Reading) for reading in decoded)
    return [reading for reading in decoded if isinstance(reading, Reading)]


def by_machine(found: Sequence[Reading]) -> dict[str, list[Reading]]:
    machines: dict[str, list[Reading]] = {}
    for reading in found:
        machines.setdefault(reading.sensor_id, []).append(reading)
    return machines


def is_a_whole_pass(found: Sequence[Reading], fleet: Fleet) -> bool:
    """Whether every machine's rows are there once, in order, a second apart, with their values."""
    machines = by_machine(found)
    return all(
        np.array_equal([r.cycle for r in machines[fleet.sensor_id(engine)]], fleet.cycle[rows])
        and np.array_equal(
            np.array([r.values for r in machines[fleet.sensor_id(engine)]], np.float32),
            fleet.values[rows],
        )
        and set(np.diff([r.time for r in machines[fleet.sensor_id(engine)]])) == {1_000_000}
        for engine, rows in fleet.slices.items()
    ) and len(machines) == len(fleet.slices)


# Every row arrives once, in the order of its engine, on the partition that Java's clients choose
# for its key; the last event is now, and the manifest says that the pass is finished.
def test_every_row_arrives_once(settings: Settings, tmp_path: Path) -> None:
    done = kafka.replay(
        settings, FLEET, manifest=tmp_path / "m.json", clock=lambda: 1_800_000_000.0
    )
    found = messages(settings)
    assert done.published == len(found) == len(FLEET.rul)
    for message in found:
        hashed = murmur2(message.key()) & 0x7FFFFFFF
        assert message.partition() == hashed % settings.kafka.partitions
    assert is_a_whole_pass(readings(settings), FLEET)
    assert max(r.time for r in readings(settings)) == 1_800_000_000_000_000
    written = manifest.load(tmp_path / "m.json")
    assert written is not None
    assert written.finished
    assert written.acked == {e: rows.stop - rows.start for e, rows in FLEET.slices.items()}


# A second pass begins after the first for every machine, also where only the topic remembers it.
@pytest.mark.parametrize("second", ["same.json", "other.json"])
def test_second_pass_follows_the_first(settings: Settings, tmp_path: Path, second: str) -> None:
    first = kafka.replay(settings, FLEET, manifest=tmp_path / "same.json")
    again = kafka.replay(settings, FLEET, manifest=tmp_path / second)
    assert again.published == first.published
    for rows in by_machine(readings(settings)).values():
        half = len(rows) // 2
        assert rows[half].time > rows[half - 1].time
        assert [r.cycle for r in rows[:half]] == [r.cycle for r in rows[half:]]


# Stopped in the middle, in-process: the next call goes on, and together they are one pass.
def test_stopped_and_resumed(settings: Settings, tmp_path: Path) -> None:
    seen: list[run.Progress] = []
    with pytest.raises(UnfinishedError, match=r"run the same command again"):
        kafka.replay(
            settings,
            FLEET,
            speed=100,
            manifest=tmp_path / "m.json",
            on_progress=seen.append,
            should_stop=lambda: bool(seen) and seen[-1].published > 300,
        )
    first = seen[-1].published
    assert 300 < first < len(FLEET.rul)
    rest = kafka.replay(settings, FLEET, manifest=tmp_path / "m.json")
    assert first + rest.published == len(FLEET.rul)
    assert is_a_whole_pass(readings(settings), FLEET)


# Chosen engines only.
def test_chosen_engines(settings: Settings, tmp_path: Path) -> None:
    kafka.replay(settings, FLEET, (2, 5), manifest=tmp_path / "m.json")
    assert set(by_machine(readings(settings))) == {"FD001-engine-002", "FD001-engine-005"}


# A reading that Kafka refuses stops the run with one line; what is not acknowledged, the manifest
# does not call acknowledged.
def test_refused_reading_stops_the_run(settings: Settings, tmp_path: Path) -> None:
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap_servers, "log_level": 0})
    small = NewTopic(settings.topics.readings, 8, config={"max.message.bytes": "100"})
    admin.create_topics([small])[settings.topics.readings].result()
    with pytest.raises(UnfinishedError, match="Kafka refused a reading") as failure:
        kafka.replay(settings, FLEET, manifest=tmp_path / "m.json")
    assert "\n" not in str(failure.value)
    written = manifest.load(tmp_path / "m.json")
    assert written is not None
    assert (written.acked, written.finished) == ({}, False)


# Without a broker it takes seconds, not minutes, to say so in one line.
def test_no_broker(settings: Settings, tmp_path: Path) -> None:
    away = settings.kafka.model_copy(update={"bootstrap_servers": "127.0.0.1:1"})
    with pytest.raises(
        UnavailableError, match=r"no Kafka broker answers at 127.0.0.1:1 "
    ) as failure:
        kafka.replay(settings.model_copy(update={"kafka": away}), FLEET, manifest=tmp_path / "m")
    assert "\n" not in str(failure.value)


def command(settings: Settings, folder: Path, *options: str) -> subprocess.Popen[str]:
    """`plantwatch replay` as a person runs it, with the fleet's files and manifest in `folder`."""
    cmapss.write(FLEET, folder / "files")
    topics = {f"TOPICS_{key.upper()}": name for key, name in settings.topics.model_dump().items()}
    servers = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "PRODUCER_METRICS_PORT": str(settings.producer.metrics_port),
    }
    places = {
        "CMAPSS_DIR": str(folder / "files"),
        "PLANTWATCH_CONFIG": str(datasets.CONFIGS.resolve()),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "commands.app", "replay", *options],
        cwd=folder,
        env=os.environ | topics | servers | places | {"PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# SIGTERM in the middle of a paced replay: it exits 75 and says to run it again; the same command
# then goes on, exits 0, and every row is on the topic exactly once.
def test_sigterm_then_the_same_command(settings: Settings, tmp_path: Path) -> None:
    ensure_topics(settings)
    with command(settings, tmp_path, "--speed", "40") as first:
        await_messages(settings, 300)
        first.terminate()
        _, said = first.communicate(timeout=60)
    assert (first.returncode, said.count("\n")) == (75, 1)
    assert "run the same command again" in said
    with command(settings, tmp_path) as second:
        told, said = second.communicate(timeout=60)
    assert (second.returncode, said) == (0, "")
    assert "12 engines" in told
    assert "files in C-MAPSS format, not NASA's" in told
    assert is_a_whole_pass(readings(settings), FLEET)


# After kill -9 the same command publishes every identity of the pass; what it sends twice is equal.
def test_kill_then_the_same_command(settings: Settings, tmp_path: Path) -> None:
    ensure_topics(settings)
    with command(settings, tmp_path, "--speed", "40") as first:
        await_messages(settings, 300)
        first.kill()
        first.communicate(timeout=60)
    kafka.replay(settings, FLEET, manifest=tmp_path / manifest.path_for(FLEET, tuple(FLEET.slices)))
    found = readings(settings)
    each_once = {(reading.sensor_id, reading.cycle, reading.time): reading for reading in found}
    assert all(each_once[r.sensor_id, r.cycle, r.time] == r for r in found)
    assert is_a_whole_pass(sorted(each_once.values(), key=lambda r: r.time), FLEET)

"""`plantwatch replay` against two loops with the same producer settings, in turn.

`loop` does what a user would write for the same rows: take each out of the table, spell it, send
it. `bare` is librdkafka alone: its messages are bytes before the clock starts. Neither reads a
delivery report or keeps a manifest of how far it came.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import orjson
from confluent_kafka import Producer

from benchmarks.stretch import Moment, Speed, speed
from connections.kafka import ensure_topics, producer_config
from data.fleet import Fleet
from plantwatch.instants import to_iso
from plantwatch.messages import SCHEMA_VERSION
from plantwatch.settings import Settings
from producers import kafka, replay
from producers.run import FULL_QUEUE_SEC, Progress

SYSTEMS: Final = ("plantwatch", "loop", "bare")


def run(settings: Settings, home: Path, fleet: Fleet, rounds: int) -> Iterator[tuple[str, Speed]]:
    """Measure all once a round, each round beginning with another one; all on one topic.

    A round before the first is not counted: the broker is cold.

    Raises:
        UnavailableError: no broker answers.
        UnfinishedError: it did not take the readings.
    """
    ensure_topics(settings)
    encoded = list(_messages(fleet))
    for number in range(rounds + 1):
        turn = number % len(SYSTEMS)
        for system in SYSTEMS[turn:] + SYSTEMS[:turn]:
            if system == "plantwatch":
                measured = _replay(settings, fleet, home / f"pass-{number}.json")
            else:
                measured = _loop(settings, encoded if system == "bare" else _messages(fleet))
            if number:
                yield system, measured


def _replay(settings: Settings, fleet: Fleet, manifest: Path) -> Speed:
    """From the first row to the last acknowledgement: `on_progress` is called at either."""
    moments: list[Moment] = []

    def look(progress: Progress) -> None:
        moments[1:] = [Moment(progress.published, time.monotonic(), time.process_time())]

    kafka.replay(settings, fleet, manifest=manifest, on_progress=look)
    return speed(moments[0], moments[-1])


def _loop(settings: Settings, messages: Iterable[tuple[bytes, bytes]]) -> Speed:
    """The same stretch of a loop that a user would write."""
    topic, number = settings.topics.readings, 0
    producer = Producer(producer_config(settings))
    first = Moment(0, time.monotonic(), time.process_time())
    for number, (key, value) in enumerate(messages, 1):  # noqa: B007 - counts them
        while True:
            try:
                producer.produce(topic, value=value, key=key)
                break
            except BufferError:
                producer.poll(FULL_QUEUE_SEC)
        producer.poll(0)
    left = producer.flush(settings.producer.drain_timeout_sec)
    return speed(first, Moment(number - left, time.monotonic(), time.process_time()))


def _messages(fleet: Fleet) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one pass, in its order."""
    origin = replay.pass_origin(int(time.time() * 1e6), int(fleet.cycle.max()), None, None)
    for row in replay.order(fleet, fleet.slices, {}).tolist():
        sensor_id, cycle = fleet.identity(row)
        reading = {
            "sensor_id": sensor_id,
            "cycle": cycle,
            "event_time": to_iso(replay.event_time(origin, cycle)),
            "settings": fleet.settings[row].tolist(),
            "sensors": fleet.sensors[row].tolist(),
            "schema_version": SCHEMA_VERSION,
        }
        yield sensor_id.encode(), orjson.dumps(reading)

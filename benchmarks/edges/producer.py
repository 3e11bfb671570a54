"""`plantwatch replay` against a bare librdkafka loop that sends the same bytes, in turn.

The bare loop is spared all that a replay is for: its messages are encoded beforehand, nobody reads
their delivery reports one by one, and no manifest says how far it came.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from benchmarks.edges.stretch import Moment, Speed, speed
from connections.kafka import ensure_topics, producer_config
from data.fleet import Fleet
from plantwatch.messages import SensorReading, to_iso
from plantwatch.settings import Settings
from producers import kafka, replay
from producers.run import FULL_QUEUE_SEC, Progress

SYSTEMS: Final = ("plantwatch", "bare")


def run(settings: Settings, home: Path, fleet: Fleet, rounds: int) -> Iterator[tuple[str, Speed]]:
    """Measure both once a round, the other one first each time; all on one topic.

    A round before the first is not counted: the broker is cold.

    Raises:
        UnavailableError: no broker answers.
        UnfinishedError: it did not take the readings.
    """
    ensure_topics(settings)
    messages = _encoded(fleet)
    for number in range(rounds + 1):
        for system in SYSTEMS if number % 2 else reversed(SYSTEMS):
            if system == "bare":
                measured = _bare(settings, messages)
            else:
                measured = _replay(settings, fleet, home / f"pass-{number}.json")
            if number:
                yield system, measured


def _replay(settings: Settings, fleet: Fleet, manifest: Path) -> Speed:
    """From the first row to the last acknowledgement: `on_progress` is called at either."""
    moments: list[Moment] = []

    def look(progress: Progress) -> None:
        moments[1:] = [Moment(progress.published, time.monotonic(), time.process_time())]

    kafka.replay(settings, fleet, manifest=manifest, on_progress=look)
    return speed(moments[0], moments[-1])


def _bare(settings: Settings, messages: Sequence[tuple[bytes, bytes]]) -> Speed:
    """The same stretch of a loop that a user would write."""
    topic = settings.topics.readings
    producer = Producer(producer_config(settings))
    first = Moment(0, time.monotonic(), time.process_time())
    for key, value in messages:
        while True:
            try:
                producer.produce(topic, value=value, key=key)
                break
            except BufferError:
                producer.poll(FULL_QUEUE_SEC)
        producer.poll(0)
    left = producer.flush(settings.producer.drain_timeout_sec)
    return speed(first, Moment(len(messages) - left, time.monotonic(), time.process_time()))


def _encoded(fleet: Fleet) -> list[tuple[bytes, bytes]]:
    """Keys and values of one pass, in its order."""
    origin = replay.pass_origin(int(time.time() * 1e6), int(fleet.cycle.max()), None, None)
    messages = []
    for row in replay.order(fleet, fleet.slices, {}).tolist():
        cycle = int(fleet.cycle[row])
        reading = SensorReading(
            sensor_id=fleet.sensor_id(int(fleet.engine[row])),
            cycle=cycle,
            event_time=to_iso(replay.event_time(origin, cycle)),
            settings=fleet.settings[row].tolist(),
            sensors=fleet.sensors[row].tolist(),
        )
        messages.append((reading.sensor_id.encode(), reading.to_bytes()))
    return messages

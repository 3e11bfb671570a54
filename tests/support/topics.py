"""What a test puts on Kafka and what it finds there, by plain clients of its own."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import TypeAdapter

from connections.kafka import LOOKER, client_config, producer_config
from plantwatch.accounting import CommitMetadata
from plantwatch.messages import IncidentEvent
from plantwatch.settings import Settings
from tests.support.waiting import PATIENCE_SEC, until


class Place(NamedTuple):
    """Where a message stands in its topic."""

    partition: int
    offset: int


class Sent(NamedTuple):
    """What to publish."""

    key: bytes | None
    value: bytes | None


class Found(NamedTuple):
    """What was read."""

    place: Place
    key: bytes | None
    value: bytes


class Commit(NamedTuple):
    """Up to where a partition is committed, and what the worker wrote beside it."""

    offset: int
    metadata: CommitMetadata


incident_event: Final = TypeAdapter(IncidentEvent).validate_json
"""A message of `incidents`, which only subscribers read."""


def publish(settings: Settings, messages: Iterable[Sent]) -> list[Place]:
    """Put messages on `readings` in order; where each of them is."""
    places: dict[int, Place] = {}
    producer = Producer(producer_config(settings))
    for number, (key, value) in enumerate(messages):

        def delivered(error: KafkaError | None, sent: Message, number: int = number) -> None:
            assert error is None
            places[number] = _place(sent)

        producer.produce(settings.topics.readings, value, key, on_delivery=delivered)
        producer.poll(0)
    assert producer.flush(PATIENCE_SEC) == 0
    return [places[number] for number in sorted(places)]


def read(settings: Settings, topic: str) -> list[Found]:
    """All that a topic holds now, partition after partition, each in its order."""
    with _consumer(settings) as consumer:
        marks = _ends(consumer, topic)
        consumer.assign([TopicPartition(topic, number, 0) for number in marks])
        found: list[Found] = []

        def complete() -> bool:
            # A timeout that is short: `consume` waits for all thousand.
            batch = consumer.consume(1000, 0.05)
            found.extend(Found(_place(one), one.key(), one.value() or b"") for one in batch)
            return len(found) >= sum(marks.values())

        until(complete, lambda: f"{topic} does not deliver")
    return sorted(found)  # partitions arrive interleaved, differently each time


def ends(settings: Settings, topic: str) -> dict[int, int]:
    """The end offset of each partition."""
    with _consumer(settings) as consumer:
        return _ends(consumer, topic)


def forget(settings: Settings, until: dict[int, int]) -> None:
    """Remove from `readings` what stands before an offset of each partition, as retention does."""
    topic = settings.topics.readings
    cut = [TopicPartition(topic, number, offset) for number, offset in until.items()]
    admin = AdminClient(client_config(settings))  # named: its answers come only while it lives
    for future in admin.delete_records(cut).values():
        future.result(PATIENCE_SEC)


def commits(settings: Settings) -> dict[int, Commit]:
    """The worker's commits so far, by partition."""
    topic = settings.topics.readings
    with _consumer(settings, settings.worker.group_id) as consumer:
        wanted = [TopicPartition(topic, number) for number in _ends(consumer, topic)]
        committed = consumer.committed(wanted, PATIENCE_SEC)
    found = {one.partition: CommitMetadata.from_text(one.metadata) for one in committed}
    return {
        one.partition: Commit(one.offset, metadata)
        for one in committed
        if (metadata := found[one.partition]) is not None
    }


def committed(settings: Settings) -> int:
    """How many offsets the worker has committed past."""
    return sum(one.offset for one in commits(settings).values())


@contextmanager
def _consumer(settings: Settings, group: str = LOOKER) -> Iterator[Consumer]:
    """A client that joins no group and commits nothing."""
    config = {"group.id": group, "enable.auto.commit": False}
    with closing(Consumer(client_config(settings) | config)) as consumer:
        yield consumer


def _ends(consumer: Consumer, topic: str) -> dict[int, int]:
    numbers = consumer.list_topics(topic, PATIENCE_SEC).topics[topic].partitions
    return {
        number: consumer.get_watermark_offsets(TopicPartition(topic, number), PATIENCE_SEC)[1]
        for number in numbers
    }


def _place(message: Message) -> Place:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return Place(partition, offset)

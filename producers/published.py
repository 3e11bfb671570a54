"""What is already on `readings`: a bounded look, so that no machine's time turns back."""

import time
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connections.kafka import METADATA_TIMEOUT_SEC, looker_config, no_broker
from plantwatch.decode import Reading, decode
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings

_FETCH: Final = 1000
"""Messages per call into librdkafka."""
_TAIL_BASE: Final = -2000
"""librdkafka's RD_KAFKA_OFFSET_TAIL_BASE: an offset of _TAIL_BASE - n begins n before the end."""


@dataclass(frozen=True, slots=True)
class Published:
    """Kafka's own id of the cluster, and the latest event time found (microseconds, or None)."""

    cluster: str
    until: int | None


def look(settings: Settings, sensor_ids: Collection[str]) -> Published:
    """Find the latest event time of these machines in the last messages of each partition.

    Looks at `producer.tail_messages` of them and commits nothing; blocks for seconds at most.

    Raises:
        UnavailableError: the broker does not answer; the caller gives up and tells the person.
    """
    # Where fewer messages are held than asked for, all are looked at.
    config = looker_config(settings) | {"enable.partition.eof": True}
    try:
        with closing(Consumer(config)) as consumer:
            found = (
                decode(message.key(), message.value(), settings.reading)
                for message in _last_messages(consumer, settings)
            )
            times = [
                reading.time
                for reading in found
                if isinstance(reading, Reading) and reading.sensor_id in sensor_ids
            ]
            return Published(consumer.cluster_id(METADATA_TIMEOUT_SEC), max(times, default=None))
    except KafkaException as error:
        raise no_broker(settings, error) from None


def _last_messages(consumer: Consumer, settings: Settings) -> Iterator[Message]:
    topic = settings.topics.readings
    unread = set(consumer.list_topics(topic, METADATA_TIMEOUT_SEC).topics[topic].partitions)
    start = _TAIL_BASE - settings.producer.tail_messages
    consumer.assign([TopicPartition(topic, number, start) for number in unread])
    deadline = time.monotonic() + METADATA_TIMEOUT_SEC
    while unread:
        if time.monotonic() > deadline:
            servers = settings.kafka.bootstrap_servers
            raise UnavailableError(f"Kafka at {servers} does not deliver {topic}; try again later")
        for message in consumer.consume(_FETCH, timeout=0.1):
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - that is its name
                unread.discard(message.partition())

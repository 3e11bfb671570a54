"""What a topic holds: from which offset to which, and the messages in between."""

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final, Protocol, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connections.kafka import METADATA_TIMEOUT_SEC, looker_config, no_broker
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings

_FETCH: Final = 1000
"""Messages per call into librdkafka."""


class Record(Protocol):
    """A message where it stands: confluent_kafka's, of which none of this is ever None."""

    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> list[tuple[str, bytes | None]] | None: ...
    def timestamp(self) -> tuple[int, int]: ...


def held(settings: Settings, topic: str) -> dict[int, range]:
    """The offsets that Kafka holds now of each partition, from the oldest to the newest.

    Raises:
        UnavailableError, ConfigError: no broker answers, it refuses us, or the topic is not there;
            the caller tells the person.
    """
    with _consumer(settings) as consumer:
        return {
            number: range(
                *consumer.get_watermark_offsets(TopicPartition(topic, number), METADATA_TIMEOUT_SEC)
            )
            for number in partitions(consumer, topic)
        }


def read(
    settings: Settings, topic: str, wanted: Mapping[int, range]
) -> Generator[Record, None, None]:
    """Yield the messages at the wanted offsets, in order per partition.

    Leaves out what is not there: removed by retention, or never a message. Commits nothing.

    Raises:
        UnavailableError: the broker does not answer, or delivers nothing for a while.
    """
    left = {number: offsets for number, offsets in wanted.items() if offsets}
    with _consumer(settings) as consumer:
        consumer.assign([TopicPartition(topic, n, offsets.start) for n, offsets in left.items()])
        deadline = time.monotonic() + METADATA_TIMEOUT_SEC
        while left:
            # A short wait: it lasts in full unless _FETCH messages come.
            for message in consumer.consume(_FETCH, 0.1):
                deadline = time.monotonic() + METADATA_TIMEOUT_SEC
                at_end = _is_end(message)
                record = cast("Record", message)
                number, offset = record.partition(), record.offset()
                offsets = left.get(number, range(0))
                # Where the log begins later, or is another one, Kafka hands out what it has.
                if offset in offsets and not at_end:
                    yield record
                if offsets and (at_end or offset >= offsets.stop - 1):
                    del left[number]
                    consumer.pause([TopicPartition(topic, number)])
            if time.monotonic() > deadline:
                servers = settings.kafka.bootstrap_servers
                raise UnavailableError(f"Kafka at {servers} does not deliver {topic}; try again")


def partitions(consumer: Consumer, topic: str) -> list[int]:
    """The numbers of a topic's partitions.

    Raises:
        UnavailableError: the topic is not there.
    """
    found = consumer.list_topics(topic, timeout=METADATA_TIMEOUT_SEC).topics[topic]
    if found.error is not None:
        raise UnavailableError(
            f"Kafka has no topic {topic!r} yet ({found.error.str()}); "
            "`make up` creates it, so does the first replay"
        )
    return list(found.partitions)


def _is_end(message: Message) -> bool:
    """Whether it is no message, but says that there is none after the one before it."""
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its name
        raise KafkaException(error)
    return error is not None


@contextmanager
def _consumer(settings: Settings) -> Iterator[Consumer]:
    """A client of no group; its failures become ours."""
    config = looker_config(settings) | {"enable.partition.eof": True}
    try:
        with closing(Consumer(config)) as consumer:
            yield consumer
    except KafkaException as error:
        raise no_broker(settings, error) from None

"""What consumer groups have committed, asked without joining them. Changes nothing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connections import span
from connections.kafka import METADATA_TIMEOUT_SEC, looker_config, no_broker
from plantwatch.accounting import CommitMetadata
from plantwatch.settings import Settings


@contextmanager
def asking(settings: Settings, group: str) -> Iterator[Consumer]:
    """A client of a group that it only asks about: it never subscribes, so it is no member.

    Raises:
        UnavailableError, ConfigError: no broker answers, or it refuses us, inside the block too;
            the caller tells the person.
    """
    try:
        with closing(Consumer(looker_config(settings, group))) as consumer:
            yield consumer
    except KafkaException as error:
        raise no_broker(settings, error) from None


def committed(settings: Settings, group: str, topic: str) -> list[TopicPartition]:
    """Where a group goes on in each partition of a topic; the offset is negative where it has
    committed nothing.

    Raises:
        UnavailableError: no broker answers, or the topic is not there.
    """
    with asking(settings, group) as consumer:
        wanted = [TopicPartition(topic, number) for number in span.partitions(consumer, topic)]
        return consumer.committed(wanted, METADATA_TIMEOUT_SEC)


def lag(settings: Settings, group: str, topic: str) -> int:
    """Messages of a topic that a group has not committed past.

    The ends are asked first: what was there then is committed when this is 0.

    Raises:
        UnavailableError: no broker answers, or the topic is not there.
    """
    held = span.held(settings, topic)
    done = {one.partition: one.offset for one in committed(settings, group, topic)}
    # A partition that has moved on meanwhile must not outweigh another's lag.
    return sum(max(0, offsets.stop - max(offsets.start, done[n])) for n, offsets in held.items())


def behind(settings: Settings) -> int:
    """Readings that are not scored yet, and scores that are not stored yet.

    Raises:
        UnavailableError: no broker answers, or a topic is not there.
    """
    unscored = lag(settings, settings.worker.group_id, settings.topics.readings)
    return unscored + lag(settings, settings.sink.postgres_group_id, settings.topics.scores)


@dataclass(frozen=True, slots=True)
class Accounting:
    """What became of `received` readings, by class, as the worker's commits have it."""

    received: int
    counts: Counter[str]

    @property
    def in_order(self) -> bool:
        """Every one of them is in exactly one class."""
        return self.received == self.counts.total()


def accounting(settings: Settings) -> Accounting:
    """Account for every offset of `readings` that the worker's group has committed past.

    Raises:
        UnavailableError: no broker answers, or the topic is not there.
    """
    received, counts = 0, Counter[str]()
    for one in committed(settings, settings.worker.group_id, settings.topics.readings):
        found = CommitMetadata.from_text(one.metadata)
        if found is not None:
            received += one.offset - found.start
            counts.update(found.counts)
    return Accounting(received, counts)

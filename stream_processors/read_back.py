"""A partition's state rebuilt from the log: what a worker does before it takes over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connections.kafka import LOOKER, consumer_config
from plantwatch.accounting import CommitMetadata, Ledger
from plantwatch.settings import Settings
from stream_processors.partition import Partition, Record

_BATCH: Final = 1000
_AT_ONCE: Final = {"max.partition.fetch.bytes": 128 << 10, "queued.max.messages.kbytes": 4 << 10}
"""More than a consumer that goes on for ever should read ahead: a million readings took 19 to 21 s.

One partition after the other, for the work is Python's: all at the same time took 31 to 48 s.
"""
_POLL_SEC: Final = 1.0
_BROKER_SEC: Final = 30.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A partition as it was at its committed offset, and what that took."""

    partition: Partition
    readings: int
    truncated: bool
    """The log began later than the history that is needed: exactness is not promised."""


def rebuild(
    settings: Settings,
    committed: TopicPartition,
    on_progress: Callable[[int], None] = lambda _readings: None,
) -> Rebuilt:
    """Read [low, committed) of one partition into a new `Partition`.

    Blocks for as long as that takes (about 100,000 readings a second); meant for a thread. Without
    metadata (a new group, or an offset set by a tool) it reads one horizon and counts from zero.
    `on_progress` is told the number of readings of each batch.

    Raises:
        KafkaException: the broker refuses; the process ends and is restarted.
    """
    end = committed.offset
    found = CommitMetadata.from_text(committed.metadata)
    horizon = end - settings.window.horizon + 1
    low = max(0, horizon, found.low if found else horizon)
    ledger = Ledger(found.start, end, dict(found.counts)) if found else Ledger(end, end)
    partition = Partition(committed.partition, settings, ledger, low)
    consumer = Consumer(
        consumer_config(settings, LOOKER) | {"enable.partition.eof": True, **_AT_ONCE}
    )
    try:
        source = TopicPartition(committed.topic, committed.partition, low)
        first, _ = consumer.get_watermark_offsets(source, timeout=_BROKER_SEC)
        consumer.assign([source])
        readings = _restore(consumer, partition, end, on_progress) if low < end else 0
    finally:
        consumer.close()
    return Rebuilt(partition, readings, truncated=first > low and found is not None)


def _restore(
    consumer: Consumer, partition: Partition, end: int, on_progress: Callable[[int], None]
) -> int:
    """Feed the partition until `end` or the end of the log; returns how many readings."""
    readings = 0
    while True:
        messages: list[Record] = []
        for message in consumer.consume(_BATCH, _POLL_SEC):
            error = message.error()
            if error is None and (message.offset() or 0) < end:
                messages.append(cast("Record", message))  # a fetched message has an offset
            elif error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its name
                raise KafkaException(error)
            else:  # beyond the committed offset, or at the end of the log
                partition.restore(messages)
                return readings + len(messages)
        partition.restore(messages)
        readings += len(messages)
        on_progress(len(messages))
        if messages and messages[-1].offset() == end - 1:
            return readings

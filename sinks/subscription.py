"""Our share of a topic: polling it, waiting without losing it, and committing what is done."""

from collections.abc import Sequence

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connections.kafka import member_config
from connections.kafka_login import is_refusal, refused
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from sinks.sink import Record

log = structlog.get_logger()


class Subscription:
    """A consumer of one topic. Not thread-safe; rebalances happen inside `poll` and `wait`.

    `epoch` grows whenever partitions are taken away: a batch that was polled in an earlier epoch
    belongs to somebody else now, who reads it again from the committed offset.
    """

    def __init__(self, settings: Settings, group_id: str, topic: str) -> None:
        self.consumer = Consumer(member_config(settings, group_id, settings.sink))
        self.epoch = 0
        self._topic = topic
        self._instance_id = settings.sink.instance_id
        self._kafka = settings.kafka
        self._done: dict[int, int] = {}
        self._waiting = False
        self.consumer.subscribe(
            [self._topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def poll(self, rows: int, seconds: float) -> list[Record]:
        """Return as soon as there are `rows` records, or after `seconds` with what there is.

        Raises:
            ConfigError: another consumer has our instance id, or Kafka refuses us; the caller ends
                the process.
        """
        records = []
        for message in self.consumer.consume(rows, seconds):
            error = message.error()
            if error is None:
                records.append(_record(message))
            else:
                self._complain(error)
        return records

    def wait(self, seconds: float) -> None:
        """Fetch nothing for up to `seconds`, but stay in the group, which takes polling.

        Raises:
            ConfigError: another consumer has our instance id, or Kafka refuses us; the caller ends
                the process.
        """
        self._waiting = True
        self.consumer.pause(self.consumer.assignment())
        message = self.consumer.poll(seconds)
        if message is not None and (error := message.error()) is not None:
            self._complain(error)
        self._waiting = False
        self.consumer.resume(self.consumer.assignment())

    def done(self, records: Sequence[Record]) -> None:
        """Note records, in order, as safe to commit past."""
        self._done |= {record.partition: record.offset + 1 for record in records}

    def commit(self) -> None:
        """Commit what is done; a failure loses nothing, and the next call tries again."""
        if not self._done:
            return
        offsets = [TopicPartition(self._topic, at, offset) for at, offset in self._done.items()]
        try:
            self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._complain(error.args[0])
        else:
            self._done.clear()

    def lag(self) -> dict[int, int]:
        """Messages not yet polled, by partition that has been read from; asks no broker."""
        lag = {}
        for at in self.consumer.position(self.consumer.assignment()):
            _low, high = self.consumer.get_watermark_offsets(at, cached=True)
            if at.offset >= 0 and high >= 0:
                lag[at.partition] = max(0, high - at.offset)
        return lag

    def close(self) -> None:
        self.consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.info("partitions assigned", partitions=_numbers(partitions))
        consumer.assign(partitions)
        if self._waiting:
            # The poll in `wait` would hand out a message of these, and nobody would read it.
            consumer.pause(partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.commit()
        self._on_lost(consumer, partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.info("partitions gone", partitions=_numbers(partitions))
        self.epoch += 1
        self._done.clear()
        if self._waiting:
            # librdkafka remembers a pause over rebalances: they would come back paused.
            consumer.resume(partitions)

    def _complain(self, error: KafkaError) -> None:
        """Log what librdkafka mends by itself; stop for what it cannot."""
        # error.fatal() is False for the very message that reports a fatal error.
        if error.code() == KafkaError._FATAL:  # noqa: SLF001 (a documented constant)
            raise ConfigError(
                f"Kafka put this sink out of its group ({error.str()}); if another one runs as "
                f"{self._instance_id!r}, give each its own SINK_INSTANCE_ID, then start it again"
            )
        if is_refusal(error):
            raise refused(self._kafka, error)
        log.warning("kafka", error=error.str())


def _record(message: Message) -> Record:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    _kind, timestamp = message.timestamp()
    return Record(partition, offset, timestamp, message.key(), message.value())


def _numbers(partitions: Sequence[TopicPartition]) -> list[int]:
    return [each.partition for each in partitions]

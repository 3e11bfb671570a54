"""Readings to Kafka with every delivery report read: what is acknowledged is known by engine."""

from collections.abc import Mapping
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connections.kafka import producer_config
from plantwatch.errors import UnfinishedError
from plantwatch.messages import SensorReading
from plantwatch.settings import Settings


class Delivery:
    """An idempotent producer of one pass. Not thread-safe.

    Reports of one engine come in the order of its readings (one partition, idempotence, no gaps),
    so its last acknowledged cycle says that all before it are acknowledged too.

    Attributes:
        acked: the last acknowledged cycle by engine.
        published: readings acknowledged since this object was made.
        retries: times a reading had to wait because librdkafka's queue was full.
    """

    def __init__(self, settings: Settings, acked: Mapping[int, int]) -> None:
        self.acked = dict(acked)
        self.published = 0
        self.retries = 0
        self._refused: KafkaError | None = None
        self._topic = settings.topics.readings
        self._producer = Producer(producer_config(settings))

    def offer(self, engine: int, reading: SensorReading) -> bool:
        """Enqueue a reading without blocking; False when the queue is full: serve, offer again."""
        try:
            self._producer.produce(
                self._topic,
                value=reading.to_bytes(),
                key=reading.sensor_id.encode(),
                on_delivery=partial(self._report, engine, reading.cycle),
            )
        except BufferError:
            self.retries += 1
            return False
        except KafkaException as error:  # refused before it was sent, e.g. too large
            self._refused = self._refused or error.args[0]
        return True

    def serve(self, seconds: float) -> None:
        """Read delivery reports, waiting up to `seconds` for the first.

        Raises:
            UnfinishedError: Kafka refused a reading; send nothing more.
        """
        try:
            self._producer.poll(seconds)
        except KafkaException as error:  # fatal: a gap would follow, so librdkafka sends no more
            self._refused = self._refused or error.args[0]
        if self._refused is not None:
            raise UnfinishedError(
                f"Kafka refused a reading ({self._refused.str()}); mend the cause, then run the "
                "same command again: it goes on where this run stopped"
            )

    def pending(self) -> int:
        """Readings enqueued whose reports have not been read."""
        return len(self._producer)

    def _report(self, engine: int, cycle: int, error: KafkaError | None, _message: Message) -> None:
        # After a failure nothing counts: an engine must not be acknowledged past a hole.
        self._refused = self._refused or error
        if self._refused is None:
            self.acked[engine] = cycle
            self.published += 1

"""librdkafka clients with the settings that the delivery promise needs, and the topics.

Every producer of plantwatch is idempotent and partitions like Kafka's Java client (murmur2;
librdkafka's own default is CRC32, and the two disagree on where a key lives).
"""

import logging
from collections.abc import Iterable
from threading import Event
from typing import Any, Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # untyped
from confluent_kafka.cimpl import NewTopic

from connections.kafka_login import hear_refusal, is_refusal, login, refused
from plantwatch.errors import PlantwatchError, UnavailableError
from plantwatch.settings import Settings, Sink, Worker

METADATA_TIMEOUT_SEC: Final = 10.0
"""How long a command waits for a broker before it tells the person that none is there."""
LOOKER: Final = "plantwatch-looker"
"""The group of clients that only look: librdkafka wants one, though they never join it, and asks
the broker about it, which must let them (`kafka_roles`).
"""

# librdkafka writes on standard error, whatever the application does with the same errors.
_SILENT = logging.getLogger("librdkafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_log = structlog.get_logger()


def client_config(settings: Settings) -> dict[str, Any]:
    """What every client, consumer or producer, starts from.

    Raises:
        ConfigError: the way in needs a user or a file that is not set; see `kafka_login`.
    """
    return {
        "bootstrap.servers": settings.kafka.bootstrap_servers,
        "reconnect.backoff.max.ms": settings.kafka.reconnect_max_ms,
        "error_cb": _on_error,
        "logger": _SILENT,
        **login(settings.kafka),
    }


def consumer_config(settings: Settings, group_id: str) -> dict[str, Any]:
    """A consumer that commits only what it is told to, and reads ahead no more than it should."""
    return client_config(settings) | {
        "group.id": group_id,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "queued.max.messages.kbytes": settings.kafka.prefetch_kb,
        "max.partition.fetch.bytes": settings.kafka.fetch_kb << 10,
        "fetch.queue.backoff.ms": settings.kafka.fetch_queue_backoff_ms,
    }


def looker_config(settings: Settings, group_id: str = LOOKER) -> dict[str, Any]:
    """A consumer that only looks; it says nothing by itself, for its caller says it in one line."""
    return consumer_config(settings, group_id) | {"error_cb": lambda _error: None}


def member_config(settings: Settings, group_id: str, member: Worker | Sink) -> dict[str, Any]:
    """A consumer that joins its group under a name of its own: it comes back at once under it.

    A worker's fetches are answered with whatever is there, a sink's once there is some of it.
    """
    config = consumer_config(settings, group_id) | {
        "group.instance.id": member.instance_id,
        "session.timeout.ms": round(1000 * member.session_timeout_sec),
        "heartbeat.interval.ms": round(1000 * member.heartbeat_sec),
    }
    if isinstance(member, Sink):
        config["fetch.min.bytes"] = settings.kafka.fetch_kb << 10
        config["fetch.wait.max.ms"] = member.fetch_wait_ms
    return config


def _on_error(error: KafkaError) -> None:
    """Say that librdkafka is waiting; it connects again by itself, for as long as it takes.

    Only when every broker is down (each ten seconds): single failures come four times a second. Of
    a refusal, which waiting does not mend, with every try.
    """
    if error.code() == KafkaError._ALL_BROKERS_DOWN or is_refusal(error):  # noqa: SLF001  its name
        _log.warning("waiting for Kafka", error=error.str())


def producer_config(settings: Settings) -> dict[str, Any]:
    """An idempotent producer that never gives a message up by itself."""
    return client_config(settings) | {
        "enable.idempotence": True,
        "enable.gapless.guarantee": True,
        "message.timeout.ms": 0,
        "message.max.bytes": settings.kafka.max_message_bytes,
        "partitioner": "murmur2_random",
        "linger.ms": settings.producer.linger_ms,
        "queue.buffering.max.messages": settings.producer.queue_messages,
        "compression.type": "lz4",
    }


BY_KEY: Final = -1
"""librdkafka's RD_KAFKA_PARTITION_UA: let the partitioner choose from the key."""
Headers = dict[str, str | bytes | None]
"""What is said of a message beside its bytes."""


class DeliveryFailedError(UnavailableError):
    """Kafka refused a message for good: nothing after it may be committed, end the process."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(
            f"Kafka refused a message for good ({error.str()}), nothing after it is committed; "
            "mend the topic or its limits, then start again"
        )


class CheckedProducer:
    """A producer that remembers the first failed delivery.

    Successful reports cost nothing in Python. Without gaps means that the first failure is fatal to
    librdkafka's producer, which then raises from any call. Not thread-safe.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._failed: KafkaError | None = None
        self._producer = Producer(
            config | {"on_delivery": self._on_delivery, "delivery.report.only.error": True}
        )

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        self._failed = self._failed or error

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int = BY_KEY,
        headers: Headers | None = None,
    ) -> None:
        """Enqueue one message; blocks (serving reports) while librdkafka's queue is full.

        Raises:
            DeliveryFailedError: this message, or one before it, was refused.
        """
        while True:
            try:
                self._producer.produce(
                    topic, value=value, key=key, partition=partition, headers=headers
                )
            except BufferError:
                self.poll(0.1)
            except KafkaException as error:
                raise DeliveryFailedError(error.args[0]) from None
            else:
                return

    def __len__(self) -> int:
        """Messages sent and not yet acknowledged."""
        return len(self._producer)

    def poll(self, timeout: float = 0.0) -> None:
        """Serve delivery reports, waiting up to `timeout` seconds for a first one.

        Raises:
            DeliveryFailedError: a message was refused since this producer was made.
        """
        try:
            self._producer.poll(timeout)
        except KafkaException as error:
            raise DeliveryFailedError(error.args[0]) from None
        self._check()

    def flush(self, timeout: float) -> bool:
        """Wait until everything sent is acknowledged; False when `timeout` seconds ran out.

        Raises:
            DeliveryFailedError: a message was refused since this producer was made.
        """
        try:
            left = self._producer.flush(timeout)
        except KafkaException as error:
            raise DeliveryFailedError(error.args[0]) from None
        self._check()
        return left == 0

    def _check(self) -> None:
        if self._failed is not None:
            raise DeliveryFailedError(self._failed)


def end_offsets(admin: AdminClient, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The end offset of each partition, in one request.

    Raises:
        KafkaException: no broker answers, or a new topic has no leader yet; ask again.
    """
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # confluent_kafka
    wanted = {TopicPartition(topic, number): latest for number in partitions}
    futures = admin.list_offsets(wanted) if wanted else {}
    return {one.partition: future.result().offset for one, future in futures.items()}


def ensure_topics(settings: Settings) -> None:
    """Create the topics that are missing; leave those that exist as they are.

    Raises:
        UnavailableError: no broker answers.
        ConfigError: it refuses us, or does not let us make a topic.
    """
    kafka, topics = settings.kafka, settings.topics
    readings = {"retention.ms": "-1", "retention.bytes": str(kafka.readings_retention_bytes)}
    events = {"retention.ms": str(kafka.events_retention_hours * 3_600_000)}
    wanted = {
        topics.readings: readings,
        topics.scores: events,
        topics.anomalies: events,
        topics.dead_letters: events,
        topics.shadow_scores: events,
        topics.incidents: events,
    }
    admin = AdminClient(client_config(settings))
    try:
        present = admin.list_topics(timeout=METADATA_TIMEOUT_SEC).topics
        missing = [
            NewTopic(name, kafka.partitions, kafka.replication_factor, config=config)
            for name, config in wanted.items()
            if name not in present
        ]
        for future in (admin.create_topics(missing) if missing else {}).values():
            error = future.exception()
            # Another process may have been quicker with one of them; the others still matter.
            if error and error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise error
    except KafkaException as error:
        raise no_broker(settings, error) from None


def await_topics(settings: Settings, stopping: Event) -> None:
    """Wait for the broker and the topics: a process may be started before they are there."""
    while not stopping.is_set():
        try:
            ensure_topics(settings)
        except UnavailableError as error:
            _log.warning("waiting for Kafka", error=str(error))
        else:
            return


def no_broker(settings: Settings, error: KafkaException) -> PlantwatchError:
    """The one line a person needs when Kafka does not answer, or does not let us in."""
    kafka, refusal = settings.kafka, error.args[0]
    if not is_refusal(refusal) and kafka.security_protocol != "PLAINTEXT":
        refusal = hear_refusal(client_config(settings)) or refusal
    if is_refusal(refusal):
        return refused(kafka, refusal)
    return UnavailableError(
        f"no Kafka broker answers at {kafka.bootstrap_servers} "
        f"({refusal.str()}); start one with `make up` or set KAFKA_BOOTSTRAP_SERVERS and "
        "KAFKA_SECURITY_PROTOCOL"
    )

"""What a replay puts on Kafka, and what it refuses to."""

from dataclasses import dataclass
from typing import Final

from connections.kafka import CheckedProducer, DeliveryFailedError, Headers, producer_config
from plantwatch.errors import UnfinishedError
from plantwatch.settings import Settings

ORIGIN: Final = "plantwatch-origin"
"""Header: the id of the dead letter, which is where the message first stood: readings/3/17."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish, to the partition that it or its reading came from."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Refused:
    """A letter, by its id, that cannot be given a second chance, and why."""

    id: str
    why: str


def publish(settings: Settings, messages: list[Outgoing]) -> None:
    """Send the messages in their order; returns when Kafka has acknowledged every one.

    Raises:
        UnfinishedError: not all within `producer.drain_timeout_sec`, or one was refused. Doing it
            again is harmless: what arrives twice is a duplicate.
    """
    producer = CheckedProducer(producer_config(settings))
    again = "run the same command again, what arrives twice is only a duplicate"
    try:
        for one in messages:
            producer.send(one.topic, one.key, one.value, one.partition, one.headers)
        acknowledged = producer.flush(settings.producer.drain_timeout_sec)
    except DeliveryFailedError as error:
        raise UnfinishedError(f"Kafka refused a message ({error}); mend that and {again}") from None
    if not acknowledged:
        raise UnfinishedError(
            f"{len(producer):,} of {len(messages):,} messages are not acknowledged; {again}"
        )

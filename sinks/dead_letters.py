"""Rows that go no further, on their way to the dead-letter topic with the reason."""

from typing import Final

import structlog

from connections.kafka import CheckedProducer, DeliveryFailedError
from plantwatch.dead_letter import DeadLetter
from plantwatch.errors import StoreAwayError, UnavailableError
from plantwatch.settings import Topics
from sinks.sink import R, Record, Refusal

log = structlog.get_logger()

_FLUSH_SEC: Final = 1.0
"""How long one look for acknowledgements lasts, before Kafka counts as away."""


class DeadLetters:
    """Sends dead letters of one topic, `origin`; `flush` before committing past any of them."""

    def __init__(self, topics: Topics, origin: str, producer: CheckedProducer) -> None:
        self._topics = topics
        self._origin = origin
        self._producer = producer

    def bad_event(self, record: Record, error: ValueError) -> None:
        """Send a message that is no verdict."""
        self._send(record, "bad_event", str(error), None)

    def refused(self, refusal: Refusal[R]) -> None:
        """Send a row that the store will never take."""
        row = refusal.row
        self._send(row.record, "store_refused", refusal.detail, row.sensor_id)

    def flush(self) -> None:
        """See everything sent acknowledged.

        Raises:
            StoreAwayError: not yet; the caller polls Kafka and calls again.
            UnavailableError: Kafka refused a letter for good; the caller ends the process with
                nothing committed and is started again.
        """
        try:
            acknowledged = self._producer.flush(_FLUSH_SEC)
        except DeliveryFailedError as error:
            raise UnavailableError(
                f"Kafka refused a dead letter ({error}); mend that and start the sink again, "
                "it goes on where it was"
            ) from None
        if not acknowledged:
            raise StoreAwayError("kafka", "dead letters are not acknowledged")

    def _send(self, record: Record, reason: str, detail: str, sensor_id: str | None) -> None:
        letter = DeadLetter.of(
            self._origin,
            record.partition,
            record.offset,
            record.key,
            record.value,
            reason=reason,
            detail=detail,
            sensor_id=sensor_id,
        )
        log.warning("dead letter", id=letter.id, reason=reason, detail=detail)
        key = sensor_id.encode() if sensor_id else letter.kafka_key(record.key)
        self._producer.send(self._topics.dead_letters, key, letter.to_bytes())

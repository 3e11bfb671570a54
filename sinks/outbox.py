"""What is told of incidents, from the table `outbox` to the topic `incidents`.

The trigger of `incidents` writes a row of it with each move, in the move's own transaction. Here
they are published in the order of their numbers and deleted when Kafka has them: at least once,
for between the two this process may die. A message that comes twice has the same id.

Numbers are given before their transactions commit, so a smaller one may show up later. Rows are
deleted by number, never up to one, and none is passed over; and the moves of one machine wait for
one another, so theirs are in order.

One relay works at a time, held by a lock of the transaction: should it be stopped (SIGSTOP), the
server ends its idle transaction after `sink.idle_timeout_sec`, and another one takes over.
"""

from threading import Event
from typing import Any, Final

import structlog

from connections.kafka import CheckedProducer
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.errors import StoreAwayError
from plantwatch.messages import IncidentEvent
from plantwatch.settings import Settings
from sinks.census import Census
from sinks.incidents import incident_of
from sinks.locks import Lock, alone
from sinks.writer import writer

log = structlog.get_logger()

_FLUSH_SEC: Final = 5.0
"""How long Kafka may take over a batch; the transaction stays open meanwhile."""
_WAITING: Final = "SELECT id, kind, incident FROM outbox ORDER BY id LIMIT %s"
_DELETE: Final = "DELETE FROM outbox WHERE id = ANY(%s)"


class Relay:
    """Publishes what is in the outbox, in the caller's thread."""

    def __init__(self, settings: Settings, producer: CheckedProducer, exporter: Exporter) -> None:
        """Connect on first use only."""
        self._settings = settings
        self._producer = producer
        self._database = writer(settings)
        self._moves = exporter.counter(metrics.INCIDENTS)
        self._waiting = exporter.gauge(metrics.OUTBOX)
        self._census = Census(settings, self._database, exporter)

    def run(self, stopping: Event) -> None:
        """Publish until told to stop; waits while PostgreSQL or Kafka is away.

        Raises:
            ConfigError: a person must mend password, grant or table.
            DeliveryFailedError: Kafka refused a message for good; its row is still there.
        """
        wait = 0.0
        while not stopping.wait(wait):
            try:
                full = self.publish() == self._settings.outbox.batch_rows
                self._census.take()
            except StoreAwayError as error:
                log.warning("waiting", error=str(error))
                wait = self._settings.sink.retry_max_sec
            else:
                wait = 0.0 if full else self._settings.outbox.poll_sec
        self.close()

    def close(self) -> None:
        """Let go of PostgreSQL."""
        self._database.close()

    def publish(self) -> int:
        """Publish a batch and delete it; how many, 0 too while another relay is at work.

        Raises:
            StoreAwayError: nothing was deleted; the caller does the same again.
            ConfigError, DeliveryFailedError: see `run`.
        """
        self._flush()  # what is left of a try that failed; sent anew, it would come once more
        with self._database.transaction() as connection:
            if not alone(connection, Lock.OUTBOX):
                return 0
            rows = connection.execute(_WAITING, [self._settings.outbox.batch_rows]).fetchall()
            self._waiting.set(len(rows))
            events = [_event(*row) for row in rows]
            self._send(events)
            connection.execute(_DELETE, [[number for number, *_ in rows]])
        self._waiting.set(0)
        for event in events:
            self._moves.labels(event.kind, event.incident.severity).inc()
        return len(events)

    def _send(self, events: list[IncidentEvent]) -> None:
        for event in events:
            key = event.sensor_id.encode()
            self._producer.send(self._settings.topics.incidents, key, event.to_bytes())
        self._flush()

    def _flush(self) -> None:
        if not self._producer.flush(_FLUSH_SEC):
            raise StoreAwayError("kafka", "moves of incidents are not acknowledged by Kafka")


def _event(number: int, kind: Any, row: dict[str, Any]) -> IncidentEvent:
    incident = incident_of(row)
    name = f"incident/{incident.id}/{number}"
    return IncidentEvent(name, incident.sensor_id, kind, incident)

"""Verdicts into PostgreSQL: one transaction a batch, and writing it again changes nothing."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final, LiteralString

import psycopg
from prometheus_client import Histogram

from connections.sqlstate import in_one_line
from plantwatch.settings import Settings
from sinks import incidents
from sinks.bisection import bisect
from sinks.columns import EVIDENCE, VERDICT, Column, insertion, spell
from sinks.pruning import Pruning
from sinks.sink import Outcome, Refusal, Row
from sinks.writer import REFUSALS, writer

Key = tuple[int, int, str]
"""What tells a new row from the others of its batch: partition, offset and digest."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of verdicts; `identity` are the columns that a second copy has in common."""

    name: LiteralString
    identity: LiteralString
    columns: tuple[Column, ...]


ANOMALY_EVENTS: Final = Table(
    "anomaly_events", "sensor_id, cycle, detected_at", (*VERDICT, *EVIDENCE)
)
SHADOW_EVENTS: Final = Table(
    "shadow_events", "sensor_id, cycle, detected_at, model_digest", VERDICT
)
"""Challengers come and go, and each may judge a window once. Their verdicts move no incident."""

_UNLESS_KNOWN: Final = """
ON CONFLICT ({identity}) DO NOTHING
RETURNING source_partition, last_offset, model_digest
"""


class PostgresSink:
    """The sink of a table of verdicts; see `sinks.sink.Sink` for what it promises.

    One array per column makes a batch one statement and one round trip. Hardly ever is a row known,
    so a batch is written as if none were; where one is, again with ON CONFLICT, which takes
    PostgreSQL a third longer. That keeps the first row of an identity, within a batch too, for
    unnest reads the arrays in order.
    """

    def __init__(
        self,
        settings: Settings,
        latency: Histogram,
        clock: Callable[[], float] = time.time,
        *,
        table: Table = ANOMALY_EVENTS,
    ) -> None:
        """Connect on first use only; `latency` observes publish-to-stored seconds by `clock`."""
        self.name = "shadow" if table is SHADOW_EVENTS else "postgres"
        self._table = table
        self._rule = settings.anomaly.rule()
        self._database = writer(settings)
        self._pruning = Pruning(table.name, settings.sink, clock)
        self._latency = latency
        self._clock = clock

    def write(self, batch: Sequence[Row]) -> Outcome[Row]:
        outcome = self._transact(batch)
        now = self._clock()
        for row in outcome.stored:
            self._latency.observe(max(0.0, now - row.event.published_at / 1000))
        return outcome

    def tend(self) -> None:
        """Delete some verdicts that are kept for long enough, where they are not kept for ever."""
        self._pruning.tend(self._database)

    def close(self) -> None:
        self._database.close()

    def _transact(self, batch: Sequence[Row]) -> Outcome[Row]:
        with self._database.transaction() as connection:
            written, bad = bisect(batch, partial(_insert, connection, self._table), REFUSALS)
            stored = list(chain.from_iterable(written))
            if self._table is ANOMALY_EVENTS:
                incidents.move(connection, stored, self._rule)
        refused = [Refusal(row, in_one_line(error)) for row, error in bad]
        return Outcome(stored, len(batch) - len(stored) - len(refused), refused)


def _insert(connection: psycopg.Connection, table: Table, rows: Sequence[Row]) -> Sequence[Row]:
    """Insert rows within a savepoint, all or none; return those that are new."""
    events = [row.event for row in rows]
    insert, spelled = insertion(table.name, table.columns), spell(table.columns, events)
    try:
        with connection.transaction():
            connection.execute(insert, spelled)
    except psycopg.errors.UniqueViolation:
        unless_known = _UNLESS_KNOWN.format(identity=table.identity)
        with connection.transaction():
            new = connection.execute(insert + unless_known, spelled).fetchall()
        return _first_of_each(rows, set(new))
    return rows


def _first_of_each(batch: Sequence[Row], keys: set[Key]) -> list[Row]:
    """The rows that the new keys belong to: the first one of each, as in ON CONFLICT."""
    stored = []
    for row in batch:
        event = row.event
        key = (event.partition, event.offset, event.model_digest)
        if key in keys:
            keys.remove(key)
            stored.append(row)
    return stored

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
from sinks.arrays import array
from sinks.bisection import bisect
from sinks.line import REFUSALS, Line
from sinks.sink import Outcome, Refusal, Row

Key = tuple[int, int, str]
"""What tells a new row from the others of its batch: partition, offset and digest."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of verdicts; `identity` are the columns that a second copy has in common."""

    name: LiteralString
    identity: LiteralString


ANOMALY_EVENTS: Final = Table("anomaly_events", "sensor_id, cycle, detected_at")
SHADOW_EVENTS: Final = Table("shadow_events", "sensor_id, cycle, detected_at, model_digest")
"""Challengers come and go, and each may judge a window once."""

_INSERT: Final = """
INSERT INTO {name} (
    sensor_id, cycle, detected_at, anomaly_score, is_anomaly, confidence, model_version,
    model_digest, source_partition, first_offset, last_offset
)
SELECT * FROM unnest(
    %s::text[], %s::bigint[], %s::timestamptz[], %s::float8[], %s::boolean[], %s::float8[],
    %s::text[], %s::text[], %s::integer[], %s::bigint[], %s::bigint[]
)
ON CONFLICT ({identity}) DO NOTHING
RETURNING source_partition, last_offset, model_digest
"""


class PostgresSink:
    """The sink of a table of verdicts; see `sinks.sink.Sink` for what it promises.

    One array per column makes a batch one statement and one round trip. ON CONFLICT keeps the
    first row of an identity, within a batch too, for unnest reads the arrays in order.
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
        self._insert = _INSERT.format(name=table.name, identity=table.identity)
        self._line = Line(settings)
        self._latency = latency
        self._clock = clock

    def write(self, batch: Sequence[Row]) -> Outcome[Row]:
        outcome = self._transact(batch)
        now = self._clock()
        for row in outcome.stored:
            self._latency.observe(max(0.0, now - row.event.published_at / 1000))
        return outcome

    def tend(self) -> None:
        """Nothing to do between batches."""

    def close(self) -> None:
        self._line.close()

    def _transact(self, batch: Sequence[Row]) -> Outcome[Row]:
        with self._line.transaction() as connection:
            written, bad = bisect(batch, partial(_insert, connection, self._insert), REFUSALS)
        stored = _first_of_each(batch, set(chain.from_iterable(written)))
        refused = [Refusal(row, in_one_line(error)) for row, error in bad]
        return Outcome(stored, len(batch) - len(stored) - len(refused), refused)


def _insert(
    connection: psycopg.Connection, statement: LiteralString, rows: Sequence[Row]
) -> list[Key]:
    """Insert rows within a savepoint, all or none; return the keys of those that are new."""
    with connection.transaction():
        return connection.execute(statement, _columns(rows)).fetchall()


def _columns(rows: Sequence[Row]) -> list[list[str] | str]:
    """One array per column, in the order of `_INSERT`.

    Those that need no quoting are spelled here, as PostgreSQL reads them: psycopg takes each of
    their values in hand, which was half of what a row cost. Times are spelled already, one way only
    (`row_of` sees to that), with microseconds and in UTC whatever the session's zone.
    """
    events = [row.event for row in rows]
    return [
        [event.sensor_id for event in events],
        array(str(event.cycle) for event in events),
        array(event.event_time for event in events),
        array(repr(event.anomaly_score) for event in events),
        array("t" if event.is_anomaly else "f" for event in events),
        array(repr(event.confidence) for event in events),
        [event.model_version for event in events],
        [event.model_digest for event in events],
        array(str(event.partition) for event in events),
        array(str(event.first_offset) for event in events),
        array(str(event.offset) for event in events),
    ]


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

"""Readings into PostgreSQL, for as long as they are kept: what people look at, and no memory.

The worker judges by Kafka alone; here the first copy of each reading is kept for people's eyes, and
what is no reading is the worker's to bury. Retention deletes little by little, between batches.
"""

import time
from array import array as packed
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

import psycopg
from prometheus_client import Histogram

from connections.sqlstate import in_one_line
from plantwatch.decode import Reading, Reject, decode
from plantwatch.instants import to_datetime, to_iso
from plantwatch.settings import Settings
from sinks.arrays import array, quoted
from sinks.bisection import bisect
from sinks.locks import Lock
from sinks.sink import Outcome, Record, Refusal
from sinks.tending import Tending
from sinks.writer import REFUSALS, writer

_INSERT: Final = """
INSERT INTO readings (
    sensor_id, cycle, event_time, values, published_at, source_partition, source_offset
)
SELECT sensor_id, cycle, event_time, values::real[], published_at, partition, "offset"
FROM unnest(
    %s::text[], %s::bigint[], %s::timestamptz[], %s::text[], %s::timestamptz[], %s::integer[],
    %s::bigint[]
) AS t (sensor_id, cycle, event_time, values, published_at, partition, "offset")
ON CONFLICT ON CONSTRAINT readings_identity DO NOTHING
RETURNING source_partition, source_offset
"""
_DELETE: Final = """
DELETE FROM readings WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM readings WHERE published_at < %s ORDER BY published_at LIMIT %s
))
"""


class ReadingRow(NamedTuple):
    """A reading on its way to the table; `published` is in milliseconds since 1970."""

    reading: Reading
    published: int
    record: Record

    @property
    def sensor_id(self) -> str:
        return self.reading.sensor_id


class ReadingsSink:
    """The sink of readings; see `sinks.sink.Sink` for what it promises."""

    name = "readings"

    def __init__(
        self, settings: Settings, latency: Histogram, clock: Callable[[], float] = time.time
    ) -> None:
        """Connect on first use only; `latency` observes publish-to-stored seconds by `clock`."""
        self._settings = settings
        self._database = writer(settings)
        self._latency = latency
        self._clock = clock
        self._tending = Tending(Lock.READINGS, settings.sink, clock)

    def read(self, record: Record) -> ReadingRow | None:
        """The reading in a message; None if it is none, or too old to be kept.

        A producer whose clock is ahead publishes now at the latest, or its readings would stay.
        """
        now = 1000 * self._clock()
        if record.timestamp < now - 3_600_000 * self._settings.sink.readings_hours:
            return None
        found = decode(record.key, record.value, self._settings.reading)
        if isinstance(found, Reject):
            return None
        return ReadingRow(found, min(record.timestamp, int(now)), record)

    def write(self, batch: Sequence[ReadingRow]) -> Outcome[ReadingRow]:
        with self._database.transaction() as connection:
            written, bad = bisect(batch, partial(_insert, connection), REFUSALS)
        first = {(row.record.partition, row.record.offset): row for row in reversed(batch)}
        stored = [first[key] for key in chain.from_iterable(written)]
        now = self._clock()
        for row in stored:
            self._latency.observe(max(0.0, now - row.published / 1000))
        refused = [Refusal(row, in_one_line(error)) for row, error in bad]
        return Outcome(stored, len(batch) - len(stored) - len(refused), refused)

    def tend(self) -> None:
        """Delete some of what is kept for long enough; more at once, should there be more."""
        self._tending.tend(self._database, self._delete)

    def _delete(self, connection: psycopg.Connection, now: float) -> int:
        """Delete a batch; returns how many rows it was."""
        oldest = to_datetime(round(1e6 * (now - 3600 * self._settings.sink.readings_hours)))
        return connection.execute(_DELETE, (oldest, self._settings.sink.delete_rows)).rowcount

    def close(self) -> None:
        self._database.close()


def _insert(connection: psycopg.Connection, rows: Sequence[ReadingRow]) -> list[tuple[int, int]]:
    """Insert rows within a savepoint, all or none; return where those that are new come from."""
    with connection.transaction():
        return connection.execute(_INSERT, _columns(rows)).fetchall()


def _columns(rows: Sequence[ReadingRow]) -> list[str]:
    """One array per column, in the order of `_INSERT`; see `sinks.arrays`."""
    return [
        array(quoted(row.reading.sensor_id) for row in rows),
        array(str(row.reading.cycle) for row in rows),
        array(to_iso(row.reading.time) for row in rows),
        array(quoted(_reals(row.reading.values)) for row in rows),
        array(to_iso(1000 * row.published) for row in rows),
        array(str(row.record.partition) for row in rows),
        array(str(row.record.offset) for row in rows),
    ]


def _reals(values: Sequence[float]) -> str:
    """An array of float32, which is what the models see; PostgreSQL refuses what rounds to zero.

    >>> _reals([0.5, 1e-60, 641])
    '{0.5,0.0,641}'
    """
    pairs = zip(values, packed("f", values), strict=True)
    return array(repr(value) if near else "0.0" for value, near in pairs)

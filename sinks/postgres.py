"""Verdicts into PostgreSQL: one transaction a batch, and writing it again changes nothing.

A stopped server (SIGSTOP, a dead virtual machine) raises nothing: neither libpq nor psycopg gives
up a statement by itself. `deadline` cuts the line from our side.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final, LiteralString

import psycopg
from prometheus_client import Histogram

from connections.deadline import deadline
from connections.postgres import connect, explain
from connections.sqlstate import in_one_line
from plantwatch.settings import Settings
from sinks.bisection import bisect
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
        self._settings = settings
        self._latency = latency
        self._clock = clock
        self._connection: psycopg.Connection | None = None

    def write(self, batch: Sequence[Row]) -> Outcome:
        try:
            outcome = self._transact(batch)
        except psycopg.Error as error:
            self.close()
            raise explain(error, self._settings, "writer") from error
        now = self._clock()
        for row in outcome.stored:
            self._latency.observe(max(0.0, now - row.event.published_at / 1000))
        return outcome

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _transact(self, batch: Sequence[Row]) -> Outcome:
        self._connection = self._connection or connect(
            self._settings, "writer", **_limits(self._settings)
        )
        with (
            deadline(self._connection, self._settings.sink.deadline_sec),
            self._connection.transaction(),
        ):
            written, bad = bisect(
                batch,
                partial(_insert, self._connection, self._insert),
                (psycopg.DataError, psycopg.IntegrityError),
            )
        stored = _first_of_each(batch, set(chain.from_iterable(written)))
        refused = [Refusal(row, in_one_line(error)) for row, error in bad]
        return Outcome(stored, len(batch) - len(stored) - len(refused), refused)


def _limits(settings: Settings) -> dict[str, Any]:
    """What the server and the kernel give up by themselves, all in milliseconds.

    `idle_in_transaction_session_timeout` is for us being stopped: the keys of a half-done batch
    must not stay locked until somebody continues this process.
    """
    sink = settings.sink
    session = {
        "statement_timeout": sink.deadline_sec,
        "lock_timeout": sink.lock_timeout_sec,
        "idle_in_transaction_session_timeout": sink.idle_timeout_sec,
    }
    return {
        "options": " ".join(f"-c {name}={round(1000 * sec)}" for name, sec in session.items()),
        "tcp_user_timeout": round(1000 * sink.deadline_sec),
    }


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
        _array(str(event.cycle) for event in events),
        _array(event.event_time for event in events),
        _array(repr(event.anomaly_score) for event in events),
        _array("t" if event.is_anomaly else "f" for event in events),
        _array(repr(event.confidence) for event in events),
        [event.model_version for event in events],
        [event.model_digest for event in events],
        _array(str(event.partition) for event in events),
        _array(str(event.first_offset) for event in events),
        _array(str(event.offset) for event in events),
    ]


def _array(words: Iterable[str]) -> str:
    """An array of words that hold neither comma, brace, quote, backslash nor blank, nor are NULL.

    >>> _array(["1", "2"])
    '{1,2}'
    """
    return "{" + ",".join(words) + "}"


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

"""Verdicts into PostgreSQL: one transaction a batch, and writing it again changes nothing.

A stopped server (SIGSTOP, a dead virtual machine) raises nothing: neither libpq nor psycopg gives
up a statement by itself. `_deadline` cuts the line from our side.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final, LiteralString

import psycopg
from prometheus_client import Histogram

from connections.postgres import connect, explain
from connections.sqlstate import in_one_line
from plantwatch.settings import Settings
from sinks import incidents
from sinks.bisection import bisect
from sinks.columns import EVIDENCE, VERDICT, Column, insert
from sinks.sink import Outcome, Refusal, Row

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
        self._table = table
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
            _deadline(self._connection, self._settings.sink.deadline_sec),
            self._connection.transaction(),
        ):
            written, bad = bisect(
                batch,
                partial(_insert, self._connection, self._table),
                (psycopg.DataError, psycopg.IntegrityError),
            )
            stored = _first_of_each(batch, set(chain.from_iterable(written)))
            if self._table is ANOMALY_EVENTS:
                incidents.move(self._connection, stored, self._settings.anomaly.rule())
        refused = [Refusal(row, in_one_line(error)) for row, error in bad]
        return Outcome(stored, len(batch) - len(stored) - len(refused), refused)


def _limits(settings: Settings) -> dict[str, Any]:
    """What the server and the kernel give up by themselves, all in milliseconds; and UTC.

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
        "options": "-c timezone=UTC "
        + " ".join(f"-c {name}={round(1000 * sec)}" for name, sec in session.items()),
        "tcp_user_timeout": round(1000 * sink.deadline_sec),
    }


@contextlib.contextmanager
def _deadline(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Shut the connection's socket down after `seconds`, which ends every wait on it.

    The duplicate stays ours: shutdown works on the line, whichever descriptor names it, and cannot
    hit a descriptor that was closed and given to somebody else in between.
    """
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        timer = threading.Timer(seconds, line.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _insert(connection: psycopg.Connection, table: Table, rows: Sequence[Row]) -> list[Key]:
    """Insert rows within a savepoint, all or none; return the keys of those that are new."""
    events = [row.event for row in rows]
    statement = insert(table.name, table.columns, table.identity)
    with connection.transaction():
        spelled = [column.spell(events) for column in table.columns]
        return connection.execute(statement, spelled).fetchall()


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

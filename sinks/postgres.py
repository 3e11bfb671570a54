"""Verdicts into PostgreSQL: one transaction a batch, and writing it again changes nothing.

A stopped server (SIGSTOP, a dead virtual machine) raises nothing: neither libpq nor psycopg gives
up a statement by itself. `_deadline` cuts the line from our side.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final, LiteralString

import psycopg
from prometheus_client import Histogram

from plantwatch.errors import ConfigError, PlantwatchError
from plantwatch.settings import Settings
from sinks.bisection import bisect
from sinks.sink import Outcome, Refusal, Row, StoreAwayError
from sinks.sqlstate import Action, action, in_one_line, label, remedy

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
"""
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
        self._settings = settings
        self._latency = latency
        self._clock = clock
        self._connection: psycopg.Connection | None = None

    def write(self, batch: Sequence[Row]) -> Outcome:
        try:
            outcome = self._transact(batch)
        except psycopg.Error as error:
            self.close()
            raise explain(error, self._settings) from error
        now = self._clock()
        for row in outcome.stored:
            self._latency.observe(max(0.0, now - row.event.published_at / 1000))
        return outcome

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _transact(self, batch: Sequence[Row]) -> Outcome:
        self._connection = self._connection or connect(self._settings, **_limits(self._settings))
        with (
            _deadline(self._connection, self._settings.sink.deadline_sec),
            self._connection.transaction(),
        ):
            written, bad = bisect(
                batch,
                partial(_insert, self._connection, self._table),
                (psycopg.DataError, psycopg.IntegrityError),
            )
        stored = list(chain.from_iterable(written))
        refused = [Refusal(row, in_one_line(error)) for row, error in bad]
        return Outcome(stored, len(batch) - len(stored) - len(refused), refused)


def connect(settings: Settings, **parameters: Any) -> psycopg.Connection:
    """Open a connection; waits `sink.deadline_sec` at most.

    Raises:
        ConfigError: no password is set.
        psycopg.OperationalError: the server is away or says no; `explain` tells which.
    """
    postgres = settings.postgres
    if postgres.password is None:
        raise ConfigError(
            "no password for PostgreSQL: set POSTGRES_PASSWORD, in the environment or in .env"
        )
    return psycopg.connect(
        host=postgres.host,
        port=postgres.port,
        dbname=postgres.db,
        user=postgres.user,
        password=postgres.password.get_secret_value(),
        connect_timeout=int(settings.sink.deadline_sec),
        application_name="plantwatch",
        **parameters,
    )


def explain(error: psycopg.Error, settings: Settings) -> PlantwatchError:
    """Turn an error of PostgreSQL into what the caller must do, in one line."""
    postgres = settings.postgres
    server = f"PostgreSQL at {postgres.host}:{postgres.port}"
    said = f"{in_one_line(error)} (SQLSTATE {error.sqlstate or 'not told'})"
    if action(error) is Action.RETRY:
        return StoreAwayError(
            label(error), f"{server} is away: {said}; start it, or set POSTGRES_HOST and _PORT"
        )
    return ConfigError(
        f"{server} refuses user {postgres.user!r}, database {postgres.db!r}: {said}; "
        f"{remedy(error)} and start again, nothing is lost meanwhile"
    )


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


def _insert(connection: psycopg.Connection, table: Table, rows: Sequence[Row]) -> Sequence[Row]:
    """Insert rows within a savepoint, all or none; return those that are new."""
    insert, columns = _INSERT.format(name=table.name), _columns(rows)
    try:
        with connection.transaction():
            connection.execute(insert, columns)
    except psycopg.errors.UniqueViolation:
        unless_known = _UNLESS_KNOWN.format(identity=table.identity)
        with connection.transaction():
            new = connection.execute(insert + unless_known, columns).fetchall()
        return _first_of_each(rows, set(new))
    return rows


def _columns(rows: Sequence[Row]) -> list[str]:
    """One array per column, in the order of `_INSERT`, spelled as PostgreSQL reads them.

    psycopg takes each value in hand, which was half of what a row cost. Times are spelled already,
    one way only (`row_of` sees to that), with microseconds and in UTC whatever the session's zone.
    """
    events = [row.event for row in rows]
    return [
        _array(map(_quoted, (event.sensor_id for event in events))),
        _array(str(event.cycle) for event in events),
        _array(event.event_time for event in events),
        _array(repr(event.anomaly_score) for event in events),
        _array("t" if event.is_anomaly else "f" for event in events),
        _array(repr(event.confidence) for event in events),
        _array(map(_quoted, (event.model_version for event in events))),
        _array(map(_quoted, (event.model_digest for event in events))),
        _array(str(event.partition) for event in events),
        _array(str(event.first_offset) for event in events),
        _array(str(event.offset) for event in events),
    ]


def _array(words: Iterable[str]) -> str:
    """An array of words that are `_quoted`, or need it not: numbers, booleans, times.

    >>> _array(["1", "2"])
    '{1,2}'
    """
    return "{" + ",".join(words) + "}"


def _quoted(word: str) -> str:
    r"""Any text as an element of an array.

    >>> print(_array(map(_quoted, ["a", 'say "no"', "NULL", "back\\slash"])))
    {"a","say \"no\"","NULL","back\\slash"}
    """
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


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

"""The line of a sink to PostgreSQL: one transaction at a time, each given up in time."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import psycopg

from connections.deadline import deadline
from connections.postgres import connect, explain
from plantwatch.settings import Settings

REFUSALS: Final = (psycopg.DataError, psycopg.IntegrityError)
"""What PostgreSQL says of a batch with a bad row in it."""


class Line:
    """A connection as the writer, made when it is needed, and anew after any failure."""

    def __init__(self, settings: Settings) -> None:
        self.connection: psycopg.Connection | None = None
        self._settings = settings

    @contextlib.contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """A transaction, committed at the end of the block, within the sink's deadline.

        Raises:
            StoreAwayError: nothing is known to be stored; the caller does the same again.
            ConfigError: a person must change something first.
        """
        try:
            self.connection = self.connection or connect(
                self._settings, "writer", **_limits(self._settings)
            )
            with (
                deadline(self.connection, self._settings.sink.deadline_sec),
                self.connection.transaction(),
            ):
                yield self.connection
        except psycopg.Error as error:
            self.close()
            raise explain(error, self._settings, "writer") from error

    def close(self) -> None:
        """Let go of the connection; the next transaction makes another."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None


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
